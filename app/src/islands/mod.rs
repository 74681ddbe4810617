//! The live parts of pages: what the browser does after the server has rendered everything.
//! A page is complete without them. None of them calls an action: that would double what the browser has to load.

#[cfg(feature = "hydrate")]
mod dom;
#[cfg(feature = "hydrate")]
mod follower;
#[cfg(feature = "hydrate")]
mod message;
#[cfg(feature = "hydrate")]
mod refresh;

mod code_editor;
mod field_checks;
mod log_tail;
mod ticker;

#[cfg(feature = "ssr")]
pub use code_editor::CodeEditor;
#[cfg(feature = "ssr")]
pub use field_checks::FieldChecks;
#[cfg(feature = "ssr")]
pub use log_tail::{LogTail, words};
#[cfg(feature = "ssr")]
pub use ticker::Ticker;
