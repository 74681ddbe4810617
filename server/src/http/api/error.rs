//! Errors as the API tells them: `{"detail": …}`, a text, or a list of faults of the request.

use std::borrow::Cow;

use app::{
    backend::BackendError,
    model::{
        fields::{FieldErrors, FlowErrors},
        identifiers::{Kind, RunNumber, TaskId},
    },
};
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// Why a request failed.
#[derive(Debug, Clone, PartialEq)]
pub enum ApiError {
    /// What was asked for is not there.
    NotFound(String),
    /// The route does not take this method.
    MethodNotAllowed,
    /// The values cannot be taken, or it does not fit the present state.
    Refused(String),
    /// It does not fit the present state, said with a status of its own.
    Conflict(String),
    /// The request is larger than is read.
    TooLarge(String),
    /// The request is not of the documented form.
    Malformed(Vec<Fault>),
    /// The server cannot do it now.
    Unavailable(String),
    /// A fault of the server.
    Internal(String),
}

/// A fault of a request: `{"type", "loc", "msg", "input", "ctx"?}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// The kind of fault.
    pub kind: &'static str,
    /// Where: `body`, `path` or `query`, then names.
    pub place: Vec<Value>,
    /// What is expected, in a sentence.
    pub message: Cow<'static, str>,
    pub input: Value,
    pub context: Option<Value>,
}

impl Fault {
    fn to_json(&self) -> Value {
        let mut fault = json!({ "type": self.kind, "loc": self.place, "msg": self.message, "input": self.input });
        if let Some(context) = &self.context {
            fault["ctx"] = context.clone();
        }
        fault
    }
}

impl ApiError {
    /// The error of a service call about a task; `missing` is the text for what is not there.
    pub fn of(error: BackendError, missing: impl FnOnce() -> String) -> Self {
        match error {
            BackendError::NotFound(_) => Self::NotFound(missing()),
            BackendError::Conflict(text) => Self::Refused(text),
            BackendError::Invalid(errors) => Self::Refused(sentences(errors).collect::<Vec<_>>().join(" ")),
            BackendError::InvalidFlow(errors) => Self::of_flow(errors, |step| format!("Step {}", step + 1)),
            error @ BackendError::EditConflict { .. } => Self::Conflict(error.to_string()),
            BackendError::Unresolved(text) | BackendError::Unavailable(text) => Self::Unavailable(text),
            BackendError::Internal(text) => Self::Internal(text),
        }
    }

    /// The error for a flow that cannot be saved; `name` says which step a message is about.
    pub fn of_flow(errors: FlowErrors, name: impl Fn(usize) -> String) -> Self {
        let of_steps = errors.steps.into_iter().flat_map(|(step, errors)| {
            let name = name(step);
            sentences(errors).map(move |sentence| format!("{name}: {sentence}")).collect::<Vec<_>>()
        });
        Self::Refused(sentences(errors.flow).chain(of_steps).collect::<Vec<_>>().join(" "))
    }
}

/// What is said of a task, or a flow, that is not there.
pub fn missing(kind: Kind, id: &str) -> String {
    match kind {
        Kind::Task => format!("Task {id} not found"),
        Kind::Flow => format!("Flow {id} not found"),
    }
}

/// What is said of a run that is not there.
pub fn missing_run(kind: Kind, id: &str, number: i64) -> String {
    match kind {
        Kind::Task => format!("Run {number} not found for task {id}"),
        Kind::Flow => format!("Flow run {number} not found for flow {id}"),
    }
}

/// The task, or the flow, that an address names.
///
/// # Errors
/// When it names none of this kind.
pub fn known(kind: Kind, id: &str) -> Result<TaskId, ApiError> {
    id.parse().ok().filter(|id: &TaskId| id.kind() == kind).ok_or_else(|| ApiError::NotFound(missing(kind, id)))
}

/// The run that an address names.
///
/// # Errors
/// When it names none of this kind.
pub fn known_run(kind: Kind, id: &str, number: i64) -> Result<(TaskId, RunNumber), ApiError> {
    let found = u32::try_from(number).ok().and_then(RunNumber::new);
    match (known(kind, id), found) {
        (Ok(id), Some(number)) => Ok((id, number)),
        _ => Err(ApiError::NotFound(missing_run(kind, id, number))),
    }
}

fn sentences(errors: FieldErrors) -> impl Iterator<Item = String> {
    errors.0.into_iter().map(|error| error.message)
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::NotFound(text) => (StatusCode::NOT_FOUND, Value::String(text)),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed".into()),
            Self::Refused(text) => (StatusCode::BAD_REQUEST, Value::String(text)),
            Self::Conflict(text) => (StatusCode::CONFLICT, Value::String(text)),
            Self::TooLarge(text) => (StatusCode::PAYLOAD_TOO_LARGE, Value::String(text)),
            Self::Malformed(faults) => (StatusCode::UNPROCESSABLE_ENTITY, faults.iter().map(Fault::to_json).collect()),
            Self::Unavailable(text) => (StatusCode::SERVICE_UNAVAILABLE, Value::String(text)),
            Self::Internal(text) => (StatusCode::INTERNAL_SERVER_ERROR, Value::String(text)),
        };
        (status, Json(json!({ "detail": detail }))).into_response()
    }
}
