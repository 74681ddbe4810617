//! A run's whole log as plain text, sent as it is read from the database.

use std::sync::Arc;

use app::{
    backend::BackendError,
    model::{identifiers::StepId, log::Stream, step_address::StepAddress},
};
use axum::{
    body::{Body, Bytes},
    extract::Query,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use super::{access::Access, step_path::StepPath};
use crate::service::{Service, TextPart};

/// How the log is wanted.
#[derive(Debug, Default, Deserialize)]
pub struct RawLogQuery {
    download: Option<String>,
    stream: Option<String>,
}

impl RawLogQuery {
    /// The only stream wanted, if not all are.
    fn only(&self) -> Option<Stream> {
        match self.stream.as_deref() {
            Some("1") => Some(Stream::Output),
            Some("2") => Some(Stream::Error),
            Some("3") => Some(Stream::Stoker),
            _ => None,
        }
    }
}

/// The whole log so far.
pub async fn send(Access(service): Access, StepPath(step): StepPath, Query(query): Query<RawLogQuery>) -> Response {
    let Some(address) = step else {
        return (StatusCode::NOT_FOUND, "There is no such run.").into_response();
    };
    let first = match service.step_keys(&address).await {
        Ok(keys) => service.text_part(keys.step, 1, query.only()).await.map(|part| (keys.step, part)),
        Err(error) => Err(error),
    };
    let (step, first) = match first {
        Ok(first) => first,
        Err(error) => return (error.status(), error.to_string()).into_response(),
    };
    let only = query.only();
    let parts =
        futures::stream::try_unfold((service, first), move |(service, part)| next_part(service, step, part, only));
    let mut response = Body::from_stream(parts).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if query.download.is_some_and(|download| download != "0")
        && let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", file_name(&address)))
    {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

type Served = Option<(Bytes, (Arc<Service>, Option<TextPart>))>;

/// Sends a part, and reads the one after it.
async fn next_part(
    service: Arc<Service>,
    step: StepId,
    part: Option<TextPart>,
    only: Option<Stream>,
) -> Result<Served, BackendError> {
    let Some(TextPart { text, next }) = part else {
        return Ok(None);
    };
    let following = service.text_part(step, next, only).await?;
    Ok(Some((Bytes::from(text), (service, following))))
}

/// What a downloaded log is called.
fn file_name(StepAddress { task, number, step }: &StepAddress) -> String {
    match step {
        Some(step) => format!("{task}-run-{number}-{step}.log"),
        None => format!("{task}-run-{number}.log"),
    }
}
