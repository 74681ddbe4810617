//! Finds a text in lines as they are shown, and shows where it is.

use std::ops::Range;

use memchr::{memchr, memmem};
use regex::{Regex, RegexBuilder};

use super::{
    Characters, Frame,
    line::write_line,
    marks::Marked,
    plain_text, push_characters, shown,
    stored::{DamagedRow, ShownRow, has_stream, hides_text},
};
use crate::model::{
    log::{LogLine, Stream},
    log_search::LogQuery,
};

/// Tells which lines are looked for.
#[derive(Debug, Clone)]
pub struct Matcher {
    text: Option<SearchedText>,
    only_errors: bool,
}

/// A text that is looked for, in small or capital letters.
#[derive(Debug, Clone)]
struct SearchedText {
    pattern: Regex,
    /// Finds it in small letters where there is nothing but ASCII, which is several times faster when many lines have it.
    /// There is none for a text with other letters: some of those are the same as one of ASCII, as `ſ` is as `s`.
    in_small_ascii: Option<memmem::Finder<'static>>,
    /// Whether it has characters that JSON writes otherwise.
    is_escaped: bool,
}

impl SearchedText {
    /// Nothing for the empty text, which all lines have.
    fn new(text: &str) -> Option<Self> {
        let pattern = RegexBuilder::new(&regex::escape(text)).case_insensitive(true).build();
        Some(Self {
            // An escaped text is a sound pattern, and one of so few characters a small one.
            pattern: pattern.ok().filter(|_| !text.is_empty())?,
            in_small_ascii: text.is_ascii().then(|| memmem::Finder::new(&text.to_ascii_lowercase()).into_owned()),
            is_escaped: text.contains(|character| character < ' ' || matches!(character, '"' | '\\')),
        })
    }

    /// Where it stands in a text from a place on; with `is_small_ascii`, in one that has only ASCII and no capital letters.
    fn find(&self, text: &str, at: usize, is_small_ascii: bool) -> Option<Range<usize>> {
        match &self.in_small_ascii {
            Some(finder) if is_small_ascii => {
                let start = at + finder.find(text.as_bytes().get(at..)?)?;
                Some(start..start + finder.needle().len())
            }
            _ => self.pattern.find_at(text, at).map(|found| found.range()),
        }
    }
}

impl Matcher {
    /// For what is looked for.
    #[must_use]
    pub fn new(query: &LogQuery) -> Self {
        Self { text: SearchedText::new(&query.text), only_errors: query.only_errors }
    }

    /// Finds the lines of a row, which is JSON as stored, that are looked for. `found` is told the place of each in the
    /// row, from 0, and its JSON. `shown` is only there to be used again.
    ///
    /// # Errors
    /// When the row is damaged.
    pub fn find<'row>(
        &self,
        row: &'row str,
        shown: &mut ShownRow,
        mut found: impl FnMut(usize, &'row str),
    ) -> Result<(), DamagedRow> {
        if self.rules_out(row) {
            return Ok(());
        }
        shown.read(row)?;
        let ShownRow { text, lines } = shown;
        let mut tell = |index: usize| {
            if !self.only_errors || lines[index].stream == Stream::Error {
                found(index, &row[lines[index].json.clone()]);
            }
        };
        let Some(searched) = &self.text else {
            (0..lines.len()).for_each(tell);
            return Ok(());
        };
        let is_ascii = text.is_ascii();
        if is_ascii {
            text.make_ascii_lowercase();
        }
        let (mut at, mut index) = (0, 0);
        while let Some(place) = searched.find(text, at, is_ascii) {
            index += lines[index..].iter().take_while(|line| line.end < place.start).count();
            // A text over several lines is in none of them.
            if place.end <= lines[index].end {
                tell(index);
            }
            at = lines[index].end + 1;
            index += 1;
        }
        Ok(())
    }

    /// Whether a row can be told to have no line that is looked for, without reading it.
    fn rules_out(&self, row: &str) -> bool {
        if self.only_errors && !has_stream(row, Stream::Error) {
            return true;
        }
        let Some(searched) = &self.text else {
            return false;
        };
        if hides_text(row) {
            return false;
        }
        if searched.is_escaped { memchr(b'\\', row.as_bytes()).is_none() } else { !searched.pattern.is_match(row) }
    }

