//! The stoker server as a library, so that tests can go through its front door.

pub mod assembly;
pub mod clock;
pub mod command_line;
pub mod config;
pub mod db;
pub mod diagnostics;
pub mod engine;
pub mod execution;
pub mod http;
pub mod kubernetes;
pub mod packages;
pub mod preflight;
pub mod programs;
pub mod remove_tree;
pub mod root_cause;
pub mod runner;
pub mod service;
