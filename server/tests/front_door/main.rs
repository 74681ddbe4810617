//! The server through its front door: requests in, answers out, over a real database file. What runs tasks is played
//! by [`support::NoEngine`] and [`support::FakeResolver`]; the real ones have tests of their own.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests may fail loudly")]

mod api;
mod database;
mod flows_api;
mod flows_form;
mod log_groups;
mod log_search;
mod log_socket;
mod migrations;
mod names;
mod pages;
mod python;
mod retention;
mod run_list;
mod script;
mod security;
mod support;
mod system;
mod task_form;
mod task_list;
mod task_log_socket;
mod upgrades;
mod workbench;
