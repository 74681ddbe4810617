//! Reads what a line says to the viewer of a log and not to people: where groups begin and end, and how serious a line is.
//! The words are those of GitHub Actions, Azure Pipelines, Buildkite and GitLab, so programs need not know of Stoker.

use crate::model::log::{LogLine, Stream};

/// The key of groups as GitHub and Azure write them.
const GROUP: &str = ":group";
/// The key of groups as Buildkite writes them: each ends where the next one begins.
const HEADER: &str = ":header";

/// A line, apart from what it says to the viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marked<'a> {
    /// A group that ends with it.
    pub end: Option<&'a str>,
    /// A group that begins with it, and has its text as title.
    pub begin: Option<Begin<'a>>,
    /// How serious it says that it is.
    pub level: Option<Level>,
    /// Whether the group that it is in stays open.
    pub opens: bool,
    /// What people read of it. Keeps ANSI codes.
    pub text: &'a str,
}

/// The beginning of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begin<'a> {
    /// What its end calls it by.
    pub key: &'a str,
    /// Whether it matters less than others.
    pub is_quiet: bool,
}

/// How serious a line says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Error,
    Warning,
    Notice,
    Debug,
}

impl Level {
    /// Its word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::Warning => "Warning",
            Self::Notice => "Notice",
            Self::Debug => "Debug",
        }
    }

    /// Its class.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Error => "is-error",
            Self::Warning => "is-warning",
            Self::Notice => "is-notice",
            Self::Debug => "is-debug",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "error" => Self::Error,
            "warning" => Self::Warning,
            "notice" => Self::Notice,
            "debug" => Self::Debug,
            _ => return None,
        })
    }
}

impl<'a> Marked<'a> {
    /// Reads a line. Stoker's own words are never marks.
    #[must_use]
    pub fn of(line: &'a LogLine) -> Self {
        read(line.0, &line.2)
    }

    const fn text(text: &'a str) -> Self {
        Self { end: None, begin: None, level: None, opens: false, text }
    }

    /// Whether there is nothing in it for people.
    pub const fn is_mere_mark(&self) -> bool {
        (self.end.is_some() || self.opens) && self.begin.is_none() && self.text.is_empty()
    }
}

/// Reads the text of a line.
pub fn read(stream: Stream, text: &str) -> Marked<'_> {
    let marked = match (stream, text.as_bytes().first()) {
        (Stream::Stoker, _) => None,
        (_, Some(b':')) => command(text),
        (_, Some(b'#')) => bracketed(text),
        // Buildkite's marks are those of many a text, such as the interpreter's "--- Logging error ---".
        (Stream::Output, Some(b'-' | b'+' | b'~' | b'^')) => header(text),
        (_, Some(b's' | 0x1b)) => section(text),
        _ => None,
    };
    marked.unwrap_or_else(|| Marked::text(text))
}

/// Whether a text begins as marks do; told of a text as it stands in JSON.
#[cfg(feature = "ssr")]
pub fn may_be_mark(text: &str) -> bool {
    const MARKS: [&str; 8] = ["::", "##[", "--- ", "+++ ", "~~~ ", "^^^ ", "section_", r"\u001b[0Ksection_"];
    let begins_a_mark = matches!(text.as_bytes().first(), Some(b':' | b'#' | b'-' | b'+' | b'~' | b'^' | b's' | b'\\'));
    begins_a_mark && MARKS.iter().any(|mark| text.starts_with(mark))
}

/// `::NAME PARAMETERS::TEXT`.
fn command(text: &str) -> Option<Marked<'_>> {
    let (name, text) = text.strip_prefix("::")?.split_once("::")?;
    named(name.split(' ').next()?, text)
}

/// `##[NAME]TEXT`.
fn bracketed(text: &str) -> Option<Marked<'_>> {
    let (name, text) = text.strip_prefix("##[")?.split_once(']')?;
    named(name, text)
}

fn named<'a>(name: &str, text: &'a str) -> Option<Marked<'a>> {
    let marked = Marked::text(text);
    Some(match name {
        "group" => Marked { begin: Some(Begin { key: GROUP, is_quiet: false }), ..marked },
        "endgroup" => Marked { end: Some(GROUP), ..Marked::text("") },
        _ => Marked { level: Some(Level::named(name)?), ..marked },
    })
}

/// `--- TITLE`, `+++ TITLE` (open), `~~~ TITLE` (quiet), and `^^^ +++`, which opens the group that it is in. A title has a
/// letter or a digit, so that a line of a table is none, and does not end as it begins.
fn header(text: &str) -> Option<Marked<'_>> {
    let (mark, title) = text.split_once(' ')?;
    if text == "^^^ +++" {
        return Some(Marked { opens: true, ..Marked::text("") });
    }
    let title = title.trim();
    if !matches!(mark, "---" | "+++" | "~~~") || title.ends_with(mark) || !title.contains(char::is_alphanumeric) {
        return None;
    }
    let begin = Begin { key: HEADER, is_quiet: mark == "~~~" };
    Some(Marked { end: Some(HEADER), begin: Some(begin), opens: mark == "+++", ..Marked::text(title) })
}

