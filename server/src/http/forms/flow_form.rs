//! The flow form: saves a flow, runs it when asked, or shows the form again with everything that was typed, because it
//! could not be saved or because a button changed its steps.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use app::{
    actions,
    backend::{Backend, BackendError, SavedTask},
    model::{
        fields::{Field, FieldErrors, FlowErrors, parse_step_control, step_control},
        flow::{FlowDraft, FlowEdit, Focus, KEPT, Placement, StepDraft},
        identifiers::TaskId,
        spec::TaskDraft,
    },
    page_context::FlowFormState,
    routes,
};
use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, request::Parts},
    response::Response,
};

use super::{
    FormFields, named, no_such_page, program, read_flow_form, saving::Saving, unknown_intent, upload::Uploads,
};
use crate::http::{
    notice::{Done, see_other},
    pages::{self, Extra},
    state::AppState,
};

/// The form for a new flow.
pub async fn new_flow(State(state): State<AppState>, request: Request) -> Response {
    match read_flow_form(request).await {
        Ok((parts, fields)) => submit(&state, parts, None, fields).await,
        Err(error) => error.page(),
    }
}

/// The form to change a flow.
pub async fn edit_flow(State(state): State<AppState>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, fields) = match read_flow_form(request).await {
        Ok(form) => form,
        Err(error) => return error.page(),
    };
    match named(&parts, &id) {
        Some(id) => submit(&state, parts, Some(id), fields).await,
        None => no_such_page(&state, parts).await,
    }
}

async fn submit(state: &AppState, parts: Parts, id: Option<TaskId>, fields: FormFields) -> Response {
    let Some(submission) = Submission::from_fields(id, fields) else {
        return unknown_intent();
    };
    let backend = state.backend(&parts);
    let Submission { id, revision, mut draft, unusable, kept, intent } = submission;
    let outcome = match intent {
        _ if !unusable.is_empty() => Err(BackendError::InvalidFlow(with_unusable_files(&draft, unusable))),
        Intent::Save(saving) => match save(backend, id, revision, &draft, saving).await {
            Ok(SavedTask { id, run: Some(run) }) => return see_other(&routes::run(&id, run), None),
            Ok(SavedTask { id, run: None }) => return see_other(&routes::task(&id), Some(Done::Saved)),
            Err(error) => Err(error),
        },
        Intent::Edit(edit) => Ok(draft.edit(edit)),
        Intent::Insert(task) => insert(&*backend, &mut draft, &task).await,
    };
    let form = FlowFormState { draft, revision, kept, ..FlowFormState::default() };
    match outcome {
        Ok(focus) => show_changed(state, parts, form, focus).await,
        Err(error) => show_again(state, parts, form, error).await,
    }
}

async fn save(
    backend: Arc<dyn Backend>,
    id: Option<TaskId>,
    revision: Option<i64>,
    draft: &FlowDraft,
    Saving { run, resolve }: Saving,
) -> Result<SavedTask, BackendError> {
    let draft = draft.clone();
    if run {
        actions::call(backend, actions::save_and_run_flow(id, revision, draft, resolve)).await
    } else {
        actions::call(backend, actions::save_flow(id, revision, draft, resolve)).await
    }
}

/// What is wrong with the files that were sent, and the messages of the other fields.
fn with_unusable_files(draft: &FlowDraft, unusable: FlowErrors) -> FlowErrors {
    let mut errors = draft.parse().err().unwrap_or_default();
    for (step, files) in unusable.steps {
        let others = std::mem::take(errors.of_step(step));
        let others = others.0.into_iter().filter(|error| files.at(error.field).is_none());
        let all = files.0.iter().cloned().chain(others).collect();
        errors.steps.insert(step, FieldErrors(all));
    }
    errors
}

/// Puts a saved task in as a step.
async fn insert(backend: &dyn Backend, draft: &mut FlowDraft, task: &str) -> Result<Focus, BackendError> {
    let gone = || BackendError::Conflict("The task to insert is not there any more. Choose another one.".to_owned());
    let id = task.parse::<TaskId>().map_err(|_| gone())?;
    let task = match backend.task(&id, None).await {
        Ok(task) => task,
        Err(BackendError::NotFound(_)) => return Err(gone()),
        Err(error) => return Err(error),
    };
    draft.settle_names();
    let program =
        TaskDraft { name: task.title().to_string(), engine: String::new(), ..TaskDraft::of(None, &task.spec) };
    Ok(draft.insert(StepDraft { program, ..StepDraft::default() }))
}

/// What the form said.
struct Submission {
    id: Option<TaskId>,
    revision: Option<i64>,
    draft: FlowDraft,
    /// What is wrong with the files that were sent.
    unusable: FlowErrors,
    /// The keys of the steps that the page has already.
    kept: HashSet<String>,
    intent: Intent,
}

/// What the button is for.
enum Intent {
    Save(Saving),
    Edit(FlowEdit),
    /// Put in this task as a step.
    Insert(String),
}

impl Submission {
    /// `None` when the form does not say what to do.
    fn from_fields(id: Option<TaskId>, mut fields: FormFields) -> Option<Self> {
        let intent = match (Saving::of(fields.get("intent")), fields.get("intent")) {
            (Some(saving), _) => Intent::Save(saving),
            (None, Some("insert")) => Intent::Insert(fields.take("task")),
            (None, word) => Intent::Edit(word?.parse().ok()?),
        };
        let revision = fields.get("revision").and_then(|revision| revision.parse().ok());
        let kept = fields.take_all(KEPT).into_iter().collect();
        let (draft, unusable) = flow_draft(fields);
        Some(Self { id, revision, draft, unusable, kept, intent })
    }
}

