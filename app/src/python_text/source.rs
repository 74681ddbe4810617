//! A program as it is typed: its lines, each with what the ones before it left open, kept right from change to change
//! without reading more than what the change can have altered.

use std::ops::Range;

use super::tokens::{Kind, State, read_line};

/// A program's text with its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    text: String,
    /// At least one.
    lines: Vec<Line>,
    is_ascii: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// Where it begins, in bytes.
    start: usize,
    /// What is open there.
    state: State,
}

/// Which lines a change put in the place of which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The first line that changed.
    pub first: usize,
    /// How many there were from it on.
    pub removed: usize,
    /// How many there are now.
    pub added: usize,
}

impl Default for SourceText {
    fn default() -> Self {
        Self { text: String::new(), lines: vec![Line { start: 0, state: State::default() }], is_ascii: true }
    }
}

impl SourceText {
    /// A whole text.
    #[must_use]
    pub fn new(text: String) -> Self {
        let mut source = Self::default();
        source.replace(0..0, &text);
        source
    }

    /// Takes the text as it is now.
    pub fn update(&mut self, text: &str) -> Change {
        let (old, new) = (self.text.as_bytes(), text.as_bytes());
        let prefix = old.iter().zip(new).take_while(|(old, new)| old == new).count();
        let prefix = (0..=prefix).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (old_rest, new_rest) = (&old[prefix..], &new[prefix..]);
        let suffix = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
        let new_end = (text.len() - suffix..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
        let old_end = old.len() - (text.len() - new_end);
        self.replace(prefix..old_end, &text[prefix..new_end])
    }

    /// Takes a text in the place of some bytes.
    pub fn replace(&mut self, range: Range<usize>, text: &str) -> Change {
        let first = self.line_at(range.start);
        let last = self.line_at(range.end);
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let begun = breaks.map(|(at, _)| Line { start: range.start + at + 1, state: State::default() });
        let begun = begun.collect::<Vec<_>>();
        let change = Change { first, removed: last - first + 1, added: begun.len() + 1 };
        self.lines.splice(first + 1..=last, begun);
        for line in &mut self.lines[first + change.added..] {
            line.start = line.start - range.len() + text.len();
        }
        self.text.replace_range(range, text);
        self.is_ascii = if self.is_ascii { text.is_ascii() } else { self.text.is_ascii() };
        self.read_from(first, first + change.added - 1);
        change
    }

    /// Whether a browser's positions are bytes.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// Brings the states right from a line on, until they agree with what was known after the last changed line.
    fn read_from(&mut self, first: usize, last: usize) {
        let mut state = self.lines[first].state.clone();
        for index in first..self.lines.len() - 1 {
            read_line(self.line(index), &mut state, &mut |_, _| {});
            let next = &mut self.lines[index + 1].state;
            if index >= last && *next == state {
                break;
            }
            next.clone_from(&state);
        }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many lines there are: at least one.
    #[must_use]
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The index of the line that a byte is in.
    #[must_use]
    pub fn line_at(&self, byte: usize) -> usize {
        self.lines.partition_point(|line| line.start <= byte) - 1
    }

    /// Where a line is, in bytes, without its line break.
    #[must_use]
    pub fn range_of(&self, line: usize) -> Range<usize> {
        let end = self.lines.get(line + 1).map_or(self.text.len(), |next| next.start - 1);
        self.lines[line].start..end
    }

    /// A line, without its line break.
    #[must_use]
    pub fn line(&self, line: usize) -> &str {
        &self.text[self.range_of(line)]
    }

    /// What is open where a line begins.
    #[must_use]
    pub fn state_before(&self, line: usize) -> &State {
        &self.lines[line].state
    }

    /// Gives the pieces of a line, each with where it begins in the whole text.
    pub fn read_pieces(&self, line: usize, give: &mut dyn FnMut(Kind, usize, &str)) {
        let mut at = self.lines[line].start;
        let mut state = self.lines[line].state.clone();
        read_line(self.line(line), &mut state, &mut |kind, text| {
            give(kind, at, text);
            at += text.len();
        });
    }

    /// The byte that a browser's position means: browsers count in units of UTF-16.
    #[must_use]
    pub fn byte_of(&self, position: usize) -> usize {
        if self.is_ascii {
            return position.min(self.text.len());
        }
        let mut units = 0;
        for (byte, character) in self.text.char_indices() {
            if units >= position {
                return byte;
            }
            units += character.len_utf16();
        }
        self.text.len()
    }

    /// How a browser counts a position between two bytes.
    #[must_use]
    pub fn units_between(&self, range: Range<usize>) -> usize {
        if self.is_ascii { range.len() } else { self.text[range].chars().map(char::len_utf16).sum() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_says_which_lines_it_is_about() {
        let mut source = SourceText::new("a\nb\nc".to_owned());
        assert_eq!(source.line_count(), 3);
        assert_eq!(source.update("a\nbb\nc"), Change { first: 1, removed: 1, added: 1 });
        assert_eq!(source.update("a\nb\n\nb\nc"), Change { first: 1, removed: 1, added: 3 });
        assert_eq!(source.update("c"), Change { first: 0, removed: 5, added: 1 });
        assert_eq!((source.line_count(), source.line(0)), (1, "c"));
    }

    #[test]
    fn browsers_count_otherwise() {
        let source = SourceText::new("\u{1f680}é\n".to_owned());
        assert_eq!([0, 2, 3, 4, 9].map(|position| source.byte_of(position)), [0, 4, 6, 7, 7]);
        assert_eq!(source.units_between(0..6), 3);
    }

    fn code() -> impl Strategy<Value = String> {
        "(['\"]{1,3}|f['\"]|[{}:\\\\# é(]|\n|x|def ){0,40}"
    }

    proptest! {
        #[test]
        fn what_is_kept_from_change_to_change_is_what_reading_all_gives(texts in prop::collection::vec(code(), 1..6)) {
            let mut source = SourceText::default();
            for text in texts {
                source.update(&text);
                prop_assert_eq!(&source, &SourceText::new(text));
            }
        }

        #[test]
        fn an_edit_in_the_middle_is_what_reading_all_gives(before in code(), after in code(), old in code(), new in code()) {
            let mut source = SourceText::new(format!("{before}{old}{after}"));
            let text = format!("{before}{new}{after}");
            source.update(&text);
            prop_assert_eq!(&source, &SourceText::new(text.clone()));
            let lines: Vec<_> = (0..source.line_count()).map(|line| source.line(line)).collect();
            prop_assert_eq!(lines.join("\n"), text);
        }
    }
}
