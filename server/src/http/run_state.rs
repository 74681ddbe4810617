//! What changes of a run's page while one looks at it: some KiB, where the page has its log and its code.

use app::page_context::Now;
use axum::{
    extract::State,
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};

use super::{access::Access, state::AppState, step_path::StepPath};

/// The parts of the page, as HTML.
pub async fn send(State(state): State<AppState>, Access(service): Access, StepPath(step): StepPath) -> Response {
    let Some(step) = step else {
        return (StatusCode::NOT_FOUND, "There is no such run.").into_response();
    };
    match app::changing_parts(service, Now(state.clock.now()), &step).await {
        Ok(parts) => Html(parts).into_response(),
        Err(error) => (error.status(), error.to_string()).into_response(),
    }
}
