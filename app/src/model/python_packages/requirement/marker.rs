//! The condition after a requirement's `;`, such as `python_version < "3.12"`.

use super::{Parser, is_comparison};
use crate::model::{python_packages::PackagesError, words::shown};

/// The names that a marker may compare.
const NAMES: &[&str] = &[
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform_machine",
    "platform_python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
];

/// How deep the brackets of a marker may be nested.
const MAX_DEPTH: usize = 20;

impl Parser<'_> {
    /// Comparisons joined by `and` and `or`. Ends where neither follows.
    pub(super) fn marker(&mut self, depth: usize, canonical: &mut String) -> Result<(), PackagesError> {
        loop {
            self.skip_spaces();
            if self.peek() == Some('(') && depth < MAX_DEPTH {
                self.take('(');
                canonical.push('(');
                self.marker(depth + 1, canonical)?;
                self.skip_spaces();
                if !self.take(')') {
                    return Err(self.not_a_marker());
                }
                canonical.push(')');
            } else {
                self.marker_value(canonical)?;
                self.marker_comparison(canonical)?;
                self.marker_value(canonical)?;
            }
            let end = self.position;
            self.skip_spaces();
            let word = self.take_while(|c| c.is_ascii_alphabetic());
            let ends_here = self.peek().is_none_or(|c| c.is_whitespace() || c == '(');
            if !matches!(word, "and" | "or") || !ends_here {
                self.position = end;
                return Ok(());
            }
            canonical.push(' ');
            canonical.push_str(word);
            canonical.push(' ');
        }
    }

    /// The name of a fact about the interpreter, or a quoted text.
    fn marker_value(&mut self, canonical: &mut String) -> Result<(), PackagesError> {
        self.skip_spaces();
        let start = self.position;
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            self.take(quote);
            let text = self.take_while(|c| c.is_ascii_alphanumeric() || " ._-+*!,/:@~=".contains(c));
            if self.take(quote) {
                canonical.push('"');
                canonical.push_str(text);
                canonical.push('"');
                return Ok(());
            }
        } else {
            let name = self.take_while(|c| c.is_ascii_alphabetic() || c == '_');
            if NAMES.contains(&name) {
                canonical.push_str(name);
                return Ok(());
            }
        }
        self.position = start;
        Err(self.not_a_marker())
    }

    fn marker_comparison(&mut self, canonical: &mut String) -> Result<(), PackagesError> {
        self.skip_spaces();
        let start = self.position;
        let mut comparison = self.take_while(is_comparison);
        if comparison.is_empty() {
            comparison = self.take_while(|c| c.is_ascii_alphabetic());
            if comparison == "not" {
                self.skip_spaces();
                comparison = if self.take_while(|c| c.is_ascii_alphabetic()) == "in" { "not in" } else { "" };
            }
        }
        if !matches!(comparison, "==" | "!=" | "<=" | ">=" | "<" | ">" | "~=" | "===" | "in" | "not in") {
            self.position = start;
            return Err(self.not_a_marker());
        }
        canonical.push(' ');
        canonical.push_str(comparison);
        canonical.push(' ');
        Ok(())
    }

    fn not_a_marker(&self) -> PackagesError {
        let rest = self.rest().trim_start();
        let word = &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())];
        let at = if word.is_empty() { String::from("The end of the line") } else { shown(word) };
        PackagesError(format!(
            "{at} does not fit after `;`. Only a condition may follow there, such as `python_version < \"3.12\"`; \
             separate packages with spaces, commas or new lines."
        ))
    }
}
