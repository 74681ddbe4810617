//! Names of tasks, runs and steps. Each is its own type, so one cannot be passed for another.

use std::{fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Serialize};

/// What is wrong with a name that came from outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a {1}")]
pub struct UnknownIdentifier(String, &'static str);

/// Names a task: `task-` and twelve lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(String);

impl TaskId {
    const PREFIX: &'static str = "task-";

    /// Makes the name out of six random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 6]) -> Self {
        use fmt::Write as _;
        let mut name = String::from(Self::PREFIX);
        for byte in bytes {
            // Writing to a `String` cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        Self(name)
    }

    /// The name as text, as it stands in URLs and in the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TaskId {
    type Err = UnknownIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix(Self::PREFIX).unwrap_or_default();
        if digits.len() == 12 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnknownIdentifier(text.chars().take(80).collect(), "task"))
        }
    }
}

impl TryFrom<String> for TaskId {
    type Error = UnknownIdentifier;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The number of a run within its task, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunNumber(NonZeroU32);

impl RunNumber {
    /// `None` for zero, which no run has.
    #[must_use]
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number as a plain integer.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl FromStr for RunNumber {
    type Err = UnknownIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().and_then(Self::new).ok_or_else(|| UnknownIdentifier(text.chars().take(80).collect(), "run"))
    }
}

impl fmt::Display for RunNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A run's key in the database, unique over all tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A step's key in the database, unique over all runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepId(pub i64);

impl fmt::Display for StepId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_ids_are_read_back_as_written() {
        let id = TaskId::from_random([0, 1, 0xab, 0xff, 9, 0x10]);
        assert_eq!(id.as_str(), "task-0001abff0910");
        assert_eq!(id.as_str().parse(), Ok(id));
    }

    #[test]
    fn other_text_is_no_task_id() {
        for text in
            ["", "task-", "task-0001ABFF0910", "task-0001abff091", "task-0001abff0910a", "flow-0001abff0910", "../etc"]
        {
            assert!(text.parse::<TaskId>().is_err(), "{text}");
        }
    }

    #[test]
    fn run_numbers_start_at_one() {
        assert!("0".parse::<RunNumber>().is_err());
        assert!("-1".parse::<RunNumber>().is_err());
        assert_eq!("12".parse::<RunNumber>().map(RunNumber::get), Ok(12));
    }
}
