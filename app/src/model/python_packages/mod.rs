//! Python packages as a user writes them: a list of PEP 508 requirements separated by spaces, commas or new lines, or a
//! requirements file. Only the shape of the text is checked here; whether the packages exist is the resolver's to say.

mod requirement;
mod requirements_file;
mod source;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::requirements_file::RequirementsFile;
use self::{
    requirement::Parser,
    source::{a_repository, repository_of},
};

/// Python packages, parsed. May be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PythonPackages(Vec<String>);

/// What is wrong with a list of packages: names the offending word and says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PackagesError(String);

impl PythonPackages {
    /// The longest list, in bytes.
    pub const MAX_BYTES: usize = 10_000;
    /// The longest name of a package or an extra, in characters.
    pub const MAX_NAME_CHARACTERS: usize = 100;

    /// Reads a list as typed. Exact repetitions are dropped.
    ///
    /// # Errors
    /// Names the offending word and says what is allowed.
    pub fn parse(text: &str) -> Result<Self, PackagesError> {
        check_list_size(text.len())?;
        let mut parser = Parser::new(without_byte_order_mark(text));
        let mut requirements: Vec<String> = Vec::new();
        let mut bytes = 0;
        parser.skip_separators();
        while parser.peek().is_some() {
            let requirement = parser.requirement()?;
            if !requirements.contains(&requirement) {
                bytes += requirement.len() + 1;
                requirements.push(requirement);
            }
            parser.skip_separators();
        }
        // What is stored must be readable again, and the canonical form may be longer than what was typed.
        check_list_size(bytes.saturating_sub(1))?;
        Ok(Self(requirements))
    }

    /// Each requirement in its canonical form, in the order typed.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Reads a list that is to be saved now: also refuses packages that no run can install. What was saved before they
    /// were refused stays readable by [`Self::parse`].
    ///
    /// # Errors
    /// Names the offending word and says what is allowed.
    pub fn parse_new(text: &str) -> Result<Self, PackagesError> {
        let packages = Self::parse(text)?;
        let refused = packages.iter().find_map(repository_of).map(a_repository);
        refused.map_or(Ok(packages), Err)
    }

    /// True when no package is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One requirement a line: the content of a requirements file, and what the form shows again.
impl fmt::Display for PythonPackages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("\n"))
    }
}

impl TryFrom<String> for PythonPackages {
    type Error = PackagesError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PythonPackages> for String {
    fn from(packages: PythonPackages) -> Self {
        packages.to_string()
    }
}

fn check_list_size(bytes: usize) -> Result<(), PackagesError> {
    if bytes <= PythonPackages::MAX_BYTES {
        return Ok(());
    }
    Err(PackagesError(format!(
        "The list has {bytes} bytes; at most {} are allowed. Use a requirements file for a long list.",
        PythonPackages::MAX_BYTES
    )))
}

fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
