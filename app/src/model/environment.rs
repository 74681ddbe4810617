//! Environment variables as a user writes them: one `NAME=value` a line.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Environment variables of a task, parsed. May be empty. Names are unique and in the order typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EnvironmentVariables(Vec<(String, String)>);

/// What is wrong with a list of environment variables: names the offending line and says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EnvironmentError(String);

impl EnvironmentVariables {
    /// The longest list, in bytes.
    pub const MAX_BYTES: usize = 32_768;

    /// Reads a list as typed.
    ///
    /// # Errors
    /// Names the offending line and says what is allowed.
    pub fn parse(text: &str) -> Result<Self, EnvironmentError> {
        let mut variables = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (name, value) = line.split_once('=').ok_or_else(|| EnvironmentError(line.to_owned()))?;
            variables.push((name.to_owned(), value.to_owned()));
        }
        Ok(Self(variables))
    }

    /// Names and values, in the order typed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One `NAME=value` a line: what the form shows again.
impl fmt::Display for EnvironmentVariables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{name}={value}")?;
        }
        Ok(())
    }
}
