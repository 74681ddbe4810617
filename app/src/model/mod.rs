//! The domain words as types, shared by server and browser. No database, no HTTP, no rendering here.

pub mod cache;
pub mod caches;
pub mod checkpoint;
pub mod checks;
pub mod cluster;
pub mod diagnostics;
pub mod environment;
pub mod fallback;
pub mod fields;
pub mod flow;
pub mod identifiers;
pub mod import_names;
pub mod last_run;
pub mod lock;
pub mod log;
pub mod log_search;
pub mod phase;
pub mod python_packages;
pub mod python_version;
pub mod resources;
pub mod retention;
pub mod run_list;
#[cfg(feature = "ssr")]
pub mod script;
pub mod sizes;
pub mod spec;
pub mod step_address;
pub mod system_packages;
pub mod task_counts;
pub mod task_title;
pub mod time;
pub mod views;
mod words;
