//! The part of a run's page about one of its steps: how it stands. Of a run that has only one, the summary says it.

use leptos::prelude::*;

use super::run_summary::{FailureLine, reason, step_facts};
use crate::{
    components::{
        outputs::outputs_words,
        phase::PhaseBadge,
        time::{Ago, Duration, now},
    },
    model::{
        step_address::StepAddress,
        time::duration_text,
        views::{Attempt, RunDetail, RunSummary, StepSummary},
    },
    routes,
};

/// How the step that is shown stands; nothing when the run has only one.
pub fn view(run: &RunDetail, failure: Option<&FailureLine>, outputs: usize) -> AnyView {
    let Some((_, shown)) = run.shown().filter(|_| run.has_several_steps()) else {
        return ().into_any();
    };
    let now = now();
    let name = shown.name.as_str().to_owned();
    let times = RunSummary {
        phase: shown.phase,
        started_at: shown.started_at,
        finished_at: shown.finished_at,
        ..run.summary.clone()
    };
    let times = shown.started_at.map(|at| {
        view! {
            <span class="run-duration"><Duration run=times now /></span>
            <span>"started " <Ago at now /></span>
        }
    });
    let place = run.step.place.as_ref().map(|place| view! { <span>{format!("on {place}")}</span> });
    let outputs = (outputs > 0).then(|| view! { <a href="#outputs">{outputs_words(outputs)}</a> });
    view! {
        <div class="step-head">
            <div>
                <h2 id="step">"Step " <bdi>{name}</bdi></h2>
                <p class="facts">
                    <PhaseBadge phase=shown.phase />
                    {times}
                    {step_facts(run)}
                    {place}
                    {kept(run, shown)}
                    {outputs}
                </p>
            </div>
            {run_alone(run)}
        </div>
        {reason(shown.phase, shown.message.as_deref(), failure, &run.step)}
    }
    .into_any()
}

/// Runs the step that is shown alone, with what the steps before it left in this run.
fn run_alone(run: &RunDetail) -> Option<AnyView> {
    if !run.summary.phase.is_final() {
        return None;
    }
    let number = run.summary.number.to_string();
    let title = format!("As the flow is now, with the outputs of run #{number}");
    Some(
        view! {
            <form method="post" action=routes::task(&run.task_id)>
                <input type="hidden" name="step" value=run.step.key.to_string() />
                <input type="hidden" name="inputs_of" value=number />
                <button id="alone-button" class="is-small" name="intent" value="run_step" title=title>
                    "Run this step alone"
                </button>
            </form>
        }
        .into_any(),
    )
}

/// From which run a step's result is, when it was not run again.
fn kept(run: &RunDetail, shown: &StepSummary) -> Option<AnyView> {
    let number = shown.kept_from?;
    let address = StepAddress { number, ..run.address() };
    Some(view! { <span>"kept from " <a href=routes::step(&address)>{format!("run #{number}")}</a></span> }.into_any())
}

/// The attempts of a step that was tried again, each with its place in the log.
pub fn attempts(run: &RunDetail) -> Option<AnyView> {
    if run.step.attempts.is_empty() {
        return None;
    }
    let page = run.page();
    let earlier = run.step.attempts.iter().map(|attempt| attempt_item(&page, attempt)).collect_view();
    let present = run.step.attempt;
    Some(
        view! {
            <details id="details-attempts" class="card" open>
                <summary>"Attempts " <span class="quiet">{present.to_string()}</span></summary>
                <ol class="attempts">
                    {earlier}
                    <li value=present.to_string()>
                        <PhaseBadge phase=run.step.phase />
                        " "
                        <a href=format!("{page}#log")>"latest"</a>
                    </li>
                </ol>
            </details>
        }
        .into_any(),
    )
}

fn attempt_item(page: &str, attempt: &Attempt) -> AnyView {
    let duration = attempt.started_at.map(|started| {
        let millis = attempt.finished_at.millis_since(started);
        view! { <span class="duration">{duration_text(millis)}</span> }
    });
    let exit_code = attempt.exit_code.map(|code| format!("exit code {code}"));
    view! {
        <li value=attempt.number.to_string()>
            <PhaseBadge phase=attempt.phase />
            " "
            {duration}
            " "
            <a href=routes::at_line(page, attempt.first_line)>{format!("line {}", attempt.first_line)}</a>
            <p class="quiet">{attempt.message.clone().or(exit_code)}</p>
        </li>
    }
    .into_any()
}
