//! A flow: what its steps are, and its runs.

use leptos::prelude::*;

use super::{load, query, run_history::RunHistory, task, task_id};
use crate::{
    actions::backend,
    components::{
        code::CodeBlock,
        flow_graph::definition_graph,
        page::Page,
        page_name::PageName,
        spec::SpecFacts,
        time::{Ago, now},
    },
    model::{
        flow::{Flow, FlowStep, Retries, StepKey},
        identifiers::{Kind, TaskId},
        time::duration_text,
        views::{FlowDetail, RunSummary},
    },
    routes,
};

/// How many runs are offered whose outputs a step that is run alone can read.
const OFFERED_RUNS: usize = 10;

/// A flow with its steps and runs.
#[component]
pub fn FlowPage() -> impl IntoView {
    let id = task_id();
    let older_than = query("older_than").and_then(|number| number.parse().ok());
    load(async move { backend()?.flow(&id?, older_than).await }, move |flow| show(&flow, older_than.is_some()))
}

fn show(detail: &FlowDetail, is_older_page: bool) -> AnyView {
    let now = now();
    let FlowDetail { id, flow, runs, older_than, .. } = detail;
    let name = flow.name().as_str().to_owned();
    let description =
        flow.description().map(|text| view! { <p class="flow-description" dir="auto">{text.as_str().to_owned()}</p> });
    let facts = view! {
        <p class="facts">
            <span class="task-id">{id.to_string()}</span>
            <span>"saved " <Ago at=detail.updated_at now /></span>
        </p>
    };
    let title = PageName {
        kind: Kind::Flow,
        title: name.clone(),
        name: Some(flow.name()),
        action: routes::task(id),
        is_locked: false,
        facts: facts.into_any(),
    }
    .view();
    let actions = task::actions(id);
    let history = RunHistory { id, runs, older_than: *older_than, is_older_page, shown: None }.view(now);
    let steps = steps(id, flow, runs);
    view! {
        <Page title=name>
            <div class="page-head">
                {title}
                {actions}
            </div>
            {description}
            <section aria-labelledby="runs">
                <h2 id="runs">"Runs"</h2>
                {history}
            </section>
            <section aria-labelledby="steps">
                <h2 id="steps">"Steps"</h2>
                {steps}
            </section>
        </Page>
    }
    .into_any()
}

fn steps(id: &TaskId, flow: &Flow, runs: &[RunSummary]) -> AnyView {
    let items = flow.steps().iter().map(|step| view! { <li>{step_view(id, flow, step, runs)}</li> }).collect_view();
    let graph = (flow.steps().len() > 1).then(|| definition_graph(flow.steps()));
    view! { {graph} <ol class="flow-steps">{items}</ol> }.into_any()
}

fn step_view(id: &TaskId, flow: &Flow, step: &FlowStep, runs: &[RunSummary]) -> AnyView {
    view! {
        <details class="card">
            <summary>
                <span dir="auto">{step.name.as_str().to_owned()}</span>
                " "
                <span class="quiet" dir="auto">{order_words(flow, step)}</span>
            </summary>
            // Whoever is led here finds it open: a browser opens what is around the place it goes to.
            <dl class="spec-facts" id=format!("step-{}", step.key)>
                <div><dt>"Key"</dt><dd><code>{step.key.to_string()}</code></dd></div>
                {retry_words(step.retries).map(|words| view! { <div><dt>"When it fails"</dt><dd>{words}</dd></div> })}
            </dl>
            <SpecFacts spec=step.spec.clone() />
            <CodeBlock code=step.spec.code.as_str() label="The step's code" />
            {run_alone(id, step, runs)}
        </details>
    }
    .into_any()
}

/// When a step begins.
fn order_words(flow: &Flow, step: &FlowStep) -> String {
    let name_of = |key: &StepKey| flow.steps().iter().find(|other| other.key == *key).map(|other| other.name.as_str());
    step.runs_when.order_words(&step.runs_after.iter().filter_map(name_of).collect::<Vec<_>>())
}

/// What happens when a step fails, if it is tried again.
fn retry_words(retries: Retries) -> Option<String> {
    let seconds = |seconds: u32| duration_text(u64::from(seconds) * 1000);
    let times = match retries.count() {
        0 => return None,
        1 => "tried once more".to_owned(),
        count => format!("tried up to {count} times more"),
    };
    Some(match (retries.wait(), retries.factor()) {
        (0, _) => format!("{times}, at once"),
        (wait, 1) => format!("{times}, after {}", seconds(wait)),
        (wait, factor) => format!("{times}, after {}, each time {factor} times as long", seconds(wait)),
    })
}

/// Runs one step, with what steps before it left in an earlier run.
fn run_alone(id: &TaskId, step: &FlowStep, runs: &[RunSummary]) -> AnyView {
    let control = format!("inputs-{}", step.key);
    let inputs = (!step.runs_after.is_empty() && !runs.is_empty()).then(|| {
        let options = runs
            .iter()
            .take(OFFERED_RUNS)
            .map(|run| {
                let words = format!("run #{} ({})", run.number, run.phase.word());
                view! { <option value=run.number.to_string()>{words}</option> }
            })
            .collect_view();
        view! {
            <label for=control.clone()>"with the outputs of"</label>
            <select id=control.clone() name="inputs_of">
                {options}
                <option value="">"no run"</option>
            </select>
        }
    });
    view! {
        <form class="actions run-alone" method="post" action=routes::task(id)>
            <input type="hidden" name="step" value=step.key.to_string() />
            <button
                name="intent"
                value="run_step"
                aria-label=format!("Run this step alone: {}", step.name.as_str())
            >
                "Run this step alone"
            </button>
            {inputs}
        </form>
    }
    .into_any()
}
