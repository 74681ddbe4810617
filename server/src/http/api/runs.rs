//! Runs over the API: started, cancelled, shown as the engine executes them.

use std::time::Duration;

use app::{
    backend::{Backend as _, BackendError, StartRun},
    model::{
        identifiers::{RunNumber, TaskId},
        step_address::StepAddress,
        system_packages::SystemPackages,
        views::RunKeys,
    },
};
use axum::Json;
use serde_json::{Value, json};

use super::{
    body::{Fields, JsonBody, Path, integer},
    error::ApiError,
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
    let known: TaskId = id.parse().map_err(|_| ApiError::no_task(&id))?;
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
    let target = match (id.parse(), id.parse()) {
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
    // Who cancels in order to run again must not be told that it still runs.
    for number in numbers {
        if let Ok(keys) = service.step_keys(&StepAddress::first(task.clone(), number)).await {
            service.until_ended(keys, CANCELLING).await;
        }
    }
    Ok(Json(json!({ "status": "cancelled", "id": id })))
}

/// Nothing to cancel is a conflict here, with its own status.
fn conflict(error: BackendError, missing: impl FnOnce() -> String) -> ApiError {
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
    let keys = run_keys(&service, &id, &number).await?;
    let manifest = service.manifest(keys.run).await.map_err(|error| ApiError::of(error, String::new))?;
    Ok(Json(json!({ "workflowId": manifest.run, "yaml": manifest.yaml })))
}

/// The keys of the run that an address names.
pub(super) async fn run_keys(service: &Service, id: &str, number: &str) -> Result<RunKeys, ApiError> {
    let wanted = integer("path", "run_number", number)?;
    let number = u32::try_from(wanted).ok().and_then(RunNumber::new);
    let (Ok(known), Some(number)) = (id.parse::<TaskId>(), number) else {
        return Err(ApiError::no_run(id, wanted));
    };
    let keys = service.step_keys(&StepAddress::first(known, number)).await;
    keys.map_err(|error| ApiError::of(error, || format!("Run {wanted} not found for task {id}")))
}
