//! Makes groups of a log's lines: a fold over lines in order, so that a page and what arrives later come out the same.
//! What is made of it, HTML or elements, is the matter of a [`Sheet`].

use std::collections::VecDeque;

use super::{
    ansi, lines_words,
    marks::{self, Level, Marked},
};
use crate::model::{
    log::{EarlierGroup, LogLine, Stream},
    phase::Phase,
    time::{Timestamp, duration_text},
};

/// The key of what preparing printed.
pub const PREPARATION: &str = ":preparation";

/// How deep groups may lie in each other. One that is deeper takes the place of the one around it.
const MOST_DEEP: usize = 8;

/// How many rows a program may come back to.
const MOST_ROWS: usize = 64;

/// How groups that have ended are shown, as the reader chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Folding {
    /// Folded, unless something in them is what one looks for.
    #[default]
    Auto,
    /// All open.
    Open,
    /// All folded.
    Folded,
}

impl Folding {
    /// Its word in forms, cookies and attributes.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Open => "open",
            Self::Folded => "folded",
        }
    }

    /// Reads its word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Auto, Self::Open, Self::Folded].into_iter().find(|folding| folding.word() == word)
    }

    /// Whether it leaves a group open that has ended.
    #[must_use]
    pub const fn leaves_open(self, group: &Group) -> bool {
        match self {
            Self::Auto => group.stays_open,
            Self::Open => true,
            Self::Folded => false,
        }
    }
}

/// A group of lines that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What its end calls it by.
    pub key: String,
    /// The number of its first line: its heading, but for what preparing printed.
    pub first: u64,
    /// When it began.
    pub at: Timestamp,
    /// Whether it matters less than others.
    pub is_quiet: bool,
    /// Whether it stays open when it has ended.
    pub stays_open: bool,
}

impl Group {
    /// Whether it is what preparing printed, which has no line for a heading.
    #[must_use]
    pub fn is_preparation(&self) -> bool {
        self.key == PREPARATION
    }

    /// What is said of it when it has ended before line `next`.
    fn facts(&self, next: u64, at: Timestamp) -> String {
        if self.is_preparation() {
            // How long it took is known better from its checkpoints.
            return format!(", {}", lines_words(next.saturating_sub(self.first)));
        }
        let lines = lines_words(next.saturating_sub(self.first + 1));
        format!("{lines}, {}", duration_text(at.millis_since(self.at)))
    }
}

