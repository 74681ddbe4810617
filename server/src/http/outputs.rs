//! What a step has put out, as files to download. Never shown by the browser as a page of this site: it is the user's own
//! text, and may be HTML.

use std::fs::File;

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use super::{access::Access, step_path::StepPath};

/// The output that the address names.
#[derive(Debug, Deserialize)]
pub struct OutputPath {
    name: String,
}

/// Images that browsers draw without running anything in them.
const IMAGES: [(&str, &str); 5] =
    [("png", "image/png"), ("jpg", "image/jpeg"), ("jpeg", "image/jpeg"), ("gif", "image/gif"), ("webp", "image/webp")];

/// The output, as it is.
pub async fn send(
    Access(service): Access,
    StepPath(step): StepPath,
    Path(OutputPath { name }): Path<OutputPath>,
) -> Response {
    let Some(step) = step else {
        return (StatusCode::NOT_FOUND, "There is no such run.").into_response();
    };
    match service.open_output(&step, &name).await {
        Ok(file) => answer(file, &name),
        Err(error) => (error.status(), error.to_string()).into_response(),
    }
}

/// An output of this name, sent as it is read.
pub fn answer(file: File, name: &str) -> Response {
    let file = tokio::fs::File::from_std(file);
    let mut response = Response::new(Body::from_stream(ReaderStream::new(file)));
    let headers = response.headers_mut();
    let image = IMAGES.iter().find(|(ending, _)| name.to_ascii_lowercase().ends_with(&format!(".{ending}")));
    let kind = image.map_or("application/octet-stream", |(_, kind)| *kind);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if image.is_none() {
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    response
}
