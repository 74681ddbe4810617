//! What one expects of the keys where code is written: Tab and Enter indent, Ctrl+Enter saves and runs. And a question
//! before what was typed is left without being saved. No more of an editor than that.

#[cfg(feature = "hydrate")]
pub use browser::watch;

#[cfg(any(feature = "hydrate", test))]
mod text {
    //! Written with loops over bytes where the standard library has words for it: those are more to load.

    /// One step.
    pub const INDENTATION: &str = "    ";

    /// What comes after the last line break.
    fn last_line(text: &str) -> &str {
        let length = text.bytes().rev().take_while(|byte| *byte != b'\n').count();
        &text[text.len() - length..]
    }

    /// The line break after this text: as deep as its last line, and deeper after a colon.
    pub fn line_break(before: &str) -> String {
        let line = last_line(before);
        let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let depth = line.bytes().take_while(is_blank).count();
        let deeper = line.bytes().rev().find(|byte| !is_blank(byte)) == Some(b':');
        ["\n", &line[..depth], if deeper { INDENTATION } else { "" }].concat()
    }

    /// The text before a place that is counted as browsers do.
    pub fn up_to(text: &str, place: u64) -> &str {
        let mut units = 0;
        let length = text.chars().take_while(|character| {
            units += character.len_utf16() as u64;
            units <= place
        });
        &text[..length.map(char::len_utf8).sum()]
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_line_break_keeps_the_depth() {
            assert_eq!(line_break("a"), "\n");
            assert_eq!(line_break("x\n  a = 1"), "\n  ");
            assert_eq!(line_break("\tif a: "), "\n\t    ");
            assert_eq!(line_break("    "), "\n    ");
            assert_eq!(line_break("if a:\n"), "\n");
        }

        #[test]
        fn places_are_counted_as_browsers_do() {
            assert_eq!(up_to("é🚀b", 3), "é🚀");
            assert_eq!(up_to("ab", 0), "");
            assert_eq!(up_to("ab", 9), "ab");
        }
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::Cell;

    use leptos::prelude::{document, window};
    use wasm_bindgen::JsCast;
    use web_sys::{Event, EventTarget, HtmlDocument, HtmlElement, HtmlTextAreaElement, KeyboardEvent};

    use super::text;
    use crate::{
        islands::dom::{self, number, string},
        model::fields::Field,
    };

    const HINT: &str = " Tab indents; press Escape first to go on to the next field. Ctrl+Enter saves and runs.";

    /// The form, as long as it is open.
    struct Form {
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
        let code = code.unchecked_into();
        // It stays as long as the page.
        let state: &Form =
            Box::leak(Box::new(Form { code, is_let_go: Cell::new(false), is_unsaved: Cell::new(false) }));
        let (form, window): (EventTarget, EventTarget) = (form.into(), window().into());
        for (target, event) in [(&form, "keydown"), (&form, "input"), (&form, "submit"), (&window, "beforeunload")] {
            dom::listen(target, event, |event| {
                if state.hear(&event) {
                    event.prevent_default();
                }
            });
        }
    }

    impl Form {
        /// Takes an event, and tells whether the browser's own answer to it is not wanted.
        fn hear(&self, event: &Event) -> bool {
            match event.type_().as_str() {
                "input" => self.is_unsaved.set(true),
                "submit" => self.is_unsaved.set(false),
                "beforeunload" => return self.is_unsaved.get(),
                _ => return event.dyn_ref().is_some_and(|event| self.press(event).is_some()),
            }
            false
        }

        /// Does what a key is for here; `None` leaves it to the browser.
        fn press(&self, event: &KeyboardEvent) -> Option<()> {
            let key = event.key();
            if key == "Shift" || event.alt_key() || event.is_composing() {
                return None;
            }
            let is_enter = key == "Enter";
            if event.ctrl_key() || event.meta_key() {
                let button =
                    document().query_selector("[value=save_and_run]").ok()?.filter(|_| is_enter && !event.repeat())?;
                button.unchecked_ref::<HtmlElement>().click();
                return Some(());
            }
            let was_let_go = self.is_let_go.replace(key == "Escape");
            let code = &self.code;
            if !code.matches(":focus").ok()? {
                return None;
            }
            let content = string(code, "value")?;
            let start = number(code, "selectionStart")?;
            if is_enter {
                insert(&text::line_break(text::up_to(&content, start)))
            } else if key == "Tab" && !was_let_go && !event.shift_key() && number(code, "selectionEnd")? == start {
                insert(text::INDENTATION)
            } else {
                None
            }
        }
    }

    /// Puts a text in the place of the selection by the one way that can be undone.
    fn insert(text: &str) -> Option<()> {
        let document: HtmlDocument = document().unchecked_into();
        document.exec_command_with_show_ui_and_value("insertText", false, text).ok()?.then_some(())
    }
}