/// Takes what is made of the lines, in order.
pub trait Sheet {
    /// A line, in the group that began last and has not ended. It may be a mere mark, of which nothing is shown.
    fn line(&mut self, number: u64, line: &LogLine, marked: &Marked<'_>);
    /// A group begins, in the one that began last. Its heading is a line, but for what preparing printed.
    fn begin(&mut self, group: &Group, heading: Option<(&LogLine, &Marked<'_>)>);
    /// The group that began last ends.
    fn end(&mut self, group: &Group, facts: &str);
    /// A line and all after it are drawn anew. They are in the group that began last, and no group is among them.
    fn take_back(&mut self, from: u64);
}

/// Which groups the next line is in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouping {
    open: Vec<Group>,
    /// The lines since a group began or ended, in the order of their rows.
    rows: VecDeque<u64>,
    /// By how many rows the last line went up after its text.
    rows_up: usize,
    last: Option<(u64, Timestamp)>,
}

impl Grouping {
    /// Goes on where these groups have not ended yet, below these rows, after the last line of all.
    #[must_use]
    pub fn within(open: Vec<Group>, rows: VecDeque<u64>, last: Option<(u64, Timestamp)>) -> Self {
        Self { open, rows, last, rows_up: 0 }
    }

    /// The groups that have not ended yet, from the outermost.
    #[must_use]
    pub fn open(&self) -> &[Group] {
        &self.open
    }

    /// Goes on in a group that began before the first line.
    pub fn go_on_in(&mut self, group: &EarlierGroup, sheet: &mut impl Sheet) {
        self.take(group.first, &group.heading, sheet);
        if let Some(begun) = self.open.last_mut() {
            begun.stays_open |= group.stays_open;
        }
    }

    /// Takes the next line.
    pub fn take(&mut self, number: u64, line: &LogLine, sheet: &mut impl Sheet) {
        let LogLine(stream, at, text) = line;
        let is_preparing = *stream == Stream::Stoker;
        if !is_preparing {
            self.end(PREPARATION, number, *at, sheet);
        } else if number == 1 {
            let group = Group { key: PREPARATION.to_owned(), first: 1, at: *at, is_quiet: false, stays_open: false };
            self.begin(group, None, sheet);
        }
        let marked = marks::read(*stream, text);
        if is_error(line, &marked) || marked.opens && marked.begin.is_none() {
            self.open.iter_mut().for_each(|group| group.stays_open = true);
        }
        // The line that says it is the last one of its group, unless it is the heading of the next.
        let mere_mark = marked.is_mere_mark();
        if mere_mark {
            sheet.line(number, line, &marked);
        }
        if let Some(key) = marked.end {
            self.end(key, number, *at, sheet);
        }
        if let Some(begin) = marked.begin {
            if self.open.len() >= MOST_DEEP {
                self.end_innermost(number, *at, sheet);
            }
            let (key, is_quiet, stays_open) = (begin.key.to_owned(), begin.is_quiet, marked.opens);
            let group = Group { key, first: number, at: *at, is_quiet, stays_open };
            self.begin(group, Some((line, &marked)), sheet);
        } else if !mere_mark {
            self.draw(number, text, sheet);
            sheet.line(number, line, &marked);
        }
        self.last = Some((number, *at));
    }

    /// The log is complete.
    pub fn finish(&mut self, phase: Phase, sheet: &mut impl Sheet) {
        let Some((number, at)) = self.last else {
            return;
        };
        for group in &mut self.open {
            // What came last is what one looks for, unless all went well and the program printed nothing.
            group.stays_open |= !(group.is_preparation() && phase == Phase::Succeeded);
        }
        while !self.open.is_empty() {
            self.end_innermost(number + 1, at, sheet);
        }
    }

    fn begin(&mut self, group: Group, heading: Option<(&LogLine, &Marked<'_>)>, sheet: &mut impl Sheet) {
        self.rows.clear();
        sheet.begin(&group, heading);
        self.open.push(group);
    }

    /// Ends the innermost group with this key, and those in it. An end without a beginning ends nothing.
    fn end(&mut self, key: &str, next: u64, at: Timestamp, sheet: &mut impl Sheet) {
        if let Some(depth) = self.open.iter().rposition(|group| group.key == key) {
            while self.open.len() > depth {
                self.end_innermost(next, at, sheet);
            }
        }
    }

    fn end_innermost(&mut self, next: u64, at: Timestamp, sheet: &mut impl Sheet) {
        self.rows.clear();
        if let Some(group) = self.open.pop() {
            sheet.end(&group, &group.facts(next, at));
        }
    }

    /// Notes the row of a line that is shown, and takes back those that it draws anew.
    fn draw(&mut self, number: u64, text: &str, sheet: &mut impl Sheet) {
        let (before, after) = if text.contains('\u{1b}') { ansi::rows_up(text) } else { (0, 0) };
        let up = (self.rows_up + before).min(self.rows.len());
        self.rows_up = after;
        if up > 0 {
            let drawn = self.rows.split_off(self.rows.len() - up);
            sheet.take_back(drawn[0]);
        }
        self.rows.push_back(number);
        if self.rows.len() > MOST_ROWS {
            self.rows.pop_front();
        }
    }
}

/// Whether a line is why one would look into its group.
fn is_error(LogLine(stream, _, text): &LogLine, marked: &Marked<'_>) -> bool {
    marked.level == Some(Level::Error) || *stream == Stream::Error && says_error(text)
}

/// Whether the text of a line of standard error says that something went wrong.
pub(super) fn says_error(text: &str) -> bool {
    const WORD: &str = "error";
    const TRACEBACK: &str = "Traceback (most recent call last)";
    let begins_so = text.get(..WORD.len()).is_some_and(|start| start.eq_ignore_ascii_case(WORD));
    begins_so || text.trim_start_matches(' ').starts_with(TRACEBACK)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Groups as text: `(heading …lines… | facts)`, with `!` when it stays open.
    #[derive(Default, Clone)]
    struct Text {
        open: Vec<String>,
        lines: Vec<(u64, usize)>,
    }

    impl Text {
        fn top(&mut self) -> &mut String {
            if self.open.is_empty() {
                self.open.push(String::new());
            }
            self.open.last_mut().unwrap()
        }

        fn into_text(self) -> String {
            self.open.join(" <")
        }
    }

    impl Sheet for Text {
        fn line(&mut self, number: u64, _: &LogLine, marked: &Marked<'_>) {
            let start = self.top().len();
            self.lines.push((number, start));
            let text = if marked.is_mere_mark() { "." } else { marked.text };
            let level = marked.level.map_or("", Level::word);
            let text = super::super::plain_text(text);
            self.top().extend([" ", level, &text]);
        }

        fn begin(&mut self, _: &Group, heading: Option<(&LogLine, &Marked<'_>)>) {
            self.top();
            self.open.push(heading.map_or("preparing", |(_, marked)| marked.text).to_owned());
        }

        fn end(&mut self, group: &Group, facts: &str) {
            let inner = self.open.pop().unwrap();
            let mark = if group.stays_open { "!" } else { "" };
            self.top().extend([" (", &inner, " | ", facts, ")", mark]);
        }

        fn take_back(&mut self, from: u64) {
            let at = self.lines.iter().position(|(number, _)| *number == from).unwrap();
            let start = self.lines[at].1;
            self.lines.truncate(at);
            self.top().truncate(start);
        }
    }

    fn lines(texts: &[&str]) -> Vec<LogLine> {
        let line = |(index, text): (usize, &&str)| {
            let at = Timestamp(i64::try_from(index).unwrap() * 1000);
            let (stream, text) = match text.strip_prefix("E:") {
                Some(text) => (Stream::Error, text),
                None => text.strip_prefix("S:").map_or((Stream::Output, *text), |text| (Stream::Stoker, text)),
            };
            LogLine(stream, at, text.to_owned())
        };
        texts.iter().enumerate().map(line).collect()
    }

    fn fold(texts: &[&str], phase: Phase) -> String {
        let (mut grouping, mut text) = (Grouping::default(), Text::default());
        for (number, line) in (1..).zip(lines(texts)) {
            grouping.take(number, &line, &mut text);
        }
        grouping.finish(phase, &mut text);
        text.into_text()
    }

    #[test]
    fn groups_have_their_lines_and_say_how_many_and_how_long() {
        assert_eq!(
            fold(&["a", "::group::One", "b", "c", "::endgroup::", "d"], Phase::Succeeded),
            " a (One b c . | 2 lines, 3.0 s) d"
        );
        assert_eq!(
            fold(&["::group::One", "::group::Two", "b", "::endgroup::", "::endgroup::"], Phase::Succeeded),
            " (One (Two b . | 1 line, 2.0 s) . | 3 lines, 4.0 s)"
        );
    }

    #[test]
    fn headers_end_where_the_next_begins_and_the_last_one_stays_open() {
        assert_eq!(
            fold(&["--- One", "a", "+++ Two", "b", "--- Three", "c"], Phase::Succeeded),
            " (One a | 1 line, 2.0 s) (Two b | 1 line, 2.0 s)! (Three c | 1 line, 1.0 s)!"
        );
        assert_eq!(
            fold(&["--- One", "a", "^^^ +++", "--- Two"], Phase::Failed),
            " (One a . | 2 lines, 3.0 s)! (Two | 0 lines, 0 ms)!"
        );
    }

    #[test]
    fn an_end_ends_what_was_left_open_in_it_and_one_too_many_ends_nothing() {
        let section = |word: &str, name: &str| format!("section_{word}:1:{name}\r\u{1b}[0K");
        let (start, end) = (section("start", "x") + "X", section("end", "x"));
        assert_eq!(
            fold(&["::endgroup::", &start, "::group::One", "a", &end, "b"], Phase::Succeeded),
            " . (X (One a . | 1 line, 2.0 s) | 2 lines, 3.0 s) b"
        );
    }

    #[test]
    fn an_error_keeps_its_groups_open() {
        for error in ["::error::x", "E:Traceback (most recent call last):", "E:ERROR: x", "E:error: x"] {
            let text =
                fold(&["::group::One", "::group::Two", error, "::endgroup::", "::endgroup::", "a"], Phase::Failed);
            assert!(text.contains(")! . | 3 lines, 4.0 s)! a"), "{text}");
        }
        let text = fold(&["::group::One", "E:a warning", "::endgroup::", "error: in the output"], Phase::Succeeded);
        assert!(!text.contains('!'), "{text}");
    }

    #[test]
    fn what_preparing_printed_is_a_group_at_the_beginning() {
        assert_eq!(fold(&["S:a", "S:b", "c", "S:d"], Phase::Failed), " (preparing a b | , 2 lines) c d");
        assert_eq!(fold(&["S:a"], Phase::Failed), " (preparing a | , 1 line)!");
        assert_eq!(fold(&["S:a"], Phase::Succeeded), " (preparing a | , 1 line)");
        assert_eq!(fold(&["a", "S:b"], Phase::Succeeded), " a b");
    }

    #[test]
    fn bars_that_are_drawn_again_show_their_last_state() {
        let up = |rows: usize, text: &str| format!("\u{1b}[2K\u{1b}[{rows}A\u{1b}[2K{text}");
        assert_eq!(
            fold(&["a", "x 1", "y 1", &up(2, "x 2"), "y 2", &up(2, "x 3"), "y 3", "b"], Phase::Succeeded),
            " a x 3 y 3 b"
        );
        assert_eq!(fold(&["outer", "inner 1\u{1b}[A", "inner 2\u{1b}[A", "end"], Phase::Succeeded), " outer end");
        assert_eq!(fold(&["--- One", &up(9, "x")], Phase::Succeeded), " (One x | 1 line, 1.0 s)!");
    }

    #[test]
    fn groups_do_not_lie_deeper_than_a_page_can_show() {
        let texts = vec!["::group::x"; 5000];
        let (mut grouping, mut text) = (Grouping::default(), Text::default());
        for (number, line) in (1..).zip(lines(&texts)) {
            grouping.take(number, &line, &mut text);
            assert!(grouping.open().len() <= MOST_DEEP);
        }
    }

    fn any_line() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "a",
            "S:s",
            "E:error",
            "::group::G",
            "::endgroup::",
            "--- H",
            "+++ O",
            "^^^ +++",
            "section_start:1:s\r\u{1b}[0KS",
            "section_end:1:s\r\u{1b}[0K",
            "::warning::w",
            "\u{1b}[1Ax",
            "x\u{1b}[A",
        ])
    }

    proptest! {
        /// A browser that comes in the middle knows the groups that are open, and neither rows nor the last line.
        #[test]
        fn who_comes_later_groups_alike(texts in prop::collection::vec(any_line(), 1..40), at in 0_usize..40) {
            let lines = lines(&texts);
            let at = at.min(lines.len() - 1);
            let (mut grouping, mut text) = (Grouping::default(), Text::default());
            for (number, line) in (1..).zip(&lines[..at]) {
                grouping.take(number, line, &mut text);
            }
            let mut later = Grouping::within(grouping.open().to_vec(), VecDeque::new(), None);
            for (number, line) in (1..).zip(&lines).skip(at) {
                let open = later.open().to_vec();
                prop_assert_eq!(grouping.open(), &open[..]);
                grouping.take(number, line, &mut Counting::default());
                later.take(number, line, &mut Counting::default());
            }
            prop_assert_eq!(grouping.open(), later.open());
        }

        /// Every line is told once, in order, every group that ended had begun, and the log's end ends them all.
        #[test]
        fn nothing_is_lost(texts in prop::collection::vec(any_line(), 0..60)) {
            let (mut grouping, mut counting) = (Grouping::default(), Counting::default());
            for (number, line) in (1..).zip(lines(&texts)) {
                grouping.take(number, &line, &mut counting);
            }
            grouping.finish(Phase::Failed, &mut counting);
            prop_assert_eq!(counting.numbers, (1..=texts.len() as u64).collect::<Vec<_>>());
            prop_assert_eq!(counting.depth, 0);
        }
    }

    /// Notes which lines it was told, and how deep they are.
    #[derive(Default)]
    struct Counting {
        numbers: Vec<u64>,
        depth: i32,
    }

    impl Sheet for Counting {
        fn line(&mut self, number: u64, _: &LogLine, _: &Marked<'_>) {
            self.numbers.push(number);
        }

        fn begin(&mut self, group: &Group, heading: Option<(&LogLine, &Marked<'_>)>) {
            self.numbers.extend(heading.map(|_| group.first));
            self.depth += 1;
        }

        fn end(&mut self, _: &Group, _: &str) {
            self.depth -= 1;
        }

        fn take_back(&mut self, _: u64) {}
    }
}
