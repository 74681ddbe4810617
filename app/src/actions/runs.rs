//! Actions on runs.

use leptos::{prelude::*, server_fn::codec::Json};

use super::backend;
use crate::{
    backend::{BackendError, CancelledRuns, StartRun},
    model::identifiers::{RunNumber, RunUid, TaskId},
};

/// Starts a run of the task as saved.
#[server(prefix = "/actions", endpoint = "run_task", input = Json)]
pub async fn run_task(id: TaskId) -> Result<RunNumber, BackendError> {
    let start = StartRun { id, system_packages: None, use_cache: None, only_when_idle: false };
    backend()?.start_run(start).await
}

/// Starts a run with the spec and the exact versions of an older run.
#[server(prefix = "/actions", endpoint = "rerun", input = Json)]
pub async fn rerun(id: TaskId, number: RunNumber) -> Result<RunNumber, BackendError> {
    backend()?.rerun(&id, number).await
}

/// Asks for a run to be stopped, with everything it started.
#[server(prefix = "/actions", endpoint = "cancel_run", input = Json)]
pub async fn cancel_run(id: TaskId, number: RunNumber) -> Result<(), BackendError> {
    backend()?.cancel_run(&id, number).await
}

/// Asks for several runs to be stopped, with everything they started.
#[server(prefix = "/actions", endpoint = "cancel_runs", input = Json)]
pub async fn cancel_runs(runs: Vec<RunUid>) -> Result<CancelledRuns, BackendError> {
    backend()?.cancel_runs(&runs).await
}
