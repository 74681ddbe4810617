//! A task's page: its code, packages and options to change, a run beside them, and its runs.

use leptos::prelude::*;

use super::{
    load, query, run,
    run_beside::{self, Beside},
    run_history::RunHistory,
    run_log::AskedLog,
    saving::Origin,
    task_form, task_id,
    workbench::Workbench,
};
use crate::{
    actions::backend,
    backend::BackendError,
    components::{
        page::reload_without_script,
        page_name::PageName,
        phase::phase_favicon,
        script_link::script_link,
        spec::ReadinessBadges,
        time::{Ago, now},
    },
    examples,
    model::{
        cache::Readiness,
        identifiers::{Kind, RunNumber, TaskId},
        script,
        spec::TaskDraft,
        step_address::StepAddress,
        views::{RunTiming, TaskDetail},
    },
    page_context::TaskFormState,
    routes,
};

/// The icon of the browser's tab where there is no run to tell of.
const PLAIN_ICON: &str = "/favicon.svg";

/// Of how many of the last runs the durations are drawn.
pub const CHARTED_RUNS: usize = 50;

/// The page of a new task, empty or filled in with an example.
#[component]
pub fn NewTaskPage() -> impl IntoView {
    let example = query("example").and_then(|key| examples::find(&key));
    let state = use_context::<TaskFormState>().unwrap_or_else(|| TaskFormState {
        draft: example.map(examples::Example::draft).unwrap_or_default(),
        ..TaskFormState::default()
    });
    let title = "New task".to_owned();
    Workbench {
        name: view! { <h1>{title.clone()}</h1> }.into_any(),
        tab_title: title.clone(),
        title,
        icon: PLAIN_ICON,
        actions: None,
        form: task_form::form(state, Origin::New, routes::new_task(), Some(routes::tasks()), false),
        run: no_run(Some(example_links())),
        run_word: "Run".into_any(),
        is_run_first: false,
        below: None,
    }
    .page()
}

/// A task as saved, with its newest run beside it, or with the one that the address names.
#[component]
pub fn TaskPage() -> impl IntoView {
    page(Source::Saved)
}

/// The same, filled in from the run that the address names.
#[component]
pub fn EditTaskPage() -> impl IntoView {
    page(Source::Run)
}

/// Where the form's content comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Saved,
    /// The run that the address names; as saved when it names none.
    Run,
}

fn page(source: Source) -> impl IntoView {
    let id = task_id();
    let chosen: Option<RunNumber> = query("run").and_then(|number| number.parse().ok());
    let older_than = query("older_than").and_then(|number| number.parse().ok());
    let is_watched = query("live").is_some();
    let (state, log) = (use_context::<TaskFormState>(), AskedLog::from_address());
    let source = if chosen.is_some() { source } else { Source::Saved };
    load(async move { read(&id?, source, chosen, older_than, log).await }, move |data| {
        show(data, Asked { source, chosen, is_older_page: older_than.is_some(), is_watched }, state)
    })
}

/// Everything that the page shows.
struct TaskData {
    task: TaskDetail,
    beside: Option<Beside>,
    timings: Vec<RunTiming>,
    /// What a run of what is in the form would find in the cache.
    readiness: Readiness,
}

async fn read(
    id: &TaskId,
    source: Source,
    chosen: Option<RunNumber>,
    older_than: Option<RunNumber>,
    log: AskedLog,
) -> Result<TaskData, BackendError> {
    let backend = backend()?;
    let task = backend.task(id, older_than).await?;
    let shown = match (chosen, older_than) {
        (Some(chosen), _) => Some(chosen),
        (None, None) => newest(&task),
        (None, Some(_)) => newest(&backend.task(id, None).await?),
    };
    let beside = match shown {
        Some(number) => {
            let at = match source {
                Source::Saved => routes::task_beside(id, number),
                Source::Run => routes::edit_task(id, Some(number)),
            };
            Some(run_beside::read(&*backend, &StepAddress::first(id.clone(), number), log, at).await?)
        }
        None => None,
    };
    let of_run = beside.as_ref().filter(|_| source == Source::Run).map(|beside| &beside.run.step.spec);
    let readiness = backend.readiness(of_run.unwrap_or(&task.spec)).await;
    let timings = backend.run_timings(id, CHARTED_RUNS).await?;
    Ok(TaskData { task, beside, timings, readiness })
}

fn newest(task: &TaskDetail) -> Option<RunNumber> {
    task.runs.first().map(|run| run.number)
}

/// What the address asks for.
struct Asked {
    source: Source,
    chosen: Option<RunNumber>,
    is_older_page: bool,
    /// Whether a browser without JavaScript is to show the run's progress, and so loads the page again and again.
    is_watched: bool,
}

