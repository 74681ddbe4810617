//! Answers that are read from the database piece by piece while they are sent, however long they are.

use std::sync::Arc;

use app::{backend::BackendError, model::identifiers::StepId};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use futures::{Stream, StreamExt as _, stream};
use serde::Serialize;

use crate::service::{Page, Service, TextPart};

/// A JSON answer made of `before`, what is read meanwhile, and `after`. An error ends the connection: the client sees
/// that the answer is not whole.
pub fn answer(
    before: String,
    parts: impl Stream<Item = Result<String, BackendError>> + Send + 'static,
    after: String,
) -> Response {
    let whole = stream::once(async { Ok(before) }).chain(parts).chain(stream::once(async { Ok(after) }));
    let mut response = Body::from_stream(whole.map(|part| part.map(Bytes::from))).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The fields of an object, without the brace that ends it: more of them follow.
pub fn open_object(object: &impl Serialize) -> Result<String, BackendError> {
    let mut text = json(object)?;
    text.pop();
    Ok(text)
}

/// The items of a list, separated by commas: a first page, and those after it.
pub fn items<T, P, R, F>(
    first: Page<T, P>,
    read: R,
) -> impl Stream<Item = Result<String, BackendError>> + Send + 'static
where
    T: Serialize + Send + 'static,
    P: Send + 'static,
    R: Fn(P) -> F + Send + 'static,
    F: Future<Output = Result<Page<T, P>, BackendError>> + Send,
{
    struct Progress<T, P, R> {
        page: Option<Page<T, P>>,
        read: R,
        is_first: bool,
    }
    let progress = Progress { page: Some(first), read, is_first: true };
    stream::try_unfold(progress, async |mut progress| {
        let Some(Page { items, next }) = progress.page.take() else { return Ok(None) };
        let mut text = String::new();
        for item in &items {
            if !std::mem::take(&mut progress.is_first) {
                text.push(',');
            }
            text.push_str(&json(item)?);
        }
        if let Some(place) = next {
            progress.page = Some((progress.read)(place).await?);
        }
        Ok(Some((text, progress)))
    })
}

/// The text of a step's log, lines joined with line feeds, up to about this line, as the inside of a JSON string.
pub fn log_text(
    service: Arc<Service>,
    step: StepId,
    last_line: u64,
) -> impl Stream<Item = Result<String, BackendError>> + Send + 'static {
    stream::try_unfold(1, move |from| {
        let service = service.clone();
        async move {
            if from > last_line {
                return Ok(None);
            }
            let Some(TextPart { text, next }) = service.text_part(step, from, None).await? else { return Ok(None) };
            let lines = text.strip_suffix('\n').unwrap_or(&text);
            let separator = if from == 1 { "" } else { "\\n" };
            Ok(Some((format!("{separator}{}", quoted(lines)?), next)))
        }
    })
}

/// A text as the inside of a JSON string.
pub fn quoted(text: &str) -> Result<String, BackendError> {
    let quoted = json(&text)?;
    Ok(quoted[1..quoted.len() - 1].to_owned())
}

fn json(value: &impl Serialize) -> Result<String, BackendError> {
    serde_json::to_string(value).map_err(|error| {
        tracing::error!(%error, "An answer of the API could not be written");
        BackendError::Internal("The answer could not be written. The server's log says why.".to_owned())
    })
}