/// `section_start:TIME:NAME[OPTIONS]`, a carriage return, `ESC [0K`, the title; and `section_end:TIME:NAME` before that or
/// alone.
fn section(text: &str) -> Option<Marked<'_>> {
    let mut marked = Marked::text(text);
    let mut is_section = false;
    if let Some((name, rest)) = section_mark(text, "section_end:") {
        marked = Marked { end: Some(name), text: rest, ..marked };
        is_section = true;
    }
    if let Some((name, rest)) = section_mark(marked.text, "section_start:") {
        let name = name.split('[').next().unwrap_or(name);
        marked = Marked { begin: Some(Begin { key: name, is_quiet: false }), text: rest, ..marked };
        is_section = true;
    }
    is_section.then_some(marked)
}

/// The name in a mark, and what follows it.
fn section_mark<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let text = without_erasing(text).strip_prefix(word)?;
    let (time, rest) = text.split_once(':')?;
    // Without the carriage return nothing follows.
    let (name, rest) = rest.split_once('\r').unwrap_or((rest, ""));
    let is_name = |name: &str| !name.is_empty() && !name.contains([' ', ':']);
    (time.bytes().all(|byte| byte.is_ascii_digit()) && is_name(name)).then(|| (name, without_erasing(rest)))
}

fn without_erasing(text: &str) -> &str {
    text.strip_prefix("\u{1b}[0K").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begins(key: &str, text: &str) -> (Option<String>, Option<String>, String) {
        (None, Some(key.to_owned()), text.to_owned())
    }

    fn read_line(text: &str) -> (Option<String>, Option<String>, String) {
        let marked = read(Stream::Output, text);
        (marked.end.map(str::to_owned), marked.begin.map(|begin| begin.key.to_owned()), marked.text.to_owned())
    }

    #[test]
    fn groups_are_read_as_github_and_azure_write_them() {
        assert_eq!(read_line("::group::Load the data"), begins(GROUP, "Load the data"));
        assert_eq!(read_line("##[group]Load"), begins(GROUP, "Load"));
        for end in ["::endgroup::", "##[endgroup]"] {
            assert_eq!(read_line(end), (Some(GROUP.to_owned()), None, String::new()));
            assert!(read(Stream::Output, end).is_mere_mark());
        }
    }

    #[test]
    fn groups_are_read_as_buildkite_writes_them() {
        let header = |text: &str| (Some(HEADER.to_owned()), Some(HEADER.to_owned()), text.to_owned());
        assert_eq!(read_line("--- Tests"), header("Tests"));
        assert_eq!(read_line("~~~ Set up"), header("Set up"));
        assert_eq!(read_line("+++ :fire: Failures"), header(":fire: Failures"));
        assert!(read(Stream::Output, "+++ x").opens && !read(Stream::Output, "--- x").opens);
        assert!(read(Stream::Output, "~~~ x").begin.is_some_and(|begin| begin.is_quiet));
        assert!(read(Stream::Output, "^^^ +++").opens && read(Stream::Output, "^^^ +++").is_mere_mark());
        for text in ["---", "--- ", "----- x", "--- ---- ---", "--- Step 1 ---", "-- x", "---x"] {
            assert_eq!(read(Stream::Output, text), Marked::text(text));
        }
        assert_eq!(read(Stream::Error, "--- Logging error"), Marked::text("--- Logging error"));
    }

    #[test]
    fn groups_are_read_as_gitlab_writes_them() {
        assert_eq!(
            read_line("section_start:1560896352:build[collapsed=true]\r\u{1b}[0KBuild"),
            begins("build", "Build")
        );
        assert_eq!(read_line("\u{1b}[0Ksection_start:1:a-b\r\u{1b}[0K\u{1b}[36mA"), begins("a-b", "\u{1b}[36mA"));
        assert_eq!(read_line("section_end:2:build\r\u{1b}[0K"), (Some("build".to_owned()), None, String::new()));
        assert_eq!(
            read_line("section_end:2:a\r\u{1b}[0Ksection_start:2:b\r\u{1b}[0KNext"),
            (Some("a".to_owned()), Some("b".to_owned()), "Next".to_owned())
        );
        for text in ["section_start:x:y\rz", "section_start:1:", "section_ends", "say"] {
            assert_eq!(read(Stream::Output, text), Marked::text(text));
        }
    }

    #[test]
    fn lines_say_how_serious_they_are() {
        let level = |text| (read(Stream::Error, text).level, read(Stream::Error, text).text);
        assert_eq!(level("::error file=main.py,line=9::It broke"), (Some(Level::Error), "It broke"));
        assert_eq!(level("::warning::a::b"), (Some(Level::Warning), "a::b"));
        assert_eq!(level("##[notice]n"), (Some(Level::Notice), "n"));
        assert_eq!(level("::debug::d"), (Some(Level::Debug), "d"));
        for text in ["::set-output name=a::b", "::error", "::", "## [x]", "##[command]ls"] {
            assert_eq!(level(text), (None, text));
        }
        assert_eq!(read(Stream::Stoker, "::error::x"), Marked::text("::error::x"));
    }
}
