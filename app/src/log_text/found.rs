//! Finds a text in lines as they are shown, and shows where it is.

use std::{borrow::Cow, ops::Range};

use memchr::{memchr2, memmem};
use regex::{Regex, RegexBuilder};

use super::{
    Characters, Frame,
    line::write_line,
    marks::{self, Marked},
    plain_text, push_characters, shown,
};
use crate::model::{
    log::{LogLine, Stream},
    log_search::LogQuery,
};

/// Tells which lines are looked for.
#[derive(Debug, Clone)]
pub struct Matcher {
    text: Option<Regex>,
    only_errors: bool,
}

impl Matcher {
    /// For what is looked for.
    #[must_use]
    pub fn new(query: &LogQuery) -> Self {
        let pattern = RegexBuilder::new(&regex::escape(&query.text)).case_insensitive(true).build();
        // An escaped text is a sound pattern, and one of so few characters a small one.
        let text = pattern.ok().filter(|_| !query.text.is_empty());
        Self { text, only_errors: query.only_errors }
    }

    /// Whether a line is looked for. `text` is its text as stored.
    #[must_use]
    pub fn matches(&self, stream: Stream, text: &str) -> bool {
        if self.only_errors && stream != Stream::Error {
            return false;
        }
        let Some(pattern) = &self.text else {
            return true;
        };
        let marked = marks::read(stream, text);
        let shown = shown(stream, &marked);
        // All that is taken out of a text before it is shown begins with a control character.
        let is_plain = shown.bytes().all(|byte| byte >= b' ' && byte != 0xc2);
        pattern.is_match(&if is_plain { shown } else { Cow::Owned(plain_text(&shown)) })
    }

    /// Whether lines that are stored as this JSON can be told to have no match, without reading them.
    #[must_use]
    pub fn rules_out(&self, json: &str) -> bool {
        let has_stream =
            |stream: Stream| memmem::find(json.as_bytes(), format!("[{},", stream.code()).as_bytes()).is_some();
        if self.only_errors && !has_stream(Stream::Error) {
            return true;
        }
        let Some(pattern) = &self.text else {
            return false;
        };
        // Without one of these, texts stand in JSON as they are shown, but for Stoker's own words.
        !pattern.is_match(json) && memchr2(b'\\', 0xc2, json.as_bytes()).is_none() && !has_stream(Stream::Stoker)
    }

    fn ranges(&self, shown: &str) -> Vec<Range<usize>> {
        self.text.iter().flat_map(|pattern| pattern.find_iter(shown)).map(|found| found.range()).collect()
    }
}

/// Writes a line of a log that was searched: as [`super::push_line`] does it, with what was found marked. Tells whether
/// the line is looked for.
pub fn push_found_line(
    html: &mut String,
    frame: &Frame<'_>,
    line: &LogLine,
    marked: &Marked<'_>,
    matcher: &Matcher,
) -> bool {
    let is_searched = !matcher.only_errors || line.0 == Stream::Error;
    let ranges = if is_searched { matcher.ranges(&plain_text(&shown(line.0, marked))) } else { Vec::new() };
    let is_found = is_searched && (matcher.text.is_none() || !ranges.is_empty());
    let frame = Frame { class: frame.class.or(is_found.then_some("is-found")), ..*frame };
    write_line(html, &frame, line, marked, &mut Marking { ranges: ranges.into_iter().peekable(), at: 0 });
    is_found
}

/// Marks what was found while a line is written.
struct Marking<Ranges: Iterator<Item = Range<usize>>> {
    /// What was found and is not written yet, in bytes of the text as shown.
    ranges: std::iter::Peekable<Ranges>,
    /// How much of the text is written.
    at: usize,
}

