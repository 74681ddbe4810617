//! What is seen of the code: coloured lines over the text area, whose own letters are transparent, with their numbers. Only
//! the lines around those in view are there. All places are the text area's own: the same font, the same height of lines.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

use wasm_bindgen::JsCast;
use web_sys::{DomRect, Element, HtmlElement, HtmlTextAreaElement, Node};

use crate::{
    browser::dom::document,
    html::escape_into,
    python_text::{Mark, SourceText, State, line_html},
};

/// How many lines are kept above and below those in view, so that scrolling a little draws nothing.
const SPARE: usize = 30;

/// How much of the frame the numbers of the lines cover at most, in pixels.
const NUMBERS: f64 = 72.0;

/// What is left beside the caret, in pixels.
const MARGIN: f64 = 24.0;

/// By how much the text area becomes wider at least, in pixels: it takes the browser 0.1 s at 5,000 lines.
const WIDER: f64 = 512.0;

/// By which part of its lines a text area may be higher than its text: it takes the browser a frame to make it higher.
const HIGHER: usize = 256;

const HTML: &str = r#"<div class="code-layer" aria-hidden="true" dir="ltr"><div class="code-band"></div><div class="code-lines"></div><div class="code-numbers"><div> </div></div></div>"#;

pub(super) struct Layer {
    element: HtmlElement,
    band: Placed,
    lines: Placed,
    numbers: Placed,
    /// The text of the numbers: to put another one in its place would restyle more than it.
    digits: Node,
    /// Of a line, in pixels; zero as long as nothing is seen.
    height: Cell<f64>,
    /// Of the text area, in pixels.
    fitted: Cell<f64>,
    shown: RefCell<Shown>,
}

/// An element that is moved down to its place.
struct Placed {
    element: HtmlElement,
    /// In pixels.
    top: Cell<f64>,
}

impl Placed {
    fn find(frame: &Element, selector: &str) -> Option<Self> {
        Some(Self { element: frame.query_selector(selector).ok()??.dyn_into().ok()?, top: Cell::default() })
    }

    fn move_to(&self, top: f64) {
        if !is_same(self.top.replace(top), top) {
            set(&self.element, "transform", "translateY(#px)", top);
        }
    }
}

/// The lines that are there.
#[derive(Default)]
struct Shown {
    first: usize,
    lines: Vec<Line>,
    /// How many lines the text had then.
    count: usize,
}

impl Shown {
    fn range(&self) -> Range<usize> {
        self.first..self.first + self.lines.len()
    }
}

/// What the look of a line depends on.
struct Line {
    text: String,
    state: State,
    marks: Vec<Mark>,
    error: Option<String>,
}

impl Line {
    fn of(source: &SourceText, line: usize, look: &Look<'_>) -> Self {
        Self {
            text: source.line(line).to_owned(),
            state: source.state_before(line).clone(),
            marks: look.marks_of(line).cloned().collect(),
            error: look.error_of(line).map(str::to_owned),
        }
    }

    /// Whether a line of the text looks like this one.
    fn is(&self, source: &SourceText, line: usize, look: &Look<'_>) -> bool {
        self.text == source.line(line)
            && self.state == *source.state_before(line)
            && self.marks.iter().eq(look.marks_of(line))
            && self.error.as_deref() == look.error_of(line)
    }

    fn write(&self, html: &mut String) {
        html.push_str("<div>");
        html.push_str(&line_html(&self.text, &mut self.state.clone(), &self.marks));
        if let Some(words) = &self.error {
            html.push_str(r#"<span class="code-error">"#);
            escape_into(html, words);
            html.push_str("</span>");
        }
        html.push_str("\n</div>");
    }
}

/// The part of the text that is in view, in pixels.
#[derive(Clone, Copy)]
pub(super) struct View {
    top: i32,
    height: i32,
}

impl View {
    pub(super) fn of(frame: &HtmlElement) -> Self {
        Self { top: frame.scroll_top(), height: frame.client_height() }
    }

    /// Scrolls there.
    pub(super) fn show(self, frame: &HtmlElement) {
        frame.set_scroll_top(self.top);
    }
}

/// What there is to see besides the text.
pub(super) struct Look<'a> {
    /// The line that the caret is in.
    pub current: usize,
    /// Marks with their lines, in order.
    pub marks: Vec<(usize, Mark)>,
    /// A line that shows an error, with its words.
    pub error: Option<(usize, &'a str)>,
}

impl Look<'_> {
    fn marks_of(&self, line: usize) -> impl Iterator<Item = &Mark> {
        let from = self.marks.partition_point(|(marked, _)| *marked < line);
        self.marks[from..].iter().take_while(move |(marked, _)| *marked == line).map(|(_, mark)| mark)
    }