    fn ranges(&self, shown: &str) -> Vec<Range<usize>> {
        self.text.iter().flat_map(|searched| searched.pattern.find_iter(shown)).map(|found| found.range()).collect()
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
    use proptest::prelude::*;

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
        let is_found = push_found_line(&mut html, frame, line, &Marked::of(line), &matcher(searched));
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
        assert!(is_found && html.contains(r#"is-current" id="L7"><span id="match" tabindex="-1">"#), "{html}");
    }

    /// The places of the lines that are found when these are a row.
    fn places(matcher: &Matcher, lines: &[LogLine]) -> Vec<usize> {
        let row = serde_json::to_string(lines).unwrap();
        let mut places = Vec::new();
        let find = matcher.find(&row, &mut ShownRow::default(), |place, json| {
            assert_eq!(serde_json::from_str::<LogLine>(json).unwrap(), lines[place]);
            places.push(place);
        });
        find.unwrap();
        places
    }

    #[test]
    fn lines_are_matched_as_they_are_shown_and_by_their_stream() {
        let line = |stream, text: &str| LogLine(stream, Timestamp(1), text.to_owned());
        for (text, stored, is_found) in [
            ("value", line(Stream::Output, "\u{1b}[31mVal\u{1b}[0mue"), true),
            ("31m", line(Stream::Output, "\u{1b}[31mVal\u{1b}[0mue"), false),
            ("value", line(Stream::Output, "val\u{9b}1mue"), true),
            ("load", line(Stream::Output, "::group::Load"), true),
            ("group", line(Stream::Output, "::group::Load"), false),
            ("at main.py", line(Stream::Stoker, "at /d/steps/run-1/work/main.py"), true),
            ("say \"hi\"", line(Stream::Output, "Say \"hi\""), true),
            ("\"", line(Stream::Output, "hi"), false),
            ("[1,", line(Stream::Output, "hi"), false),
            ("[1,", line(Stream::Output, "[1, 2]"), true),
            ("É", line(Stream::Output, "é"), true),
            ("\u{212a}ey", line(Stream::Output, "key"), true),
            ("ſtep", line(Stream::Error, "Steps"), true),
            ("tab\t1", line(Stream::Output, "tab\t1"), true),
            ("10%", line(Stream::Error, "10%\r20%"), false),
            ("c:\\users", line(Stream::Error, "C:\\Users"), true),
        ] {
            assert_eq!(places(&matcher(text), &[stored]), if is_found { vec![0] } else { vec![] }, "{text}");
        }
        let errors = Matcher::new(&LogQuery { only_errors: true, ..LogQuery::default() });
        assert_eq!(places(&errors, &[line(Stream::Output, "error"), line(Stream::Error, "")]), [1]);
    }

    /// What stands in lines, and is searched.
    const PIECES: &[&str] = &[
        "a",
        "A",
        "k",
        "\u{212a}",
        "é",
        "É",
        "°",
        "1",
        ",",
        "[",
        "]",
        "\"",
        "\\",
        "\t",
        "\r",
        "\u{1b}[31m",
        "\u{1b}[A",
        "\u{1b}",
        "\u{9b}1m",
        "\u{0}",
        "::group::",
        "::error::",
        "--- ",
        "/d/steps/run-1/work/",
        "section_start:1:a\r",
        "u001b",
        "ſ",
        " ",
    ];

    fn any_text(most: usize) -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(PIECES), 0..most).prop_map(|pieces| pieces.concat())
    }

    fn any_line() -> impl Strategy<Value = LogLine> {
        let stream = prop::sample::select(vec![Stream::Output, Stream::Output, Stream::Error, Stream::Stoker]);
        (stream, any_text(8)).prop_map(|(stream, text)| LogLine(stream, Timestamp(11), text))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        /// The same as by reading each line and looking into what is shown of it.
        #[test]
        fn rows_have_the_matches_of_their_lines(
            lines in prop::collection::vec(any_line(), 1..6), text in any_text(4), only_errors: bool,
        ) {
            let matcher = Matcher::new(&LogQuery { text: text.clone(), only_errors, only_matches: false });
            let pattern = RegexBuilder::new(&regex::escape(&text)).case_insensitive(true).build().unwrap();
            let is_match = |line: &LogLine| {
                (!only_errors || line.0 == Stream::Error)
                    && pattern.is_match(&plain_text(&shown(line.0, &Marked::of(line))))
            };
            let expected: Vec<usize> = (0..lines.len()).filter(|place| is_match(&lines[*place])).collect();
            prop_assert_eq!(places(&matcher, &lines), expected);
        }
    }
}
