//! How a log looks: pure functions from lines to groups and HTML, used by the server for the page and by the browser for
//! lines that arrive later, so that both are the same.

mod ansi;
mod characters;
#[cfg(feature = "ssr")]
mod found;
pub mod groups;
mod line;
mod links;
mod marks;
mod own_folders;
#[cfg(feature = "ssr")]
mod stored;
mod times;
pub mod words;

use std::{borrow::Cow, fmt::Write as _};

use crate::{html::escape_into, model::log::Stream, python_text::place_in_program};
use ansi::Style;
#[cfg(feature = "ssr")]
pub use found::{Matcher, push_found_line};
pub use line::{
    Frame, HEADING_LINK, line_html, partial_html, push_earlier_heading, push_group_start, push_heading_end, push_line,
    push_preparation_heading,
};
pub use marks::Marked;
#[cfg(feature = "ssr")]
pub use own_folders::without_own_folders;
#[cfg(feature = "ssr")]
pub use stored::{DamagedRow, ShownRow, find_marks};
pub use times::LineTimes;

/// How many lines, for people: `1 line`, `12,345 lines`.
#[must_use]
pub fn lines_words(count: u64) -> String {
    let mut words = number_words(count);
    words.push_str(if count == 1 { " line" } else { " lines" });
    words
}

/// A number, for people: `12,345`.
#[must_use]
pub fn number_words(count: u64) -> String {
    let digits = count.to_string();
    let mut words = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            words.push(',');
        }
        words.push(digit);
    }
    words
}

/// A line as plain text: no colours, no cursor movements, no control characters.
#[must_use]
pub fn plain_text(text: &str) -> String {
    ansi::spans(text).into_iter().map(|span| span.text).collect()
}

/// What is shown of a line that was read: with ANSI codes, without the paths of Stoker's folders in its own words.
fn shown<'a>(stream: Stream, marked: &Marked<'a>) -> Cow<'a, str> {
    match stream {
        Stream::Stoker => own_folders::without_own_folders(marked.text),
        Stream::Output | Stream::Error => Cow::Borrowed(marked.text),
    }
}

/// Writes the characters of a line, which come in pieces, in order.
trait Characters {
    /// Writes a piece of the text as shown.
    fn push(&mut self, html: &mut String, text: &str);
}

/// Writes characters as they are.
struct Unmarked;

impl Characters for Unmarked {
    fn push(&mut self, html: &mut String, text: &str) {
        push_characters(html, text);
    }
}

