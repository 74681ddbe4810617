//! The graph of a flow, or of a run of one: its steps as links, connected by lines. Drawn on the server.

use leptos::prelude::*;

use super::{icon::phase_icon_at, phase::phase_class};
use crate::{
    html::Html,
    model::{
        flow::{
            FlowStep, Placement, RunsWhen, StepKey,
            layout::{self, LayoutStep, Line, STEP_HEIGHT, STEP_WIDTH, lay_out},
        },
        phase::Phase,
    },
};

/// Around the drawing: room for what stands out of a step when it is chosen or focused.
const MARGIN: i32 = 12;
/// Lines that lead farther up or down go upright in between.
const STEEP: i32 = 56;
/// How they turn.
const TURN: i32 = 24;
/// A line that leads back along a row of steps passes below them: how far below their middle, and how far it swings out.
/// Both stay within the margin.
const BELOW: i32 = STEP_HEIGHT / 2 + 8;
const SWING: i32 = 14;
/// How many letters there is room for, without and with an icon before them: bold ones of a name, and others.
const NAME_LETTERS: [usize; 2] = [21, 18];
const DETAIL_LETTERS: [usize; 2] = [27, 24];
/// How many of the steps that one waits for are told by name.
const NAMED: usize = 8;

/// A step on the drawing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GraphNode {
    /// What people call it.
    pub name: String,
    /// Where it leads.
    pub href: String,
    /// Where it stands, in a run. Then the page needs [`phase_icons`](super::icon::phase_icons).
    pub phase: Option<Phase>,
    /// What is said of it below its name, in a few words.
    pub detail: String,
    /// More, shown when somebody points to it; may be empty.
    pub more: String,
    /// The steps that it waits for, by their index.
    pub runs_after: Vec<usize>,
    /// How those must have ended.
    pub runs_when: RunsWhen,
    /// Where it was placed.
    pub placement: Option<Placement>,
}

