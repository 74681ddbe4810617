//! The pages, one module each: read the address, ask the backend, show.

pub mod compare;
pub mod confirm;
pub mod errors;
pub mod flow;
pub mod flow_form;
pub mod help;
pub mod run;
pub mod run_beside;
pub mod run_details;
mod run_history;
pub mod run_list;
mod run_log;
pub mod run_step;
pub mod run_summary;
mod saving;
mod step_form;
pub mod system;
pub mod task;
pub mod task_form;
pub mod task_list;
mod workbench;

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_params_map, use_query_map};

use crate::{
    backend::BackendError,
    model::{
        identifiers::{RunNumber, TaskId},
        step_address::StepAddress,
    },
    routes,
};

/// Waits for the data, then shows it, or a page that says why there is none.
fn load<T: Send + 'static>(
    data: impl Future<Output = Result<T, BackendError>> + Send + 'static,
    show: impl FnOnce(T) -> AnyView + Send + 'static,
) -> impl IntoView {
    Suspend::new(async move {
        match data.await {
            Ok(data) => show(data),
            Err(error) => errors::error_page(error),
        }
    })
}

/// The task or flow that the address names, each only in its own place.
fn task_id() -> Result<TaskId, BackendError> {
    let id: TaskId = parameter("id").parse().map_err(|error| BackendError::NotFound(format!("{error}.")))?;
    if use_location().pathname.with_untracked(|path| path.starts_with(&routes::task(&id))) {
        Ok(id)
    } else {
        Err(BackendError::NotFound(format!("There is nothing called `{id}` here.")))
    }
}

/// The step that the address names, or the one that its run shows first.
fn step_address() -> Result<StepAddress, BackendError> {
    let step = match parameter("step") {
        step if step.is_empty() => None,
        step => Some(step.parse().map_err(|error| BackendError::NotFound(format!("{error}.")))?),
    };
    Ok(StepAddress { task: task_id()?, number: run_number()?, step })
}

/// The run that the address names.
fn run_number() -> Result<RunNumber, BackendError> {
    parameter("number").parse().map_err(|error| BackendError::NotFound(format!("{error}.")))
}

fn parameter(name: &str) -> String {
    use_params_map().with_untracked(|parameters| parameters.get(name)).unwrap_or_default()
}

/// How often a list is renewed, in seconds: often while something on it changes.
const fn renewed_every(is_active: bool) -> &'static str {
    if is_active { "2" } else { "10" }
}

/// All values of a name in the address's query.
fn queries(name: &str) -> Vec<String> {
    use_query_map().with_untracked(|query| query.get_all(name)).unwrap_or_default()
}

/// A value from the address's query.
fn query(name: &str) -> Option<String> {
    use_query_map().with_untracked(|query| query.get(name)).filter(|value| !value.is_empty())
}
