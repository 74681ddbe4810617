//! What the pointer does in the graph: moves a step, connects it, or scrolls.

use wasm_bindgen::JsCast;
use web_sys::{Event, MouseEvent, PointerEvent, WheelEvent};

use super::{
    editor::{Editor, edge_around, element_of},
    sheet::{self, step_at, step_of},
};
use crate::model::flow::Placement;

/// How far a step is to be dragged until that is not a click any more.
const SLACK: i32 = 4;

/// What is being done.
#[derive(Debug, Clone, Copy, Default)]
pub enum Gesture {
    /// Nothing.
    #[default]
    Idle,
    /// A step is held, at this distance from its corner.
    Step { step: usize, held_at: Placement, is_moving: bool },
    /// A line is drawn from a step.
    Line { from: usize },
    /// A connection is pressed.
    Edge { from: usize, into: usize },
    /// The ground is held, last at this point of the window.
    Ground { x: i32, y: i32, is_moving: bool },
}

impl Editor {
    /// Takes an event of the pointer.
    pub fn point(&'static self, event: &Event) {
        match (event.type_().as_str(), event.dyn_ref::<PointerEvent>()) {
            ("dragstart", _) => event.prevent_default(),
            ("wheel", _) => self.turn_wheel(event),
            ("pointerdown", Some(pointer)) => self.pointer_down(pointer),
            ("pointermove", Some(pointer)) => self.pointer_move(pointer),
            ("pointerup", Some(pointer)) => self.pointer_up(pointer),
            ("pointercancel", _) => {
                if let Gesture::Step { .. } | Gesture::Line { .. } = self.gesture.take() {
                    self.let_go();
                    self.redraw();
                }
            }
            _ => {}
        }
    }

    fn turn_wheel(&self, event: &Event) {
        if let Some(wheel) = event.dyn_ref::<WheelEvent>().filter(|wheel| wheel.ctrl_key()) {
            wheel.prevent_default();
            self.zoom(if wheel.delta_y() < 0.0 { "larger" } else { "smaller" });
        }
    }

    fn pointer_down(&self, event: &PointerEvent) {
        let Some(target) = element_of(event).filter(|_| event.button() == 0 && event.is_primary()) else {
            return;
        };
        let gesture = match step_of(&target) {
            Some(from) if target.class_list().contains("flow-handle") => Gesture::Line { from },
            Some(step) => {
                let (place, at) = (self.sheet.places()[step], self.sheet.at(event));
                let held_at = Placement { x: at.x - place.x, y: at.y - place.y };
                Gesture::Step { step, held_at, is_moving: false }
            }
            None => match edge_around(&target) {
                Some((from, into)) => Gesture::Edge { from, into },
                None => Gesture::Ground { x: event.client_x(), y: event.client_y(), is_moving: false },
            },
        };
        self.gesture.replace(gesture);
    }

    fn pointer_move(&self, event: &PointerEvent) {
        let gesture = *self.gesture.borrow();
        if event.buttons() == 0 && !matches!(gesture, Gesture::Idle) {
            // It was let go where nobody heard of it.
            self.gesture.take();
            self.redraw();
            return;
        }
        match gesture {
            Gesture::Step { step, held_at, is_moving } => {
                let (place, to) = (self.sheet.places()[step], self.held_place(event, held_at));
                if !is_moving {
                    if (to.x - place.x).abs() < SLACK && (to.y - place.y).abs() < SLACK {
                        return;
                    }
                    self.capture(event);
                    self.gesture.replace(Gesture::Step { step, held_at, is_moving: true });
                    self.draw_held(step, place);
                }
                self.sheet.show_at(step, to);
                self.sheet.follow(event);
            }
            Gesture::Line { from } => {
                self.capture(event);
                self.sheet.show_new_line(from, Some(self.sheet.at(event)));
                sheet::mark_target(step_at(event));
                self.sheet.follow(event);
            }
            // Others than a mouse scroll by themselves.
            Gesture::Ground { x, y, .. } if event.pointer_type() == "mouse" => {
                self.capture(event);
                self.sheet.scroll_by(x - event.client_x(), y - event.client_y());
                self.gesture.replace(Gesture::Ground { x: event.client_x(), y: event.client_y(), is_moving: true });
            }
            Gesture::Idle | Gesture::Edge { .. } | Gesture::Ground { .. } => {}
        }
    }

    fn pointer_up(&'static self, event: &PointerEvent) {
        match self.gesture.take() {
            Gesture::Step { step, held_at, is_moving: true } => {
                self.move_to(step, self.held_place(event, held_at), None);
            }
            Gesture::Line { from } => {
                match step_at(event) {
                    // The handle was only pressed.
                    Some(into) if into == from => self.begin_connecting(from),
                    Some(into) => self.connect(from, into),
                    None => {
                        self.sheet.show_new_line(from, None);
                    }
                }
            }
            Gesture::Step { step, .. } => self.pick(step),
            Gesture::Edge { from, into } => self.choose_edge((from, into)),
            Gesture::Ground { is_moving: false, .. } => {
                self.let_go();
            }
            Gesture::Ground { .. } | Gesture::Idle => {}
        }
    }

    /// Where a held step's corner is.
    fn held_place(&self, event: &MouseEvent, held_at: Placement) -> Placement {
        let at = self.sheet.at(event);
        Placement { x: at.x - held_at.x, y: at.y - held_at.y }
    }

    /// Lets the pointer be followed also where it leaves the graph.
    fn capture(&self, event: &PointerEvent) {
        // It fails only when the pointer is gone.
        let _ = self.sheet.figure().set_pointer_capture(event.pointer_id());
    }
}
