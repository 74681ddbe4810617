//! What differs between the logs of two runs: line by line, numbers and times aside, since those always do.

use leptos::prelude::*;

use super::difference::{Change, line_changes, lines_view};
use crate::{
    log_text::{lines_words, plain_text, without_own_folders},
    model::{identifiers::RunNumber, views::LogPage},
};

/// So many differences are shown, with what surrounds them.
const SHOWN_LINES: usize = 400;

/// What differs between two logs.
#[derive(Debug, PartialEq, Eq)]
pub struct LogDifference {
    changes: Vec<Change>,
    /// How many lines were compared of how many, in the older and in the newer log.
    compared: [(u64, u64); 2],
}

impl LogDifference {
    /// Compares the beginnings of two logs.
    pub fn of(old: &LogPage, new: &LogPage) -> Self {
        let texts = |page: &LogPage| page.lines.lines.iter().map(|line| plain_text(&line.2)).collect::<Vec<_>>();
        let (old_lines, new_lines) = (texts(old), texts(new));
        let count = |page: &LogPage| (page.lines.lines.len() as u64, page.total);
        Self { changes: line_changes(&old_lines, &new_lines, masked), compared: [count(old), count(new)] }
    }

    /// The difference as shown, with how much was compared.
    pub fn view(self, numbers: [RunNumber; 2]) -> AnyView {
        let [old, new] = self.compared;
        let of_run = |number: RunNumber, (compared, total): (u64, u64)| {
            if compared < total {
                format!("the first {} of #{number}, which has {}", lines_words(compared), lines_words(total))
            } else {
                format!("all {} of #{number}", lines_words(total))
            }
        };
        let words = format!(
            "Compared: {} with {}. Numbers and times count as the same.",
            of_run(numbers[0], old),
            of_run(numbers[1], new)
        );
        let more = self.changes.len().saturating_sub(SHOWN_LINES);
        let more = (more > 0).then(|| view! { <p>{format!("And {} more.", lines_words(more as u64))}</p> });
        let changes = if self.changes.is_empty() {
            view! { <p>"No line differs."</p> }.into_any()
        } else {
            lines_view(self.changes.into_iter().take(SHOWN_LINES), "Log changes")
        };
        view! { <p class="quiet">{words}</p> {changes} {more} }.into_any()
    }
}

/// A line with each number in it made the same, also one with a fraction, and each time; without the paths of Stoker's own
/// folders, in which each step has one of its own.
fn masked(line: &str) -> String {
    let line = without_own_folders(line);
    let mut masked = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let is_in_number = masked.ends_with('#')
            && (character.is_ascii_digit()
                || matches!(character, '.' | ',' | ':') && characters.peek().is_some_and(char::is_ascii_digit));
        if !is_in_number {
            masked.push(if character.is_ascii_digit() { '#' } else { character });
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        log::{LogLine, LogLines, Stream},
        time::Timestamp,
    };

    fn page(lines: &[&str], total: u64) -> LogPage {
        let lines = lines.iter().map(|text| LogLine(Stream::Output, Timestamp(0), (*text).to_owned())).collect();
        LogPage { lines: LogLines { first: 1, lines }, groups: Vec::new(), total }
    }

    #[test]
    fn numbers_and_times_make_no_difference() {
        assert_eq!(masked("12:03:59.1 took 10 ms"), "# took # ms");
        let in_step = |step: &str| format!("File \"/data/steps/{step}/work/main.py\", line 9");
        assert_eq!(masked(&in_step("run-0a.1")), masked(&in_step("run-9z.1")));
        let old = page(&["began at 12:00", "\u{1b}[31mloss 0.91\u{1b}[0m", "saved"], 3);
        let same = page(&["began at 9:15", "loss 12.5", "saved"], 3);
        assert!(LogDifference::of(&old, &same).changes.is_empty());
        let other = page(&["began at 9:15", "loss 12.5", "not saved"], 9);
        let difference = LogDifference::of(&old, &other);
        let shown: Vec<String> = difference.changes.iter().map(ToString::to_string).collect();
        assert_eq!(shown, [" began at 9:15", " loss 12.5", "-saved", "+not saved"]);
        assert_eq!(difference.compared, [(3, 3), (3, 9)]);
    }
}
