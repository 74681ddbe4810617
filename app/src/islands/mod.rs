//! The live parts of pages: what the browser does after the server has rendered everything.
//! A page is complete without them. None of them calls an action: that would double what the browser has to load.

#[cfg(feature = "hydrate")]
mod code_editor;
#[cfg(feature = "hydrate")]
mod dom;
#[cfg(feature = "hydrate")]
mod field_checks;
#[cfg(feature = "hydrate")]
mod follower;
#[cfg(feature = "hydrate")]
mod message;
#[cfg(feature = "hydrate")]
mod refresh;
#[cfg(feature = "hydrate")]
mod workbench;

mod log_tail;
mod task_form;
mod ticker;
pub mod words;

#[cfg(feature = "ssr")]
pub use log_tail::LogTail;
#[cfg(feature = "ssr")]
pub use task_form::TaskFormWatch;
#[cfg(feature = "ssr")]
pub use ticker::Ticker;
