//! What changes of a run's page while one looks at it: some KiB, where the page has its log and its code.

use app::{
    model::identifiers::{RunNumber, TaskId},
    page_context::Now,
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};

use super::{access::Access, state::AppState};

/// The parts of the page, as HTML.
pub async fn send(
    State(state): State<AppState>,
    Access(service): Access,
    Path((id, number)): Path<(String, String)>,
) -> Response {
    let (Ok(id), Ok(number)) = (id.parse::<TaskId>(), number.parse::<RunNumber>()) else {
        return (StatusCode::NOT_FOUND, "There is no such run.").into_response();
    };
    match app::changing_parts(service, Now(state.clock.now()), &id, number).await {
        Ok(parts) => Html(parts).into_response(),
        Err(error) => (error.status(), error.to_string()).into_response(),
    }
}
