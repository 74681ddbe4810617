//! The graph of a flow in a page, and what its steps say in the definition of a flow. How it is drawn is in
//! `flow_drawing`.

use leptos::prelude::*;

use crate::{
    flow_drawing::{Drawing, GraphNode},
    model::flow::{FlowStep, StepKey},
};

/// The graph, in a box of its own in which it can be scrolled. There may be one on a page. When its steps have signs, the
/// page needs their icons ([`phase_icons`](super::icon::phase_icons)).
#[component]
pub fn FlowGraph(
    /// The id of the box.
    id: &'static str,
    /// The steps.
    nodes: Vec<GraphNode>,
    /// The one that the page is about.
    chosen: Option<usize>,
) -> impl IntoView {
    let drawing = Drawing::of(nodes);
    view! {
        <figure
            id=id
            class="flow-graph card is-flush"
            aria-label=drawing.label()
            inner_html=drawing.svg(chosen)
        ></figure>
    }
    .into_any()
}

/// The graph of a flow as it is defined. Each step leads to `#step-` and its key.
pub fn definition_graph(steps: &[FlowStep]) -> AnyView {
    let index = |key: &StepKey| steps.iter().position(|step| step.key == *key);
    let node = |step: &FlowStep| GraphNode {
        name: step.name.as_str().to_owned(),
        href: format!("#step-{}", step.key),
        detail: match step.retries.count() {
            0 => String::new(),
            1 => "1 retry".to_owned(),
            several => format!("{several} retries"),
        },
        runs_after: step.runs_after.iter().filter_map(index).collect(),
        runs_when: step.runs_when,
        placement: step.placement,
        ..GraphNode::default()
    };
    let nodes = steps.iter().map(node).collect();
    view! { <FlowGraph id="flow-graph" nodes=nodes chosen=None /> }.into_any()
}
