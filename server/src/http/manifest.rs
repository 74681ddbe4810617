//! What a run's engine handed over for it, as plain text.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{access::Access, step_path::StepPath};

/// The whole of it, as it was then.
pub async fn send(Access(service): Access, StepPath(run): StepPath) -> Response {
    let Some(run) = run else {
        return (StatusCode::NOT_FOUND, "There is no such run.").into_response();
    };
    match service.kept_manifest(&run).await {
        Ok(manifest) => {
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            let keep = HeaderValue::from_static("private, no-cache");
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], manifest).into_response()
        }
        Err(error) => (error.status(), error.to_string()).into_response(),
    }
}
