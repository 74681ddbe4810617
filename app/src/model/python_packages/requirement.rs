//! One requirement, as PEP 508 defines it, read by recursive descent: one function for each rule of the grammar.
//!
//! What is accepted is also rewritten into one canonical line, so that everything after it (the lock, the cache key, the
//! runner) sees text of a known shape.

mod marker;

use super::{
    PackagesError, PythonPackages,
    source::{a_path, a_repository, check_url, is_archive, is_path, is_repository, was_accepted},
};
use crate::model::words::shown;

/// Reads requirements from left to right. Each function reads one rule of the grammar and leaves `position` after it.
pub(super) struct Parser<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, character: char) -> bool {
        let taken = self.peek() == Some(character);
        if taken {
            self.position += character.len_utf8();
        }
        taken
    }

    fn take_while(&mut self, matches: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !matches(c)).unwrap_or(rest.len())];
        self.position += taken.len();
        taken
    }

    /// Skips spaces within a line.
    fn skip_spaces(&mut self) {
        self.take_while(|c| c.is_whitespace() && !matches!(c, '\n' | '\r'));
    }

    /// Skips what may stand between requirements: white space, commas, comments.
    pub(super) fn skip_separators(&mut self) {
        loop {
            self.take_while(is_separator);
            if self.peek() != Some('#') {
                return;
            }
            self.take_while(|c| !matches!(c, '\n' | '\r'));
        }
    }

    /// The word that begins at `start`, for a message.
    fn word_at(&self, start: usize) -> &'a str {
        let rest = &self.text[start..];
        &rest[..rest.find(is_separator).unwrap_or(rest.len())]
    }

    /// `name[extras] versions ; marker`, or `name[extras] @ url ; marker`. The parts after the name may be missing.
    pub(super) fn requirement(&mut self) -> Result<String, PackagesError> {
        let start = self.position;
        let mut canonical = self.name()?.to_owned();
        let mut end = self.position;
        self.skip_spaces();
        if self.take('[') {
            self.extras(start, &mut canonical)?;
            end = self.position;
            self.skip_spaces();
        }
        match self.peek() {
            Some('@') => {
                canonical.push_str(" @ ");
                canonical.push_str(self.url(start)?);
                end = self.position;
            }
            Some('(') => {
                self.versions_in_brackets(start, &mut canonical)?;
                end = self.position;
            }
            Some(next) if is_comparison(next) => {
                self.versions(start, &mut canonical)?;
                end = self.position;
            }
            _ => {}
        }
        self.skip_spaces();
        if self.take(';') {
            canonical.push_str(" ; ");
            self.marker(0, &mut canonical)?;
            end = self.position;
        }
        self.position = end;
        if self.peek().is_none_or(is_separator) {
            return Ok(canonical);
        }
        Err(PackagesError(format!(
            "{} cannot be read from {} on. Separate packages with spaces, commas or new lines.",
            shown(self.word_at(start)),
            shown(self.word_at(end))
        )))
    }

    fn name(&mut self) -> Result<&'a str, PackagesError> {
        let start = self.position;
        let name = self.take_while(is_name_character);
        let word = self.word_at(start);
        let follows = |c: char| is_separator(c) || is_comparison(c) || matches!(c, '[' | '(' | ';' | '@');
        if is_name(name) && !is_archive(name) && self.peek().is_none_or(follows) {
            return Ok(name);
        }
        // Something is wrong; the rest finds the words for it.
        if name.len() > PythonPackages::MAX_NAME_CHARACTERS {
            return Err(PackagesError(format!(
                "{} is too long for a package name; at most {} characters are allowed.",
                shown(word),
                PythonPackages::MAX_NAME_CHARACTERS
            )));
        }
        if word.starts_with('-') {
            return Err(PackagesError(format!(
                "{} is an option, and this is a list of packages. Options go into a requirements file.",
                shown(word)
            )));
        }
        if is_path(word) || is_archive(name) {
            return Err(a_path(word));
        }
        if is_repository(word) {
            return Err(a_repository(word));
        }
        if let Some((scheme, _)) = word.split_once("://")
            && scheme.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'+')
        {
            return Err(PackagesError(format!(
                "{} is a URL without a name. Write `name @ https://…`, with the package's name.",
                shown(word)
            )));
        }
        if word.starts_with(is_comparison) {
            return Err(PackagesError(format!(
                "{} has no package name before it. Write `name>=1.0`, without a line break in between.",
                shown(word)
            )));
        }
        Err(not_a_name(word))
    }

    /// The extras after `[`. They have no order, so the canonical form sorts them.
    fn extras(&mut self, start: usize, canonical: &mut String) -> Result<(), PackagesError> {
        let mut extras: Vec<&str> = Vec::new();
        loop {
            self.skip_spaces();
            let extra = self.take_while(is_name_character);
            self.skip_spaces();
            let more = self.take(',');
            if !is_name(extra) || !(more || self.take(']')) {
                return Err(PackagesError(format!(
                    "The extras of {} cannot be read. Write them so: `name[first,second]`.",
                    shown(self.word_at(start))
                )));
            }
            // Sorted, each once; by hand, since a library's sort is more for the browser to load than all of this rule.
            if let Err(position) = extras.binary_search(&extra) {
                extras.insert(position, extra);
            }
            if !more {
                break;
            }
        }
        canonical.push('[');
        canonical.push_str(&extras.join(","));
        canonical.push(']');
        Ok(())
    }

    /// The URL after a name; `position` is at its `@`.
    fn url(&mut self, start: usize) -> Result<&'a str, PackagesError> {
        self.take('@');
        self.skip_spaces();
        let from = self.position;
        // A comma at the end separates requirements; one in the middle belongs to the URL.
        let url = self.take_while(|c| !c.is_whitespace()).trim_end_matches(',');
        self.position = from + url.len();
        if url.starts_with(|c: char| c.is_ascii_digit()) && !url.contains(['/', ':']) {
            let name = self.text[start..from].trim_end_matches(|c: char| c == '@' || c.is_whitespace());
            return Err(PackagesError(format!(
                "After `@` comes a URL, not a version. Write {}.",
                shown(&[name, "==", url].concat())
            )));
        }
        if was_accepted(url) {
            return Ok(url);
        }
        if is_repository(url) {
            return Err(a_repository(url));
        }
        check_url(url)?;
        Ok(url)
    }

    /// `(>=1,<2)`; `position` is at the bracket.
    fn versions_in_brackets(&mut self, start: usize, canonical: &mut String) -> Result<(), PackagesError> {
        self.take('(');
        self.skip_spaces();
        if self.peek().is_some_and(is_comparison) {
            self.versions(start, canonical)?;
            self.skip_spaces();
            if self.take(')') {
                return Ok(());
            }
        }
        Err(PackagesError(format!(
            "The versions of {} cannot be read. Write `name>=1.0,<2` without brackets.",
            shown(self.word_at(start))
        )))
    }

    /// `>=1.0, <2`; `position` is at the first comparison.
    fn versions(&mut self, start: usize, canonical: &mut String) -> Result<(), PackagesError> {
        loop {
            self.version(start, canonical)?;
            let end = self.position;
            self.skip_spaces();
            if self.peek().is_some_and(is_comparison) {
                return Err(PackagesError(format!(
                    "Put a comma between the versions before {}, such as `name>=1.0,<2`.",
                    shown(self.word_at(self.position))
                )));
            }
            if self.peek() != Some(',') {
                self.position = end;
                return Ok(());
            }
            // The comma may also end the requirement.
            self.skip_separators();
            if !self.peek().is_some_and(is_comparison) {
                self.position = end;
                return Ok(());
            }
            canonical.push(',');
        }
    }

    /// `>=1.0`.
    fn version(&mut self, start: usize, canonical: &mut String) -> Result<(), PackagesError> {
        let from = self.position;
        let comparison = self.take_while(is_comparison);
        self.skip_spaces();
        let version = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '!' | '*'));
        let typed = &self.text[from..self.position];
        if comparison == "=" {
            return Err(PackagesError(format!(
                "{} has a single `=`. Write {} for exactly that version.",
                shown(self.word_at(start)),
                shown(&[self.text[start..from].trim_end(), "==", version].concat())
            )));
        }
        if !matches!(comparison, "==" | "!=" | "<=" | ">=" | "<" | ">" | "~=" | "===") {
            return Err(PackagesError(format!(
                "{} does not compare versions. Use `==`, `!=`, `<`, `<=`, `>`, `>=` or `~=`, such as `name>=1.0`.",
                shown(typed)
            )));
        }
        if !self.peek().is_none_or(|c| is_separator(c) || is_comparison(c) || matches!(c, ')' | ';'))
            || !is_version(comparison, version)
        {
            return Err(PackagesError(format!(
                "{} has no version that can be read. Versions begin with a digit, such as `1.20` or `2.0rc1`; `.*` may \
                 end one after `==` and `!=`.",
                shown(self.word_at(from))
            )));
        }
        canonical.push_str(comparison);
        canonical.push_str(version);
        Ok(())
    }
}

/// True when the version can stand after the comparison. Only its shape is checked; the installer knows the rest.
fn is_version(comparison: &str, version: &str) -> bool {
    if comparison == "===" {
        return !version.is_empty();
    }
    let number = match version.strip_suffix(".*") {
        Some(number) if matches!(comparison, "==" | "!=") => number,
        _ => version,
    };
    number.strip_prefix(['v', 'V']).unwrap_or(number).starts_with(|c: char| c.is_ascii_digit()) && !number.contains('*')
}

pub(super) fn is_name(text: &str) -> bool {
    text.len() <= PythonPackages::MAX_NAME_CHARACTERS
        && text.chars().all(is_name_character)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

pub(super) fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

fn is_comparison(character: char) -> bool {
    matches!(character, '<' | '>' | '=' | '!' | '~')
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || character == ','
}

fn not_a_name(word: &str) -> PackagesError {
    PackagesError(format!(
        "{} is not a package name. Names have letters, digits, `-`, `_` and `.`; separate packages with spaces, commas \
         or new lines.",
        shown(word)
    ))
}
