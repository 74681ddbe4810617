//! Logs over the API: a run's whole log as one text.

use app::{
    backend::Backend as _,
    model::identifiers::{RunNumber, TaskId},
};
use axum::{
    Json,
    extract::{RawQuery, State},
};

use super::{
    body::{Path, integer, parameter},
    error::ApiError,
    runs::run_keys,
    shapes::{LogAnswer, LogEntry, phase_word, workflow_id},
};
use crate::{db::views::RunKeys, http::state::AppState};

/// The log of a task's latest run, or of the one asked for.
pub async fn of_task(
    State(state): State<AppState>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<LogAnswer>, ApiError> {
    let wanted = parameter(query.as_deref(), "run_number");
    let wanted = wanted.map(|text| integer("query", "run_number", &text)).transpose()?;
    let known: TaskId = id.parse().map_err(|_| ApiError::no_task(&id))?;
    let task = state.service.task(&known, None).await;
    let task = task.map_err(|error| ApiError::of(error, || format!("Task {id} not found")))?;
    let latest = i64::from(task.run_count);
    let number = match wanted {
        None | Some(0) => latest,
        Some(number) => number,
    };
    if !(1..=latest).contains(&number) {
        return Ok(Json(LogAnswer::empty()));
    }
    answer(&state, &known, run_keys(&state, &id, &number.to_string()).await?).await
}

/// The log of a run.
pub async fn of_run(
    State(state): State<AppState>,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<LogAnswer>, ApiError> {
    let keys = run_keys(&state, &id, &number).await?;
    let known: TaskId = id.parse().map_err(|_| ApiError::no_task(&id))?;
    answer(&state, &known, keys).await
}

async fn answer(state: &AppState, id: &TaskId, keys: RunKeys) -> Result<Json<LogAnswer>, ApiError> {
    let number: RunNumber = keys.number;
    let missing = || format!("Run {number} not found for task {id}");
    let run = state.service.run(id, number).await.map_err(|error| ApiError::of(error, missing))?;
    let text = state.service.whole_text(keys.step).await.map_err(|error| ApiError::of(error, missing))?;
    let phase = phase_word(run.state.phase);
    let workflow = workflow_id(keys.run);
    let logs = match (run.state.lines, run.summary.message) {
        (0, None) => Vec::new(),
        (0, Some(message)) => vec![LogEntry {
            node: "workflow".to_owned(),
            pod: "N/A".to_owned(),
            phase,
            logs: format!("Workflow message: {message}"),
        }],
        _ => vec![LogEntry { pod: format!("{workflow}-main"), node: workflow, phase, logs: text }],
    };
    Ok(Json(LogAnswer::new(keys.run, number, logs)))
}
