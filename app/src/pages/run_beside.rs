//! A run beside its task's code: how it stands, its log, and folded away what it was made of. Nothing moves while it goes
//! on: what may come later has its place from the beginning.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    run::{self, changed_parts},
    run_details::{self, preparation_words},
    run_history::run_row,
    run_log::{self, AskedLog},
    run_summary::{FailureLine, RunPlace, actions, ending_facts, neighbours},
    task::CHARTED_RUNS,
};
use crate::{
    backend::{Backend, BackendError},
    components::{
        difference::Difference,
        duration_chart::duration_chart,
        icon::{checkpoint_icon, phase_icon},
        log_view::{LogView, ShownLog, log_words},
        outputs::outputs_words,
        phase::PhaseBadge,
        time::{Ago, Duration, now},
    },
    html::Html,
    model::{
        checkpoint::{Checkpoint, CheckpointStatus},
        identifiers::TaskId,
        phase::Phase,
        step_address::StepAddress,
        views::{RunDetail, RunTiming},
    },
    page_context::Now,
    routes,
};

/// A run as it is shown beside its task's code.
pub struct Beside {
    pub run: RunDetail,
    log: ShownLog,
    /// The address of the page that shows it.
    at: String,
    failure: Option<FailureLine>,
    /// How many outputs it has left.
    outputs: usize,
}

/// Reads a run to be shown so, on the page with this address.
pub async fn read(
    backend: &dyn Backend,
    address: &StepAddress,
    asked: AskedLog,
    at: String,
) -> Result<Beside, BackendError> {
    let (run, log) = asked.read(backend, address).await?;
    let failure = run_log::failure(backend, &run, &log).await?;
    let outputs = backend.outputs(address).await?.len();
    Ok(Beside { run, log, at, failure, outputs })
}

