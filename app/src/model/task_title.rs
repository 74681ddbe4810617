//! What a task is called where people see it. The name that a user gave it is [`TaskName`], in `spec`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{identifiers::TaskId, spec::TaskName, words::is_invisible};

/// What a task is called: by its name; without one, by what its code says of itself first; else by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTitle(String);

impl TaskTitle {
    /// How much of the code's beginning is looked at, in characters.
    pub const CODE_CHARACTERS: u16 = 2000;

    /// The longest title that is made from code, in characters.
    const MAX_CHARACTERS: usize = 80;

    /// The title of a task. `code` is its code, or the first [`Self::CODE_CHARACTERS`] of it.
    #[must_use]
    pub fn of(name: Option<&TaskName>, code: &str, id: &TaskId) -> Self {
        Self(match name {
            Some(name) => name.as_str().to_owned(),
            None => Self::in_code(code).unwrap_or_else(|| id.to_string()),
        })
    }

    /// What code says of itself first, if it says something.
    #[must_use]
    pub fn in_code(code: &str) -> Option<String> {
        described_by(beginning(code))
    }

    /// The title.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskTitle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn beginning(code: &str) -> &str {
    let end = code.char_indices().nth(TaskTitle::CODE_CHARACTERS.into());
    end.map_or(code, |(end, _)| &code[..end])
}

/// The first line of the comments or of the docstring at the beginning of a program. What comes later describes a part
/// of it only; imports may stand before.
fn described_by(code: &str) -> Option<String> {
    let mut is_metadata = false;
    let mut docstring = None;
    for line in code.lines() {
        let line = line.trim_end();
        if let Some(quotes) = docstring {
            match line.split_once(quotes) {
                Some((text, _)) => return readable(text),
                None => {
                    if let Some(text) = readable(line) {
                        return Some(text);
                    }
                }
            }
        } else if let Some(comment) = line.strip_prefix('#') {
            // Inline script metadata, from `# /// script` to `# ///`.
            if comment.trim_start().starts_with("///") {
                is_metadata = !is_metadata;
            } else if !is_metadata
                && !is_for_programs(comment)
                && let Some(text) = readable(comment.trim_start_matches(['#', '%', '!', ':']))
            {
                return Some(text);
            }
        } else if let Some((quotes, text)) = docstring_start(line) {
            if let Some(text) = readable(text.split(quotes).next().unwrap_or_default()) {
                return Some(text);
            }
            if text.contains(quotes) || quotes.len() == 1 {
                return None;
            }
            docstring = Some(quotes);
        } else if !(line.is_empty() || line.starts_with("import ") || line.starts_with("from ")) {
            return None;
        }
    }
    None
}

/// Whether a comment speaks to a program: the line that says what runs the file, its encoding, what a checker ignores.
fn is_for_programs(comment: &str) -> bool {
    let words = comment.trim_start();
    comment.starts_with('!')
        || words.starts_with("-*-")
        || ["coding:", "coding=", "type:", "noqa", "pylint:", "ruff:", "flake8:", "mypy:", "fmt:", "isort:", "pyright:"]
            .iter()
            .any(|start| words.starts_with(start))
}

/// The quotes that a line opens a string with, and what comes after them.
fn docstring_start(line: &str) -> Option<(&'static str, &str)> {
    let line = line.strip_prefix(['r', 'R', 'u', 'U']).unwrap_or(line);
    ["\"\"\"", "'''", "\"", "'"].into_iter().find_map(|quotes| Some((quotes, line.strip_prefix(quotes)?)))
}

/// A line as a title: its words, without what cannot be seen and without the stop at its end, and not too many of them.
/// `None` when there is no word in it.
fn readable(line: &str) -> Option<String> {
    let visible: String = line.chars().map(|character| if is_invisible(character) { ' ' } else { character }).collect();
    let text = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if !text.contains(char::is_alphabetic) {
        return None;
    }
    let text = text.strip_suffix('.').filter(|text| !text.ends_with('.')).unwrap_or(&text);
    Some(match text.char_indices().nth(TaskTitle::MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_says_what_it_is_gives_the_title() {
        for (code, expected) in [
            ("# Weekly report.\nprint(1)", "Weekly report"),
            ("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n# ----\n#  Counts   words ", "Counts words"),
            ("\"\"\"Loads rates.\n\nMore.\n\"\"\"", "Loads rates"),
            ("r'''\n\n  Loads rates\n'''", "Loads rates"),
            ("'One line'", "One line"),
            ("# /// script\n# dependencies = [\"six\"]\n# ///\n\n# After it", "After it"),
            ("import os\nfrom sys import argv\n\n# After imports", "After imports"),
            ("# ruff: noqa\n# wait ...", "wait ..."),
            ("# a\u{202e}b\tc", "a b c"),
        ] {
            assert_eq!(described_by(code).as_deref(), Some(expected), "{code}");
        }
        let long = described_by(&format!("# {}", "wide ".repeat(40))).unwrap();
        assert_eq!(long.chars().count(), TaskTitle::MAX_CHARACTERS);
        assert!(long.ends_with("wide…"), "{long}");
    }

    #[test]
    fn code_that_says_nothing_of_itself_gives_none() {
        for code in
            ["", "print(1)\n# prints one", "x = '''not a docstring'''", "\"\"\"\"\"\"\n# later", "# ---\n", "''"]
        {
            assert_eq!(described_by(code), None, "{code}");
        }
    }

    #[test]
    fn a_name_wins_and_the_id_is_the_last_resort() {
        let id = TaskId::from_random([1; 6]);
        let name = TaskName::parse("Report").unwrap();
        assert_eq!(TaskTitle::of(name.as_ref(), "# Code", &id).as_str(), "Report");
        assert_eq!(TaskTitle::of(None, "# Code", &id).as_str(), "Code");
        assert_eq!(TaskTitle::of(None, "print()", &id).as_str(), id.as_str());
    }
}
