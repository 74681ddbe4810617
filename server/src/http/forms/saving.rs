//! The buttons that save, of the forms of tasks and of flows.

use app::backend::Resolve;

/// What a button that saves asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saving {
    /// Whether to start a run in the same step.
    pub run: bool,
    /// Whether to find exact package versions before.
    pub resolve: Resolve,
}

impl Saving {
    /// What a form's intent means; `None` when it does not save.
    pub fn of(intent: Option<&str>) -> Option<Self> {
        let (run, resolve) = match intent {
            Some("save") | None => (false, Resolve::Now),
            Some("save_and_run") => (true, Resolve::Now),
            Some("save_unresolved") => (false, Resolve::Later),
            Some("run_unresolved") => (true, Resolve::Later),
            Some(_) => return None,
        };
        Some(Self { run, resolve })
    }
}
