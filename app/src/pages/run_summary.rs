//! The top of a run's page: how it stands and what can be done. The browser takes it anew from the server whenever
//! the run's state changes.

use leptos::prelude::*;

use crate::{
    components::{
        log_view::{log_words, ordinal},
        message::message,
        phase::PhaseBadge,
        step_list::{counts_words, step_link},
        time::{Ago, Duration, now},
    },
    model::{
        checkpoint::{Checkpoint, CheckpointStatus},
        identifiers::{Kind, RunNumber, TaskId},
        phase::Phase,
        time::Timestamp,
        views::{RunDetail, RunOrigin, StepDetail},
    },
    routes, troubleshooting,
};

/// Where a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunPlace {
    /// On its own page.
    Page,
    /// Beside its task's code.
    Beside,
}

impl RunPlace {
    /// The address that shows a run of the same task in the same place.
    fn address(self, id: &TaskId, number: RunNumber) -> String {
        match self {
            Self::Page => routes::run(id, number),
            Self::Beside => routes::task_beside(id, number),
        }
    }
}

/// The line that most likely says why a run failed.
pub struct FailureLine {
    /// Its number.
    pub number: u64,
    /// Its text, without colours.
    pub text: String,
}

/// The top of a run's page.
pub fn view(run: &RunDetail, failure: Option<&FailureLine>) -> AnyView {
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
                {actions(run, RunPlace::Page)}
                {neighbours(run, RunPlace::Page)}
            </div>
        </div>
        {whole_reason(run, failure)}
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
    let cancelled = run.cancel_requested_at.map(|at| {
        let words = if summary.phase.is_final() { "cancelled " } else { "stopping, cancelled " };
        view! { <span>{words} <Ago at now /></span> }
    });
    let has_several_steps = run.has_several_steps();
    let counts = has_several_steps.then(|| view! { <span>{counts_words(&run.steps)}</span> });
    let only_step = (!has_several_steps).then(|| step_facts(run));
    let place = run.step.place.as_ref().filter(|_| !has_several_steps);
    let place = place.map_or_else(String::new, |place| format!(" ({place})"));
    let engine = (!run.engine.is_empty()).then(|| view! { <span>{format!("on {}{place}", run.engine)}</span> });
    view! {
        <p class="facts">
            <PhaseBadge phase=summary.phase />
            <span class="run-duration"><Duration run=summary.clone() now /></span>
            {when}
            {queue}
            {counts}
            {only_step}
            {cancelled}
            {engine}
            {run.origin.map(|origin| origin_words(run, origin))}
        </p>
    }
    .into_any()
}

/// How the step that is shown stands, besides its phase and times.
pub fn step_facts(run: &RunDetail) -> AnyView {
    let preparing = run.under_way().map(|checkpoint| {
        view! { <span>{format!("preparing: {} ({} of {})", checkpoint.name, checkpoint.number, Checkpoint::COUNT)}</span> }
    });
    view! { {preparing} {ending_facts(run)} }.into_any()
}

/// How its program ended, and which attempt that was.
pub fn ending_facts(run: &RunDetail) -> AnyView {
    let exit_code = run.step.exit_code.map(|code| view! { <span>{format!("exit code {code}")}</span> });
    let attempt = (run.step.attempt > 1).then(|| view! { <span>{format!("attempt {}", run.step.attempt)}</span> });
    view! { {exit_code} {attempt} }.into_any()
}

/// What the run took from another one.
fn origin_words(run: &RunDetail, origin: RunOrigin) -> AnyView {
    let link = |number: RunNumber| {
        view! { <a href=routes::run(&run.task_id, number)>{format!("run #{number}")}</a> }
    };
    match origin {
        RunOrigin::Restart(number) => view! { <span>"goes on where " {link(number)} " failed"</span> }.into_any(),
        RunOrigin::StepOf(number) => {
            view! { <span>"one step alone, with the outputs of " {link(number)}</span> }.into_any()
        }
        RunOrigin::StepAlone => view! { <span>"one step alone"</span> }.into_any(),
    }
}

/// What can be done with a run.
pub fn actions(run: &RunDetail, place: RunPlace) -> AnyView {
    let (id, number) = (&run.task_id, run.summary.number);
    let is_active = !run.summary.phase.is_final();
    let cancel = (is_active && run.cancel_requested_at.is_none())
        .then(|| view! { <button id="cancel-button" name="intent" value="cancel">"Cancel"</button> });
    let restart = run.has_several_steps().then_some(run.summary.phase).and_then(|phase| match phase {
        Phase::Failed | Phase::Error => Some("Restart from the failed step"),
        Phase::Cancelled => Some("Restart from the cancelled step"),
        _ => None,
    });
    let restart = restart.map(|words| {
        view! {
            <button id="restart-button" class="is-primary" name="intent" value="restart" title="What succeeded is kept">
                {words}
            </button>
        }
    });
    // A run of one step alone does not know the whole flow.
    let is_whole = !matches!(run.origin, Some(RunOrigin::StepOf(_) | RunOrigin::StepAlone));
    let edit = is_whole.then(|| {
        view! { <a id="edit-link" class="button" data-key="e" href=routes::edit_task(id, Some(number))>"Edit & Rerun"</a> }
    });
    let back = (place == RunPlace::Beside).then(beside_field);
    // Beside the code, that is for the button that saves and runs.
    let is_last = is_active || restart.is_some() || place == RunPlace::Beside;
    let rerun_class = if is_last { "" } else { "is-primary" };
    view! {
        <form class="actions" method="post" action=routes::run(id, number)>
            {back}
            {cancel}
            {restart}
            <button id="rerun-button" class=rerun_class name="intent" value="rerun" data-key="r">"Rerun"</button>
            {edit}
        </form>
    }
    .into_any()
}

