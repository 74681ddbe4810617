//! Pages that ask before something is lost.

use leptos::prelude::*;

use super::{load, queries, run_number, task_id};
use crate::{
    actions::backend,
    components::{page::Page, phase::PhaseBadge},
    model::{
        identifiers::{Kind, TaskId},
        run_list::{ListedRun, RunChoice},
        step_address::StepAddress,
        views::{RunDetail, RunSummary},
    },
    routes,
};

/// Asks before deleting a task or a flow.
#[component]
pub fn DeleteTaskPage() -> impl IntoView {
    let id = task_id();
    let data = async move {
        let (backend, id) = (backend()?, id?);
        Ok(match id.kind() {
            Kind::Task => {
                let task = backend.task(&id, None).await?;
                let title = task.title().to_string();
                Deletion { id, title, run_count: task.run_count, runs: task.runs }
            }
            Kind::Flow => {
                let flow = backend.flow(&id, None).await?;
                let title = flow.flow.name().as_str().to_owned();
                Deletion { id, title, run_count: flow.run_count, runs: flow.runs }
            }
        })
    };
    load(data, ask_delete)
}

/// What would be deleted.
struct Deletion {
    id: TaskId,
    title: String,
    run_count: u32,
    /// The newest of its runs.
    runs: Vec<RunSummary>,
}

fn ask_delete(deletion: Deletion) -> AnyView {
    let Deletion { id, title, run_count, runs } = deletion;
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
                <button class="is-danger">{format!("Delete {}", id.kind().word())}</button>
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
    load(async move { backend()?.run(&StepAddress::first(id?, number?)).await }, ask_cancel)
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
    let words = match id.kind() {
        Kind::Task => "The program and everything it started are stopped. The log so far is kept.",
        Kind::Flow => {
            "Its steps that run are stopped, with everything they started, and no other begins. The logs so far are kept."
        }
    };
    view! {
        <Page title=format!("Cancel run #{number}?")>
            <h1 dir="auto">{format!("Cancel run #{number} of “{title}”?")}</h1>
            <p>{words}</p>
            <form class="actions" method="post" action=routes::cancel_run(&id, number)>
                <button class="is-danger">"Cancel run"</button>
                <a class="button" href=routes::run(&id, number)>"Let it run"</a>
            </form>
        </Page>
    }
    .into_any()
}

/// Asks before cancelling several runs, which the address names.
#[component]
pub fn CancelRunsPage() -> impl IntoView {
    let choice = RunChoice::from_parameters(queries);
    let wanted = choice.runs.clone();
    load(async move { backend()?.runs_named(&wanted).await }, move |runs| ask_cancel_several(choice, runs))
}

fn ask_cancel_several(choice: RunChoice, runs: Vec<ListedRun>) -> AnyView {
    let back = routes::runs(&choice.query);
    let active: Vec<ListedRun> = runs.into_iter().filter(ListedRun::can_be_cancelled).collect();
    if active.is_empty() {
        let (title, text) = if choice.runs.is_empty() {
            ("No run was chosen", "Tick the runs to cancel in the list, then press its button again.")
        } else {
            ("There is nothing to cancel", "These runs have ended, or are being stopped already.")
        };
        return view! {
            <Page title=title>
                <h1>{title}</h1>
                <p>{text}</p>
                <p><a href=back>"Back to the runs"</a></p>
            </Page>
        }
        .into_any();
    }
    let title = match active.len() {
        1 => "Cancel 1 run?".to_owned(),
        several => format!("Cancel {several} runs?"),
    };
    let choice = RunChoice { runs: active.iter().map(|run| run.uid.clone()).collect(), ..choice };
    let list = active
        .into_iter()
        .map(|run| {
            let number = run.summary.number;
            let title = run.task_title.to_string();
            view! {
                <li>
                    <PhaseBadge phase=run.summary.phase />
                    " "
                    <a href=routes::run(&run.task_id, number)><bdi>{title}</bdi> {format!(" #{number}")}</a>
                </li>
            }
        })
        .collect_view();
    view! {
        <Page title=title.clone()>
            <h1>{title.clone()}</h1>
            <ul class="chosen-runs">{list}</ul>
            <p>"Their programs and everything they started are stopped. The logs so far are kept."</p>
            <form class="actions" method="post" action=routes::cancel_runs(&choice)>
                <button class="is-danger">"Cancel runs"</button>
                <a class="button" href=back>"Let them run"</a>
            </form>
        </Page>
    }
    .into_any()
}
