//! Actions on flows. What can be done with tasks and their runs alike is in `tasks` and `runs`.

use leptos::{prelude::*, server_fn::codec::Json};

use super::backend;
use crate::{
    backend::{self as contract, BackendError, Resolve, SavedTask},
    model::{
        flow::{FlowDraft, StepKey},
        identifiers::{RunNumber, TaskId},
    },
};

/// Saves a flow: a new one without `id`, else over revision `expected_revision` of that one.
#[server(prefix = "/actions", endpoint = "save_flow", input = Json)]
pub async fn save_flow(
    id: Option<TaskId>,
    expected_revision: Option<i64>,
    draft: FlowDraft,
    resolve: Resolve,
) -> Result<SavedTask, BackendError> {
    save(id, expected_revision, &draft, resolve, false).await
}

/// Saves a flow and starts a run of it, both or neither.
#[server(prefix = "/actions", endpoint = "save_and_run_flow", input = Json)]
pub async fn save_and_run_flow(
    id: Option<TaskId>,
    expected_revision: Option<i64>,
    draft: FlowDraft,
    resolve: Resolve,
) -> Result<SavedTask, BackendError> {
    save(id, expected_revision, &draft, resolve, true).await
}

/// Starts a run that goes on where an ended one failed: what succeeded there is kept.
#[server(prefix = "/actions", endpoint = "restart", input = Json)]
pub async fn restart(id: TaskId, number: RunNumber) -> Result<RunNumber, BackendError> {
    backend()?.restart(&id, number).await
}

/// Starts a run of one step alone. It reads the outputs of an earlier run, if one is named.
#[server(prefix = "/actions", endpoint = "run_step", input = Json)]
pub async fn run_step(id: TaskId, step: StepKey, inputs_of: Option<RunNumber>) -> Result<RunNumber, BackendError> {
    backend()?.run_step(&id, &step, inputs_of).await
}

pub(super) async fn save(
    id: Option<TaskId>,
    expected_revision: Option<i64>,
    draft: &FlowDraft,
    resolve: Resolve,
    run: bool,
) -> Result<SavedTask, BackendError> {
    let backend = backend()?;
    let flow = draft.parse().map_err(BackendError::InvalidFlow)?;
    backend.save_flow(contract::SaveFlow { id, expected_revision, flow, resolve, run }).await
}