    fn error_of(&self, line: usize) -> Option<&str> {
        self.error.filter(|(marked, _)| *marked == line).map(|(_, words)| words)
    }
}

impl Layer {
    /// Puts an empty layer into the frame.
    pub(super) fn begin(frame: &Element) -> Option<Self> {
        frame.insert_adjacent_html("beforeend", HTML).ok()?;
        let numbers = Placed::find(frame, ".code-numbers > div")?;
        Some(Self {
            element: frame.query_selector(".code-layer").ok()??.dyn_into().ok()?,
            band: Placed::find(frame, ".code-band")?,
            lines: Placed::find(frame, ".code-lines")?,
            digits: numbers.element.first_child()?,
            numbers,
            height: Cell::default(),
            fitted: Cell::default(),
            shown: RefCell::default(),
        })
    }

    /// Measures how high lines are: browsers round that, each in its way and for each zoom, and what is wrong by little is
    /// wrong by much a thousand lines further down.
    pub(super) fn measure(&self) {
        let children = self.lines.element.children();
        let (first, last) = (children.item(0), children.item(children.length().saturating_sub(1)));
        if let (Some(first), Some(last)) = (first, last) {
            let height = last.get_bounding_client_rect().bottom() - first.get_bounding_client_rect().top();
            self.height.set(height / f64::from(children.length()));
        }
    }

    pub(super) fn is_measured(&self) -> bool {
        self.height.get() > 0.0
    }

    /// Makes the text area at least as large as its text, so that the frame scrolls both together.
    pub(super) fn fit(&self, area: &HtmlTextAreaElement, count: usize) {
        // All that is read comes before what is written: the browser would lay out the whole text in between.
        let (mut width, seen) = (area.scroll_width(), area.client_width());
        // An error stands behind its line, and is nothing that the frame would know of.
        if self.shown.borrow().lines.iter().any(|line| line.error.is_some()) {
            let lines = &self.lines.element;
            width = width.max(lines.offset_left() + lines.scroll_width());
        }
        // Where the text outgrew it, the browser has moved the text to show the caret.
        if area.scroll_top() != 0 || area.scroll_left() != 0 {
            area.set_scroll_top(0);
            area.set_scroll_left(0);
        }
        let count = count.next_multiple_of((count / HIGHER).next_power_of_two());
        let height = self.top_of(count);
        if !is_same(self.fitted.replace(height), height) {
            set(area, "height", "calc(#px + 2 * var(--space-3))", height);
        }
        if width > seen {
            let width = ((f64::from(width) + MARGIN) / WIDER).ceil() * WIDER;
            set(area, "min-width", "#px", width);
            set(&self.element, "min-width", "#px", width);
        }
    }

    /// Draws the lines in view.
    pub(super) fn draw(&self, source: &SourceText, look: &Look<'_>, view: View) {
        let count = source.line_count();
        let range = self.range(view, count);
        let mut shown = self.shown.borrow_mut();
        if shown.range() != range {
            let mut numbers = String::new();
            for line in range.clone() {
                numbers.push_str(&(line + 1).to_string());
                numbers.push('\n');
            }
            self.digits.set_node_value(Some(&numbers));
        }
        let is_there = |(shown, line): &(&Line, usize)| shown.is(source, *line, look);
        let before = shown.lines.iter().zip(range.clone()).take_while(is_there).count();
        let rest = shown.lines[before..].iter().rev().zip((range.start + before..range.end).rev());
        let after = rest.take_while(is_there).count();
        let new =
            (range.start + before..range.end - after).map(|line| Line::of(source, line, look)).collect::<Vec<_>>();
        let old = before..shown.lines.len() - after;
        self.replace(old.clone(), &new);
        shown.lines.splice(old, new);
        shown.first = range.start;
        shown.count = count;
        drop(shown);
        let top = self.top_of(range.start);
        self.lines.move_to(top);
        self.numbers.move_to(top);
        self.band.move_to(self.top_of(look.current));
    }

