//! The task form: saves a task, runs it when asked, or shows the form again with everything that was typed.

use std::{collections::HashMap, sync::Arc};

use app::{
    actions,
    backend::{Backend, BackendError, SavedTask},
    model::{
        fields::{Field, FieldErrors},
        identifiers::{RunNumber, TaskId},
        spec::TaskDraft,
    },
    page_context::TaskFormState,
    routes,
};
use axum::{
    extract::{Path, Query, Request, State},
    http::request::Parts,
    response::Response,
};

use super::{FormFields, named, no_such_page, program, read_form, saving::Saving, unknown_intent, upload::Uploads};
use crate::http::{
    notice::{Done, see_other},
    pages::{self, Extra},
    state::AppState,
};

/// The form for a new task.
pub async fn new_task(State(state): State<AppState>, request: Request) -> Response {
    match read_form(request).await {
        Ok((parts, fields)) => submit(&state, parts, None, fields).await,
        Err(error) => error.page(),
    }
}

/// The form to change a task.
pub async fn edit_task(State(state): State<AppState>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, fields) = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.page(),
    };
    match named(&parts, &id) {
        Some(id) => submit(&state, parts, Some(id), fields).await,
        None => no_such_page(&state, parts).await,
    }
}

/// Takes what a form says of a task.
pub(super) async fn submit(state: &AppState, parts: Parts, id: Option<TaskId>, fields: FormFields) -> Response {
    let Some(submission) = Submission::from_fields(id, fields) else {
        return unknown_intent();
    };
    match submission.perform(state.backend(&parts)).await {
        Ok(SavedTask { id, run: Some(run) }) => see_other(&routes::watched(&id, run), None),
        Ok(SavedTask { id, run: None }) => {
            let page = beside(&parts).map_or_else(|| routes::task(&id), |run| routes::task_beside(&id, run));
            see_other(&page, Some(Done::Saved))
        }
        Err(error) => show_again(state, parts, submission, error).await,
    }
}

/// The run that was shown beside the form.
fn beside(parts: &Parts) -> Option<RunNumber> {
    let Query(query) = Query::<HashMap<String, String>>::try_from_uri(&parts.uri).ok()?;
    query.get("run")?.parse().ok()
}

/// What the form said.
struct Submission {
    id: Option<TaskId>,
    revision: Option<i64>,
    draft: TaskDraft,
    /// What is wrong with the files that were sent.
    unusable: FieldErrors,
    saving: Saving,
}

impl Submission {
    /// `None` when the form does not say what to do.
    fn from_fields(id: Option<TaskId>, mut fields: FormFields) -> Option<Self> {
        let saving = Saving::of(fields.get("intent"))?;
        let revision = fields.get("revision").and_then(|revision| revision.parse().ok());
        let uploads = Uploads::take(&mut fields, str::to_owned);
        let mut draft = program::empty();
        for (control, value) in fields.into_values() {
            program::take(&mut draft, &control, value);
        }
        let unusable = uploads.put_into(&mut draft);
        Some(Self { id, revision, draft, unusable, saving })
    }

    async fn perform(&self, backend: Arc<dyn Backend>) -> Result<SavedTask, BackendError> {
        if !self.unusable.is_empty() {
            return Err(BackendError::Invalid(self.with_unusable_files()));
        }
        let (id, revision, draft) = (self.id.clone(), self.revision, self.draft.clone());
        let Saving { run, resolve } = self.saving;
        if run {
            actions::call(backend, actions::save_and_run(id, revision, draft, resolve)).await
        } else {
            actions::call(backend, actions::save_task(id, revision, draft, resolve)).await
        }
    }

    /// What is wrong with the files, and the messages of the other fields.
    fn with_unusable_files(&self) -> FieldErrors {
        let mut errors = self.unusable.clone();
        let others = self.draft.parse().err().unwrap_or_default();
        errors.0.extend(others.0.into_iter().filter(|error| self.unusable.at(error.field).is_none()));
        errors
    }
}

/// Shows the form again, with everything that was typed and what is wrong.
async fn show_again(state: &AppState, parts: Parts, submission: Submission, error: BackendError) -> Response {
    let status = error.status();
    let mut address = parts.uri.to_string();
    let mut form = TaskFormState { draft: submission.draft, revision: submission.revision, ..TaskFormState::default() };
    let mut refusal = None;
    match error {
        BackendError::Invalid(errors) => form.errors = errors,
        BackendError::Unresolved(explanation) => form.unresolved = Some(explanation),
        BackendError::EditConflict { revision } => {
            form.revision = Some(revision);
            form.errors = FieldErrors::one(Field::Form, error.to_string());
        }
        BackendError::NotFound(_) => {
            // Nothing to show the old form over: what was typed becomes a new task.
            address = routes::new_task();
            form.revision = None;
            refusal = Some(
                "The task you were editing was deleted meanwhile. What you typed is kept below: saving makes a new \
                 task of it."
                    .to_owned(),
            );
        }
        // Of a flow; a task's save never says so.
        BackendError::InvalidFlow(errors) => form.errors = errors.flow,
        BackendError::Conflict(text) | BackendError::Unavailable(text) | BackendError::Internal(text) => {
            refusal = Some(format!("{text} What you typed is kept below."));
        }
    }
    pages::show(state, parts, &address, status, Extra { form: Some(form), refusal, ..Extra::default() }).await
}
