//! The sheet that the graph is drawn on: puts the drawing there, zooms and scrolls it, and shows what a gesture is about
//! to do.

use std::cell::{Cell, RefCell};

use web_sys::{Element, HtmlElement, MouseEvent};

use super::form;
use crate::{
    browser::dom,
    flow_drawing::{Drawing, GraphNode, edge_id, path_of, step_id, translation},
    model::flow::{
        Placement,
        layout::{Line, STEP_HEIGHT},
        sketch::Sketch,
    },
};

/// The sizes between which one zooms, in percent.
const SIZES: [i32; 9] = [10, 25, 35, 50, 75, 100, 125, 150, 200];

/// How much ground there is around the drawing, in pixels, as the style sheet has it.
const GROUND: i32 = 48;

/// The sheet.
pub struct Sheet {
    figure: HtmlElement,
    drawing: RefCell<Drawing>,
    percent: Cell<i32>,
}

impl Sheet {
    /// The sheet of this page.
    pub fn find() -> Option<Self> {
        let figure = dom::html_by_id("flow-graph")?;
        Some(Self { figure, drawing: RefCell::new(Drawing::of(Vec::new())), percent: Cell::new(100) })
    }

    pub fn figure(&self) -> &HtmlElement {
        &self.figure
    }

    /// Draws a flow. What was seen stays where it was, and the focus at its step.
    pub fn draw(&self, sketch: &Sketch, chosen: Option<usize>) {
        let nodes = sketch.steps.iter().zip(sketch.before()).enumerate().map(|(index, (step, runs_after))| GraphNode {
            name: step.name.clone(),
            href: format!("#step-{index}-name"),
            runs_after,
            runs_when: step.runs_when,
            placement: step.placement,
            detail: form::detail(index).to_owned(),
            ..GraphNode::default()
        });
        let drawing = Drawing::of(nodes.collect());
        let focused = focused();
        let scrolled = (self.figure.scroll_left(), self.figure.scroll_top());
        let (before, ..) = self.drawing.borrow().frame();
        let (after, ..) = drawing.frame();
        self.figure.set_inner_html(&drawing.editable_svg(chosen, self.percent.get()));
        // Setting an attribute fails only for a malformed name.
        let _ = self.figure.set_attribute("aria-label", &drawing.label());
        self.drawing.replace(drawing);
        self.figure.set_scroll_left(scrolled.0 + self.scaled(before.x - after.x));
        self.figure.set_scroll_top(scrolled.1 + self.scaled(before.y - after.y));
        if let Some(step) = focused {
            hold_focus(step);
        }
    }

    /// Where each step stands.
    pub fn places(&self) -> Vec<Placement> {
        self.drawing.borrow().places().to_vec()
    }

    /// Gives a step the focus where it is seen.
    pub fn focus(&self, step: usize) {
        hold_focus(step);
        self.reveal(step);
    }

    /// Scrolls to where a step is seen.
    pub fn reveal(&self, step: usize) {
        if let Some(link) = dom::by_id(&step_id(step)) {
            dom::reveal(&self.figure, &link);
        }
    }

    /// Draws a line that would be a connection: from a step to another one, or to a place; or none.
    pub fn show_new_line(&self, from: usize, to: Option<Placement>) {
        let mut places = self.places();
        let path = to.map(|to| {
            // A step whose left end is there.
            places.push(Placement { x: to.x, y: to.y - STEP_HEIGHT / 2 });
            path_of(&Line::straight(&places, from, places.len() - 1))
        });
        if let Some(line) = dom::by_id("flow-new-line") {
            let _ = line.set_attribute("d", &path.unwrap_or_default());
        }
    }

    /// Draws a line that would be a connection of two steps.
    pub fn show_new_line_to(&self, from: usize, into: usize) {
        let to = self.drawing.borrow().places().get(into).map(|place| middle_left(*place));
        self.show_new_line(from, to);
    }

    /// Shows a step elsewhere, with what connects it, as long as it is dragged.
    pub fn show_at(&self, step: usize, place: Placement) {
        let drawing = self.drawing.borrow();
        let mut places = drawing.places().to_vec();
        let (Some(present), Some(link)) = (places.get_mut(step), dom::by_id(&step_id(step))) else {
            return;
        };
        *present = place;
        let _ = link.set_attribute("transform", &translation(place));
        for (from, into) in drawing.connections_of(step) {
            let path = path_of(&Line::straight(&places, from, into));
            let edge = dom::by_id(&edge_id(from, into)).map(|edge| edge.children());
            for index in 0..edge.as_ref().map_or(0, web_sys::HtmlCollection::length) {
                if let Some(line) = edge.as_ref().and_then(|lines| lines.item(index)) {
                    let _ = line.set_attribute("d", &path);
                }
            }
        }
    }

    /// Which place on the drawing the pointer is at.
    pub fn at(&self, event: &MouseEvent) -> Placement {
        let (origin, ..) = self.drawing.borrow().frame();
        let corner = self.figure.first_element_child().map(|svg| svg.get_bounding_client_rect());
        let (left, top) = corner.map_or((0.0, 0.0), |corner| (corner.left(), corner.top()));
        let unscaled = |pixels: i32, start: f64| (pixels - dom::whole(start)) * 100 / self.percent.get();
        Placement { x: origin.x + unscaled(event.client_x(), left), y: origin.y + unscaled(event.client_y(), top) }
    }

