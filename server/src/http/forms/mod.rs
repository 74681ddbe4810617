//! Forms: each POST to a page's own address becomes a call of one action of [`app::actions`]; then the browser is led
//! on (303), or the same page is shown again with what was typed and why it was refused.

use app::{
    actions,
    backend::BackendError,
    model::{
        caches::CacheName,
        flow::StepKey,
        identifiers::{Kind, RunNumber, TaskId},
        run_list::RunChoice,
    },
    routes,
};
use axum::{
    extract::{Path, Query, Request, State},
    http::{StatusCode, request::Parts},
    response::Response,
};

use super::{
    error_page::error_page,
    notice::{Done, see_other},
    pages::{self, Extra},
};
use crate::http::state::AppState;

mod body;
mod flow_form;
mod name;
mod program;
mod saving;
mod task_form;
mod upload;

pub use body::{FormFields, read_flow_form, read_form};
pub use flow_form::{edit_flow, new_flow};
pub use task_form::{edit_task, new_task};

/// The list of tasks or of flows: an example to save and run.
pub async fn task_list(State(state): State<AppState>, request: Request) -> Response {
    let (parts, fields) = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.page(),
    };
    let (Some("example"), Some(key)) = (fields.get("intent"), fields.get("example")) else {
        return unknown_intent();
    };
    let saved = actions::call(state.backend(&parts), actions::run_example(key.to_owned())).await;
    match saved {
        Ok(saved) => {
            see_other(&saved.run.map_or_else(|| routes::task(&saved.id), |run| routes::watched(&saved.id, run)), None)
        }
        Err(error) => refuse(&state, parts, &error).await,
    }
}

/// The page of a task or of a flow: run it, or one step of it alone, or rename it. A task's is its form too.
pub async fn task(State(state): State<AppState>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, fields) = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.page(),
    };
    let Some(id) = named(&parts, &id) else {
        return no_such_page(&state, parts).await;
    };
    let backend = state.backend(&parts);
    let started = match fields.get("intent") {
        Some("run") => actions::call(backend, actions::run_task(id.clone())).await,
        Some("run_step") => {
            let Some(Ok(step)) = fields.get("step").map(str::parse::<StepKey>) else {
                return unknown_intent();
            };
            let inputs_of = fields.get("inputs_of").and_then(|number| number.parse().ok());
            actions::call(backend, actions::run_step(id.clone(), step, inputs_of)).await
        }
        Some("rename") => return name::rename(&state, parts, id, fields).await,
        Some(_) if id.kind() == Kind::Task => return task_form::submit(&state, parts, Some(id), fields).await,
        _ => return unknown_intent(),
    };
    match started {
        Ok(number) => see_other(&routes::watched(&id, number), None),
        Err(error) => refuse(&state, parts, &error).await,
    }
}

/// The page that asks before deleting a task or a flow: delete it.
pub async fn delete_task(State(state): State<AppState>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, _) = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.page(),
    };
    let Some(id) = named(&parts, &id) else {
        return no_such_page(&state, parts).await;
    };
    let kind = id.kind();
    match actions::call(state.backend(&parts), actions::delete_task(id)).await {
        Ok(_) => see_other(&routes::list(kind), Some(Done::Deleted(kind))),
        Err(error) => refuse(&state, parts, &error).await,
    }
}

/// A run's page: run it again, go on where it failed, or stop it.
pub async fn run(State(state): State<AppState>, Path(names): Path<(String, String)>, request: Request) -> Response {
    let (parts, fields) = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.page(),
    };
    let Some((id, number)) = named_run(&parts, &names) else {
        return no_such_page(&state, parts).await;
    };
    let backend = state.backend(&parts);
    // Where the form was, there it leads back.
    let page = if fields.get("shown") == Some("beside") { routes::watched } else { routes::run };
    let started = match fields.get("intent") {
        Some("rerun") => actions::call(backend, actions::rerun(id.clone(), number)).await,
        Some("restart") => actions::call(backend, actions::restart(id.clone(), number)).await,
        Some("cancel") => return cancel(&state, parts, &id, number, &page(&id, number)).await,
        _ => return unknown_intent(),
    };
    match started {
        Ok(again) => see_other(&page(&id, again), None),
        Err(error) => refuse_at(&state, parts, &page(&id, number), &error).await,
    }
}

