//! The code editor: what one expects of the keys where code is written, and colours while one types. The text area stays
//! what is typed into, read aloud and sent; around it is only what is seen. Undo is the browser's.

mod drop;
mod find;
mod keys;
mod layer;
mod traceback;
mod typed;

use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

use js_sys::JsString;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, EventTarget, HtmlDocument, HtmlElement, HtmlTextAreaElement, ResizeObserver};

use crate::{
    browser::dom::{self, document, number, property, string},
    python_text::{Change, Edit, Mark, SourceText, matching_brackets},
};
use find::Finder;
use layer::{Layer, Look, View};
use traceback::ErrorMark;

const HINT: &str = " Tab indents; press Escape first to go on to the next field. Ctrl+F finds, Ctrl+/ makes comments, Alt and arrows move lines. Ctrl+Enter saves and runs.";

/// Chromium takes longer for each further line that a command inserts: seconds for a thousand.
const UNDOABLE_LINES: usize = 500;

/// What is to become an editor.
const WAITING: &str = ".code-editor:not(.is-live)";

/// Where the editor says what happened.
const NOTE: &str = r#"<p class="code-note" role="status"></p>"#;

/// Brings the editor of a task's code to life.
pub fn watch() {
    if dom::by_id("flow-editor").is_some() {
        // It shows one step at a time, and says when: hundreds at once would take seconds.
        return;
    }
    if let Some(editor) = dom::all(WAITING).into_iter().find_map(Editor::begin) {
        traceback::follow(editor);
    }
}

/// Brings those to life that are shown and were not before: a step's that was chosen, or is new.
#[cfg(feature = "flow-islands")]
pub fn watch_shown() {
    for editor in dom::all(&format!(".step-forms > :not([hidden]) {WAITING}")) {
        Editor::begin(editor);
    }
}

/// An editor. It stays as long as the page.
struct Editor {
    /// What scrolls: around the text area, which is as large as its text.
    frame: HtmlElement,
    area: HtmlTextAreaElement,
    layer: Layer,
    note: Element,
    /// What is in the text area, as the browser has it.
    typed: RefCell<JsString>,
    source: RefCell<SourceText>,
    error: RefCell<Option<ErrorMark>>,
    finder: Finder,
    /// Nobody is caught in the code: after Escape, Tab does what it does elsewhere.
    is_let_go: Cell<bool>,
    /// Whether a frame is already asked for.
    is_frame_due: Cell<bool>,
    /// Whether the caret is to be brought into view in that frame.
    is_caret_wanted: Cell<bool>,
}

/// What is selected, in the units that browsers count in.
struct Selection {
    start: usize,
    end: usize,
    is_backward: bool,
}

impl Selection {
    const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The place that moves with the keys.
    const fn caret(&self) -> usize {
        if self.is_backward { self.start } else { self.end }
    }
}