    /// Scrolls when the pointer is near the edge.
    pub fn follow(&self, event: &MouseEvent) {
        let seen = self.figure.get_bounding_client_rect();
        let push = |at: i32, start: f64, end: f64| {
            if at < dom::whole(start) + dom::EDGE {
                -dom::EDGE
            } else if at > dom::whole(end) - dom::EDGE {
                dom::EDGE
            } else {
                0
            }
        };
        let (right, down) =
            (push(event.client_x(), seen.left(), seen.right()), push(event.client_y(), seen.top(), seen.bottom()));
        self.scroll_by(right, down);
    }

    /// Scrolls so far.
    pub fn scroll_by(&self, right: i32, down: i32) {
        self.figure.set_scroll_left(self.figure.scroll_left() + right);
        self.figure.set_scroll_top(self.figure.scroll_top() + down);
    }

    /// Shows it larger or smaller by a step, around the middle of what is seen; tells the size in percent.
    pub fn zoom(&self, is_larger: bool) -> i32 {
        let present = self.percent.get();
        let next = if is_larger {
            SIZES.into_iter().find(|size| *size > present)
        } else {
            SIZES.into_iter().rev().find(|size| *size < present)
        };
        self.zoom_to(next.unwrap_or(present))
    }

    /// Shows it in a size, in percent.
    pub fn zoom_to(&self, percent: i32) -> i32 {
        let before = self.percent.replace(percent);
        let (_, width, height) = self.drawing.borrow().frame();
        if let Some(svg) = self.figure.first_element_child() {
            let _ = svg.set_attribute("width", &self.scaled(width).to_string());
            let _ = svg.set_attribute("height", &self.scaled(height).to_string());
        }
        let figure = &self.figure;
        let stays = |seen: i32, room: i32| (seen + room / 2) * percent / before - room / 2;
        figure.set_scroll_left(stays(figure.scroll_left(), figure.client_width()));
        figure.set_scroll_top(stays(figure.scroll_top(), figure.client_height()));
        percent
    }

    /// Shows all of it, as large as there is room for, but not larger than it is.
    pub fn fit(&self) -> i32 {
        let (_, width, height) = self.drawing.borrow().frame();
        let room = |seen: i32, length: i32| (seen - 2 * GROUND).max(1) * 100 / length.max(1);
        let size = room(self.figure.client_width(), width).min(room(self.figure.client_height(), height));
        self.zoom_to(size.clamp(SIZES[0], 100))
    }

    fn scaled(&self, length: i32) -> i32 {
        length * self.percent.get() / 100
    }
}

/// The step that has the focus.
pub fn focused() -> Option<usize> {
    step_of(&dom::document().active_element()?)
}

/// Gives a step the focus, and lets Tab come back to it.
fn hold_focus(step: usize) {
    for other in dom::all("#flow-graph a[tabindex='0']") {
        let _ = other.set_attribute("tabindex", "-1");
    }
    if let Some(link) = dom::by_id(&step_id(step)) {
        let _ = link.set_attribute("tabindex", "0");
        // Focusing would scroll the page too.
        dom::focus_in_place(&link);
    }
}

/// Marks the step whose part of the form is shown.
pub fn mark_chosen(step: Option<usize>) {
    for link in dom::all("#flow-graph a[aria-current]") {
        let _ = link.remove_attribute("aria-current");
    }
    if let Some(link) = step.and_then(|step| dom::by_id(&step_id(step))) {
        let _ = link.set_attribute("aria-current", "true");
    }
}

/// Marks the connection that is chosen.
pub fn mark_edge(edge: Option<(usize, usize)>) {
    mark(".flow-edge", edge.and_then(|(from, into)| dom::by_id(&edge_id(from, into))).as_ref());
}

/// Marks the step that would be connected.
pub fn mark_target(step: Option<usize>) {
    mark(".flow-step", step.and_then(|step| dom::by_id(&step_id(step))).as_ref());
}

/// The step whose link an element is, or is in.
pub fn step_of(element: &Element) -> Option<usize> {
    element.closest(".flow-step").ok()??.id().strip_prefix("flow-step-")?.parse().ok()
}

/// The step at a point of the window.
pub fn step_at(event: &MouseEvent) -> Option<usize> {
    #[expect(clippy::cast_precision_loss, reason = "no window is that large")]
    let (x, y) = (event.client_x() as f32, event.client_y() as f32);
    step_of(&dom::document().element_from_point(x, y)?)
}

/// The middle of a step's left side, where connections end.
fn middle_left(place: Placement) -> Placement {
    Placement { y: place.y + STEP_HEIGHT / 2, ..place }
}

/// Marks one of the elements that a selector finds, and no other.
fn mark(selector: &str, element: Option<&Element>) {
    for marked in dom::all(&format!("{selector}.is-marked")) {
        let _ = marked.class_list().remove_1("is-marked");
    }
    if let Some(element) = element {
        let _ = element.class_list().add_1("is-marked");
    }
}
