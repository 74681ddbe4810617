//! Logs over the API: a run's whole log as one text.

use std::sync::Arc;

use app::{
    backend::{Backend as _, BackendError},
    model::{
        identifiers::{Kind, RunNumber, TaskId},
        step_address::StepAddress,
        views::RunKeys,
    },
};
use axum::{
    Json,
    extract::RawQuery,
    response::{IntoResponse as _, Response},
};

use super::{
    body::{Path, integer, parameter},
    error::{ApiError, known},
    runs::run_keys,
    shapes::{LogAnswer, LogEntry, LogHead},
    stream,
};
use crate::{http::access::Access, service::Service};

/// The log of a task's latest run, or of the one asked for.
pub async fn of_task(
    Access(service): Access,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let wanted = parameter(query.as_deref(), "run_number");
    let wanted = wanted.map(|text| integer("query", "run_number", &text)).transpose()?;
    let known = known(Kind::Task, &id)?;
    let missing = || format!("Task {id} not found");
    let task = service.task(&known, None).await.map_err(|error| ApiError::of(error, missing))?;
    let number = match wanted {
        None | Some(0) => task.runs.first().map(|run| run.number),
        Some(number) => u32::try_from(number).ok().and_then(RunNumber::new),
    };
    let Some(number) = number else { return Ok(Json(LogAnswer::empty()).into_response()) };
    match service.step_keys(&StepAddress::first(known.clone(), number)).await {
        Ok(keys) => answer(service, &known, keys).await,
        Err(BackendError::NotFound(_)) => Ok(Json(LogAnswer::empty()).into_response()),
        Err(error) => Err(ApiError::of(error, missing)),
    }
}

/// The log of a run.
pub async fn of_run(Access(service): Access, Path((id, number)): Path<(String, String)>) -> Result<Response, ApiError> {
    let keys = run_keys(&service, Kind::Task, &id, &number).await?;
    let known = known(Kind::Task, &id)?;
    answer(service, &known, keys).await
}

async fn answer(service: Arc<Service>, id: &TaskId, keys: RunKeys) -> Result<Response, ApiError> {
    let missing = || format!("Run {} not found for task {id}", keys.number);
    let run = service
        .run(&StepAddress::first(id.clone(), keys.number))
        .await
        .map_err(|error| ApiError::of(error, missing))?;
    if run.state.lines == 0 {
        let entries = LogEntry::of_message(&run).into_iter().collect();
        return Ok(Json(LogAnswer::new(keys, entries)).into_response());
    }
    let head = stream::open_object(&LogHead::of(&run)).map_err(|error| ApiError::of(error, missing))?;
    let rest = stream::open_object(&LogAnswer::new(keys, Vec::new())).map_err(|error| ApiError::of(error, missing))?;
    // What follows the list of entries in an answer without any.
    let rest = rest.strip_prefix(r#"{"logs":[]"#).unwrap_or_default();
    let text = stream::log_text(service, keys.step, run.state.lines);
    Ok(stream::answer(format!(r#"{{"logs":[{head},"logs":""#), text, format!(r#""}}]{rest}}}"#)))
}