fn push_text(html: &mut String, stream: Stream, marked: &Marked<'_>, characters: &mut impl Characters) {
    html.push_str(r#"<span class="line-text">"#);
    // Said to those who do not see the mark at the edge.
    match stream {
        Stream::Output => {}
        Stream::Error => html.push_str(r#"<span class="line-stream">stderr: </span>"#),
        Stream::Stoker => html.push_str(r#"<span class="line-stream">Stoker: </span>"#),
    }
    if let Some(level) = marked.level {
        let _ = write!(html, r#"<span class="line-level">{}: </span>"#, level.word());
    }
    for span in ansi::spans(&shown(stream, marked)) {
        push_span(html, span.style, &span.text, characters);
    }
    html.push_str("</span>");
}

fn push_span(html: &mut String, style: Style, text: &str, characters: &mut impl Characters) {
    let classes = style.classes();
    if !classes.is_empty() {
        let _ = write!(html, r#"<span class="{classes}">"#);
    }
    for piece in links::pieces(text) {
        match piece {
            links::Piece::Text(text) => push_plain(html, text, characters),
            links::Piece::Link(address) => {
                html.push_str(r#"<a href=""#);
                escape_into(html, address);
                html.push_str(r#"" rel="noopener noreferrer nofollow">"#);
                characters.push(html, address);
                html.push_str("</a>");
            }
        }
    }
    if !classes.is_empty() {
        html.push_str("</span>");
    }
}

/// Text without addresses. Where it names a line of the program, it leads there: to where the code stands on the page.
fn push_plain(html: &mut String, mut text: &str, characters: &mut impl Characters) {
    while let Some((before, place, after)) = place_in_program(text) {
        characters.push(html, before);
        let _ = write!(html, r##"<a class="code-link" href="#code-L{}">"##, place.line);
        // The folder says nothing to most: it stands there to be found and copied, and is left out of what is drawn.
        match place.text.split_once(place.folder).filter(|_| !place.folder.is_empty()) {
            Some((opening, file)) => {
                characters.push(html, opening);
                html.push_str(r#"<span class="line-folder">"#);
                characters.push(html, place.folder);
                html.push_str("</span>");
                characters.push(html, file);
            }
            None => characters.push(html, place.text),
        }
        html.push_str("</a>");
        text = after;
    }
    characters.push(html, text);
}

/// Text with control characters made visible, so that they neither vanish nor do anything.
fn push_characters(html: &mut String, text: &str) {
    let mut plain_from = 0;
    for (position, character) in text.char_indices() {
        if let Some(picture) = characters::picture(character) {
            escape_into(html, &text[plain_from..position]);
            let _ = write!(html, r#"<span class="control-character">{picture}</span>"#);
            plain_from = position + character.len_utf8();
        }
    }
    escape_into(html, &text[plain_from..]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::log::LogLine;
    use crate::model::time::Timestamp;

    fn html(text: &str) -> String {
        let line = LogLine(Stream::Output, Timestamp(1_709_210_096_789), text.to_owned());
        line_html(42, &line, LineTimes::Clock)
    }

    fn inner(text: &str) -> String {
        let html = html(text);
        let start = html.find(r#"<span class="line-text">"#).unwrap() + r#"<span class="line-text">"#.len();
        html[start..].strip_suffix("</span></div>").unwrap().to_owned()
    }

    #[test]
    fn a_line_has_number_time_and_text() {
        assert_eq!(
            html("hello"),
            r#"<div class="line from-output" id="L42"><a class="line-number" href="?lines=42#L42" data-time="12:34:56.789">42</a><span class="line-text">hello</span></div>"#
        );
    }

    #[test]
    fn a_line_that_says_how_serious_it_is_says_it_in_a_word() {
        let html = html("::warning file=a.py::<careful>");
        assert!(html.starts_with(r#"<div class="line from-output is-warning" id="L42">"#), "{html}");
        assert!(html.ends_with(r#"<span class="line-level">Warning: </span>&lt;careful&gt;</span></div>"#), "{html}");
    }

    #[test]
    fn marks_are_not_shown() {
        assert_eq!(html("::endgroup::"), r#"<div class="line-mark" id="L42" hidden=""></div>"#);
        assert_eq!(partial_html(Stream::Output, "::group::A"), partial_html(Stream::Output, "A"));
    }

    #[test]
    fn only_stokers_own_words_leave_folders_out() {
        let text = |stream| partial_html(stream, "/d/steps/run-1/work/main.py");
        assert!(text(Stream::Stoker).contains("</span>main.py<") && text(Stream::Output).contains(">/d/steps/"));
    }

    #[test]
    fn streams_differ_by_words_too() {
        let line = LogLine(Stream::Error, Timestamp(0), "x".to_owned());
        assert!(line_html(1, &line, LineTimes::Off).contains("stderr: "));
        assert!(partial_html(Stream::Stoker, "x").contains("Stoker: "));
    }

    #[test]
    fn a_piece_of_a_very_long_line_says_that_it_goes_on() {
        assert!(html(&"x".repeat(LogLine::MAX_BYTES)).contains(r#"class="line from-output is-cut""#));
        assert!(!html(&"x".repeat(LogLine::MAX_BYTES / 2)).contains("is-cut"));
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(inner("<script>alert('&')</script>"), "&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;");
    }

    #[test]
    fn colours_become_classes() {
        assert_eq!(inner("a\u{1b}[0;36mb\u{1b}[mc"), r#"a<span class="f6">b</span>c"#);
        assert_eq!(inner("\u{1b}[1;31;44m<\u{1b}[0m"), r#"<span class="f1 b4 bold">&lt;</span>"#);
    }

    #[test]
    fn links_are_made_of_http_addresses_only() {
        assert_eq!(
            inner("see https://example.org/a?b=1&c=\"2\". or javascript:alert(1)"),
            "see <a href=\"https://example.org/a?b=1&amp;c=\" rel=\"noopener noreferrer nofollow\">https://example.org/a?b=1&amp;c=</a>&quot;2&quot;. or javascript:alert(1)"
        );
    }

    #[test]
    fn places_of_the_program_lead_to_its_code() {
        assert_eq!(
            inner(r#"  File "/data/steps/a/work/main.py", line 9, in <module>"#),
            r##"  <a class="code-link" href="#code-L9">File &quot;<span class="line-folder">/data/steps/a/work/</span>main.py&quot;, line 9</a>, in &lt;module&gt;"##
        );
        assert_eq!(
            inner(r#"File "main.py", line 9"#),
            r##"<a class="code-link" href="#code-L9">File &quot;main.py&quot;, line 9</a>"##
        );
        assert!(!inner(r#"  File "/usr/lib/python3/json.py", line 9, in x"#).contains("<a"));
    }

    #[test]
    fn characters_that_deceive_are_shown() {
        assert_eq!(
            inner("a\u{202e}b\0"),
            r#"a<span class="control-character">U+202E</span>b<span class="control-character">␀</span>"#
        );
    }

    #[test]
    fn counts_read_well() {
        assert_eq!(
            [0, 1, 999, 1000, 1_234_567].map(lines_words),
            ["0 lines", "1 line", "999 lines", "1,000 lines", "1,234,567 lines"]
        );
    }

    #[test]
    fn plain_text_has_no_codes() {
        assert_eq!(plain_text("\u{1b}[31mValueError\u{1b}[0m: x"), "ValueError: x");
    }

    /// Reads the HTML as a strict little parser would: only the tags that this module writes, closed in order.
    fn assert_sound(html: &str) {
        let mut open = Vec::new();
        let mut rest = html;
        while let Some(position) = rest.find('<') {
            rest = &rest[position + 1..];
            let end = rest.find('>').expect("a tag ends");
            let tag = &rest[..end];
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(name), "{html}");
            } else {
                let (name, attributes) = tag.split_once(' ').expect("every tag has attributes");
                assert!(["div", "span", "a", "summary"].contains(&name), "{html}");
                for attribute in attributes.split("\" ") {
                    let (key, value) = attribute.split_once("=\"").expect("attributes are quoted");
                    assert!(["class", "id", "href", "rel", "data-time", "hidden"].contains(&key), "{html}");
                    if key == "href" {
                        assert!(
                            value.starts_with("?lines=")
                                || value.starts_with("http://")
                                || value.starts_with("https://"),
                            "{html}"
                        );
                    }
                }
                open.push(name.to_owned());
            }
            rest = &rest[end + 1..];
        }
        assert!(open.is_empty(), "{html}");
    }

    proptest! {
        #[test]
        fn any_line_is_sound(text in "\\PC*|(\\x1b\\[|\\x1b\\]|\\x1b|[0-9;:mK<>&\"'\r\t\u{9b}\u{202e}a-c]|https?://|File \"main.py\", line ){0,40}") {
            assert_sound(&html(&text));
        }

        #[test]
        fn any_characters_are_sound(text in any::<String>()) {
            assert_sound(&html(&text));
            assert_sound(&partial_html(Stream::Error, &text));
        }

        #[test]
        fn plain_text_survives(text in "[ -~]{0,60}") {
            prop_assume!(!text.contains("http"));
            let mut escaped = String::new();
            escape_into(&mut escaped, &text);
            prop_assert_eq!(inner(&text), escaped);
        }
    }
}
