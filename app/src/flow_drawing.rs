//! The drawing of a flow, or of a run of one, as SVG: its steps as links, connected by lines. The server draws it for
//! every page, and the browser anew while a flow is edited. Where steps stand is for `model::flow::layout` to say.

use crate::{
    html::Html,
    model::flow::{
        Placement, RunsWhen,
        layout::{Layout, LayoutStep, Line, STEP_HEIGHT, STEP_WIDTH, lay_out},
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

/// How a step stands: as `detail` says it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign {
    /// The class that gives it its colour.
    pub class: &'static str,
    /// The id of an icon that is on the page.
    pub icon: &'static str,
}

/// A step on the drawing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GraphNode {
    /// What people call it.
    pub name: String,
    /// Where it leads.
    pub href: String,
    /// How it stands, in a run.
    pub sign: Option<Sign>,
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

/// A flow with a place for each of its steps.
pub struct Drawing {
    nodes: Vec<GraphNode>,
    layout: Layout,
}

impl Drawing {
    /// Lays out a flow.
    pub fn of(nodes: Vec<GraphNode>) -> Self {
        let steps: Vec<_> =
            nodes.iter().map(|node| LayoutStep { runs_after: &node.runs_after, placement: node.placement }).collect();
        let layout = lay_out(&steps);
        Self { nodes, layout }
    }

    /// What it is, for those who do not see it.
    pub fn label(&self) -> String {
        match self.nodes.len() {
            1 => "Graph of 1 step".to_owned(),
            several => format!("Graph of {several} steps"),
        }
    }

    /// The drawing for a page; `chosen` is the step that the page is about.
    #[cfg(feature = "ssr")]
    pub fn svg(&self, chosen: Option<usize>) -> String {
        let mut html = Html::with_capacity(512 * self.nodes.len() + 1024);
        opening(&mut html, &self.layout, 100);
        html.markup(r#"<g aria-hidden="true">"#);
        let is_always = |line: &Line| line.into.is_none_or(|step| !self.is_conditional(step));
        let (always, sometimes): (Vec<Line>, Vec<Line>) = self.layout.lines.iter().partition(|line| is_always(line));
        curves(&mut html, r#"<path class="flow-line" d=""#, &always);
        curves(&mut html, r#"<path class="flow-line is-conditional" d=""#, &sometimes);
        arrow_heads(&mut html, &self.nodes, &self.layout.steps);
        html.markup("</g>");
        for (index, node) in self.nodes.iter().enumerate() {
            opening_of_step(&mut html, node, index, self.layout.steps[index], chosen == Some(index));
            html.markup(r#"">"#);
            step(&mut html, &self.nodes, node);
            html.markup("</a></g>");
        }
        html.markup("</svg>");
        html.into_string()
    }

    /// The drawing for the editor, in so many percent of its size: each connection can be pointed at, each step has a
    /// handle to connect it from, and one of them all is reached by Tab.
    #[cfg(any(feature = "islands", test))]
    pub fn editable_svg(&self, chosen: Option<usize>, percent: i32) -> String {
        let mut html = Html::with_capacity(1024 * self.nodes.len() + 1024);
        opening(&mut html, &self.layout, percent);
        html.markup(r#"<g aria-hidden="true">"#);
        for (from, into, way) in self.layout.connections() {
            html.markup(r#"<g class="flow-edge" id=""#).text(&edge_id(from, into));
            curves(&mut html, r#""><path class="flow-hit" d=""#, &way);
            let is_conditional = self.is_conditional(into);
            let class = if is_conditional {
                r#"<path class="flow-line is-conditional" d=""#
            } else {
                r#"<path class="flow-line" d=""#
            };
            curves(&mut html, class, &way);
            html.markup("</g>");
        }
        html.markup(r#"<path class="flow-line" id="flow-new-line" d=""/></g>"#);
        let in_reach = chosen.unwrap_or(0);
        for (index, node) in self.nodes.iter().enumerate() {
            opening_of_step(&mut html, node, index, self.layout.steps[index], chosen == Some(index));
            html.markup(if index == in_reach { r#"" tabindex="0">"# } else { r#"" tabindex="-1">"# });
            step(&mut html, &self.nodes, node);
            // Where they move with the step.
            arrow_heads(&mut html, std::slice::from_ref(node), &[Placement { x: 0, y: 0 }]);
            html.markup(r#"<circle class="flow-handle" r="6" cx=""#).value(STEP_WIDTH);
            html.markup(r#"" cy=""#).value(STEP_HEIGHT / 2).markup(r#""/></a></g>"#);
        }
        html.markup("</svg>");
        html.into_string()
    }

    /// Where each step stands.
    #[cfg(feature = "islands")]
    pub fn places(&self) -> &[Placement] {
        &self.layout.steps
    }

    /// The connections from and to a step.
    #[cfg(feature = "islands")]
    pub fn connections_of(&self, step: usize) -> Vec<(usize, usize)> {
        let ends = self.layout.connections().map(|(from, into, _)| (from, into));
        ends.filter(|(from, into)| *from == step || *into == step).collect()
    }

    /// Where the upper left corner of the picture is, and how wide and high it is.
    #[cfg(feature = "islands")]
    pub fn frame(&self) -> (Placement, i32, i32) {
        frame(&self.layout)
    }

    fn is_conditional(&self, step: usize) -> bool {
        self.nodes[step].runs_when != RunsWhen::AllSucceeded
    }
}

/// The id of a step's link.
#[cfg(feature = "islands")]
pub fn step_id(step: usize) -> String {
    format!("flow-step-{step}")
}

/// The id of a connection.
#[cfg(any(feature = "islands", test))]
pub fn edge_id(from: usize, into: usize) -> String {
    format!("flow-edge-{from}-{into}")
}

/// The two steps of a connection that has this id.
#[cfg(any(feature = "islands", test))]
pub fn parse_edge_id(id: &str) -> Option<(usize, usize)> {
    let (from, into) = id.strip_prefix("flow-edge-")?.split_once('-')?;
    Some((from.parse().ok()?, into.parse().ok()?))
}

/// A line as the `d` of a path.
#[cfg(feature = "islands")]
pub fn path_of(line: &Line) -> String {
    let mut html = Html::default();
    curve(&mut html, line);
    html.into_string()
}

/// Where the upper left corner of the picture is, and how wide and high it is.
const fn frame(layout: &Layout) -> (Placement, i32, i32) {
    let origin = Placement { x: layout.origin.x - MARGIN, y: layout.origin.y - MARGIN };
    (origin, layout.width + 2 * MARGIN, layout.height + 2 * MARGIN)
}

fn opening(html: &mut Html, layout: &Layout, percent: i32) {
    let (origin, width, height) = frame(layout);
    html.markup(r#"<svg role="list" width=""#).value(width * percent / 100);
    html.markup(r#"" height=""#).value(height * percent / 100);
    html.markup(r#"" viewBox=""#).value(origin.x).markup(" ").value(origin.y);
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

/// The beginning of a step's link, in the middle of its last attribute.
fn opening_of_step(html: &mut Html, node: &GraphNode, index: usize, place: Placement, is_chosen: bool) {
    html.markup(r#"<g role="listitem"><a id="flow-step-"#).value(index);
    html.markup(r#"" class="flow-step "#).markup(node.sign.map_or("", |sign| sign.class));
    html.markup(r#"" href=""#).text(&node.href);
    if is_chosen {
        html.markup(r#"" aria-current="true"#);
    }
    html.markup(r#"" transform=""#).text(&translation(place));
}

/// The `transform` of a step's link.
pub fn translation(place: Placement) -> String {
    format!("translate({} {})", place.x, place.y)
}

/// What a step's link has in it.
fn step(html: &mut Html, nodes: &[GraphNode], node: &GraphNode) {
    html.markup("<title>").text(&told(nodes, node));
    html.markup(r#"</title><rect width=""#).value(STEP_WIDTH).markup(r#"" height=""#).value(STEP_HEIGHT);
    html.markup(r#"" rx="6"/>"#);
    let left = if let Some(sign) = node.sign {
        html.markup(r##"<use class="icon" width="16" height="16" x="10" y="16" href="#"##)
            .text(sign.icon)
            .markup(r#""/>"#);
        36
    } else {
        12
    };
    let room = usize::from(node.sign.is_some());
    let name_y = if node.detail.is_empty() { 29 } else { 21 };
    words(html, "flow-step-name", (left, name_y), &shortened(&node.name, NAME_LETTERS[room]));
    if !node.detail.is_empty() {
        words(html, "flow-step-detail", (left, 37), &shortened(&node.detail, DETAIL_LETTERS[room]));
    }
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

#[cfg(all(test, feature = "ssr"))]
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
            sign: Some(Sign { class: "phase is-skipped", icon: "icon-skipped" }),
            detail: "Skipped".to_owned(),
            more: "Not run: `s1` failed.".to_owned(),
            ..node("last", &(0..12).collect::<Vec<_>>())
        });
        nodes.push(GraphNode { runs_when: RunsWhen::AnyFailed, ..node("mail", &[12]) });
        let svg = Drawing::of(nodes).svg(Some(12));
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
        let svg = Drawing::of(vec![node("a", &[1]), node("b", &[0])]).svg(None);
        // From the right of `b` at (448, 24), below both, to the left of `a` at (0, 24).
        assert!(svg.contains("M448 24C462 24 462 56 448 56H0C-14 56 -14 24 0 24"), "{svg}");
    }

    #[test]
    fn text_of_users_is_no_markup() {
        let evil = "</title><script>\"'";
        let node = GraphNode { detail: evil.to_owned(), more: evil.to_owned(), ..node(evil, &[]) };
        let drawing = Drawing::of(vec![node]);
        for svg in [drawing.svg(None), drawing.editable_svg(None, 100)] {
            assert!(!svg.contains("<script>") && !svg.contains("\"'"), "{svg}");
        }
    }

    #[test]
    fn an_editable_drawing_has_each_connection_for_itself() {
        let drawing = Drawing::of(vec![node("a", &[]), node("b", &[0]), node("c", &[1]), node("d", &[0, 2])]);
        let svg = drawing.editable_svg(Some(1), 50);
        for (from, into) in [(0, 1), (1, 2), (2, 3), (0, 3)] {
            assert_eq!(svg.matches(&format!(r#"id="{}""#, edge_id(from, into))).count(), 1);
            assert_eq!(parse_edge_id(&edge_id(from, into)), Some((from, into)));
        }
        assert_eq!(svg.matches(r#"class="flow-hit""#).count(), 4);
        assert_eq!(svg.matches(r#"class="flow-handle""#).count(), 4);
        assert_eq!(svg.matches(r#"tabindex="0""#).count(), 1);
        let whole = drawing.svg(None);
        let width = |svg: &str| svg.split(r#" width=""#).nth(1)?.split('"').next()?.parse::<i32>().ok();
        assert_eq!(width(&svg), width(&whole).map(|width| width / 2));
        for id in ["", "flow-edge-1", "flow-step-1-2", "flow-edge-1-x"] {
            assert_eq!(parse_edge_id(id), None, "{id}");
        }
    }
}
