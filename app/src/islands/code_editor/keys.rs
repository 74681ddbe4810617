//! What the keys do in the code.

use std::ops::Range;

use web_sys::Event;

use super::Editor;
use crate::{
    browser::dom::{is, string},
    python_text::{
        Edit, Move, SourceText, break_line, delete_back, duplicate_lines, indent, move_lines, toggle_comment,
    },
};

impl Editor {
    /// Does what a key is for here; `None` leaves it to the browser.
    pub(super) fn press(&'static self, event: &Event) -> Option<()> {
        // A browser that fills fields in sends such events without a key.
        let key = string(event, "key")?;
        if key == "Shift" || is(event, "isComposing") {
            return None;
        }
        let is_let_go = self.is_let_go.replace(key == "Escape");
        let is_control = is(event, "ctrlKey") || is(event, "metaKey");
        let is_shift = is(event, "shiftKey");
        // What is selected is asked for only where a key needs it: the browser counts for it.
        let edit: fn(&SourceText, Range<usize>) -> Option<Edit> = match (key.as_str(), is_control, is(event, "altKey"))
        {
            ("Enter", false, false) => |source, selection| {
                let edit = break_line(source, selection.clone());
                // A bare line break is left to the browser, which takes half the time for its own.
                (edit.text != "\n" || edit.range != selection).then_some(edit)
            },
            ("Tab", false, false) if !is_let_go && is_shift => {
                |source, selection| Some(indent(source, selection, true))
            }
            ("Tab", false, false) if !is_let_go => |source, selection| Some(indent(source, selection, false)),
            ("Backspace", false, false) => delete_back,
            // On some keyboards it takes Shift to write it.
            ("/", true, false) => |source, selection| Some(toggle_comment(source, selection)),
            ("ArrowUp", false, true) if !is_shift => |source, selection| move_lines(source, selection, Move::Up),
            ("ArrowDown", false, true) if !is_shift => |source, selection| move_lines(source, selection, Move::Down),
            ("ArrowDown", false, true) => |source, selection| Some(duplicate_lines(source, selection)),
            ("f", true, false) if !is_shift => return self.open_finder(),
            _ => return None,
        };
        let selection = self.selection();
        let edit = edit(&self.source.borrow(), selection.clone())?;
        self.apply(&edit, &selection);
        Some(())
    }
}
