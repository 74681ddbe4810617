//! Reads rows of lines as they are stored, JSON, for a search: of each line only what is shown of it, in memory that is used
//! again and again. What is looked for in it is no matter of this module.

use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use super::{
    groups,
    marks::{self, Marked},
    plain_text, shown,
};
use crate::model::log::{LogLine, Stream};

/// A row is not as Stoker writes it.
#[derive(Debug, thiserror::Error)]
#[error("a row of a log is damaged")]
pub struct DamagedRow;

/// What is shown of the lines of a row.
#[derive(Debug, Default)]
pub struct ShownRow {
    /// Their texts, each with a line feed after it.
    pub text: String,
    /// Where they are.
    pub lines: Vec<PlacedLine>,
}

/// A line of a row.
#[derive(Debug)]
pub struct PlacedLine {
    /// Where it came from.
    pub stream: Stream,
    /// Where it stands in the row.
    pub json: Range<usize>,
    /// Where its text ends in [`ShownRow::text`].
    pub end: usize,
}

impl ShownRow {
    /// Reads a row.
    ///
    /// # Errors
    /// When the row is damaged.
    pub fn read(&mut self, row: &str) -> Result<(), DamagedRow> {
        self.text.clear();
        self.lines.clear();
        let has_control_sequences = has_control_sequence(row);
        // A bracket before the first line and after the last one; a comma between two.
        let mut start = 1;
        while start < row.len() {
            let line = self.read_line(row, start, has_control_sequences).ok_or(DamagedRow)?;
            start = line.json.end + 1;
            self.lines.push(line);
        }
        Ok(())
    }

    /// Reads `[STREAM,TIME,"TEXT"]`.
    fn read_line(&mut self, row: &str, start: usize, has_control_sequences: bool) -> Option<PlacedLine> {
        let bytes = row.as_bytes();
        let stream = Stream::from_code(bytes.get(start + 1)?.checked_sub(b'0')?)?;
        let text_start = start + memchr(b'"', &bytes[start..])? + 1;
        let length = self.text.len();
        let text = row.get(text_start..)?;
        let is_as_shown = stream != Stream::Stoker && !has_control_sequences && !marks::may_be_mark(text);
        let end = if is_as_shown { push_shown(&mut self.text, text) } else { None };
        let json = start..text_start + end.map_or_else(|| end_of(text), Some)? + 2;
        if bytes.get(json.end - 1) != Some(&b']') {
            return None;
        }
        if end.is_none() {
            // It says more than its characters.
            self.text.truncate(length);
            let line: LogLine = serde_json::from_str(row.get(json.clone())?).ok()?;
            self.text.push_str(&plain_text(&shown(stream, &Marked::of(&line))));
        }
        self.text.push('\n');
        Some(PlacedLine { stream, json, end: self.text.len() - 1 })
    }
}

/// Finds the lines of a row that may begin or end groups, or say that one stays open, without reading the others. `found` is
/// told the place of each in the row, from 0, and its JSON.
///
/// # Errors
/// When the row is damaged.
pub fn find_marks<'row>(row: &'row str, mut found: impl FnMut(usize, &'row str)) -> Result<(), DamagedRow> {
    let (mut start, mut place) = (1, 0);
    while start < row.len() {
        let (text, json) = line_at(row, start).ok_or(DamagedRow)?;
        if marks::may_be_mark(text)
            || groups::says_error(text) && json.get(..3).is_some_and(|start| has_stream(start, Stream::Error))
        {
            found(place, json);
        }
        start += json.len() + 1;
        place += 1;
    }
    Ok(())
}

/// The text of a line, and what follows it, with the line itself.
fn line_at(row: &str, start: usize) -> Option<(&str, &str)> {
    let text_start = start + memchr(b'"', row.as_bytes().get(start..)?)? + 1;
    let text = row.get(text_start..)?;
    Some((text, row.get(start..text_start + end_of(text)? + 2)?))
}

/// Whether there may be more or less to a line of a row than the characters that JSON has of it, apart from those that JSON
/// escapes.
pub fn hides_text(row: &str) -> bool {
    // Carriage returns and the codes of terminals take something out of what is shown, and Stoker's own words leave
    // something out.
    has_stream(row, Stream::Stoker)
        || has_control_sequence(row)
        || memchr(b'\\', row.as_bytes()).is_some()
            && [r"\u001b", r"\r"].iter().any(|escape| memmem::find(row.as_bytes(), escape.as_bytes()).is_some())
}

/// Whether a row may have a line of a stream.
pub fn has_stream(row: &str, stream: Stream) -> bool {
    memmem::find(row.as_bytes(), &[b'[', b'0' + stream.code(), b',']).is_some()
}

/// Whether something stands in a row that begins the code of a terminal in one character.
fn has_control_sequence(row: &str) -> bool {
    memmem::find(row.as_bytes(), "\u{9b}".as_bytes()).is_some()
}

