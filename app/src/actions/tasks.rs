//! Actions on tasks.

use leptos::{prelude::*, server_fn::codec::Json};

use super::{backend, flows};
use crate::{
    backend::{self as contract, BackendError, DeletedTask, Resolve, SavedTask},
    examples,
    model::{
        fields::{Field, FieldErrors},
        identifiers::{Kind, TaskId},
        spec::{TaskDraft, TaskName},
    },
};

/// Saves a task: a new one without `id`, else over revision `expected_revision` of that one.
#[server(prefix = "/actions", endpoint = "save_task", input = Json)]
pub async fn save_task(
    id: Option<TaskId>,
    expected_revision: Option<i64>,
    draft: TaskDraft,
    resolve: Resolve,
) -> Result<SavedTask, BackendError> {
    save(id, expected_revision, &draft, resolve, false).await
}

/// Saves a task and starts a run of it, both or neither.
#[server(prefix = "/actions", endpoint = "save_and_run", input = Json)]
pub async fn save_and_run(
    id: Option<TaskId>,
    expected_revision: Option<i64>,
    draft: TaskDraft,
    resolve: Resolve,
) -> Result<SavedTask, BackendError> {
    save(id, expected_revision, &draft, resolve, true).await
}

/// Saves one of the examples as a task or a flow, and runs it.
#[server(prefix = "/actions", endpoint = "run_example", input = Json)]
pub async fn run_example(key: String) -> Result<SavedTask, BackendError> {
    if let Some(example) = examples::find_flow(&key) {
        return flows::save(None, None, &example.draft(), Resolve::Now, true).await;
    }
    let example =
        examples::find(&key).ok_or_else(|| BackendError::NotFound(format!("There is no example `{key}`.")))?;
    save(None, None, &example.draft(), Resolve::Now, true).await
}

/// Gives a task or a flow another name; an empty one takes a task's away.
#[server(prefix = "/actions", endpoint = "rename", input = Json)]
pub async fn rename(id: TaskId, name: String) -> Result<(), BackendError> {
    let name = match id.kind() {
        Kind::Task => TaskName::parse(&name),
        Kind::Flow => TaskName::parse_of_flow(&name).map(Some),
    };
    let name = name.map_err(|error| BackendError::Invalid(FieldErrors::one(Field::Name, error.to_string())))?;
    backend()?.rename(&id, name).await
}

/// Deletes a task with its runs and logs.
#[server(prefix = "/actions", endpoint = "delete_task", input = Json)]
pub async fn delete_task(id: TaskId) -> Result<DeletedTask, BackendError> {
    backend()?.delete_task(&id).await
}

async fn save(
    id: Option<TaskId>,
    expected_revision: Option<i64>,
    draft: &TaskDraft,
    resolve: Resolve,
    run: bool,
) -> Result<SavedTask, BackendError> {
    let backend = backend()?;
    let task = draft.parse().map_err(BackendError::Invalid)?;
    backend.save_task(contract::SaveTask { id, expected_revision, task, resolve, run }).await
}
