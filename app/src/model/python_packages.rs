//! Python packages as a user writes them: PEP 508 requirements separated by spaces, commas or new lines.

use std::fmt;

use serde::{Deserialize, Serialize};

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

    /// Reads a list as typed.
    ///
    /// # Errors
    /// Names the offending word and says what is allowed.
    pub fn parse(text: &str) -> Result<Self, PackagesError> {
        if text.len() > Self::MAX_BYTES {
            return Err(PackagesError(String::from("too long")));
        }
        Ok(Self(text.split_whitespace().map(str::to_owned).collect()))
    }

    /// Each requirement in its canonical form, in the order typed.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
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

/// The text of a requirements file, checked for size and for lines that would reach outside the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementsFile(String);

impl RequirementsFile {
    /// The longest file, in bytes.
    pub const MAX_BYTES: usize = 50_000;

    /// Reads a file as pasted or uploaded; `None` when it holds nothing but blanks and comments.
    ///
    /// # Errors
    /// Names the offending line and says what is allowed.
    pub fn parse(text: &str) -> Result<Option<Self>, PackagesError> {
        Ok((!text.trim().is_empty()).then(|| Self(text.to_owned())))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
