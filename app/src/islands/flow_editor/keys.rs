//! What keys do in the graph. They are for the step that has the focus.

use wasm_bindgen::JsCast;
use web_sys::{Event, KeyboardEvent};

use super::{editor::Editor, sheet};
use crate::{
    browser::dom,
    model::flow::{
        FlowEdit,
        layout::{Direction, nearest},
    },
};

/// How far a key moves a step.
const STRIDE: i32 = 16;

impl Editor {
    /// Takes a key that is pressed in the graph.
    pub fn press_key(&'static self, event: &Event) {
        let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
            return;
        };
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        // A browser that fills fields in sends such events without a key.
        let key = dom::string(event, "key").unwrap_or_default();
        if let Some(step) = sheet::focused()
            && self.do_key(&key, event.shift_key(), step)
        {
            event.prevent_default();
        }
    }

    /// Does what a key is for, and tells whether it is for anything.
    fn do_key(&'static self, key: &str, is_shifted: bool, step: usize) -> bool {
        if let Some(direction) = direction(key) {
            if is_shifted {
                let place = direction.moved(self.sheet.places()[step], STRIDE);
                self.move_to(step, place, Some(step));
                self.sheet.reveal(step);
            } else if let Some(other) = nearest(&self.sheet.places(), step, direction) {
                self.go_to(other);
            }
            return true;
        }
        match (key, self.connecting.get()) {
            ("Enter", Some(from)) => self.connect(from, step),
            ("Escape", _) => return self.let_go(),
            ("Home", _) => self.go_to(0),
            ("End", _) => self.go_to(self.count().saturating_sub(1)),
            ("c", _) => self.begin_connecting(step),
            ("e", _) => self.choose_next_edge(step),
            ("Delete" | "Backspace", _) => self.remove(Some(step)),
            ("a", _) => self.edit(FlowEdit::Add),
            ("d", _) => self.edit(FlowEdit::Duplicate(step)),
            ("+" | "=", _) => self.zoom("larger"),
            ("-", _) => self.zoom("smaller"),
            ("0", _) => self.zoom("whole"),
            ("f", _) => self.zoom("fit"),
            _ => return false,
        }
        true
    }

    /// Gives another step the focus. While steps are connected, it is the one to connect.
    fn go_to(&self, step: usize) {
        self.sheet.focus(step);
        if let Some(from) = self.connecting.get() {
            sheet::mark_target(Some(step));
            self.sheet.show_new_line_to(from, step);
            self.say(&format!("{} → {}? Enter connects them, Escape lets go.", self.name(from), self.name(step)));
        }
    }

    /// Chooses a connection of a step, or the one after that which is chosen.
    fn choose_next_edge(&self, step: usize) {
        let edges = self.edges_of(step);
        let present = self.edge.get().and_then(|edge| edges.iter().position(|other| *other == edge));
        let next = present.map_or(0, |present| (present + 1) % edges.len());
        match edges.get(next) {
            Some(edge) => self.choose_edge(*edge),
            None => self.say(&format!("{} is not connected.", self.name(step))),
        }
    }
}

fn direction(key: &str) -> Option<Direction> {
    match key {
        "ArrowLeft" => Some(Direction::Left),
        "ArrowRight" => Some(Direction::Right),
        "ArrowUp" => Some(Direction::Up),
        "ArrowDown" => Some(Direction::Down),
        _ => None,
    }
}