/// The page that asks before cancelling a run: stop it.
pub async fn cancel_run(
    State(state): State<AppState>,
    Path(names): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.page(),
    };
    match named_run(&parts, &names) {
        Some((id, number)) => cancel(&state, parts, &id, number, &routes::run(&id, number)).await,
        None => no_such_page(&state, parts).await,
    }
}

/// The page that asks before cancelling several runs: stop them. Its address names them.
pub async fn cancel_runs(
    State(state): State<AppState>,
    Query(parameters): Query<Vec<(String, String)>>,
    request: Request,
) -> Response {
    let (parts, _) = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.page(),
    };
    let choice = RunChoice::from_parameters(|name| {
        parameters.iter().filter(|(parameter, _)| parameter == name).map(|(_, value)| value.clone()).collect()
    });
    match actions::call(state.backend(&parts), actions::cancel_runs(choice.runs)).await {
        Ok(cancelled) => see_other(&routes::runs(&choice.query), Some(Done::StoppingSeveral(cancelled.stopping))),
        Err(error) => refuse(&state, parts, &error).await,
    }
}

/// The System page: make the checks again.
pub async fn system(State(state): State<AppState>, request: Request) -> Response {
    let (parts, fields) = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.page(),
    };
    if fields.get("intent") != Some("check") {
        return unknown_intent();
    }
    match actions::call(state.backend(&parts), actions::check_again()).await {
        Ok(()) => see_other(&routes::system(), None),
        Err(error) => refuse(&state, parts, &error).await,
    }
}

/// The page that asks before deleting an environment or a package set: delete it.
pub async fn delete_cache(
    State(state): State<AppState>,
    Path((kind, key)): Path<(String, String)>,
    request: Request,
) -> Response {
    let (parts, _) = match read_form(request).await {
        Ok(form) => form,
        Err(error) => return error.page(),
    };
    let (Ok(kind), Ok(key)) = (kind.parse(), key.parse()) else {
        return no_such_page(&state, parts).await;
    };
    match actions::call(state.backend(&parts), actions::delete_cache(CacheName { kind, key })).await {
        Ok(_) => see_other(&routes::system(), Some(Done::CacheDeleted(kind))),
        Err(error) => refuse(&state, parts, &error).await,
    }
}

/// Stops a run, and leads to this page.
async fn cancel(state: &AppState, parts: Parts, id: &TaskId, number: RunNumber, page: &str) -> Response {
    match actions::call(state.backend(&parts), actions::cancel_run(id.clone(), number)).await {
        Ok(()) => see_other(page, Some(Done::Stopping(number))),
        Err(error) => refuse_at(state, parts, page, &error).await,
    }
}

/// The task or the flow that an address names, each only in its own place.
fn named(parts: &Parts, id: &str) -> Option<TaskId> {
    let id: TaskId = id.parse().ok()?;
    parts.uri.path().starts_with(&routes::task(&id)).then_some(id)
}

fn named_run(parts: &Parts, (id, number): &(String, String)) -> Option<(TaskId, RunNumber)> {
    Some((named(parts, id)?, number.parse().ok()?))
}

/// Shows the page that the form was on once more, and says why nothing was done.
async fn refuse(state: &AppState, parts: Parts, error: &BackendError) -> Response {
    let address = parts.uri.to_string();
    refuse_at(state, parts, &address, error).await
}

/// Shows this page, and says on it why nothing was done.
async fn refuse_at(state: &AppState, parts: Parts, address: &str, error: &BackendError) -> Response {
    let extra = Extra { refusal: Some(error.to_string()), ..Extra::default() };
    pages::show(state, parts, address, error.status(), extra).await
}

/// The page of this address, which says itself that it names nothing.
async fn no_such_page(state: &AppState, parts: Parts) -> Response {
    let address = parts.uri.to_string();
    pages::show(state, parts, &address, StatusCode::NOT_FOUND, Extra::default()).await
}

fn unknown_intent() -> Response {
    error_page(
        StatusCode::BAD_REQUEST,
        "This does not fit",
        "The form does not say what to do. Go back, reload the page, and press one of its buttons.",
    )
}
