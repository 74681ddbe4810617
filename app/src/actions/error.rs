//! Why an action was refused, in a form that travels.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

use crate::{backend::BackendError, model::fields::FieldErrors};

/// Why an action was refused: the backend's errors as values. The texts are for the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", content = "detail", rename_all = "snake_case")]
pub enum ActionError {
    /// No such task or run.
    #[error("{0}")]
    NotFound(String),
    /// It does not fit the present state.
    #[error("{0}")]
    Conflict(String),
    /// Somebody else saved the task in between.
    #[error("Somebody else saved this task while you were editing it.")]
    EditConflict {
        /// The revision now in the database.
        revision: i64,
    },
    /// Values that cannot be saved.
    #[error("There is a problem with what you entered.")]
    Invalid(FieldErrors),
    /// Exact package versions could not be looked up; saving without is possible.
    #[error("{0}")]
    Unresolved(String),
    /// The server cannot do it now.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of the server, or of the request's form.
    #[error("{0}")]
    Internal(String),
}

impl From<BackendError> for ActionError {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::NotFound(text) => Self::NotFound(text),
            BackendError::Conflict(text) => Self::Conflict(text),
            BackendError::EditConflict { revision } => Self::EditConflict { revision },
            BackendError::Invalid(errors) => Self::Invalid(errors),
            BackendError::Unresolved(text) => Self::Unresolved(text),
            BackendError::Unavailable(text) => Self::Unavailable(text),
            BackendError::Internal(text) => Self::Internal(text),
        }
    }
}

impl FromServerFnError for ActionError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Internal(error.to_string())
    }
}
