//! The live parts of pages: what the browser does after the server has rendered everything.
//! A page is complete without them. None of them calls an action: that would double what the browser has to load.
//! Each group is behind a feature, and pages load the groups that they have (`bundle.rs`).

#[cfg(feature = "log-islands")]
mod follower;
#[cfg(feature = "log-islands")]
mod log_choice;
#[cfg(feature = "log-islands")]
mod log_folding;
#[cfg(feature = "log-islands")]
mod log_matches;
#[cfg(feature = "log-islands")]
mod log_sheet;
#[cfg(any(feature = "ssr", feature = "log-islands"))]
mod log_tail;
#[cfg(feature = "log-islands")]
mod message;

#[cfg(feature = "form-islands")]
mod code_editor;
#[cfg(feature = "form-islands")]
mod field_checks;
#[cfg(feature = "form-islands")]
mod form_keys;
#[cfg(any(feature = "ssr", feature = "form-islands"))]
mod task_form;

#[cfg(all(feature = "log-islands", feature = "form-islands"))]
mod workbench;

#[cfg(any(feature = "ssr", feature = "flow-islands"))]
mod flow_editor;

#[cfg(feature = "ssr")]
pub use flow_editor::FlowEditor;
#[cfg(feature = "ssr")]
pub use log_tail::LogTail;
#[cfg(feature = "ssr")]
pub use task_form::TaskFormWatch;
