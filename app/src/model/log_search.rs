//! What to look for in a log, and what was found. How the text of a line is matched is in `crate::log_text`.

use super::log::LogLine;

/// What to look for in a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogQuery {
    /// A text that the lines have, in small or capital letters; empty for any.
    pub text: String,
    /// Whether only lines of standard error count.
    pub only_errors: bool,
    /// Whether nothing but the lines that match is shown.
    pub only_matches: bool,
}

impl LogQuery {
    /// The longest text that is looked for, in characters. What is longer is cut.
    pub const MAX_CHARACTERS: usize = 200;

    /// The value of `only` in an address that asks for standard error.
    pub const ERRORS: &str = "error";

    /// The value of `show` in an address that asks for nothing but the lines that match.
    pub const MATCHES: &str = "matches";

    /// Reads the values of an address; `None` when it looks for nothing.
    #[must_use]
    pub fn parse(text: &str, only: &str, show: &str) -> Option<Self> {
        let text: String = text.trim().chars().take(Self::MAX_CHARACTERS).collect();
        let only_errors = only == Self::ERRORS;
        (only_errors || !text.is_empty()).then(|| Self { text, only_errors, only_matches: show == Self::MATCHES })
    }
}

/// Which match is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchFrom {
    /// The first one at a line or after it.
    At(u64),
    /// The last one before a line.
    Before(u64),
}

/// What was found from a line on, or before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSearch {
    /// How many lines of the whole log match.
    pub total: u64,
    /// The match that was looked for.
    pub current: Option<LogMatch>,
    /// The line of the match before that; the last match when there is none after it.
    pub previous: Option<u64>,
    /// The line of the match after the current one.
    pub next: Option<u64>,
    /// The lines that match, from the current one on, with their numbers: as many as a page shows, when only they are.
    pub lines: Vec<(u64, LogLine)>,
    /// Where such a page of earlier matches starts.
    pub earlier: Option<u64>,
    /// Where such a page of later matches starts.
    pub later: Option<u64>,
}

/// A line that matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogMatch {
    /// Its number.
    pub line: u64,
    /// Its place among the matches, from 1.
    pub place: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_looks_for_nothing_is_no_search() {
        assert_eq!(LogQuery::parse(" ", "", "matches"), None);
        assert_eq!(LogQuery::parse("", "output", ""), None);
        let errors = LogQuery { only_errors: true, ..LogQuery::default() };
        assert_eq!(LogQuery::parse("", "error", ""), Some(errors));
        let text = LogQuery { text: "a b".to_owned(), only_matches: true, ..LogQuery::default() };
        assert_eq!(LogQuery::parse(" a b ", "", "matches"), Some(text));
        assert_eq!(LogQuery::parse(&"ü".repeat(500), "", "").unwrap().text.chars().count(), LogQuery::MAX_CHARACTERS);
    }
}
