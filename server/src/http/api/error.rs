//! Errors as the API tells them: `{"detail": …}`, a text, or a list of faults of the request.

use app::{backend::BackendError, model::fields::FlowErrors};
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
    pub message: &'static str,
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
            BackendError::Invalid(errors) => {
                Self::Refused(errors.0.into_iter().map(|error| error.message).collect::<Vec<_>>().join(" "))
            }
            BackendError::InvalidFlow(FlowErrors { flow, steps }) => {
                let all = flow.0.into_iter().chain(steps.into_values().flat_map(|errors| errors.0));
                Self::Refused(all.map(|error| error.message).collect::<Vec<_>>().join(" "))
            }
            error @ BackendError::EditConflict { .. } => Self::Conflict(error.to_string()),
            BackendError::Unresolved(text) | BackendError::Unavailable(text) => Self::Unavailable(text),
            BackendError::Internal(text) => Self::Internal(text),
        }
    }

    /// The error for a task that is not there.
    pub fn no_task(id: &str) -> Self {
        Self::NotFound(format!("Task {id} not found"))
    }

    /// The error for a run that is not there.
    pub fn no_run(id: &str, number: i64) -> Self {
        Self::NotFound(format!("Run {number} not found for task {id}"))
    }
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
