//! From a traceback in the log to its line of the code, which then shows the error until it is changed.

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement};

use super::Editor;
use crate::{
    browser::dom::{self, document, window},
    python_text::{Change, SourceText, error_after},
};

/// How many lines of the log are looked through for the error.
const LINES: usize = 200;

/// A line that shows an error.
pub(super) struct ErrorMark {
    /// Its index.
    pub(super) line: usize,
    /// The line as it was.
    text: String,
    /// The last line of the traceback.
    pub(super) message: String,
}

impl ErrorMark {
    /// The mark after a change, at the same line, unless that was changed.
    pub(super) fn after(mut self, change: Change, source: &SourceText) -> Option<Self> {
        if self.line >= change.first + change.removed {
            self.line = self.line - change.removed + change.added;
        } else if self.line > change.first {
            return None;
        }
        let is_same = self.line < source.line_count() && source.line(self.line) == self.text;
        is_same.then_some(self)
    }
}

/// Follows links to lines of the program, and an address that names one.
pub(super) fn follow(editor: &'static Editor) {
    dom::listen(&document(), "click", move |event| {
        if editor.follow_link(&event).is_some() {
            event.prevent_default();
        }
    });
    let hash = window().location().hash().unwrap_or_default();
    if let Some(line) = line_of(&hash) {
        editor.show_line(line, None);
    }
}

/// The line that an address such as `#code-L9` names.
fn line_of(hash: &str) -> Option<usize> {
    hash.strip_prefix("#code-L")?.parse().ok()
}

impl Editor {
    fn follow_link(&self, event: &Event) -> Option<()> {
        if dom::is_modified(event) || dom::is(event, "shiftKey") {
            return None;
        }
        let target: Element = event.target()?.dyn_into().ok()?;
        let link = target.closest("a[href^='#code-L']").ok()??;
        let number = line_of(&link.get_attribute("href")?)?;
        self.show_line(number, error_of(&link))
    }

    /// Goes to a line, counted from 1 on, and shows the error there.
    fn show_line(&self, number: usize, message: Option<String>) -> Option<()> {
        let range = {
            let source = self.source.borrow();
            let line = number.checked_sub(1).filter(|line| *line < source.line_count())?;
            let (range, text) = (source.range_of(line), source.line(line));
            if let Some(message) = &message {
                self.say(&format!("Line {number}: {message}"));
            }
            self.error.replace(message.map(|message| ErrorMark { line, text: text.to_owned(), message }));
            let start = range.start + (text.len() - text.trim_start_matches([' ', '\t']).len());
            start..start
        };
        // Where code and run have no room beside each other, they are tabs.
        if let Some(tab) = dom::by_id("bench-tab-code").and_then(|tab| tab.dyn_into::<HtmlInputElement>().ok()) {
            tab.set_checked(true);
        }
        self.select(&range);
        // The browser shows the place of the caret.
        let _ = self.area.focus();
        self.go_to(&range);
        Some(())
    }
}

/// The error of the traceback that a link of the log is in.
fn error_of(place: &Element) -> Option<String> {
    let mut line = place.closest(".line").ok()??;
    let lines = std::iter::from_fn(|| {
        line = line.next_element_sibling()?;
        // The link to the heading of a group has no text, and the group is none of the traceback.
        while !line.matches(".line").ok()? {
            line = line.next_element_sibling()?;
        }
        let mut text = line.query_selector(".line-text").ok()??.text_content()?;
        // What is said of a line to those who do not see its marks.
        for said in [".line-stream", ".line-level"] {
            let said = line.query_selector(said).ok()?.and_then(|said| said.text_content()).unwrap_or_default();
            text = text.strip_prefix(said.as_str()).unwrap_or(&text).to_owned();
        }
        Some(text)
    });
    error_after(lines.take(LINES))
}
