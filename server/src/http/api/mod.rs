//! The REST API under `/api/v1`: the wire format of an older product, kept so that its clients work. Handlers are
//! thin; what they do is the service's.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{delete, get, post},
};

use crate::http::state::AppState;

pub mod body;
mod diagnostics;
pub mod error;
mod flow_shapes;
mod flows;
mod logs;
mod paging;
mod program;
mod runs;
mod sent_flow;
pub mod shapes;
mod stream;
mod tasks;

use error::ApiError;

/// Most bytes of a request.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// All routes of the API, below `/api`.
pub fn router() -> Router<AppState> {
    let first = Router::new()
        .route("/diagnostics", get(diagnostics::all))
        .route("/tasks", get(tasks::list))
        .route("/tasks/submit", post(tasks::submit))
        .route("/tasks/callback", post(tasks::callback))
        .route("/tasks/{id}", get(tasks::detail).delete(runs::cancel))
        .route("/tasks/{id}/run", post(runs::start))
        .route("/tasks/{id}/delete", delete(tasks::remove))
        .route("/tasks/{id}/logs", get(logs::of_task))
        .route("/tasks/{id}/runs/{number}/logs", get(logs::of_run))
        .route("/tasks/{id}/runs/{number}/template", get(runs::template))
        .route("/flows", get(flows::list).post(flows::create))
        .route("/flows/preview-template", post(flows::preview))
        .route("/flows/{id}", get(flows::detail).put(flows::change).delete(flows::remove))
        .route("/flows/{id}/run", post(flows::start))
        .route("/flows/{id}/steps/{step}/run", post(flows::start_step))
        .route("/flows/{id}/runs", get(flows::runs))
        .route("/flows/{id}/runs/{number}", get(flows::run))
        .route("/flows/{id}/runs/{number}/cancel", post(flows::cancel))
        .route("/flows/{id}/runs/{number}/restart", post(flows::restart))
        .route("/flows/{id}/runs/{number}/logs", get(flows::logs))
        .route("/flows/{id}/runs/{number}/template", get(flows::template))
        .route("/flows/{id}/runs/{number}/steps/{step}/outputs", get(flows::outputs))
        .route("/flows/{id}/runs/{number}/steps/{step}/outputs/{*name}", get(flows::output));
    Router::new()
        .nest("/v1", first)
        .fallback(async || ApiError::NotFound("Not Found".to_owned()))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
}
