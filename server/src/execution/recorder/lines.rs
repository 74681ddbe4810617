//! Cuts one stream's bytes into lines that are safe to keep and show: whole UTF-8, of bounded length, with a progress
//! bar's carriage returns resolved to its last state.

use app::model::log::LogLine;
use serde::{Deserialize, Serialize};

/// What is kept of a stream between two pieces of input: the line that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lines {
    #[serde(with = "latin1", default, skip_serializing_if = "Vec::is_empty")]
    partial: Vec<u8>,
}

impl Lines {
    /// Takes the next bytes, and gives each line that they end (without its line feed) as bytes.
    pub fn push(&mut self, mut input: &[u8], mut line: impl FnMut(&[u8])) {
        while let Some(end) = memchr::memchr(b'\n', input) {
            let (head, rest) = input.split_at(end);
            input = &rest[1..];
            if self.partial.is_empty() {
                cut(last_state(head), &mut line);
            } else {
                self.partial.extend_from_slice(head);
                cut(last_state(&self.partial), &mut line);
                self.partial.clear();
            }
        }
        self.partial.extend_from_slice(input);
        self.bound(line);
    }

    /// Keeps the line that has not ended bounded: overwritten states go, and what is too long is given out in pieces.
    fn bound(&mut self, mut line: impl FnMut(&[u8])) {
        if let Some(start) = overwritten(&self.partial) {
            self.partial.drain(..start);
        }
        while self.partial.len() > LogLine::MAX_BYTES {
            let end = character_boundary(&self.partial, LogLine::MAX_BYTES);
            line(&self.partial[..end]);
            self.partial.drain(..end);
        }
    }

    /// The line that has not ended, as it looks now.
    #[must_use]
    pub fn partial(&self) -> &[u8] {
        last_state(&self.partial)
    }

    /// Gives what is left at the end of the stream as a line.
    pub fn finish(&mut self, line: impl FnOnce(&[u8])) {
        let partial = std::mem::take(&mut self.partial);
        if !partial.is_empty() {
            line(last_state(&partial));
        }
    }
}

/// What a terminal would show last of a line with carriage returns: the text after the last one that overwrites
/// something. One at the very end (as in CR LF) overwrites nothing.
fn last_state(line: &[u8]) -> &[u8] {
    let line = &line[overwritten(line).unwrap_or(0)..];
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Where the last state begins, when there are states before it. GitLab's mark of a section ends with a carriage return;
/// there it is not for what it overwrites.
fn overwritten(line: &[u8]) -> Option<usize> {
    let mark = line.strip_prefix(b"\x1b[0K").unwrap_or(line);
    if mark.starts_with(b"section_start:") || mark.starts_with(b"section_end:") {
        return None;
    }
    let end = line.iter().rposition(|byte| *byte != b'\r')?;
    memchr::memrchr(b'\r', &line[..end]).map(|position| position + 1)
}

fn cut(mut text: &[u8], line: &mut impl FnMut(&[u8])) {
    while text.len() > LogLine::MAX_BYTES {
        let (head, rest) = text.split_at(character_boundary(text, LogLine::MAX_BYTES));
        line(head);
        text = rest;
    }
    line(text);
}

/// The last place at or before `limit` that does not cut a UTF-8 character apart.
fn character_boundary(bytes: &[u8], limit: usize) -> usize {
    let is_continuation = |byte: &u8| byte & 0b1100_0000 == 0b1000_0000;
    (limit.saturating_sub(3)..=limit)
        .rev()
        .find(|end| bytes.get(*end).is_none_or(|byte| !is_continuation(byte)))
        .unwrap_or(limit)
}

/// Bytes as a JSON string, one character a byte: short, and readable where they are ASCII.
pub(super) mod latin1 {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    #[expect(clippy::ptr_arg, reason = "serde asks for this signature")]
    pub fn serialize<S: Serializer>(bytes: &Vec<u8>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.chars().map(|character| u8::try_from(u32::from(character)).map_err(D::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines_of(inputs: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for input in inputs {
            lines.push(input, |line| found.push(String::from_utf8_lossy(line).into_owned()));
        }
        lines.finish(|line| found.push(String::from_utf8_lossy(line).into_owned()));
        found
    }

    #[test]
    fn lines_end_at_line_feeds() {
        assert_eq!(lines_of(&[b"a\nb\r\n\nc"]), ["a", "b", "", "c"]);
        assert_eq!(lines_of(&[b"a", b"b\n"]), ["ab"]);
        assert!(lines_of(&[]).is_empty());
    }

    #[test]
    fn a_progress_bar_keeps_its_last_state() {
        assert_eq!(lines_of(&[b"\r 10%", b"\r 50%", b"\r100%\n", b"done\n"]), ["100%", "done"]);
        assert_eq!(lines_of(&[b" 10%\r", b" 50%\r", b"\n"]), [" 50%"]);
    }

    #[test]
    fn marks_of_sections_are_kept() {
        let start = "\u{1b}[0Ksection_start:1:a\r\u{1b}[0KTitle";
        assert_eq!(
            lines_of(&[start.as_bytes(), b"\nsection_end:2:a\r", b"\x1b[0K\n"]),
            [start, "section_end:2:a\r\u{1b}[0K"]
        );
    }

    #[test]
    fn a_progress_bar_does_not_grow() {
        let mut lines = Lines::default();
        for percent in 0..100_000 {
            lines.push(format!("\r{percent:6} of many").as_bytes(), |_| panic!("no line has ended"));
        }
        assert!(lines.partial.len() < 64);
        assert_eq!(lines.partial(), b" 99999 of many");
    }

    #[test]
    fn a_very_long_line_becomes_several_without_breaking_characters() {
        let text = "é🚀".repeat(20_000);
        let found = lines_of(&[text.as_bytes(), b"\n"]);
        assert!(
            found.len() > 1 && found.iter().all(|line| line.len() <= LogLine::MAX_BYTES && !line.contains('\u{fffd}'))
        );
        assert_eq!(found.concat(), text);
    }

    proptest! {
        #[test]
        fn where_the_input_is_cut_makes_no_difference(input in prop::collection::vec(prop::sample::select(b"ab\r\n\xc3\xa9".to_vec()), 0..40), cut in 0_usize..40) {
            let cut = cut.min(input.len());
            prop_assert_eq!(lines_of(&[&input]), lines_of(&[&input[..cut], &input[cut..]]));
        }

        #[test]
        fn what_is_kept_is_read_back(input in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut lines = Lines::default();
            lines.push(&input, |_| {});
            let text = serde_json::to_string(&lines).unwrap();
            prop_assert_eq!(serde_json::from_str::<Lines>(&text).unwrap(), lines);
        }
    }
}
