//! Which step of which run: how pages, logs and programs name one.

use super::{
    flow::StepKey,
    identifiers::{RunNumber, TaskId},
};

/// A step of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StepAddress {
    /// The task or flow.
    pub task: TaskId,
    /// The run's number within it.
    pub number: RunNumber,
    /// The step; `None` for the one that the run shows first, which of a task is its only one.
    pub step: Option<StepKey>,
}

impl StepAddress {
    /// The step that a run shows first.
    #[must_use]
    pub const fn first(task: TaskId, number: RunNumber) -> Self {
        Self { task, number, step: None }
    }
}
