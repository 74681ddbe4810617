//! The small form at the top of a page that changes a name, and nothing else.

use app::{
    actions,
    backend::BackendError,
    model::{fields::Field, identifiers::TaskId},
    page_context::RefusedName,
};
use axum::{http::request::Parts, response::Response};

use super::FormFields;
use crate::http::{
    notice::{Done, see_other},
    pages::{self, Extra},
    state::AppState,
};

/// Changes the name, and leads back to the page.
pub(super) async fn rename(state: &AppState, parts: Parts, id: TaskId, mut fields: FormFields) -> Response {
    let typed = fields.take("new_name");
    let address = parts.uri.to_string();
    let Err(error) = actions::call(state.backend(&parts), actions::rename(id, typed.clone())).await else {
        return see_other(&address, Some(Done::Saved));
    };
    let message = match &error {
        BackendError::Invalid(errors) => errors.at(Field::Name).unwrap_or_default().to_owned(),
        other => other.to_string(),
    };
    let extra = Extra { name: Some(RefusedName { typed, message }), ..Extra::default() };
    pages::show(state, parts, &address, error.status(), extra).await
}
