//! The live parts of pages: what the browser does after the server has rendered everything.
//! A page is complete without them. None of them calls an action: that would double what the browser has to load.
//! Pages load those that they have (`bundle.rs`): all have the first, the others are behind a feature each.

#[cfg(feature = "hydrate")]
#[cfg_attr(
    not(all(feature = "log-islands", feature = "form-islands", feature = "flow-islands")),
    allow(dead_code, reason = "other bundles use the rest")
)]
mod dom;
#[cfg(feature = "hydrate")]
mod refresh;
mod ticker;
pub mod words;

#[cfg(all(feature = "hydrate", feature = "log-islands"))]
mod follower;
#[cfg(all(feature = "hydrate", feature = "log-islands"))]
mod log_choice;
#[cfg(all(feature = "hydrate", feature = "log-islands"))]
mod log_matches;
#[cfg(all(feature = "hydrate", feature = "log-islands"))]
mod log_sheet;
#[cfg(any(feature = "ssr", feature = "log-islands"))]
mod log_tail;
#[cfg(all(feature = "hydrate", feature = "log-islands"))]
mod message;

#[cfg(all(feature = "hydrate", feature = "form-islands"))]
mod code_editor;
#[cfg(all(feature = "hydrate", feature = "form-islands"))]
mod field_checks;
#[cfg(any(feature = "ssr", feature = "form-islands"))]
mod task_form;

#[cfg(feature = "ssr")]
pub use log_tail::LogTail;
#[cfg(feature = "ssr")]
pub use task_form::TaskFormWatch;
#[cfg(feature = "ssr")]
pub use ticker::Ticker;
