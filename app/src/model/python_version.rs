//! A version of Python as a task asks for it: major and minor, such as 3.12. Which ones there are is the engines' to say.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::spec::ValueError;

/// A version of Python, without what is corrected from one release of it to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PythonVersion {
    major: u8,
    minor: u8,
}

impl PythonVersion {
    /// The oldest version that the runner's files can do with.
    pub const OLDEST: Self = Self { major: 3, minor: 9 };

    /// Reads a wish; `None` when it is empty.
    ///
    /// # Errors
    /// When it is no major and minor version.
    pub fn parse(text: &str) -> Result<Option<Self>, ValueError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        Self::of_full(text).filter(|version| version.to_string() == text).map(Some).ok_or_else(|| {
            ValueError("Enter a version of Python by its first two numbers, such as 3.12, or none.".to_owned())
        })
    }

    /// What the full version of an interpreter begins with, such as `3.12.4` or `3.15.0a1`.
    #[must_use]
    pub fn of_full(version: &str) -> Option<Self> {
        let mut numbers = version.split('.');
        Some(Self { major: number(numbers.next()?)?, minor: number(numbers.next()?)? })
    }
}

/// A number of a version. A sign or a space is none of it.
fn number(text: &str) -> Option<u8> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for PythonVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl From<PythonVersion> for String {
    fn from(version: PythonVersion) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for PythonVersion {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)?.ok_or_else(|| ValueError("A version of Python is missing.".to_owned()))
    }
}

/// A version that a task may choose, and the names of the engines that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedPython {
    /// The version.
    pub version: PythonVersion,
    /// The engines, the default first.
    pub engines: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_a_major_and_a_minor_version() {
        for (text, expected) in [("3.12", Some((3, 12))), (" 3.9\n", Some((3, 9))), ("", None), ("  ", None)] {
            let version = PythonVersion::parse(text).unwrap();
            assert_eq!(version.map(|version| (version.major, version.minor)), expected, "{text:?}");
        }
        for text in ["3", "3.", "3.12.4", "3.012", "+3.1", "3.12rc1", "python3.12", "3,12", "3.256", "-3.1", "٣.١"] {
            assert!(PythonVersion::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let version = |text| PythonVersion::of_full(text).unwrap();
        assert!(version("3.9.18") < version("3.10.0") && version("3.15.0a1") > PythonVersion::OLDEST);
        assert_eq!(PythonVersion::of_full("nonsense"), None);
    }

    #[test]
    fn a_version_is_kept_as_it_is_written() {
        let version = PythonVersion::of_full("3.10.13").unwrap();
        assert_eq!(serde_json::to_string(&version).unwrap(), "\"3.10\"");
        assert_eq!(serde_json::from_str::<PythonVersion>("\"3.10\"").unwrap(), version);
        assert!(serde_json::from_str::<PythonVersion>("\"\"").is_err());
    }
}