/// The flow as typed, with the files that were sent, and what is wrong with those.
fn flow_draft(mut fields: FormFields) -> (FlowDraft, FlowErrors) {
    let mut draft = FlowDraft::default();
    let mut steps: BTreeMap<usize, StepDraft> = BTreeMap::new();
    let with_files: BTreeSet<usize> =
        fields.file_fields().filter_map(|name| parse_step_control(name).map(|(step, _)| step)).collect();
    let mut uploads: BTreeMap<usize, Uploads> = BTreeMap::new();
    for step in with_files {
        uploads.insert(step, Uploads::take(&mut fields, |control| step_control(step, control)));
    }
    for (name, value) in fields.into_values() {
        if let Some((step, control)) = parse_step_control(&name) {
            let empty = || StepDraft { program: program::empty(), ..StepDraft::default() };
            take_of_step(steps.entry(step).or_insert_with(empty), control, value);
        } else if name == Field::Name.name() {
            draft.name = value;
        } else if name == Field::Description.name() {
            draft.description = value;
        } else if name == Field::Engine.name() {
            draft.engine = value;
        }
    }
    let mut unusable = FlowErrors::default();
    for (position, (step, mut typed)) in steps.into_iter().enumerate() {
        let errors = uploads.remove(&step).map(|uploads| uploads.put_into(&mut typed.program)).unwrap_or_default();
        if !errors.is_empty() {
            *unusable.of_step(position) = errors;
        }
        draft.steps.push(typed);
    }
    // Whoever writes a form by hand may leave out what names new steps.
    for step in 0..draft.steps.len() {
        if draft.steps[step].key.is_empty() {
            draft.steps[step].key = draft.unsaved_key();
        }
    }
    (draft, unusable)
}

/// Takes the value of a control in a step's part of the form.
fn take_of_step(step: &mut StepDraft, control: &str, value: String) {
    if let ("x" | "y", Ok(coordinate)) = (control, value.parse()) {
        let place = step.placement.get_or_insert(Placement { x: 0, y: 0 });
        *(if control == "x" { &mut place.x } else { &mut place.y }) = coordinate;
        return;
    }
    if control == Field::RunsAfter.name() {
        step.runs_after.push(value);
        return;
    }
    let texts = [
        ("key", &mut step.key),
        ("also_after", &mut step.also_after),
        (Field::RunsWhen.name(), &mut step.runs_when),
        (Field::Retries.name(), &mut step.retries),
        (Field::RetriesWait.name(), &mut step.retries_wait),
        (Field::RetriesFactor.name(), &mut step.retries_factor),
    ];
    match texts.into_iter().find(|(name, _)| *name == control) {
        Some((_, text)) => *text = value,
        None => program::take(&mut step.program, control, value),
    }
}

/// Shows the form with its steps changed.
async fn show_changed(state: &AppState, parts: Parts, form: FlowFormState, focus: Focus) -> Response {
    let form = FlowFormState { focus: Some(focus), ..form };
    show(state, parts, StatusCode::OK, form, None).await
}

/// Shows the form again, with everything that was typed and what is wrong.
async fn show_again(state: &AppState, parts: Parts, mut form: FlowFormState, error: BackendError) -> Response {
    let status = error.status();
    let mut refusal = None;
    match error {
        BackendError::InvalidFlow(errors) => form.errors = errors,
        BackendError::Invalid(errors) => form.errors.flow = errors,
        BackendError::Unresolved(explanation) => form.unresolved = Some(explanation),
        BackendError::EditConflict { revision } => {
            form.revision = Some(revision);
            form.is_outdated = true;
            form.errors.flow =
                FieldErrors::one(Field::Form, "Somebody else saved this flow while you were editing it.");
        }
        BackendError::NotFound(_) => return show_as_new(state, parts, form).await,
        BackendError::Conflict(text) | BackendError::Unavailable(text) | BackendError::Internal(text) => {
            refusal = Some(format!("{text} What you typed is kept below."));
        }
    }
    show(state, parts, status, form, refusal).await
}

/// Shows the form at its own address; when there is nothing there any more, as that of a new flow.
async fn show(
    state: &AppState,
    parts: Parts,
    status: StatusCode,
    form: FlowFormState,
    refusal: Option<String>,
) -> Response {
    let address = parts.uri.to_string();
    let extra = Extra { flow_form: Some(form.clone()), refusal, ..Extra::default() };
    let response = pages::show(state, parts.clone(), &address, status, extra).await;
    if response.status() == StatusCode::NOT_FOUND { show_as_new(state, parts, form).await } else { response }
}

/// What was typed becomes a new flow.
async fn show_as_new(state: &AppState, parts: Parts, mut form: FlowFormState) -> Response {
    form.revision = None;
    let refusal = "The flow you were editing, or its run, was deleted meanwhile. What you typed is kept below: saving \
                   makes a new flow of it.";
    let extra = Extra { flow_form: Some(form), refusal: Some(refusal.to_owned()), ..Extra::default() };
    pages::show(state, parts, &routes::new_flow(), StatusCode::NOT_FOUND, extra).await
}