fn show(data: TaskData, asked: Asked, state: Option<TaskFormState>) -> AnyView {
    let TaskData { task, beside, timings, readiness } = data;
    let Asked { source, chosen, is_older_page, is_watched } = asked;
    let now = now();
    let title = task.title().to_string();
    let (action, origin) = match (chosen, beside.as_ref().filter(|_| source == Source::Run)) {
        (Some(number), Some(beside)) => (
            routes::edit_task(&task.id, Some(number)),
            Origin::Run { id: task.id.clone(), number, has_changed: beside.run.step.spec != task.spec },
        ),
        (Some(number), None) => (routes::task_beside(&task.id, number), Origin::Saved(task.id.clone())),
        (None, _) => (routes::task(&task.id), Origin::Saved(task.id.clone())),
    };
    // A form that was refused is not to be lost, and one that is locked cannot be: only then is it loaded again.
    let is_active = beside.as_ref().is_some_and(|beside| !beside.run.summary.phase.is_final());
    let is_locked = is_watched && is_active && state.is_none() && source == Source::Saved;
    let mut state = state.unwrap_or_else(|| {
        let spec = match (&origin, &beside) {
            (Origin::Run { .. }, Some(beside)) => &beside.run.step.spec,
            _ => &task.spec,
        };
        TaskFormState { draft: TaskDraft::of(task.name.as_ref(), spec), ..TaskFormState::default() }
    });
    state.revision = state.revision.or(Some(task.revision));
    let is_refused = !state.errors.0.is_empty() || state.unresolved.is_some();
    let is_from_script =
        task.spec.requirements.is_none() && script::names(task.spec.code.as_str(), &task.spec.packages);
    let from_script = is_from_script.then(|| view! { <span>"Packages taken from the script's own block."</span> });
    let facts = view! {
        <p class="facts">
            <span class="task-id">{task.id.to_string()}</span>
            <span>"saved " <Ago at=task.updated_at now /></span>
            {from_script}
        </p>
        <ReadinessBadges readiness />
        {script_link(&routes::task(&task.id))}
    };
    // What is filled in from a run is saved with its name, or not at all.
    let name = if source == Source::Saved {
        PageName {
            kind: Kind::Task,
            title: title.clone(),
            name: task.name.as_ref(),
            action: action.clone(),
            is_locked,
            facts: facts.into_any(),
        }
        .view()
    } else {
        view! { <div><h1 dir="auto">{title.clone()}</h1> {facts}</div> }.into_any()
    };
    let reload = is_locked.then(reload_without_script);
    let history = history(&task, &timings, beside.as_ref(), is_older_page);
    Workbench {
        tab_title: beside.as_ref().map_or_else(|| title.clone(), |beside| run::title(&beside.run)),
        icon: beside.as_ref().map_or(PLAIN_ICON, |beside| phase_favicon(beside.run.summary.phase)),
        title,
        name,
        actions: Some(actions(&task.id)),
        form: task_form::form(state, origin, action, None, is_locked),
        run: beside.as_ref().map_or_else(|| no_run(None), |beside| run_beside::view(beside, is_locked)),
        run_word: beside.as_ref().map_or_else(|| "Run".into_any(), |beside| run_beside::tab(&beside.run)),
        is_run_first: chosen.is_some() && source == Source::Saved && !is_refused,
        below: Some(view! { {reload} {history} }.into_any()),
    }
    .page()
}

fn history(task: &TaskDetail, timings: &[RunTiming], beside: Option<&Beside>, is_older_page: bool) -> AnyView {
    let shown = beside.map(|beside| beside.run.summary.number);
    let compare =
        (task.run_count > 1).then(|| view! { <a href=routes::comparing(&task.id)>"Compare the last two"</a> });
    view! {
        <section aria-labelledby="runs">
            <div class="section-head">
                <h2 id="runs">"Runs"</h2>
                {compare}
            </div>
            {run_beside::chart(&task.id, timings)}
            {RunHistory::of_task(task, shown, is_older_page).view(now())}
        </section>
    }
    .into_any()
}

/// The right side while there is no run.
fn no_run(more: Option<AnyView>) -> AnyView {
    view! {
        <div class="bench-empty empty">
            <p>"Run it to see its log here."</p>
            {more}
        </div>
    }
    .into_any()
}

/// The ready examples, to look at in the form.
fn example_links() -> AnyView {
    let links = examples::ALL
        .iter()
        .map(|example| {
            view! {
                <li>
                    <a href=routes::new_task_from_example(example.key)>{example.title}</a>
                    " "
                    <span class="quiet">{example.sentence}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <p>"Or begin with an example:"</p>
        <ul>{links}</ul>
    }
    .into_any()
}

/// What can be done with a task, or with a flow, as it is saved.
pub fn actions(id: &TaskId) -> AnyView {
    let (run_class, edit) = match id.kind() {
        // Its page is where it is edited, and has a button of its own to save and run.
        Kind::Task => ("", None),
        Kind::Flow => {
            ("is-primary", Some(view! { <a class="button" href=routes::edit_task(id, None) data-key="e">"Edit"</a> }))
        }
    };
    view! {
        <form class="actions" method="post" action=routes::task(id)>
            <button
                id="run-saved"
                class=run_class
                name="intent"
                value="run"
                title="Runs it as it is saved"
                data-key="r"
            >
                "Run"
            </button>
            {edit}
            <a class="button is-quiet" href=routes::delete_task(id)>"Delete"</a>
        </form>
    }
    .into_any()
}
