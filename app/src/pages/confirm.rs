//! Pages that ask before something is lost.

use leptos::prelude::*;

use super::{load, run_number, task_id};
use crate::{
    actions::backend,
    components::page::Page,
    model::views::{RunDetail, TaskDetail},
    routes,
};

/// Asks before deleting a task.
#[component]
pub fn DeleteTaskPage() -> impl IntoView {
    let id = task_id();
    load(async move { backend()?.task(&id?, None).await }, ask_delete)
}

fn ask_delete(task: TaskDetail) -> AnyView {
    let title = task.title();
    let TaskDetail { id, run_count, runs, .. } = task;
    let runs_words = match run_count {
        0 => "It has no runs.".to_owned(),
        1 => "Its run and that run's log are deleted with it.".to_owned(),
        several => format!("Its {several} runs and their logs are deleted with it."),
    };
    let active = runs.iter().any(|run| !run.phase.is_final()).then(|| {
        view! { <p><strong>"A run is active: it is stopped."</strong></p> }
    });
    view! {
        <Page title=format!("Delete {title}?")>
            <h1 dir="auto">{format!("Delete “{title}”?")}</h1>
            <p>{runs_words} " This cannot be undone."</p>
            {active}
            <form class="actions" method="post" action=routes::delete_task(&id)>
                <button class="is-danger">"Delete task"</button>
                <a class="button" href=routes::task(&id)>"Keep it"</a>
            </form>
        </Page>
    }
    .into_any()
}

/// Asks before cancelling a run.
#[component]
pub fn CancelRunPage() -> impl IntoView {
    let (id, number) = (task_id(), run_number());
    load(async move { backend()?.run(&id?, number?).await }, ask_cancel)
}

fn ask_cancel(run: RunDetail) -> AnyView {
    let (id, number) = (run.task_id, run.summary.number);
    let title = run.task_title;
    if run.summary.phase.is_final() {
        return view! {
            <Page title=format!("Run #{number} has ended")>
                <h1>{format!("Run #{number} has ended")}</h1>
                <p>"There is nothing to cancel: it is " {run.summary.phase.word()} "."</p>
                <p><a href=routes::run(&id, number)>"Show the run"</a></p>
            </Page>
        }
        .into_any();
    }
    view! {
        <Page title=format!("Cancel run #{number}?")>
            <h1 dir="auto">{format!("Cancel run #{number} of “{title}”?")}</h1>
            <p>"The program and everything it started are stopped. The log so far is kept."</p>
            <form class="actions" method="post" action=routes::cancel_run(&id, number)>
                <button class="is-danger">"Cancel run"</button>
                <a class="button" href=routes::run(&id, number)>"Let it run"</a>
            </form>
        </Page>
    }
    .into_any()
}
