//! A line of a log as an element: its number, its text, and where it came from.

use std::fmt::Write as _;

use super::{Unmarked, push_text};
use crate::model::log::{LogLine, Stream};

/// The HTML of a numbered line: one element, with nothing in it that the line's author could have made active.
#[must_use]
pub fn line_html(number: u64, line: &LogLine) -> String {
    let LogLine(stream, at, text) = line;
    // The time of day is what one compares within a log.
    let clock = at.to_clock_text();
    let mut html = String::with_capacity(text.len() + 128);
    // Writing to a `String` cannot fail.
    let _ = write!(
        html,
        r##"<div class="line {}" id="L{number}"><a class="line-number" href="#L{number}" data-time="{clock}">{number}</a>"##,
        line_class(line)
    );
    push_text(&mut html, *stream, text, &mut Unmarked);
    html.push_str("</div>");
    html
}

/// The HTML inside the element that shows a line which has not ended yet.
#[must_use]
pub fn partial_html(stream: Stream, text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 64);
    html.push_str(r#"<span class="line-number"></span>"#);
    push_text(&mut html, stream, text, &mut Unmarked);
    html
}

/// The classes that tell where a line came from, and whether it goes on.
pub(super) const fn line_class(line: &LogLine) -> &'static str {
    match (line.0, line.is_cut()) {
        (Stream::Output, false) => "from-output",
        (Stream::Error, false) => "from-error",
        (Stream::Stoker, false) => "from-stoker",
        (Stream::Output, true) => "from-output is-cut",
        (Stream::Error, true) => "from-error is-cut",
        (Stream::Stoker, true) => "from-stoker is-cut",
    }
}
