//! A line of a log as an element: its number, its text, and where it came from. Also the heading of a group, which is a
//! line too.

use std::fmt::Write as _;

use super::{
    Characters, LineTimes, Unmarked,
    groups::Group,
    marks::{self, Marked},
    push_text,
};
use crate::{
    html::escape_into,
    model::log::{LogLine, Stream},
};

/// What is written of a line besides its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame<'a> {
    /// Its number.
    pub number: u64,
    /// Which time stands before it.
    pub times: LineTimes,
    /// Whether it is the heading of a group. Then [`push_heading_end`] ends it.
    pub is_heading: bool,
    /// Where its number leads, if not to itself.
    pub address: Option<&'a str>,
    /// The parameters of its page's address, each with an `&` after it.
    pub parameters: &'a str,
    /// A class that it has besides.
    pub class: Option<&'static str>,
    /// The id of a place right before its text.
    pub anchor: Option<&'static str>,
}

/// The HTML of a numbered line: one element, with nothing in it that the line's author could have made active.
#[must_use]
pub fn line_html(number: u64, line: &LogLine, times: LineTimes) -> String {
    let mut html = String::with_capacity(line.2.len() + 128);
    push_line(&mut html, &Frame { number, times, ..Frame::default() }, line, &marks::read(line.0, &line.2));
    html
}

/// Writes a line. Of a mere mark only its place is left.
pub fn push_line(html: &mut String, frame: &Frame<'_>, line: &LogLine, marked: &Marked<'_>) {
    write_line(html, frame, line, marked, &mut Unmarked);
}

/// The same, with characters written so.
pub(super) fn write_line(
    html: &mut String,
    frame: &Frame<'_>,
    line: &LogLine,
    marked: &Marked<'_>,
    characters: &mut impl Characters,
) {
    let number = frame.number;
    // Writing to a `String` cannot fail, here and below.
    if marked.is_mere_mark() {
        let _ = write!(html, r#"<div class="line-mark" id="L{number}" hidden=""></div>"#);
        return;
    }
    html.push_str(if frame.is_heading { r#"<summary class="line "# } else { r#"<div class="line "# });
    html.push_str(stream_class(line));
    for class in marked.level.map(marks::Level::class).into_iter().chain(frame.class) {
        html.push(' ');
        html.push_str(class);
    }
    let _ = write!(html, r#"" id="L{number}">"#);
    if let Some(anchor) = frame.anchor {
        // Who is led there has the focus there.
        let _ = write!(html, r#"<span id="{anchor}" tabindex="-1"></span>"#);
    }
    if frame.is_heading {
        html.push_str(r#"<span class="line-number""#);
    } else {
        html.push_str(r#"<a class="line-number" href=""#);
        push_address(html, frame);
        html.push('"');
    }
    frame.times.push(html, line.1);
    let _ = write!(html, ">{number}</{}>", if frame.is_heading { "span" } else { "a" });
    push_text(html, line.0, marked, characters);
    if !frame.is_heading {
        html.push_str("</div>");
    }
}

fn push_address(html: &mut String, frame: &Frame<'_>) {
    match frame.address {
        Some(address) => escape_into(html, address),
        None => {
            let _ = write!(html, "?{}lines={number}#L{number}", frame.parameters, number = frame.number);
        }
    }
}

/// The class of the link to the heading of a group.
pub const HEADING_LINK: &str = "heading-link";

/// Writes the beginning of a group's element, up to its heading, whose line has this frame. `is_open` is nothing as long as
/// the group has not ended: then it is open, and has what is needed to go on in it. The link that lies over the number of
/// the heading stands before the group, since what is pressed to open a group may have no link in it.
pub fn push_group_start(html: &mut String, group: &Group, heading: &Frame<'_>, is_open: Option<bool>) {
    if !group.is_preparation() {
        let _ = write!(html, r#"<a class="{HEADING_LINK}" href=""#);
        push_address(html, heading);
        let _ = write!(html, r#"" aria-label="Line {}"></a>"#, heading.number);
    }
    html.push_str(r#"<details class="log-group"#);
    html.push_str(if group.is_quiet { r#" is-quiet""# } else { "\"" });
    if group.is_preparation() {
        html.push_str(r#" id="log-preparation""#);
    }
    if is_open.is_none() {
        html.push_str(r#" data-group=""#);
        escape_into(html, &group.key);
        let _ = write!(html, r#"" data-first="{}" data-at="{}""#, group.first, group.at.0);
        html.push_str(if group.stays_open { r#" data-stays="""# } else { "" });
    }
    html.push_str(if is_open.unwrap_or(true) { r#" open="">"# } else { ">" });
}

/// Writes the heading of a group that began before the page, but for its end.
pub fn push_earlier_heading(html: &mut String, number: u64, line: &LogLine, marked: &Marked<'_>) {
    html.push_str(r#"<summary class="line "#);
    html.push_str(stream_class(line));
    let _ = write!(html, r#""><span class="line-number">{number}</span><span class="line-within">… in</span>"#);
    push_text(html, line.0, marked, &mut Unmarked);
}

/// Writes the heading of what preparing printed, but for its end. The server alone knows its words: it tells them anew as
/// they change.
pub fn push_preparation_heading(html: &mut String, words: &str) {
    html.push_str(r#"<summary><span id="run-prepared">"#);
    escape_into(html, words);
    html.push_str("</span>");
}

/// Writes the end of a heading: what is said of its group.
pub fn push_heading_end(html: &mut String, facts: &str) {
    html.push_str(r#"<span class="group-facts">"#);
    escape_into(html, facts);
    html.push_str("</span></summary>");
}

/// The HTML inside the element that shows a line which has not ended yet.
#[must_use]
pub fn partial_html(stream: Stream, text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 64);
    html.push_str(r#"<span class="line-number"></span>"#);
    push_text(&mut html, stream, &marks::read(stream, text), &mut Unmarked);
    html
}

/// The classes that tell where a line came from, and whether it goes on.
const fn stream_class(line: &LogLine) -> &'static str {
    match (line.0, line.is_cut()) {
        (Stream::Output, false) => "from-output",
        (Stream::Error, false) => "from-error",
        (Stream::Stoker, false) => "from-stoker",
        (Stream::Output, true) => "from-output is-cut",
        (Stream::Error, true) => "from-error is-cut",
        (Stream::Stoker, true) => "from-stoker is-cut",
    }
}