/// Writes what is shown of a text that stands in JSON, up to its closing quote, and tells where that is; nothing when there
/// is more to it than colours, carriage returns and the like.
fn push_shown(shown: &mut String, text: &str) -> Option<usize> {
    let (start, bytes) = (shown.len(), text.as_bytes());
    let mut at = 0;
    // A carriage return leads back to the start of the line, if anything follows.
    let mut is_back = false;
    loop {
        let end = at + memchr2(b'"', b'\\', &bytes[at..])?;
        let is_return = bytes[end..].starts_with(br"\r");
        if is_back && (end > at || bytes[end] == b'\\' && !is_return) {
            shown.truncate(start);
            is_back = false;
        }
        shown.push_str(&text[at..end]);
        if bytes[end] == b'"' {
            return Some(end);
        }
        let escape = bytes.get(end + 1)?;
        at = end + 2;
        match escape {
            b'"' => shown.push('"'),
            b'\\' => shown.push('\\'),
            b't' => shown.push('\t'),
            b'r' => is_back = true,
            b'u' => at += control_sequence(&bytes[at..])?,
            _ => return None,
        }
    }
}

/// How long the rest of an escaped control sequence is, after `\u`.
fn control_sequence(bytes: &[u8]) -> Option<usize> {
    let parameters = bytes.strip_prefix(b"001b[")?;
    // A quote is the end of the text, and what JSON escapes is read otherwise.
    let length = parameters.iter().position(|byte| !(b' '..=b'?').contains(byte) || *byte == b'"')?;
    let is_whole = matches!(parameters[length], b'@'..=b'[' | b']'..=b'~');
    is_whole.then_some("001b[".len() + length + 1)
}

/// Where a text that stands in JSON ends: at its closing quote.
fn end_of(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', text.as_bytes().get(at..)?)?;
        if text.as_bytes()[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::time::Timestamp;

    fn read(lines: &[LogLine]) -> Vec<(Stream, String, LogLine)> {
        let row = serde_json::to_string(lines).unwrap();
        let mut shown = ShownRow::default();
        shown.read(&row).unwrap();
        let mut start = 0;
        let read = shown.lines.iter().map(|line| {
            let text = shown.text[start..line.end].to_owned();
            start = line.end + 1;
            (line.stream, text, serde_json::from_str(&row[line.json.clone()]).unwrap())
        });
        read.collect()
    }

    #[test]
    fn a_damaged_row_is_told() {
        for row in [
            "",
            "[",
            "[]",
            "[[1,2,\"a\"",
            "[[1,2,\"a\",]",
            "[[9,2,\"a\"]]",
            "[[1,2,\"a\\",
            "nonsense",
            "[[1,2,\"\\q\"]]",
        ] {
            assert_eq!(ShownRow::default().read(row).is_ok(), row.len() < 2, "{row}");
        }
    }

    fn any_line() -> impl Strategy<Value = LogLine> {
        let text = "[^\n]{0,12}|(\\x1b\\[[0-9;]{0,3}[mKA ]|\\x1b|\\x1b\\]0;x\\x07|\u{9b}1m|[\r\t\\\\\"a-c é\u{b0}]|::group::|--- |/d/steps/run-1/){0,8}";
        let stream = prop::sample::select(vec![Stream::Output, Stream::Output, Stream::Error, Stream::Stoker]);
        (stream, text).prop_map(|(stream, text)| LogLine(stream, Timestamp(-5), text))
    }

    #[test]
    fn marks_are_found_among_other_lines() {
        let texts =
            ["a \"group\"", "::group::x", "\\", "--- y", "~~~", "\u{1b}[0Ksection_end:1:a", "group", "Error: z"];
        let line = |stream| move |text: &str| LogLine(stream, Timestamp(1), text.to_owned());
        let mut lines = texts.map(line(Stream::Output)).to_vec();
        lines.extend(["Error: z", " Traceback (most recent call last):", "no error"].map(line(Stream::Error)));
        let row = serde_json::to_string(&lines).unwrap();
        let mut places = Vec::new();
        find_marks(&row, |place, json| {
            assert_eq!(serde_json::from_str::<LogLine>(json).unwrap(), lines[place]);
            places.push(place);
        })
        .unwrap();
        assert_eq!(places, [1, 3, 5, 8, 9]);
        assert!(find_marks("[[1,2,\"group", |_, _| ()).is_err());
    }

    proptest! {
        #[test]
        fn lines_are_read_as_they_are_shown(lines in prop::collection::vec(any_line(), 1..6)) {
            let expected: Vec<_> = lines
                .iter()
                .map(|line| (line.0, plain_text(&shown(line.0, &Marked::of(line))), line.clone()))
                .collect();
            prop_assert_eq!(read(&lines), expected);
        }
    }
}
