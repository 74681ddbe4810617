//! Database errors as the user hears of them. The cause goes to the server's log, once, here.

use app::{
    backend::BackendError,
    model::{
        identifiers::{RunNumber, TaskId},
        step_address::StepAddress,
    },
};

use crate::db::DatabaseError;

/// What the user hears of a database error. `missing` says what a missing row means.
pub fn backend_error(error: DatabaseError, missing: impl FnOnce() -> String) -> BackendError {
    match error {
        DatabaseError::NotFound => return BackendError::NotFound(missing()),
        DatabaseError::Locked => tracing::warn!(%error, "A request found the database locked"),
        _ => tracing::error!(%error, "A request failed at the database"),
    }
    match error {
        DatabaseError::Locked | DatabaseError::ReadOnly | DatabaseError::Full => {
            BackendError::Unavailable(format!("Nothing was changed. {error}"))
        }
        _ => BackendError::Internal(
            "Stoker could not use its database; nothing was changed. The server's log says why. Try again, and if it \
             stays so, restart Stoker."
                .to_owned(),
        ),
    }
}

/// What a missing task means.
pub fn missing_task(id: &TaskId) -> impl FnOnce() -> String {
    let id = id.clone();
    move || format!("There is no task {id}. It may have been deleted.")
}

/// What a missing step means.
pub fn missing_step(step: &StepAddress) -> impl FnOnce() -> String {
    let StepAddress { task, number, step } = step.clone();
    move || match step {
        Some(step) => format!("There is no step `{step}` in run #{number} of {task}. It may have been deleted."),
        None => missing_run(&task, number)(),
    }
}

/// What a missing run means.
pub fn missing_run(id: &TaskId, number: RunNumber) -> impl FnOnce() -> String {
    let id = id.clone();
    move || format!("There is no run #{number} of task {id}. The task may have been deleted.")
}
