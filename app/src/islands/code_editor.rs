//! What one expects of the keys where code is written: Tab and Enter indent, Ctrl+Enter saves and runs. And a question
//! before what was typed is left without being saved. No more of an editor than that.

use leptos::prelude::*;

/// Listens to the task form.
#[island]
pub fn CodeEditor() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    browser::watch();
}

#[cfg(any(feature = "hydrate", test))]
mod text {
    //! Written with loops over bytes where the standard library has words for it: those are more to load.

    const INDENTATION: &str = "    ";

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

    /// What Tab makes of a selection: how many bytes before it change too, and the text in the place of all that.
    pub fn shifted(before: &str, selected: &str, is_outward: bool) -> (usize, String) {
        if selected.is_empty() && !is_outward {
            return (0, INDENTATION.to_owned());
        }
        let line = last_line(before);
        let mut text = String::new();
        let (mut is_start, mut spaces) = (true, 0);
        for character in [line, selected].concat().chars() {
            if is_start && is_outward {
                spaces = INDENTATION.len();
            } else if is_start && character != '\n' {
                text.push_str(INDENTATION);
            }
            is_start = character == '\n';
            if spaces > 0 && character == ' ' {
                spaces -= 1;
            } else {
                spaces = 0;
                text.push(character);
            }
        }
        (line.len(), text)
    }

    /// The length of a text as browsers count it.
    pub fn units(text: &str) -> usize {
        text.chars().map(char::len_utf16).sum()
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
        fn tab_indents_where_one_is_or_the_lines_selected() {
            assert_eq!(shifted("a\nb", "", false), (0, "    ".to_owned()));
            assert_eq!(shifted("a\n b", "c\n\nd", false), (2, "     bc\n\n    d".to_owned()));
        }

        #[test]
        fn shift_and_tab_take_the_indentation_back() {
            assert_eq!(shifted("a\n      b", "", true), (7, "  b".to_owned()));
            assert_eq!(shifted("  a", "b\n     c\nd", true), (3, "ab\n c\nd".to_owned()));
            assert_eq!(shifted("    ", "", true), (4, String::new()));
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
            let before = text::up_to(&content, number(code, "selectionStart")?);
            if is_enter {
                insert(&text::line_break(before))
            } else if key == "Tab" && !was_let_go {
                let end = number(code, "selectionEnd")?;
                let selected = &text::up_to(&content, end)[before.len()..];
                let (more, shifted) = text::shifted(before, selected, event.shift_key());
                let start = text::units(&before[..before.len() - more]);
                select(code, start, end);
                insert(&shifted)?;
                if !selected.is_empty() {
                    select(code, start, start + text::units(&shifted));
                }
                Some(())
            } else {
                None
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the server takes no code that long")]
    fn select(code: &HtmlTextAreaElement, start: usize, end: usize) {
        // It fails only for controls that have no selection.
        let _ = code.set_selection_range(start as u32, end as u32);
    }

    /// Puts a text in the place of the selection by the one way that can be undone.
    fn insert(text: &str) -> Option<()> {
        let command = if text.is_empty() { "delete" } else { "insertText" };
        let document: HtmlDocument = document().unchecked_into();
        document.exec_command_with_show_ui_and_value(command, false, text).ok()?.then_some(())
    }
}
