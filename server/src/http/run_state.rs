//! What changes of a run's page while one looks at it: some KiB, where the page has its log and its code.

use app::page_context::Now;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};

use serde::Deserialize;

use super::{access::Access, state::AppState, step_path::StepPath};

/// Where the run is shown.
#[derive(Debug, Deserialize)]
pub struct StateQuery {
    /// Set when it is beside its task's code.
    beside: Option<String>,
}

/// The parts of the page, as HTML.
pub async fn send(
    State(state): State<AppState>,
    Access(service): Access,
    StepPath(step): StepPath,
    Query(query): Query<StateQuery>,
) -> Response {
    let Some(step) = step else {
        return (StatusCode::NOT_FOUND, "There is no such run.").into_response();
    };
    let now = Now(state.clock.now());
    let parts = match query.beside {
        Some(_) => app::changing_parts_beside(service, now, &step).await,
        None => app::changing_parts(service, now, &step).await,
    };
    match parts {
        Ok(parts) => Html(parts).into_response(),
        Err(error) => (error.status(), error.to_string()).into_response(),
    }
}