    /// Puts lines in the place of some that are there.
    fn replace(&self, old: Range<usize>, new: &[Line]) {
        let children = self.lines.element.children();
        let child = |index: usize| children.item(u32::try_from(index).ok()?);
        for _ in old.clone() {
            if let Some(line) = child(old.start) {
                line.remove();
            }
        }
        if new.is_empty() {
            return;
        }
        let mut html = String::new();
        for line in new {
            line.write(&mut html);
        }
        // It fails only for a place that is none.
        let _ = match child(old.start) {
            Some(next) => next.insert_adjacent_html("beforebegin", &html),
            None => self.lines.element.insert_adjacent_html("beforeend", &html),
        };
    }

    /// Which lines are to be there: those that are, as long as they cover what is in view. Where lines were added or taken
    /// away, there are so many more or less: those after them stay as they are.
    fn range(&self, view: View, count: usize) -> Range<usize> {
        let height = self.height.get();
        if !self.is_measured() {
            return 0..count.min(2 * SPARE);
        }
        let first = whole(f64::from(view.top) / height).min(count);
        let last = (whole(f64::from(view.top + view.height) / height) + 1).min(count);
        let shown = self.shown.borrow();
        let Range { start, end } = shown.range();
        let end = (end + count).saturating_sub(shown.count);
        let is_enough = start <= first && end >= last;
        if is_enough && end <= count && end - start <= last - first + 4 * SPARE {
            return start..end;
        }
        first.saturating_sub(SPARE)..(last + SPARE).min(count)
    }

    #[expect(clippy::cast_precision_loss, reason = "lines are few")]
    fn top_of(&self, line: usize) -> f64 {
        self.height.get() * line as f64
    }

    /// The view in which a line is seen, moved no more than needed; `None` when it is seen already.
    pub(super) fn view_with(&self, line: usize, view: View) -> Option<View> {
        let height = self.height.get();
        let top = self.top_of(line);
        let (start, end) = (f64::from(view.top), f64::from(view.top + view.height));
        let moved = if top < start {
            top - height
        } else if top + 2.0 * height > end {
            top + 3.0 * height - f64::from(view.height)
        } else {
            return None;
        };
        Some(View { top: pixel(moved).max(0), ..view })
    }

    /// Scrolls sideways to a column of a line that is there, no more than needed, and the page to it.
    pub(super) fn reveal_column(&self, frame: &HtmlElement, line: usize, column: usize) {
        let Some(place) = self.place_of(line, column) else {
            return;
        };
        let view = frame.get_bounding_client_rect();
        let (before, after) = (view.left() + NUMBERS - place.left(), place.right() + MARGIN - view.right());
        if before > 0.0 {
            frame.set_scroll_left(frame.scroll_left() - pixel(before));
        } else if after > 0.0 {
            frame.set_scroll_left(frame.scroll_left() + pixel(after));
        }
    }

    /// Where a column of a line is on the screen, counted as browsers count.
    fn place_of(&self, line: usize, column: usize) -> Option<DomRect> {
        let index = line.checked_sub(self.shown.borrow().first)?;
        let line: Node = self.lines.element.children().item(u32::try_from(index).ok()?)?.into();
        let mut column = u32::try_from(column).ok()?;
        let mut piece = line.first_child();
        while let Some(node) = piece {
            let length = node.text_content().map_or(0, |text| text.encode_utf16().count());
            let length = u32::try_from(length).ok()?;
            if column <= length {
                let text = node.first_child().unwrap_or(node);
                let range = document().create_range().ok()?;
                range.set_start(&text, column).ok()?;
                return Some(range.get_bounding_client_rect());
            }
            column -= length;
            piece = node.next_sibling();
        }
        None
    }
}

/// Whether a length is the one that is set: to set it again would cost the browser as much.
fn is_same(old: f64, new: f64) -> bool {
    (old - new).abs() < f64::EPSILON
}

/// Sets a property with a length in it, which stands as `#` in the value. Never one that is inherited: the browser would go
/// through all lines of the text. JavaScript writes the number: what Rust has for that would be much to load.
fn set(element: &HtmlElement, name: &str, value: &str, pixels: f64) {
    let number = js_sys::Number::from(pixels).to_string_with_radix(10).ok().and_then(|text| text.as_string());
    // It fails only for a malformed value.
    let _ = element.style().set_property(name, &value.replace('#', &number.unwrap_or_default()));
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place on the page")]
fn whole(number: f64) -> usize {
    number.max(0.0) as usize
}

#[expect(clippy::cast_possible_truncation, reason = "a place on the page")]
fn pixel(number: f64) -> i32 {
    number as i32
}
