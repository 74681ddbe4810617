//! What one expects of the keys where code is written: Tab and Enter indent, Ctrl+Enter saves and runs. And a question
//! before what was typed is left without being saved. No more of an editor than that.
//!
//! Texts are left to JavaScript's own strings: they count as selections do, and are nothing more to load.

use std::cell::Cell;

use js_sys::{JsString, RegExp};
use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, EventTarget, HtmlDocument, HtmlElement, HtmlTextAreaElement};

use crate::browser::dom::{self, number, property, string};
use crate::model::fields::Field;

const HINT: &str = " Tab indents; press Escape first to go on to the next field. Ctrl+Enter saves and runs.";

const INDENTATION: &str = "    ";

/// The task form, as long as it is open.
struct Editor {
    form: Element,
    code: HtmlTextAreaElement,
    /// Nobody is caught in the code: after Escape, Tab does what it does elsewhere.
    is_let_go: Cell<bool>,
    /// Whether something was changed and not sent.
    is_unsaved: Cell<bool>,
}

/// Listens to the task form.
pub fn watch() {
    let (Some(code), Some(hint)) = (dom::by_id(Field::Code.name()), dom::by_id(&Field::Code.hint_id())) else {
        return;
    };
    let Ok(Some(form)) = code.closest("form") else {
        return;
    };
    // It fails only for a place that is none.
    let _ = hint.insert_adjacent_html("beforeend", HINT);
    let target: EventTarget = form.clone().into();
    // A browser that comes back to the form has put in what was typed before.
    let is_unsaved = Cell::new(string(&code, "value") != string(&code, "defaultValue"));
    let code = code.unchecked_into();
    // It stays as long as the page.
    let editor: &Editor = Box::leak(Box::new(Editor { form, code, is_let_go: Cell::new(false), is_unsaved }));
    let window: EventTarget = window().into();
    for (target, event) in [(&target, "keydown"), (&target, "input"), (&target, "submit"), (&window, "beforeunload")] {
        dom::listen(target, event, |event| {
            if editor.hear(&event) {
                event.prevent_default();
            }
        });
    }
}

impl Editor {
    /// Takes an event, and tells whether the browser's own answer to it is not wanted.
    fn hear(&self, event: &Event) -> bool {
        match event.type_().as_str() {
            "input" => self.is_unsaved.set(true),
            "submit" => self.is_unsaved.set(false),
            "beforeunload" => return self.is_unsaved.get(),
            _ => return self.press(event).is_some(),
        }
        false
    }

    /// Does what a key is for here; `None` leaves it to the browser.
    fn press(&self, event: &Event) -> Option<()> {
        // A browser that fills fields in sends such events without a key.
        let key = string(event, "key")?;
        let is = |name| property(event, name).is_some_and(|value| value.is_truthy());
        if key == "Shift" || is("isComposing") {
            return None;
        }
        let is_enter = key == "Enter";
        if is("ctrlKey") || is("metaKey") {
            if is_enter && !is("repeat") {
                let button = self.form.query_selector("[value=save_and_run]").ok()??;
                button.unchecked_into::<HtmlElement>().click();
            }
            return is_enter.then_some(());
        }
        let is_let_go = self.is_let_go.replace(key == "Escape");
        let focused = document().active_element()?;
        if focused.id() != Field::Code.name() {
            return None;
        }
        if is_enter {
            self.break_line()
        } else if key == "Tab" && !is_let_go {
            self.indent(is("shiftKey"))
        } else {
            None
        }
    }

    /// Starts a line as deep as the one before, and deeper after a colon.
    fn break_line(&self) -> Option<()> {
        let before = self.slice(0, self.place("selectionStart")?)?;
        let deeper = replaced(&before, r"^([^]*\n)?([ \t]*)(?![ \t]).*:[ \t]*$", "", "\n$2    ");
        insert(&replaced(&deeper, r"^([^]*\n)?([ \t]*).*", "", "\n$2"))
    }

    /// Indents where one is, or moves the selected lines.
    fn indent(&self, is_outward: bool) -> Option<()> {
        let (start, end) = (self.place("selectionStart")?, self.place("selectionEnd")?);
        if start == end && !is_outward {
            return insert(&INDENTATION.into());
        }
        let line = replaced(&self.slice(0, start)?, r"^[^]*\n", "", "").length();
        let start_of_line = start - line;
        let lines = self.slice(start_of_line, end)?;
        let (pattern, replacement) = if is_outward { ("^ {1,4}", "") } else { ("^(?=.)", INDENTATION) };
        let lines = replaced(&lines, pattern, "gm", replacement);
        self.select(start_of_line, end);
        insert(&lines)?;
        if start != end {
            self.select(start_of_line, start_of_line + lines.length());
        }
        Some(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "no server takes code that long")]
    fn place(&self, name: &str) -> Option<u32> {
        Some(number(&self.code, name)? as u32)
    }

    fn slice(&self, start: u32, end: u32) -> Option<JsString> {
        Some(property(&self.code, "value")?.unchecked_into::<JsString>().slice(start, end))
    }

    fn select(&self, start: u32, end: u32) {
        // It fails only for controls that have no selection.
        let _ = self.code.set_selection_range(start, end);
    }
}

fn replaced(text: &JsString, pattern: &str, flags: &str, replacement: &str) -> JsString {
    text.replace_by_pattern(&RegExp::new(pattern, flags), replacement)
}

/// Puts a text in the place of the selection by the one way that can be undone.
fn insert(text: &JsString) -> Option<()> {
    let text = text.as_string()?;
    let command = if text.is_empty() { "delete" } else { "insertText" };
    let document: HtmlDocument = document().unchecked_into();
    document.exec_command_with_show_ui_and_value(command, false, &text).ok()?.then_some(())
}