/// The graph, in a box of its own in which it can be scrolled. There may be one on a page.
#[component]
pub fn FlowGraph(
    /// The id of the box.
    id: &'static str,
    /// The steps.
    nodes: Vec<GraphNode>,
    /// The one that the page is about.
    chosen: Option<usize>,
) -> impl IntoView {
    let steps = if nodes.len() == 1 { "1 step".to_owned() } else { format!("{} steps", nodes.len()) };
    view! {
        <figure
            id=id
            class="flow-graph card is-flush"
            aria-label=format!("Graph of {steps}")
            inner_html=drawing(&nodes, chosen)
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

fn drawing(nodes: &[GraphNode], chosen: Option<usize>) -> String {
    let steps: Vec<_> =
        nodes.iter().map(|node| LayoutStep { runs_after: &node.runs_after, placement: node.placement }).collect();
    let layout = lay_out(&steps);
    let mut html = Html::with_capacity(512 * nodes.len() + 1024);
    opening(&mut html, &layout);
    html.markup(r#"<g aria-hidden="true">"#);
    let is_always = |line: &Line| line.into.is_none_or(|step| nodes[step].runs_when == RunsWhen::AllSucceeded);
    let (always, sometimes): (Vec<Line>, Vec<Line>) = layout.lines.iter().partition(|line| is_always(line));
    curves(&mut html, r#"<path class="flow-line" d=""#, &always);
    curves(&mut html, r#"<path class="flow-line is-conditional" d=""#, &sometimes);
    arrow_heads(&mut html, nodes, &layout.steps);
    html.markup("</g>");
    for (index, node) in nodes.iter().enumerate() {
        step(&mut html, nodes, node, index, layout.steps[index], chosen == Some(index));
    }
    html.markup("</svg>");
    html.into_string()
}

fn opening(html: &mut Html, layout: &layout::Layout) {
    let (width, height) = (layout.width + 2 * MARGIN, layout.height + 2 * MARGIN);
    html.markup(r#"<svg role="list" width=""#).value(width).markup(r#"" height=""#).value(height);
    html.markup(r#"" viewBox=""#).value(layout.origin.x - MARGIN).markup(" ").value(layout.origin.y - MARGIN);
    html.markup(" ").value(width).markup(" ").value(height);
    // Names are cut by their letters already; this is for those with wide ones.
    html.markup(r#""><clipPath id="flow-step-inside"><rect width=""#).value(STEP_WIDTH - 8);
    html.markup(r#"" height=""#).value(STEP_HEIGHT).markup(r#""/></clipPath>"#);
}

/// Lines that look alike, as one path.
fn curves(html: &mut Html, opening: &'static str, lines: &[Line]) {
    if lines.is_empty() {
        return;
    }
    html.markup(opening);
    for line in lines {
        curve(html, line);
    }
    html.markup(r#""/>"#);
}

fn curve(html: &mut Html, Line { from, to, reach, .. }: &Line) {
    html.markup("M").value(from.x).markup(" ").value(from.y);
    let is_forward = from.x < to.x;
    // A line that has to go back swings out to the right first, and comes from the left.
    let swing = ((to.x - from.x) / 2).max(32);
    let (out, back, down) = (from.x + swing, to.x - swing, to.y - from.y);
    if is_forward && down == 0 {
        html.markup("H").value(reach);
        return;
    }
    if !is_forward && down.abs() < STEP_HEIGHT {
        let (below, right, left) = (from.y.max(to.y) + BELOW, from.x + SWING, to.x - SWING);
        html.markup("C").value(right).markup(" ").value(from.y).markup(" ").value(right).markup(" ").value(below);
        html.markup(" ").value(from.x).markup(" ").value(below).markup("H").value(to.x);
        html.markup("C").value(left).markup(" ").value(below).markup(" ").value(left).markup(" ").value(to.y);
    } else if is_forward && down.abs() > STEEP {
        // All that lead far from one step, or far to one, share a line.
        let turn = TURN * down.signum();
        html.markup("C").value(out).markup(" ").value(from.y).markup(" ").value(out).markup(" ").value(from.y);
        html.markup(" ").value(out).markup(" ").value(from.y + turn).markup("V").value(to.y - turn);
        html.markup("C").value(out).markup(" ").value(to.y).markup(" ").value(out).markup(" ").value(to.y);
    } else {
        html.markup("C").value(out).markup(" ").value(from.y).markup(" ").value(back).markup(" ").value(to.y);
    }
    html.markup(" ").value(to.x).markup(" ").value(to.y);
    if *reach > to.x {
        html.markup("H").value(reach);
    }
}

/// An arrow head before each step that waits for others, and when it runs, unless that goes without saying.
fn arrow_heads(html: &mut Html, nodes: &[GraphNode], places: &[Placement]) {
    let waiting = || nodes.iter().zip(places).filter(|(node, _)| !node.runs_after.is_empty());
    html.markup(r#"<path class="flow-arrow" d=""#);
    for (_, place) in waiting() {
        html.markup("M").value(place.x).markup(" ").value(place.y + STEP_HEIGHT / 2).markup("l-8-4v8z");
    }
    html.markup(r#""/>"#);
    for (node, place) in waiting() {
        let word = match node.runs_when {
            RunsWhen::AllSucceeded => continue,
            RunsWhen::AllEnded => "always",
            RunsWhen::AnyFailed => "on failure",
        };
        html.markup(r#"<text class="flow-condition" x=""#).value(place.x + 2);
        html.markup(r#"" y=""#).value(place.y - 4).markup(r#"">"#).text(word).markup("</text>");
    }
}

fn step(html: &mut Html, nodes: &[GraphNode], node: &GraphNode, index: usize, place: Placement, is_chosen: bool) {
    html.markup(r#"<g role="listitem"><a id="flow-step-"#).value(index);
    html.markup(r#"" class="flow-step "#).markup(node.phase.map_or("", phase_class));
    html.markup(r#"" href=""#).text(&node.href);
    if is_chosen {
        html.markup(r#"" aria-current="true"#);
    }
    html.markup(r#"" transform="translate("#).value(place.x).markup(" ").value(place.y);
    html.markup(r#")"><title>"#).text(&told(nodes, node));
    html.markup(r#"</title><rect width=""#).value(STEP_WIDTH).markup(r#"" height=""#).value(STEP_HEIGHT);
    html.markup(r#"" rx="6"/>"#);
    let left = if let Some(phase) = node.phase {
        phase_icon_at(html, phase, 10, 16);
        36
    } else {
        12
    };
    let room = usize::from(node.phase.is_some());
    let name_y = if node.detail.is_empty() { 29 } else { 21 };
    words(html, "flow-step-name", (left, name_y), &shortened(&node.name, NAME_LETTERS[room]));
    if !node.detail.is_empty() {
        words(html, "flow-step-detail", (left, 37), &shortened(&node.detail, DETAIL_LETTERS[room]));
    }
    html.markup("</a></g>");
}

fn words(html: &mut Html, class: &'static str, (x, y): (i32, i32), text: &str) {
    html.markup(r#"<text clip-path="url(#flow-step-inside)" class=""#).markup(class);
    html.markup(r#"" x=""#).value(x).markup(r#"" y=""#).value(y).markup(r#"">"#).text(text).markup("</text>");
}

/// A step in words: also its name for screen readers.
fn told(nodes: &[GraphNode], node: &GraphNode) -> String {
    let mut words = node.name.clone();
    if !node.detail.is_empty() {
        words = format!("{words}: {}", node.detail);
    }
    words.push('.');
    if !node.more.is_empty() {
        words = format!("{words} {}", node.more);
    }
    let mut before = node.runs_after.iter().filter_map(|index| nodes.get(*index)).map(|node| node.name.as_str());
    let named: Vec<&str> = before.by_ref().take(NAMED).collect();
    if named.is_empty() {
        return words;
    }
    words = format!("{words} Runs after {}", named.join(", "));
    let others = before.count();
    if others > 0 {
        words = format!("{words} and {others} more");
    }
    if node.runs_when != RunsWhen::AllSucceeded {
        words = format!("{words}, when {}", node.runs_when.label());
    }
    words.push('.');
    words
}

/// As much of a text as so many letters have room for. Signs of East Asian scripts and pictures need that of two.
fn shortened(text: &str, letters: usize) -> String {
    let width = |character: char| if character < '\u{1100}' { 1 } else { 2 };
    if text.chars().map(width).sum::<usize>() <= letters {
        return text.to_owned();
    }
    let mut room = letters - 1;
    let fits = |character: &char| {
        let is_enough = width(*character) <= room;
        room = room.saturating_sub(width(*character));
        is_enough
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, runs_after: &[usize]) -> GraphNode {
        GraphNode {
            name: name.to_owned(),
            href: format!("#step-{name}"),
            runs_after: runs_after.to_vec(),
            ..GraphNode::default()
        }
    }

    #[test]
    fn names_are_cut_where_the_room_ends() {
        assert_eq!(shortened("load", 4), "load");
        assert_eq!(shortened("load data", 6), "load…");
        assert_eq!(shortened("データを読む", 12), "データを読む");
        assert_eq!(shortened("データを読む", 11), "データを読…");
    }

    #[test]
    fn a_step_is_told_in_words() {
        let mut nodes: Vec<GraphNode> = (0..12).map(|number| node(&format!("s{number}"), &[])).collect();
        nodes.push(GraphNode {
            phase: Some(Phase::Skipped),
            detail: "Skipped".to_owned(),
            more: "Not run: `s1` failed.".to_owned(),
            ..node("last", &(0..12).collect::<Vec<_>>())
        });
        nodes.push(GraphNode { runs_when: RunsWhen::AnyFailed, ..node("mail", &[12]) });
        let svg = drawing(&nodes, Some(12));
        assert!(svg.contains("<title>s0.</title>"), "{svg}");
        assert!(svg.contains(
            "<title>last: Skipped. Not run: `s1` failed. \
             Runs after s0, s1, s2, s3, s4, s5, s6, s7 and 4 more.</title>"
        ));
        assert!(svg.contains("<title>mail. Runs after last, when one of them failed.</title>"));
        assert!(svg.contains(">on failure</text>") && svg.contains("flow-line is-conditional"));
        assert_eq!(svg.matches(r#"aria-current="true""#).count(), 1);
        assert_eq!(svg.matches(r#"role="listitem""#).count(), 14);
    }

    #[test]
    fn a_line_that_leads_back_can_be_seen() {
        let svg = drawing(&[node("a", &[1]), node("b", &[0])], None);
        // From the right of `b` at (448, 24), below both, to the left of `a` at (0, 24).
        assert!(svg.contains("M448 24C462 24 462 56 448 56H0C-14 56 -14 24 0 24"), "{svg}");
    }

    #[test]
    fn text_of_users_is_no_markup() {
        let evil = "</title><script>\"'";
        let nodes = [GraphNode { detail: evil.to_owned(), more: evil.to_owned(), ..node(evil, &[]) }];
        let svg = drawing(&nodes, None);
        assert!(!svg.contains("<script>") && !svg.contains("\"'"), "{svg}");
    }
}
