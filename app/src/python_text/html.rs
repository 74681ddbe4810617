//! Code as HTML: one element for each piece that has a colour.

use std::ops::Range;

use super::tokens::{Kind, State, read_line};
use crate::html::escape_into;

/// A part of a line that is shown in a way of its own, such as what a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Where in the line, in bytes.
    pub range: Range<usize>,
    /// Its class.
    pub class: &'static str,
}

/// The HTML of a line, whose marks are in order and apart; the state goes to the line's end.
#[must_use]
pub fn line_html(line: &str, state: &mut State, marks: &[Mark]) -> String {
    let mut writer = Writer { html: String::with_capacity(line.len() * 2), open: "", open_mark: "" };
    let mut marks = marks.iter().peekable();
    let mut at = 0;
    read_line(line, state, &mut |kind, mut text| {
        while !text.is_empty() {
            while marks.next_if(|mark| mark.range.end <= at).is_some() {}
            let (length, class) = match marks.peek() {
                Some(mark) if mark.range.start <= at => (mark.range.end - at, mark.class),
                Some(mark) => (mark.range.start - at, ""),
                None => (text.len(), ""),
            };
            let (piece, rest) = text.split_at(length.min(text.len()));
            writer.write(class_of(kind), class, piece);
            at += piece.len();
            text = rest;
        }
    });
    writer.close();
    writer.html
}

/// The HTML of a program: an element for each line. With `has_anchors`, line 9 has the id `code-L9`.
#[cfg(feature = "ssr")]
#[must_use]
pub fn code_html(code: &str, has_anchors: bool) -> String {
    use std::fmt::Write as _;

    let mut html = String::with_capacity(code.len() * 4);
    let mut state = State::default();
    for (index, line) in code.lines().enumerate() {
        html.push_str(r#"<span class="code-line""#);
        if has_anchors {
            // Writing to a `String` cannot fail.
            let _ = write!(html, r#" id="code-L{}""#, index + 1);
        }
        html.push('>');
        html.push_str(&line_html(line, &mut state, &[]));
        html.push_str("\n</span>");
    }
    html
}

/// Writes pieces, those of one look as one element.
struct Writer {
    html: String,
    /// The classes of the element that is open.
    open: &'static str,
    open_mark: &'static str,
}

impl Writer {
    fn write(&mut self, class: &'static str, mark: &'static str, text: &str) {
        if (class, mark) != (self.open, self.open_mark) {
            self.close();
            if !(class.is_empty() && mark.is_empty()) {
                self.html.push_str("<span class=\"");
                self.html.push_str(class);
                if !(class.is_empty() || mark.is_empty()) {
                    self.html.push(' ');
                }
                self.html.push_str(mark);
                self.html.push_str("\">");
            }
            (self.open, self.open_mark) = (class, mark);
        }
        escape_into(&mut self.html, text);
    }

    fn close(&mut self) {
        if !(self.open.is_empty() && self.open_mark.is_empty()) {
            self.html.push_str("</span>");
        }
        (self.open, self.open_mark) = ("", "");
    }
}

/// The class that gives a kind its colour.
const fn class_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "",
        Kind::Keyword => "py-keyword",
        Kind::Constant | Kind::Number => "py-number",
        Kind::Builtin | Kind::Definition | Kind::Decorator => "py-name",
        Kind::String => "py-string",
        Kind::Comment => "py-comment",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn html(line: &str, marks: &[(Range<usize>, &'static str)]) -> String {
        let marks: Vec<_> = marks.iter().map(|(range, class)| Mark { range: range.clone(), class }).collect();
        line_html(line, &mut State::default(), &marks)
    }

    #[test]
    fn pieces_of_one_look_are_one_element_and_markup_is_text() {
        assert_eq!(
            html("if x < '</code>':", &[]),
            r#"<span class="py-keyword">if</span> x &lt; <span class="py-string">&#39;&lt;/code&gt;&#39;</span>:"#
        );
    }

    #[test]
    fn marks_cut_pieces() {
        assert_eq!(
            html("x = 'abc'", &[(2..6, "a"), (8..9, "b")]),
            r#"x <span class="a">= </span><span class="py-string a">&#39;a</span><span class="py-string">bc</span><span class="py-string b">&#39;</span>"#
        );
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn lines_can_be_led_to() {
        assert_eq!(
            code_html("'''\na'''", true),
            "<span class=\"code-line\" id=\"code-L1\"><span class=\"py-string\">&#39;&#39;&#39;</span>\n</span><span class=\"code-line\" id=\"code-L2\"><span class=\"py-string\">a&#39;&#39;&#39;</span>\n</span>"
        );
    }

    proptest! {
        #[test]
        fn marks_change_no_text(line in "[ -~]{0,20}", cuts in prop::collection::vec(0_usize..20, 0..6)) {
            let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut <= line.len()).collect();
            cuts.sort_unstable();
            let marks: Vec<_> = cuts.chunks_exact(2).map(|pair| (pair[0]..pair[1], "m")).collect();
            let text = |html: String| {
                html.split('<').enumerate().map(|(index, part)| match index {
                    0 => part,
                    _ => part.split_once('>').unwrap().1,
                }).collect::<String>()
            };
            prop_assert_eq!(text(html(&line, &marks)), text(html(&line, &[])));
        }
    }
}