impl<Ranges: Iterator<Item = Range<usize>>> Characters for Marking<Ranges> {
    fn push(&mut self, html: &mut String, text: &str) {
        let start = self.at;
        let end = start + text.len();
        while self.at < end {
            let (until, is_found) = match self.ranges.peek() {
                Some(range) if range.start <= self.at => (range.end.min(end), true),
                Some(range) => (range.start.min(end), false),
                None => (end, false),
            };
            if is_found {
                html.push_str("<mark>");
            }
            push_characters(html, &text[self.at - start..until - start]);
            if is_found {
                html.push_str("</mark>");
            }
            self.at = until;
            self.ranges.next_if(|range| range.end <= until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        log_text::{LineTimes, line_html},
        model::time::Timestamp,
    };

    fn matcher(text: &str) -> Matcher {
        Matcher::new(&LogQuery { text: text.to_owned(), ..LogQuery::default() })
    }

    fn found(line: &LogLine, searched: &str, frame: &Frame<'_>) -> (bool, String) {
        let mut html = String::new();
        let is_found = push_found_line(&mut html, frame, line, &marks::read(line.0, &line.2), &matcher(searched));
        (is_found, html)
    }

    fn html(searched: &str, text: &str) -> String {
        let line = LogLine(Stream::Output, Timestamp(0), text.to_owned());
        let html = found(&line, searched, &Frame::default()).1;
        let (_, inner) = html.split_once(r#"<span class="line-text">"#).unwrap();
        inner.strip_suffix("</span></div>").unwrap().to_owned()
    }

    #[test]
    fn what_is_found_is_marked_wherever_it_stands() {
        for (searched, text, expected) in [
            ("b", "aBcb", "a<mark>B</mark>c<mark>b</mark>"),
            ("<b>", "a<b>", "a<mark>&lt;b&gt;</mark>"),
            ("z", "a<b>", "a&lt;b&gt;"),
            ("é", "caFÉ", "caF<mark>É</mark>"),
            ("a.c", "abc a.c", "abc <mark>a.c</mark>"),
            ("value", "\u{1b}[31mVal\u{1b}[0mue", r#"<span class="f1"><mark>Val</mark></span><mark>ue</mark>"#),
        ] {
            assert_eq!(html(searched, text), expected, "{searched} in {text}");
        }
        let link = html("org/a see", "https://example.org/a see");
        assert_eq!(
            link,
            r#"<a href="https://example.org/a" rel="noopener noreferrer nofollow">https://example.<mark>org/a</mark></a><mark> see</mark>"#
        );
    }

    #[test]
    fn a_line_without_matches_looks_as_it_does_without_a_search() {
        let line = LogLine(Stream::Error, Timestamp(5), "\u{1b}[31mred\u{1b}[0m http://a.b <x>".to_owned());
        let frame = Frame { number: 7, ..Frame::default() };
        assert_eq!(found(&line, "nothing", &frame), (false, line_html(7, &line, LineTimes::Off)));
        let frame = Frame { class: Some("is-current"), anchor: Some("match"), ..frame };
        let (is_found, html) = found(&line, "red", &frame);
        assert!(is_found && html.contains(r#"is-current" id="L7"><span id="match">"#), "{html}");
    }

    #[test]
    fn lines_are_matched_as_they_are_shown_and_by_their_stream() {
        assert!(matcher("value").matches(Stream::Output, "\u{1b}[31mVal\u{1b}[0mue"));
        assert!(!matcher("31m").matches(Stream::Output, "\u{1b}[31mVal\u{1b}[0mue"));
        assert!(matcher("load").matches(Stream::Output, "::group::Load"));
        assert!(!matcher("group").matches(Stream::Output, "::group::Load"));
        assert!(matcher("at main.py").matches(Stream::Stoker, "at /d/steps/run-1/work/main.py"));
        let errors = Matcher::new(&LogQuery { only_errors: true, ..LogQuery::default() });
        assert!(errors.matches(Stream::Error, "") && !errors.matches(Stream::Output, "error"));
    }

    #[test]
    fn stored_lines_are_ruled_out_only_when_none_matches() {
        for (text, line) in [
            ("say \"hi\"", "say \"hi\""),
            ("value", "\u{1b}[1mval\u{1b}[0mue"),
            ("value", "val\u{9b}1mue"),
            ("É", "é"),
            ("tab\t1", "tab\t1"),
        ] {
            let json = serde_json::to_string(&[LogLine(Stream::Output, Timestamp(1), line.to_owned())]).unwrap();
            assert!(matcher(text).matches(Stream::Output, line), "{text} is in {line}");
            assert!(!matcher(text).rules_out(&json), "{text} is in {json}");
        }
        let own = LogLine(Stream::Stoker, Timestamp(1), "at /d/steps/run-1/work/main.py".to_owned());
        assert!(!matcher("at main.py").rules_out(&serde_json::to_string(&[own]).unwrap()));
        let json = serde_json::to_string(&[LogLine(Stream::Output, Timestamp(1), "plain".to_owned())]).unwrap();
        assert!(matcher("value").rules_out(&json));
    }
}