/// The run; `is_watched` when the page is loaded again by itself where there is no script.
pub fn view(beside: &Beside, is_watched: bool) -> AnyView {
    let Beside { run, log, at, failure, outputs } = beside;
    let (id, number) = (&run.task_id, run.summary.number);
    let watch = (!run.summary.phase.is_final() && !is_watched).then(|| {
        let mut html = Html::default();
        html.markup(r#"<a href=""#).text(&routes::watched(id, number)).markup(r#"">Show how it goes on</a>"#);
        view! { <noscript inner_html=html.into_string()></noscript> }
    });
    view! {
        <div class="beside" id="beside" data-state=routes::beside_state(id, number)>
            {watch}
            {summary(run, failure.as_ref(), *outputs)}
            <LogView run=run.clone() log=log.clone() at=at.clone() />
            {about(run)}
        </div>
    }
    .into_any()
}

/// What the run's tab says.
pub fn tab(run: &RunDetail) -> AnyView {
    view! { {format!("Run #{} ", run.summary.number)} <PhaseBadge phase=run.summary.phase /> }.into_any()
}

/// What of it changes while one looks at it, but the log, and its row among the task's runs.
///
/// # Errors
/// When there is no such run, or it cannot be read.
pub async fn changing_parts(
    backend: Arc<dyn Backend>,
    now: Now,
    address: &StepAddress,
) -> Result<String, BackendError> {
    let run = backend.run(address).await?;
    let failure = run::failure_line(&*backend, &run).await?;
    let outputs = backend.outputs(address).await?.len();
    // How long it took is drawn once it has ended.
    let timings =
        if run.summary.phase.is_final() { backend.run_timings(&address.task, CHARTED_RUNS).await? } else { Vec::new() };
    Ok(changed_parts(&run, now, || {
        let row = run_row(&run.task_id, &run.summary, Some(run.summary.number), now.0);
        view! {
            {summary(&run, failure.as_ref(), outputs)}
            {changes(&run)}
            {run::progress(&run)}
            {(run.summary.phase != Phase::Pending).then(|| run::difference(&run))}
            <span id="run-tab">{tab(&run)}</span>
            <table><tbody>{row}</tbody></table>
            {(!timings.is_empty()).then(|| chart(&run.task_id, &timings))}
        }
        .into_any()
    }))
}

/// How long the task's last runs took.
pub fn chart(id: &TaskId, timings: &[RunTiming]) -> AnyView {
    view! { <div id="run-chart">{duration_chart(id, timings, now())}</div> }.into_any()
}

fn summary(run: &RunDetail, failure: Option<&FailureLine>, outputs: usize) -> AnyView {
    let page = run.page();
    let number = run.summary.number;
    let now = now();
    let outputs = (outputs > 0).then(|| view! { <a href=format!("{page}#outputs")>{outputs_words(outputs)}</a> });
    let cancelled = run.cancel_requested_at.map(|at| view! { <span>"cancelled " <Ago at now /></span> });
    view! {
        <div id="run-summary">
            <div class="beside-head">
                <h2><a href=page.clone() title="The run's own page">{format!("Run #{number}")}</a></h2>
                {neighbours(run, RunPlace::Beside)}
                {actions(run, RunPlace::Beside)}
            </div>
            // What changes while it goes on stands behind what does not.
            <p class="facts">
                <PhaseBadge phase=run.summary.phase />
                <span class="run-duration"><Duration run=run.summary.clone() now /></span>
                {checkpoint_strip(run)}
                {ending_facts(run)}
                {outputs}
                {cancelled}
            </p>
            {outcome(run, failure)}
            <span id="log-state-words" hidden>{log_words(run)}</span>
        </div>
    }
    .into_any()
}

/// Why it ended as it did, or since when it goes on: two lines, whatever there is to say.
fn outcome(run: &RunDetail, failure: Option<&FailureLine>) -> AnyView {
    let (phase, now) = (run.summary.phase, now());
    let place = run.step.place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
    let first = match (&run.summary.message, run.summary.started_at) {
        (Some(message), _) => view! { <p title=message.clone()>{message.clone()}</p> }.into_any(),
        (None, Some(at)) => {
            view! { <p>"Started " <Ago at now /> {format!(" on {}{place}.", run.engine)}</p> }.into_any()
        }
        (None, None) => view! { <p>"Asked for " <Ago at=run.summary.created_at now /> "."</p> }.into_any(),
    };
    let code = run.step.checkpoints.iter().find_map(|checkpoint| match checkpoint.status {
        Some(CheckpointStatus::Failed) => checkpoint.code.as_deref(),
        _ => None,
    });
    let second = match (failure, code) {
        (Some(FailureLine { number, text }), _) => Some(
            view! {
                <p title=text.clone()>
                    <a href=format!("#L{number}")>{format!("Jump to line {number}")}</a>
                    " "
                    <code dir="auto">{text.clone()}</code>
                </p>
            }
            .into_any(),
        ),
        (None, Some(code)) => {
            Some(view! { <p><a href=routes::troubleshooting(code)>"What to do about it"</a></p> }.into_any())
        }
        (None, None) => None,
    };
    let class = if matches!(phase, Phase::Failed | Phase::Error) { "outcome is-failed" } else { "outcome" };
    view! { <div class=class>{first} {second}</div> }.into_any()
}

/// How preparing goes: a small drawing for each checkpoint, with its words for who points at it or has it read out.
fn checkpoint_strip(run: &RunDetail) -> AnyView {
    let made = &run.step.checkpoints;
    let marks = (1..=Checkpoint::COUNT)
        .map(|number| {
            let checkpoint = made.iter().find(|checkpoint| checkpoint.number == number);
            let (class, word, icon) = match checkpoint.map(|checkpoint| checkpoint.status) {
                None => ("", "not begun", None),
                Some(None) => {
                    let mut icon = Html::default();
                    phase_icon(&mut icon, Phase::Running);
                    ("is-running", "under way", Some(icon.into_element()))
                }
                Some(Some(status)) => {
                    let (class, word) = status_words(status);
                    (class, word, Some(checkpoint_icon(status)))
                }
            };
            let title = checkpoint.map(|checkpoint| format!("{}: {word}", checkpoint.name));
            view! { <span class=class title=title>{icon}</span> }
        })
        .collect_view();
    let words = format!("Preparation: {}", preparation_words(run));
    view! {
        <span class="checkpoint-strip" role="img" aria-label=words.clone() title=words>
            {marks}
        </span>
    }
    .into_any()
}

const fn status_words(status: CheckpointStatus) -> (&'static str, &'static str) {
    match status {
        CheckpointStatus::Ok => ("is-ok", "ok"),
        CheckpointStatus::Skipped => ("is-skipped", "skipped"),
        CheckpointStatus::Warning => ("is-warning", "warning"),
        CheckpointStatus::Failed => ("is-failed", "failed"),
    }
}

/// How it was prepared, what differs from the run before, and what it ran.
fn about(run: &RunDetail) -> AnyView {
    view! {
        <details id="details-about" class="card">
            <summary>"About this run " {changes(run)}</summary>
            <div class="beside-about">
                {run::progress(run)}
                {run::difference(run)}
                {run_details::code(run)}
            </div>
        </details>
    }
    .into_any()
}

/// What differs from the run before, in a few words.
fn changes(run: &RunDetail) -> AnyView {
    let words = run.previous.as_ref().map(|previous| {
        let difference = Difference::of(run, previous);
        if difference.is_empty() {
            format!("nothing changed since #{}", previous.number)
        } else {
            format!("changed since #{}: {}", previous.number, difference.words())
        }
    });
    view! { <span id="run-changes" class="quiet">{words}</span> }.into_any()
}
