//! The top of a run's page: how it stands and what can be done. The browser takes it anew from the server whenever
//! the run's state changes.

use leptos::prelude::*;

use crate::{
    components::{
        log_view::{log_words, ordinal},
        message::message,
        phase::PhaseBadge,
        time::{Ago, Duration, now},
    },
    model::{
        checkpoint::{Checkpoint, CheckpointStatus},
        identifiers::RunNumber,
        phase::Phase,
        time::Timestamp,
        views::RunDetail,
    },
    routes,
};

/// The line that most likely says why a run failed.
pub struct FailureLine {
    /// Its number.
    pub number: u64,
    /// Its text, without colours.
    pub text: String,
}

/// The top of a run's page.
pub fn view(run: &RunDetail, failure: Option<FailureLine>) -> AnyView {
    let now = now();
    let number = run.summary.number;
    view! {
        <div class="page-head">
            <div>
                <h1>
                    <a href=routes::task(&run.task_id) dir="auto">{run.task_title.to_string()}</a>
                    " "
                    <span class="run-number">{format!("run #{number}")}</span>
                </h1>
                {facts(run, now)}
            </div>
            <div class="run-side">
                {actions(run)}
                {neighbours(run)}
            </div>
        </div>
        {reason(run, failure)}
        <span id="log-state-words" hidden>{log_words(run)}</span>
    }
    .into_any()
}

fn facts(run: &RunDetail, now: Timestamp) -> AnyView {
    let summary = &run.summary;
    let when = match summary.started_at {
        Some(started) => view! { <span>"started " <Ago at=started now /></span> }.into_any(),
        None => view! { <span>"asked for " <Ago at=summary.created_at now /></span> }.into_any(),
    };
    let queue = (summary.phase == Phase::Pending)
        .then_some(run.queue_place)
        .flatten()
        .map(|place| view! { <span>{format!("{} in the queue", ordinal(place))}</span> });
    let preparing = run.under_way().map(|checkpoint| {
        view! { <span>{format!("preparing: {} ({} of {})", checkpoint.name, checkpoint.number, Checkpoint::COUNT)}</span> }
    });
    let exit_code = run.step.exit_code.map(|code| view! { <span>{format!("exit code {code}")}</span> });
    let cancelled = run.cancel_requested_at.map(|at| {
        let words = if summary.phase.is_final() { "cancelled " } else { "stopping, cancelled " };
        view! { <span>{words} <Ago at now /></span> }
    });
    let place = run.step.place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
    let engine = (!run.engine.is_empty()).then(|| view! { <span>{format!("on {}{place}", run.engine)}</span> });
    let attempt = (run.step.attempt > 1).then(|| view! { <span>{format!("attempt {}", run.step.attempt)}</span> });
    view! {
        <p class="facts">
            <PhaseBadge phase=summary.phase />
            <span class="run-duration"><Duration run=summary.clone() now /></span>
            {when}
            {queue}
            {preparing}
            {exit_code}
            {cancelled}
            {engine}
            {attempt}
        </p>
    }
    .into_any()
}

fn actions(run: &RunDetail) -> AnyView {
    let (id, number) = (&run.task_id, run.summary.number);
    let is_active = !run.summary.phase.is_final();
    let cancel = (is_active && run.cancel_requested_at.is_none())
        .then(|| view! { <button id="cancel-button" name="intent" value="cancel">"Cancel"</button> });
    let rerun_class = if is_active { "" } else { "is-primary" };
    view! {
        <form class="actions" method="post" action=routes::run(id, number)>
            {cancel}
            <button id="rerun-button" class=rerun_class name="intent" value="rerun">"Rerun"</button>
            <a id="edit-link" class="button" href=routes::edit_task(id, Some(number))>"Edit & Rerun"</a>
        </form>
    }
    .into_any()
}

/// Links to the run before and the run after.
fn neighbours(run: &RunDetail) -> AnyView {
    let id = &run.task_id;
    let link = |number: RunNumber, rel: &'static str, text: String| {
        view! { <a rel=rel href=routes::run(id, number)>{text}</a> }
    };
    let older = run.previous.as_ref().map(|previous| link(previous.number, "prev", format!("← #{}", previous.number)));
    let newer = run.next.map(|next| link(next, "next", format!("#{next} →")));
    let latest = run.next.filter(|next| *next < run.latest);
    let latest = latest.map(|_| link(run.latest, "last", format!("latest #{}", run.latest)));
    view! { <nav class="pager" aria-label="Runs of this task">{older} {newer} {latest}</nav> }.into_any()
}

/// Why the run ended as it did, or what it waits for.
fn reason(run: &RunDetail, failure: Option<FailureLine>) -> AnyView {
    let phase = run.summary.phase;
    let text = run.summary.message.as_deref().map(|text| message("reason-message", text));
    let line = failure.map(|FailureLine { number, text }| {
        view! {
            <p class="reason-line">
                <code dir="auto">{text}</code>
                " "
                <a href=format!("#L{number}")>{format!("Jump to line {number}")}</a>
            </p>
        }
    });
    if text.is_none() && line.is_none() {
        return ().into_any();
    }
    let code = run.step.checkpoints.iter().find_map(|checkpoint| match checkpoint.status {
        Some(CheckpointStatus::Failed) => checkpoint.code.as_deref(),
        _ => None,
    });
    let more = code.map(
        |code| view! { <p class="reason-line"><a href=routes::troubleshooting(code)>"What to do about it"</a></p> },
    );
    let class = match phase {
        Phase::Failed | Phase::Error => "banner is-failed",
        _ => "banner",
    };
    view! { <div class=class>{text} {line} {more}</div> }.into_any()
}
