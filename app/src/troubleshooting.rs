//! Which entry of `docs/troubleshooting.md` says more about why a run ended or waits. The document itself is the table: its
//! entries quote the messages, with `…` for what varies.

use std::sync::LazyLock;

/// The document.
pub(crate) const TEXT: &str = include_str!("../../docs/troubleshooting.md");

/// The section whose entries are rows of a table, and its anchor.
const ENDS: (&str, &str) = ("## How a run ends", "how-a-run-ends");
/// The section whose entries have headings, which are their anchors.
const IN_A_CLUSTER: &str = "## Runs in a cluster";

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| entries(TEXT));

/// An entry of the document, once for each message that it quotes.
struct Entry {
    /// What the message says, in this order, whatever is between.
    parts: Vec<&'static str>,
    anchor: &'static str,
}

impl Entry {
    fn has(&self, message: &str) -> bool {
        let mut rest = message;
        self.parts.iter().all(|part| match rest.split_once(part) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    }
}

/// The anchor of the entry about a message; `None` when the document has none.
#[must_use]
pub fn anchor(message: &str) -> Option<&'static str> {
    // As the document wraps its lines, a message may have been wrapped too.
    let message = message.replace('\n', " ");
    ENTRIES.iter().find(|entry| entry.has(&message)).map(|entry| entry.anchor)
}

fn entries(text: &'static str) -> Vec<Entry> {
    let section = |heading: &str| {
        let after = text.split_once(heading).map_or("", |(_, after)| after);
        after.split_once("\n## ").map_or(after, |(section, _)| section)
    };
    let with_headings = section(IN_A_CLUSTER).split("\n### ").skip(1).filter_map(|entry| {
        let (anchor, entry) = entry.split_once('\n')?;
        Some((entry.split('*').nth(1)?, anchor))
    });
    // What is said at a form is no end of a run.
    let rows = section(ENDS.0).lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let rows = rows.filter_map(|row| Some((row.strip_prefix("| ")?.split_once(" | ")?.0, ENDS.1)));
    let rows = rows.filter(|(words, _)| !words.contains("(at the "));
    with_headings.chain(rows).flat_map(|(words, anchor)| quoted(words, anchor)).collect()
}

/// The messages that an entry quotes.
fn quoted(words: &'static str, anchor: &'static str) -> impl Iterator<Item = Entry> {
    words.split(" / ").map(move |message| Entry {
        parts: message.split('…').map(|part| part.trim().trim_end_matches('.')).filter(|part| part.len() > 3).collect(),
        anchor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_found_by_the_words_that_it_quotes() {
        assert!(ENTRIES.len() > 30, "{}", ENTRIES.len());
        for entry in ENTRIES.iter() {
            assert!(!entry.parts.is_empty(), "{}", entry.anchor);
            let message = format!("Load data: {} and so on.", entry.parts.join(" 12 "));
            // Some messages are in both sections.
            assert!(
                matches!(anchor(&message), Some(found) if found == entry.anchor || entry.anchor == ENDS.1),
                "{message}"
            );
        }
    }

    #[test]
    fn a_message_has_the_entry_that_is_about_it_or_none() {
        for (message, expected) in [
            ("The workflow is not picked up: is the Argo controller running?", Some("controller-away")),
            ("The node cannot make room for the pod: no sandbox.", Some("container-broken")),
            (
                "The program needed more memory than its limit of 64.0 MiB, and was killed. Hold less.",
                Some("memory-limit"),
            ),
            ("Stopped after its time limit of 5 s. Raise the timeout of the task, or let it do less.", Some(ENDS.1)),
            ("The machine ran out of memory and killed the program. Let it hold less at once.", Some(ENDS.1)),
            ("The program ended with exit code 3.", None),
            ("Cancelled, with everything it had started.", None),
            ("", None),
        ] {
            assert_eq!(anchor(message), expected, "{message}");
        }
    }
}
