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
    python_text::{Mark, SourceText, line_html},
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

const HTML: &str = r#"<div class="code-layer" aria-hidden="true" dir="ltr"><div class="code-band"></div><div class="code-lines"></div><div class="code-numbers"><div></div></div></div>"#;

pub(super) struct Layer {
    element: HtmlElement,
    band: HtmlElement,
    lines: HtmlElement,
    numbers: HtmlElement,
    /// Of a line, in pixels; zero as long as nothing is seen.
    height: Cell<f64>,
    shown: RefCell<Shown>,
}

/// The lines that are there.
#[derive(Default)]
struct Shown {
    first: usize,
    html: Vec<String>,
}

impl Shown {
    fn range(&self) -> Range<usize> {
        self.first..self.first + self.html.len()
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

impl Layer {
    /// Puts an empty layer into the frame.
    pub(super) fn begin(frame: &Element) -> Option<Self> {
        frame.insert_adjacent_html("beforeend", HTML).ok()?;
        let find = |selector| frame.query_selector(selector).ok()??.dyn_into::<HtmlElement>().ok();
        Some(Self {
            element: find(".code-layer")?,
            band: find(".code-band")?,
            lines: find(".code-lines")?,
            numbers: find(".code-numbers > div")?,
            height: Cell::default(),
            shown: RefCell::default(),
        })
    }

    /// Measures how high lines are: browsers round that, each in its way and for each zoom, and what is wrong by little is
    /// wrong by much a thousand lines further down.
    #[expect(clippy::cast_precision_loss, reason = "lines are few")]
    pub(super) fn measure(&self) {
        let count = self.shown.borrow().html.len();
        if count > 0 {
            self.height.set(self.lines.get_bounding_client_rect().height() / count as f64);
        }
    }

    pub(super) fn is_measured(&self) -> bool {
        self.height.get() > 0.0
    }

    /// Makes the text area at least as large as its text, so that the frame scrolls both together.
    #[expect(clippy::cast_precision_loss, reason = "lines are few")]
    pub(super) fn fit(&self, area: &HtmlTextAreaElement, count: usize) {
        // All that is read comes before what is written: the browser would lay out the whole text in between.
        let (width, seen) = (area.scroll_width(), area.client_width());
        // Where the text outgrew it, the browser has moved the text to show the caret.
        if area.scroll_top() != 0 || area.scroll_left() != 0 {
            area.set_scroll_top(0);
            area.set_scroll_left(0);
        }
        let count = count.next_multiple_of((count / HIGHER).next_power_of_two());
        set(area, "height", "calc(#px + 2 * var(--space-3))", self.height.get() * count as f64);
        if width > seen {
            let width = ((f64::from(width) + MARGIN) / WIDER).ceil() * WIDER;
            set(area, "min-width", "#px", width);
            set(&self.element, "min-width", "#px", width);
        }
    }

    /// Draws the lines in view.
    pub(super) fn draw(&self, source: &SourceText, look: &Look<'_>, view: View) {
        let range = self.range(view, source.line_count());
        let html: Vec<String> = range.clone().map(|line| html_of(source, line, look)).collect();
        let mut shown = self.shown.borrow_mut();
        self.replace(&shown.html, &html);
        if shown.range() != range {
            let mut numbers = String::new();
            for line in range.clone() {
                numbers.push_str(&(line + 1).to_string());
                numbers.push('\n');
            }
            self.numbers.set_text_content(Some(&numbers));
        }
        *shown = Shown { first: range.start, html };
        drop(shown);
        self.place(&self.lines, range.start);
        self.place(&self.numbers, range.start);
        self.place(&self.band, look.current);
    }

    /// Puts lines in the place of those that are there, and leaves alone what is the same before and after them.
    fn replace(&self, old: &[String], new: &[String]) {
        let before = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let rest = old[before..].iter().rev().zip(new[before..].iter().rev());
        let after = rest.take_while(|(old, new)| old == new).count();
        let children = self.lines.children();
        let child = |index: usize| children.item(u32::try_from(index).ok()?);
        for _ in before..old.len() - after {
            if let Some(line) = child(before) {
                line.remove();
            }
        }
        let html: String = new[before..new.len() - after].iter().flat_map(|html| ["<div>", html, "</div>"]).collect();
        // It fails only for a place that is none.
        let _ = match child(before) {
            Some(next) => next.insert_adjacent_html("beforebegin", &html),
            None => self.lines.insert_adjacent_html("beforeend", &html),
        };
    }

    /// Which lines are to be there: those that are, as long as they cover what is in view.
    fn range(&self, view: View, count: usize) -> Range<usize> {
        let height = self.height.get();
        if !self.is_measured() {
            return 0..count.min(2 * SPARE);
        }
        let first = whole(f64::from(view.top) / height).min(count);
        let last = (whole(f64::from(view.top + view.height) / height) + 1).min(count);
        let shown = self.shown.borrow().range();
        if shown.start <= first && shown.end >= last && shown.end <= count {
            return shown;
        }
        first.saturating_sub(SPARE)..(last + SPARE).min(count)
    }

    #[expect(clippy::cast_precision_loss, reason = "lines are few")]
    fn place(&self, element: &HtmlElement, line: usize) {
        set(element, "transform", "translateY(#px)", self.height.get() * line as f64);
    }

    /// The view in which a line is seen, moved no more than needed; `None` when it is seen already.
    #[expect(clippy::cast_precision_loss, reason = "lines are few")]
    pub(super) fn view_with(&self, line: usize, view: View) -> Option<View> {
        let height = self.height.get();
        let top = height * line as f64;
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
        let line: Node = self.lines.children().item(u32::try_from(index).ok()?)?.into();
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

fn html_of(source: &SourceText, line: usize, look: &Look<'_>) -> String {
    let from = look.marks.partition_point(|(marked, _)| *marked < line);
    let marks = look.marks[from..].iter().take_while(|(marked, _)| *marked == line);
    let marks: Vec<Mark> = marks.map(|(_, mark)| mark.clone()).collect();
    let mut html = line_html(source.line(line), &mut source.state_before(line).clone(), &marks);
    if let Some((_, words)) = look.error.filter(|(marked, _)| *marked == line) {
        html.push_str(r#"<span class="code-error">"#);
        escape_into(&mut html, words);
        html.push_str("</span>");
    }
    html.push('\n');
    html
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
