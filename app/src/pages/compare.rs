//! Two runs of a task side by side: how they went, what they were made of, and what they printed.

use leptos::prelude::*;

use super::{load, query, task_id};
use crate::{
    actions::backend,
    backend::{Backend, BackendError},
    components::{
        difference::Difference,
        log_difference::LogDifference,
        page::Page,
        phase::PhaseBadge,
        time::{Ago, Duration, now},
    },
    log_text::lines_words,
    model::{
        identifiers::RunNumber,
        step_address::StepAddress,
        time::{Timestamp, duration_text},
        views::{LogPage, LogWindow, PreviousRun, RunDetail, TaskDetail},
    },
    routes,
};

/// So many lines of each log are compared, from its beginning.
const COMPARED_LINES: u32 = 2000;

/// Two runs of a task; without a choice the newest and the one before it.
#[component]
pub fn ComparePage() -> impl IntoView {
    let id = task_id();
    let number = |name| query(name).and_then(|number| number.parse::<RunNumber>().ok());
    let (left, right) = (number("left"), number("right"));
    load(
        async move {
            let (backend, id) = (backend()?, id?);
            let task = backend.task(&id, None).await?;
            let (left, right) = chosen(&task, left, right)?;
            let sides = [side(&*backend, &task, left).await?, side(&*backend, &task, right).await?];
            Ok((task, sides))
        },
        |(task, sides)| show(&task, &sides),
    )
}

/// The runs to compare, as far as the address names them.
fn chosen(
    task: &TaskDetail,
    left: Option<RunNumber>,
    right: Option<RunNumber>,
) -> Result<(RunNumber, RunNumber), BackendError> {
    let mut others = task.runs.iter().map(|run| run.number);
    let right = right.or_else(|| others.find(|number| Some(*number) != left));
    let left = left.or_else(|| others.find(|number| Some(*number) < right));
    left.zip(right).ok_or_else(|| {
        BackendError::NotFound("There are no two runs of this task to compare yet. Run it once more.".to_owned())
    })
}

/// One of the runs.
struct Side {
    run: RunDetail,
    log: LogPage,
}

async fn side(backend: &dyn Backend, task: &TaskDetail, number: RunNumber) -> Result<Side, BackendError> {
    let address = StepAddress::first(task.id.clone(), number);
    let window = LogWindow::Before(u64::from(COMPARED_LINES) + 1, COMPARED_LINES);
    let (run, log) = backend.run_with_log(&address, window).await?;
    Ok(Side { run, log })
}

fn show(task: &TaskDetail, sides: &[Side; 2]) -> AnyView {
    let title = task.title().to_string();
    let [left, right] = sides;
    let numbers = [left.run.summary.number, right.run.summary.number];
    let previous =
        PreviousRun { number: numbers[0], spec: left.run.step.spec.clone(), lock: left.run.step.lock.clone() };
    let difference = Difference::of(&right.run, &previous);
    let difference = if difference.is_empty() {
        view! { <p>"Code, packages, versions and settings are the same."</p> }.into_any()
    } else {
        difference.view()
    };
    let (address, choice, table) = (routes::task(&task.id), choice(task, numbers), table(task, sides));
    let log = LogDifference::of(&left.log, &right.log).view(numbers);
    view! {
        <Page title=format!("#{} and #{} of {title}", numbers[0], numbers[1])>
            <div class="page-head">
                <div>
                    <h1>
                        "Runs of "
                        <a href=address dir="auto">{title}</a>
                        " compared"
                    </h1>
                </div>
                {choice}
            </div>
            <div class="card is-flush">{table}</div>
            <section aria-labelledby="changes">
                <h2 id="changes">"What they were made of"</h2>
                {difference}
            </section>
            <section aria-labelledby="log-changes">
                <h2 id="log-changes">"What they printed"</h2>
                {log}
            </section>
        </Page>
    }
    .into_any()
}

/// The form that chooses two runs: the newest, and those that are shown.
fn choice(task: &TaskDetail, numbers: [RunNumber; 2]) -> AnyView {
    let mut offered: Vec<RunNumber> = task.runs.iter().map(|run| run.number).chain(numbers).collect();
    offered.sort_unstable_by(|one, other| other.cmp(one));
    offered.dedup();
    let select = |name: &'static str, label: &'static str, chosen: RunNumber| {
        let options = offered
            .iter()
            .map(|number| view! { <option value=number.to_string() selected=*number == chosen>{format!("#{number}")}</option> })
            .collect_view();
        view! { <label for=name>{label}</label> <select id=name name=name>{options}</select> }
    };
    let [left, right] = numbers;
    view! {
        <form class="actions" method="get" action=routes::comparing(&task.id)>
            {select("left", "Run", left)}
            {select("right", "with run", right)}
            <button>"Compare"</button>
            <a class="button is-quiet" href=routes::compare(&task.id, right, left)>"Swap"</a>
        </form>
    }
    .into_any()
}

fn table(task: &TaskDetail, sides: &[Side; 2]) -> AnyView {
    let now = now();
    let row = |name: &'static str, cell: &dyn Fn(&Side) -> AnyView| {
        let [left, right] = sides;
        view! { <tr><th scope="row">{name}</th><td>{cell(left)}</td><td>{cell(right)}</td></tr> }.into_any()
    };
    let heads = sides
        .iter()
        .map(|side| {
            let number = side.run.summary.number;
            view! { <th scope="col"><a href=routes::run(&task.id, number)>{format!("Run #{number}")}</a></th> }
        })
        .collect_view();
    let rows = [
        row("Phase", &|side| view! { <PhaseBadge phase=side.run.summary.phase /> }.into_any()),
        row("Outcome", &|side| outcome(&side.run).into_any()),
        row("Started", &|side| side.run.summary.started_at.map(|at| view! { <Ago at now /> }).into_any()),
        row("Preparing", &|side| times(&side.run, now).0.into_any()),
        row("Running", &|side| times(&side.run, now).1.into_any()),
        row("In all", &|side| view! { <Duration run=side.run.summary.clone() now /> }.into_any()),
        row("Engine", &|side| side.run.engine.clone().into_any()),
        row("Log", &|side| lines_words(side.log.total).into_any()),
    ];
    view! {
        <table class="compare-table">
            <thead><tr><td></td>{heads}</tr></thead>
            <tbody>{rows.into_iter().collect_view()}</tbody>
        </table>
    }
    .into_any()
}

/// Why a run ended as it did.
fn outcome(run: &RunDetail) -> Option<String> {
    let exit_code = run.step.exit_code.map(|code| format!("exit code {code}"));
    run.summary.message.clone().or(exit_code)
}

/// How long preparing and running took.
fn times(run: &RunDetail, now: Timestamp) -> (Option<String>, Option<String>) {
    let Some(started) = run.summary.started_at else { return (None, None) };
    let end = run.summary.finished_at.unwrap_or(now);
    let prepared = run.steps.first().and_then(|step| step.prepared_at);
    let preparing = prepared.unwrap_or(end).millis_since(started);
    (Some(duration_text(preparing)), prepared.map(|prepared| duration_text(end.millis_since(prepared))))
}
