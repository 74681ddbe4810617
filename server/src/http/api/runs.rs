//! Runs over the API: started, cancelled, shown as the engine executes them.

use std::time::Duration;

use app::{
    backend::{Backend as _, BackendError, StartRun},
    model::{
        identifiers::{Kind, RunNumber, TaskId},
        step_address::StepAddress,
        system_packages::SystemPackages,
        views::RunKeys,
    },
};
use axum::Json;
use serde_json::{Value, json};

use super::{
    body::{Fields, JsonBody, Path, integer},
    error::{ApiError, known, known_run, missing_run},
};
use crate::{
    http::access::Access,
    service::{CancelTarget, Service},
};

/// How long a cancelled run may take to end before the answer goes out all the same.
const CANCELLING: Duration = Duration::from_secs(10);

/// Starts a run of a task.
pub async fn start(Access(service): Access, Path(id): Path<String>, body: JsonBody) -> Result<Json<Value>, ApiError> {
    let mut fields = Fields::of(body)?;
    let system = fields.optional_text("systemDependencies").filter(|text| !text.trim().is_empty());
    let use_cache = fields.truth("useCache");
    fields.finish()?;
    let known = known(Kind::Task, &id)?;
    let system_packages = system.map(|text| SystemPackages::parse_new(&text)).transpose();
    let system_packages = system_packages.map_err(|error| ApiError::Refused(error.to_string()))?;
    let start = StartRun { id: known.clone(), system_packages, use_cache, only_when_idle: true };
    let missing = || format!("Task {id} not found");
    let number = service.start_run(start).await.map_err(|error| ApiError::of(error, missing))?;
    let run = service.run(&StepAddress::first(known, number)).await.map_err(|error| ApiError::of(error, missing))?;
    Ok(Json(json!({
        "id": id,
        "workflowId": run.uid,
        "runNumber": number,
        "message": format!("Task {id} started successfully (run #{number})"),
    })))
}

/// Cancels a task's active runs, by the task's id, or one run, by its workflow id.
pub async fn cancel(Access(service): Access, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let missing = || format!("Workflow {id} not found");
    let target = match (known(Kind::Task, &id), id.parse()) {
        (Ok(task), _) => CancelTarget::Task(task),
        (_, Ok(run)) => CancelTarget::Run(run),
        _ => return Err(ApiError::NotFound(missing())),
    };
    let (task, numbers) = service.active_runs(target).await.map_err(|error| conflict(error, missing))?;
    for number in &numbers {
        match service.cancel_run(&task, *number).await {
            // Of several, one may have ended meanwhile.
            Err(BackendError::Conflict(_)) if numbers.len() > 1 => {}
            outcome => outcome.map_err(|error| conflict(error, missing))?,
        }
    }
    for number in numbers {
        until_ended(&service, &task, number).await;
    }
    Ok(Json(json!({ "status": "cancelled", "id": id })))
}

/// Waits until a cancelled run has ended: who cancels in order to run again must not be told that it still runs.
pub(super) async fn until_ended(service: &Service, task: &TaskId, number: RunNumber) {
    if let Ok(keys) = service.step_keys(&StepAddress::first(task.clone(), number)).await {
        service.until_ended(keys, CANCELLING).await;
    }
}

/// What does not fit the present state is a conflict here, with its own status.
pub(super) fn conflict(error: BackendError, missing: impl FnOnce() -> String) -> ApiError {
    match error {
        BackendError::Conflict(text) => ApiError::Conflict(text),
        other => ApiError::of(other, missing),
    }
}

/// What the engine executes for a run.
pub async fn template(
    Access(service): Access,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let keys = run_keys(&service, Kind::Task, &id, &number).await?;
    template_of(&service, keys).await
}

pub(super) async fn template_of(service: &Service, keys: RunKeys) -> Result<Json<Value>, ApiError> {
    let manifest = service.manifest(keys.run).await.map_err(|error| ApiError::of(error, String::new))?;
    Ok(Json(json!({ "workflowId": manifest.run, "yaml": manifest.yaml })))
}

/// The keys of the run that an address names.
pub(super) async fn run_keys(service: &Service, kind: Kind, id: &str, number: &str) -> Result<RunKeys, ApiError> {
    let wanted = integer("path", "run_number", number)?;
    let (known, number) = known_run(kind, id, wanted)?;
    let keys = service.step_keys(&StepAddress::first(known, number)).await;
    keys.map_err(|error| ApiError::of(error, || missing_run(kind, id, wanted)))
}
