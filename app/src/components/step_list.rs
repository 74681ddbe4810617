//! The steps of a run: as a graph, and as a table with a timeline in it.

use leptos::prelude::*;

use super::{
    flow_graph::FlowGraph,
    icon::shared_id,
    log_view::ordinal,
    phase::{phase_badge_shared, phase_class},
    time::{now, span, span_words},
    timeline::Timeline,
};
use crate::{
    flow_drawing::{GraphNode, Sign},
    html::Html,
    model::{
        flow::timing::{Span, Timing},
        phase::Phase,
        step_address::StepAddress,
        time::Timestamp,
        views::{RunDetail, StepSummary},
    },
    routes,
};

/// The address of a step's part of its page.
pub fn step_link(run: &RunDetail, step: &StepSummary) -> String {
    format!("{}#step", routes::step(&run.address_of(&step.key)))
}

/// The steps of a run as a graph.
pub fn run_graph(run: &RunDetail) -> AnyView {
    let now = now();
    let node = |step: &StepSummary| GraphNode {
        name: step.name.as_str().to_owned(),
        href: step_link(run, step),
        sign: Some(Sign { class: phase_class(step.phase), icon: shared_id(step.phase) }),
        detail: detail(run, step, now),
        more: step.message.clone().unwrap_or_default(),
        runs_after: step.runs_after.clone(),
        runs_when: step.runs_when,
        placement: step.placement,
    };
    let nodes = run.steps.iter().map(node).collect();
    view! { <FlowGraph id="run-graph" nodes=nodes chosen=run.shown().map(|(index, _)| index) /> }.into_any()
}

/// How a step stands, in a few words.
fn detail(run: &RunDetail, step: &StepSummary, now: Timestamp) -> String {
    let mut detail = step.phase.word().to_owned();
    let mut add = |words: String| detail = format!("{detail} · {words}");
    if let Some(number) = step.kept_from {
        add(format!("from #{number}"));
    }
    if let Some(whole) = whole(&Timing::of(step, &run.steps, run.summary.created_at)) {
        add(span_words(whole, now));
    }
    if step.attempt > 1 {
        add(format!("{} try", ordinal(step.attempt)));
    }
    detail
}

/// From a step's turn to its end.
fn whole(timing: &Timing) -> Option<Span> {
    let from = timing.preparing?.from;
    let to = timing.running.or(timing.preparing)?.to;
    Some(Span { from, to })
}

/// The steps of a run as a table.
pub fn step_table(run: &RunDetail) -> AnyView {
    let now = now();
    let timeline = Timeline::of(run, now);
    let has_attempts = run.steps.iter().any(|step| step.attempt > 1);
    let attempts = has_attempts.then(|| view! { <th scope="col" class="number">"Attempts"</th> });
    let axis = timeline.map(Timeline::axis);
    let mut rows = Html::with_capacity(1024 * run.steps.len());
    for (index, step) in run.steps.iter().enumerate() {
        row(&mut rows, run, (index, step), timeline, has_attempts, now);
    }
    view! {
        <table class="table step-table">
            <thead>
                <tr>
                    <th scope="col">"Step"</th>
                    <th scope="col">"Phase"</th>
                    <th scope="col" class="is-wide"><span class="visually-hidden">"Timeline"</span> {axis}</th>
                    <th scope="col" class="number">"Waiting"</th>
                    <th scope="col" class="number">"Preparing"</th>
                    <th scope="col" class="number">"Running"</th>
                    {attempts}
                </tr>
            </thead>
            <tbody inner_html=rows.into_string()></tbody>
        </table>
    }
    .into_any()
}

fn row(
    html: &mut Html,
    run: &RunDetail,
    (index, step): (usize, &StepSummary),
    timeline: Option<Timeline>,
    has_attempts: bool,
    now: Timestamp,
) {
    let is_shown = step.key == run.step.key;
    let timing = Timing::of(step, &run.steps, run.summary.created_at);
    html.markup(if is_shown { r#"<tr class="is-chosen">"# } else { "<tr>" });
    html.markup(r#"<th scope="row" class="step-name"><a id="step-row-"#).value(index);
    html.markup(r#"" dir="auto" href=""#).text(&step_link(run, step));
    html.markup(if is_shown { r#"" aria-current="true">"# } else { r#"">"# });
    html.text(step.name.as_str()).markup(r#"</a></th><td class="step-phase">"#);
    phase_badge_shared(html, step.phase);
    html.markup(r#"</td><td class="step-time is-wide">"#);
    if let Some(timeline) = timeline.filter(|_| timing != Timing::default()) {
        timeline.bar(html, step.phase, &timing);
    }
    said(html, run, step);
    html.markup("</td>");
    for (class, part) in [
        (r#"<td class="number is-waiting">"#, timing.waiting),
        (r#"<td class="number is-preparing">"#, timing.preparing),
        (r#"<td class="number is-run">"#, timing.running),
    ] {
        html.markup(class);
        if let Some(part) = part {
            span(html, part, now);
        }
        html.markup("</td>");
    }
    if has_attempts {
        html.markup(r#"<td class="number step-attempts">"#);
        // What was skipped or kept was not tried in this run.
        if timing.preparing.is_some() {
            html.value(step.attempt);
        }
        html.markup("</td>");
    }
    html.markup("</tr>");
}

/// Why a step ended as it did or was not run, where its result is from, or what it waits for.
fn said(html: &mut Html, run: &RunDetail, step: &StepSummary) {
    if let Some(number) = step.kept_from {
        html.markup(r#"<p class="step-message">Kept from <a href=""#);
        let from = StepAddress { number, ..run.address_of(&step.key) };
        html.text(&routes::step(&from)).markup(r#"">run #"#).value(number).markup("</a></p>");
        return;
    }
    let words = step.message.clone().or_else(|| waits_for(run, step));
    if let Some(words) = words {
        html.markup(r#"<p class="step-message" title=""#).text(&words).markup(r#"">"#).text(&words).markup("</p>");
    }
}

/// The steps that one waits for, as long as it does.
pub fn waits_for(run: &RunDetail, step: &StepSummary) -> Option<String> {
    /// So many are told by name.
    const NAMED: usize = 3;
    if step.phase != Phase::Pending {
        return None;
    }
    let before = step.runs_after.iter().filter_map(|index| run.steps.get(*index));
    let names: Vec<&str> = before.filter(|step| !step.phase.is_final()).map(|step| step.name.as_str()).collect();
    match (names.len(), names.len().saturating_sub(NAMED)) {
        (0, _) => None,
        (_, 0) => Some(format!("Waiting for {}.", names.join(", "))),
        (_, others) => Some(format!("Waiting for {} and {others} more.", names[..NAMED].join(", "))),
    }
}

/// How many of a run's steps have ended, and how, in words.
pub fn counts_words(steps: &[StepSummary]) -> String {
    let count = |is_counted: &dyn Fn(&StepSummary) -> bool| steps.iter().filter(|step| is_counted(step)).count();
    let mut words = format!("{} of {} steps ended", count(&|step| step.phase.is_final()), steps.len());
    for (phases, word) in [
        (&[Phase::Failed, Phase::Error][..], "failed"),
        (&[Phase::Cancelled], "cancelled"),
        (&[Phase::Skipped], "not run"),
    ] {
        let number = count(&|step| phases.contains(&step.phase));
        if number > 0 {
            words = format!("{words}, {number} {word}");
        }
    }
    match count(&|step| step.kept_from.is_some()) {
        0 => words,
        kept => format!("{words}, {kept} kept"),
    }
}
