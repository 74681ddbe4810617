//! System packages as a user writes them: Nix attribute names separated by spaces, commas or new lines.

use std::fmt;

use serde::{Deserialize, Serialize};

/// System packages, parsed. May be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SystemPackages(Vec<String>);

/// What is wrong with a list of system packages: names the offending word and says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SystemPackagesError(String);

impl SystemPackages {
    /// The longest list, in bytes.
    pub const MAX_BYTES: usize = 10_000;

    /// Reads a list as typed.
    ///
    /// # Errors
    /// Names the offending word and says what is allowed.
    pub fn parse(text: &str) -> Result<Self, SystemPackagesError> {
        if text.len() > Self::MAX_BYTES {
            return Err(SystemPackagesError(String::from("too long")));
        }
        Ok(Self(text.split_whitespace().map(str::to_owned).collect()))
    }

    /// The names, in the order typed, each once.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// True when no package is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The names, separated by spaces: what is stored and what the form shows again.
impl fmt::Display for SystemPackages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(" "))
    }
}

impl TryFrom<String> for SystemPackages {
    type Error = SystemPackagesError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<SystemPackages> for String {
    fn from(packages: SystemPackages) -> Self {
        packages.to_string()
    }
}
