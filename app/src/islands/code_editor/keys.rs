//! What the keys do in the code.

use web_sys::Event;

use super::Editor;
use crate::{
    browser::dom::{self, string},
    python_text::{Move, break_line, delete_back, duplicate_lines, indent, move_lines, toggle_comment},
};

impl Editor {
    /// Does what a key is for here; `None` leaves it to the browser.
    pub(super) fn press(&'static self, event: &Event) -> Option<()> {
        // A browser that fills fields in sends such events without a key.
        let key = string(event, "key")?;
        if key == "Shift" || dom::is(event, "isComposing") {
            return None;
        }
        let is_let_go = self.is_let_go.replace(key == "Escape");
        let is_control = dom::is(event, "ctrlKey") || dom::is(event, "metaKey");
        let is_shift = dom::is(event, "shiftKey");
        let edit = {
            let selection = self.selection();
            let source = self.source.borrow();
            match (key.as_str(), is_control, dom::is(event, "altKey")) {
                ("Enter", false, false) => Some(break_line(&source, selection)),
                ("Tab", false, false) if !is_let_go => Some(indent(&source, selection, is_shift)),
                ("Backspace", false, false) => delete_back(&source, selection),
                // On some keyboards it takes Shift to write it.
                ("/", true, false) => Some(toggle_comment(&source, selection)),
                ("ArrowUp", false, true) if !is_shift => move_lines(&source, selection, Move::Up),
                ("ArrowDown", false, true) if !is_shift => move_lines(&source, selection, Move::Down),
                ("ArrowDown", false, true) => Some(duplicate_lines(&source, selection)),
                ("f", true, false) if !is_shift => {
                    drop(source);
                    return self.open_finder();
                }
                _ => None,
            }
        }?;
        self.apply(&edit);
        Some(())
    }
}
