//! The stoker server as a library, so that tests can go through its front door.

pub mod cache_command;
pub mod caches;
pub mod cli;
pub mod clock;
pub mod conda;
pub mod config;
pub mod data_folder;
pub mod db;
pub mod diagnostics;
pub mod engine;
pub mod environments;
pub mod hints;
pub mod http;
pub mod nix;
pub mod preflight;
pub mod preparation;
pub mod recorder;
pub mod remove_tree;
pub mod resolver;
pub mod runner;
pub mod running;
pub mod serve;
pub mod service;
pub mod site;
pub mod state;
pub mod supervisor;