/// Has what a form does with a run lead back to the task's page, not to the run's own.
pub fn beside_field() -> AnyView {
    view! { <input type="hidden" name="shown" value="beside" /> }.into_any()
}

/// Links to the run before and the run after, if there are such.
pub fn neighbours(run: &RunDetail, place: RunPlace) -> Option<AnyView> {
    if run.previous.is_none() && run.next.is_none() {
        return None;
    }
    let id = &run.task_id;
    let link = |number: RunNumber, rel: &'static str, text: String| {
        view! { <a rel=rel href=place.address(id, number)>{text}</a> }
    };
    let older = run.previous.as_ref().map(|previous| link(previous.number, "prev", format!("← #{}", previous.number)));
    let newer = run.next.map(|next| link(next, "next", format!("#{next} →")));
    let latest = run.next.filter(|next| *next < run.latest);
    let latest = latest.map(|_| link(run.latest, "last", format!("latest #{}", run.latest)));
    let label = match id.kind() {
        Kind::Task => "Runs of this task",
        Kind::Flow => "Runs of this flow",
    };
    Some(view! { <nav class="pager" aria-label=label>{older} {newer} {latest}</nav> }.into_any())
}

/// Why the whole run ended as it did, or what it waits for. Of several steps each has a reason of its own.
fn whole_reason(run: &RunDetail, failure: Option<&FailureLine>) -> AnyView {
    let (phase, text) = (run.summary.phase, run.summary.message.as_deref());
    if !run.has_several_steps() {
        return reason(phase, text, failure, &run.step);
    }
    let more = text.and_then(troubleshooting::anchor).map(what_to_do);
    let text = text.map(|text| message("reason-message", text));
    let failed = failed_steps(run);
    (text.is_some() || failed.is_some())
        .then(|| view! { <div class=banner_class(phase)>{text} {more} {failed}</div> })
        .into_any()
}

/// Links to the steps that failed.
fn failed_steps(run: &RunDetail) -> Option<AnyView> {
    /// So many are named.
    const NAMED: usize = 5;
    let failed: Vec<_> = run.steps.iter().filter(|step| matches!(step.phase, Phase::Failed | Phase::Error)).collect();
    // What failed alone and is shown has all that below.
    if failed.iter().all(|step| step.key == run.step.key) {
        return None;
    }
    let links = failed.iter().take(NAMED).map(|step| {
        view! { <li><a dir="auto" href=step_link(run, step)>{step.name.as_str().to_owned()}</a></li> }
    });
    let others = failed.len().saturating_sub(NAMED);
    let others = (others > 0).then(|| view! { <li>{format!("{others} more")}</li> });
    let words = if failed.len() == 1 { "Failed step:" } else { "Failed steps:" };
    let links = links.collect_view();
    Some(view! { <div class="failed-steps"><span>{words}</span> <ul>{links} {others}</ul></div> }.into_any())
}

/// Why something ended as it did, or what it waits for: the message, the line that tells most, and where to read on.
pub fn reason(phase: Phase, text: Option<&str>, failure: Option<&FailureLine>, step: &StepDetail) -> AnyView {
    let about_text = text.and_then(troubleshooting::anchor);
    let text = text.map(|text| message("reason-message", text));
    let line = failure.map(|FailureLine { number, text }| {
        view! {
            <p class="reason-line">
                <code dir="auto">{text.clone()}</code>
                " "
                <a href=format!("#L{number}")>{format!("Jump to line {number}")}</a>
            </p>
        }
    });
    if text.is_none() && line.is_none() {
        return ().into_any();
    }
    let code = step.checkpoints.iter().find_map(|checkpoint| match checkpoint.status {
        Some(CheckpointStatus::Failed) => checkpoint.code.as_deref(),
        _ => None,
    });
    let more = code.or(about_text).map(what_to_do);
    view! { <div class=banner_class(phase)>{text} {line} {more}</div> }.into_any()
}

/// Leads to an entry of the documentation.
fn what_to_do(anchor: &str) -> AnyView {
    view! { <p class="reason-line"><a href=routes::troubleshooting(anchor)>"What to do about it"</a></p> }.into_any()
}

fn banner_class(phase: Phase) -> &'static str {
    match phase {
        Phase::Failed | Phase::Error => "banner is-failed",
        _ => "banner",
    }
}