impl Editor {
    fn begin(frame: Element) -> Option<&'static Self> {
        let frame: HtmlElement = frame.dyn_into().ok()?;
        let area: HtmlTextAreaElement = frame.query_selector("textarea").ok()??.dyn_into().ok()?;
        if let Some(hint) = dom::by_id(&(area.id() + "-hint")) {
            // It fails only for a place that is none.
            let _ = hint.insert_adjacent_html("beforeend", HINT);
        }
        frame.insert_adjacent_html("afterend", NOTE).ok()?;
        let editor: &'static Self = Box::leak(Box::new(Self {
            layer: Layer::begin(&frame)?,
            note: frame.next_element_sibling()?,
            typed: RefCell::new("".into()),
            source: RefCell::default(),
            error: RefCell::default(),
            finder: Finder::default(),
            is_let_go: Cell::default(),
            is_frame_due: Cell::default(),
            is_caret_wanted: Cell::default(),
            frame,
            area,
        }));
        editor.frame.style().set_property("--rows", &editor.area.rows().to_string()).ok()?;
        editor.frame.class_list().add_1("is-live").ok()?;
        document().document_element()?.class_list().add_1("has-code-editor").ok()?;
        editor.take_text();
        editor.listen();
        Some(editor)
    }

    fn listen(&'static self) {
        let area: EventTarget = self.area.clone().into();
        let frame: EventTarget = self.frame.clone().into();
        let document: EventTarget = document().into();
        for (target, event) in [
            (&area, "keydown"),
            (&area, "input"),
            (&area, "dragover"),
            (&area, "drop"),
            (&frame, "scroll"),
            (&document, "selectionchange"),
        ] {
            dom::listen(target, event, move |event| {
                if self.hear(&event) {
                    event.prevent_default();
                }
            });
        }
        // Also when it is seen for the first time.
        let measure = Closure::<dyn Fn()>::new(move || {
            self.layer.measure();
            self.draw();
        });
        if let Ok(observer) = ResizeObserver::new(measure.as_ref().unchecked_ref()) {
            observer.observe(&self.frame);
        }
        measure.forget();
    }

    /// Takes an event, and tells whether the browser's own answer to it is not wanted.
    fn hear(&'static self, event: &Event) -> bool {
        match event.type_().as_str() {
            "keydown" => return self.press(event).is_some(),
            // There may be many editors, and only one is written in.
            "selectionchange" if document().active_element().is_none_or(|active| active != **self.area) => {
                return false;
            }
            "dragover" => return drop::has_files(event),
            "drop" => return self.take_drop(event),
            "input" => {
                self.take_text();
                self.is_caret_wanted.set(true);
            }
            _ => {}
        }
        self.ask_for_frame();
        false
    }

    /// Reads what is in the text area now.
    fn take_text(&self) {
        let Some(new) = property(&self.area, "value").and_then(|value| value.dyn_into::<JsString>().ok()) else {
            return;
        };
        let old = self.typed.replace(new.clone());
        let mut source = self.source.borrow_mut();
        // Only there are units of the browser bytes.
        let change = if source.is_ascii() {
            let (range, text) = typed::difference(&old, &new);
            source.replace(range, &text)
        } else {
            source.update(&String::from(new))
        };
        drop(source);
        self.keep_error_mark(change);
        self.search_again();
    }

    fn ask_for_frame(&'static self) {
        if !self.is_frame_due.replace(true) {
            dom::next_frame(move || self.draw());
        }
    }

    /// Draws what is seen of the code. What is read of the page comes first: after each thing that is written, the browser
    /// would lay out the whole text to answer.
    fn draw(&self) {
        self.is_frame_due.set(false);
        let source = self.source.borrow();
        let selection = self.selection_units();
        let view = View::of(&self.frame);
        if !self.layer.is_measured() {
            self.draw_lines(&source, &selection, view);
            self.layer.measure();
        }
        self.layer.fit(&self.area, source.line_count());
        let is_wanted = self.is_caret_wanted.replace(false);
        let line = is_wanted.then(|| source.line_at(source.byte_of(selection.caret())));
        let moved = line.and_then(|line| self.layer.view_with(line, view));
        self.draw_lines(&source, &selection, moved.unwrap_or(view));
        if let Some(moved) = moved {
            moved.show(&self.frame);
        }
    }

    fn draw_lines(&self, source: &SourceText, selection: &Selection, view: View) {
        let error = self.error.borrow();
        let caret = source.byte_of(selection.caret());
        let look = Look {
            current: source.line_at(caret),
            marks: self.marks(source, caret, selection.is_empty()),
            error: error.as_ref().map(|error| (error.line, error.message.as_str())),
        };
        self.layer.draw(source, &look, view);
    }

    /// What is marked in the code: what was found, and brackets that belong together, where nothing was.
    fn marks(&self, source: &SourceText, caret: usize, is_nothing_selected: bool) -> Vec<(usize, Mark)> {
        let mut ranges = self.finder.marks();
        if ranges.is_empty() && is_nothing_selected {
            let brackets = matching_brackets(source, caret).into_iter().flatten();
            ranges.extend(brackets.map(|start| (Range { start, end: start + 1 }, "is-bracket")));
            ranges.sort_by_key(|(range, _)| range.start);
        }
        ranges
            .into_iter()
            .map(|(range, class)| {
                let line = source.line_at(range.start);
                let start = source.range_of(line).start;
                (line, Mark { range: range.start - start..range.end - start, class })
            })
            .collect()
    }

    /// What is selected, as the browser counts. It counts from the beginning each time that it is asked.
    fn selection_units(&self) -> Selection {
        let place = |name| number(&self.area, name).and_then(|place| usize::try_from(place).ok()).unwrap_or_default();
        let (start, end) = (place("selectionStart"), place("selectionEnd"));
        let is_backward = start < end && string(&self.area, "selectionDirection").as_deref() == Some("backward");
        Selection { start, end, is_backward }
    }

    /// What is selected, in bytes.
    fn selection(&self) -> Range<usize> {
        let (source, selection) = (self.source.borrow(), self.selection_units());
        source.byte_of(selection.start)..source.byte_of(selection.end)
    }

    /// Selects bytes.
    fn select(&self, range: &Range<usize>) {
        let source = self.source.borrow();
        let start = source.units_between(0..range.start);
        let end = start + source.units_between(range.clone());
        // It fails only for controls that have no selection, and no server takes code that long.
        let _ = self
            .area
            .set_selection_range(u32::try_from(start).unwrap_or_default(), u32::try_from(end).unwrap_or_default());
    }

    /// Makes an edit in the one way that the browser can undo, unless that would take it minutes; tells which. `selection`
    /// is what is selected now.
    fn apply(&self, edit: &Edit, selection: &Range<usize>) -> bool {
        if edit.range != *selection {
            self.select(&edit.range);
        }
        let can_be_undone = edit.text.lines().count() <= UNDOABLE_LINES;
        let mut after = edit.range.clone();
        if !(edit.range.is_empty() && edit.text.is_empty()) {
            let command = if edit.text.is_empty() { "delete" } else { "insertText" };
            let document: HtmlDocument = document().unchecked_into();
            let is_done = can_be_undone
                && document
                    .exec_command_with_show_ui_and_value(command, false, &edit.text)
                    .is_ok_and(|is_done| is_done);
            if is_done {
                let end = edit.range.start + edit.text.len();
                after = end..end;
            } else {
                self.replace_selection(&edit.text);
            }
        }
        if edit.selection != after {
            self.select(&edit.selection);
        }
        can_be_undone
    }

    /// For a browser without that way: better an edit that cannot be undone than a key that does nothing.
    fn replace_selection(&self, text: &str) {
        if self.area.set_range_text(text).is_ok()
            && let Ok(event) = Event::new("input")
        {
            // It fails only for an event that is under way.
            let _ = self.area.dispatch_event(&event);
        }
    }

    /// Puts the caret at a place, and shows it.
    fn go_to(&self, range: &Range<usize>) {
        self.select(range);
        // Once more when it is drawn: it may not be seen yet.
        self.is_caret_wanted.set(true);
        let source = self.source.borrow();
        let line = source.line_at(range.end);
        let view = View::of(&self.frame);
        let moved = self.layer.view_with(line, view);
        self.draw_lines(&source, &self.selection_units(), moved.unwrap_or(view));
        if let Some(moved) = moved {
            moved.show(&self.frame);
        }
        let column = source.units_between(source.range_of(line).start..range.end);
        self.layer.reveal_column(&self.frame, line, column);
    }

    /// Says what happened.
    fn say(&self, text: &str) {
        self.note.set_text_content(Some(text));
    }

    /// Takes care that the mark of an error stays with its line, and goes when that is changed.
    fn keep_error_mark(&self, change: Change) {
        let mut error = self.error.borrow_mut();
        let Some(mark) = error.take() else {
            return;
        };
        *error = mark.after(change, &self.source.borrow());
        if error.is_none() {
            self.say("");
        }
    }
}
