//! Environment variables as a user writes them: one `NAME=value` a line, with comments between.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::words::shown;

/// Environment variables of a task, parsed. May be empty. Names are unique and in the order typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EnvironmentVariables(Vec<Line>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Line {
    Variable(String, String),
    /// Kept for whoever edits the list; a run does not see it.
    Comment(String),
}

/// What is wrong with a list of environment variables: names the offending line and says what is allowed.
/// It never repeats a value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EnvironmentError(String);

impl EnvironmentVariables {
    /// The longest list, in bytes.
    pub const MAX_BYTES: usize = 32_768;
    /// Names that begin so belong to the runner.
    pub const RESERVED_PREFIX: &str = "STOKER_";

    /// Reads a list as typed. A value is everything after the first `=`, quotes and spaces included. Lines that begin
    /// with `#` are comments; blank lines are left out.
    ///
    /// # Errors
    /// Names the offending line and says what is allowed.
    pub fn parse(text: &str) -> Result<Self, EnvironmentError> {
        if text.len() > Self::MAX_BYTES {
            return Err(EnvironmentError(format!(
                "The environment variables have {} bytes; at most {} are allowed.",
                text.len(),
                Self::MAX_BYTES
            )));
        }
        let mut variables = Self::default();
        for (index, line) in text.split('\n').enumerate() {
            let at = |problem: &str| EnvironmentError(format!("Line {}: {problem}", index + 1));
            let line = line.trim_end_matches('\r').trim_start();
            if line.is_empty() {
                continue;
            }
            if line.contains('\0') {
                return Err(at("an environment variable cannot hold a NUL character. Remove it."));
            }
            if line.starts_with('#') {
                variables.0.push(Line::Comment(line.to_owned()));
                continue;
            }
            let Some((name, value)) = line.split_once('=') else {
                return Err(at("there is no `=`. Write one `NAME=value` a line."));
            };
            if !is_name(name) {
                return Err(at(&refused_name(name)));
            }
            if name.starts_with(Self::RESERVED_PREFIX) {
                return Err(at(&format!(
                    "{} is reserved: names that begin with `{}` are set for each run. Choose another name.",
                    shown(name),
                    Self::RESERVED_PREFIX
                )));
            }
            if variables.iter().any(|(other, _)| other == name) {
                return Err(at(&format!("{} is set a second time. Keep one of the two lines.", shown(name))));
            }
            variables.0.push(Line::Variable(name.to_owned(), value.to_owned()));
        }
        Ok(variables)
    }

    /// Names and values, in the order typed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|line| match line {
            Line::Variable(name, value) => Some((name.as_str(), value.as_str())),
            Line::Comment(_) => None,
        })
    }

    /// True when there is none; comments do not count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Why a name is refused. The likely slips have their own words.
fn refused_name(name: &str) -> String {
    if is_name(name.trim_end()) {
        return format!("there must be no space between {} and `=`.", shown(name.trim_end()));
    }
    if let Some(rest) = name.strip_prefix("export ")
        && is_name(rest)
    {
        return format!("leave out `export`, and begin with {}.", shown(rest));
    }
    format!(
        "{} is not a name. Names have letters, digits and `_`, and do not begin with a digit; write one `NAME=value` \
         a line.",
        shown(name)
    )
}

/// One `NAME=value` or comment a line: what the form shows again.
impl fmt::Display for EnvironmentVariables {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            match line {
                Line::Variable(name, value) => write!(formatter, "{name}={value}")?,
                Line::Comment(comment) => formatter.write_str(comment)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_reads_as_names_and_exact_values() {
        for (text, expected) in [
            ("", &[][..]),
            ("\n \r\n# A=1\n  # x", &[]),
            ("A=1", &[("A", "1")]),
            ("A=1\r\nB=2\r\n", &[("A", "1"), ("B", "2")]),
            ("B=x=y\n\n_a1=", &[("B", "x=y"), ("_a1", "")]),
            ("A= \"two words\" ", &[("A", " \"two words\" ")]),
            ("  A=$(id); `x` {{y}} <b>", &[("A", "$(id); `x` {{y}} <b>")]),
            ("A=#not a comment", &[("A", "#not a comment")]),
            ("A=Gruß 🚀\u{202e}", &[("A", "Gruß 🚀\u{202e}")]),
            ("PATH=/x\npath=/y", &[("PATH", "/x"), ("path", "/y")]),
        ] {
            assert_eq!(EnvironmentVariables::parse(text).unwrap().iter().collect::<Vec<_>>(), expected, "{text:?}");
        }
    }

    #[test]
    fn comments_are_kept_where_they_are() {
        let typed = "# the key\nA=1\n\n  # and more=2\r\nB=3";
        let variables = EnvironmentVariables::parse(typed).unwrap();
        assert_eq!(variables.iter().collect::<Vec<_>>(), [("A", "1"), ("B", "3")]);
        assert_eq!(variables.to_string(), "# the key\nA=1\n# and more=2\nB=3");
        assert!(EnvironmentVariables::parse("# A=1").unwrap().is_empty());
    }

    #[test]
    fn a_fault_names_its_line_and_no_value() {
        for (text, expected) in [
            ("A=1\nsecret", "Line 2: there is no `=`. Write one `NAME=value` a line."),
            ("A=1\r\n\r\nA=2", "Line 3: `A` is set a second time. Keep one of the two lines."),
            (
                "STOKER_RUN=x",
                "Line 1: `STOKER_RUN` is reserved: names that begin with `STOKER_` are set for each run. Choose another \
                 name.",
            ),
            ("A=\0", "Line 1: an environment variable cannot hold a NUL character. Remove it."),
            ("A = 1", "Line 1: there must be no space between `A` and `=`."),
            ("export A=1", "Line 1: leave out `export`, and begin with `A`."),
            (
                "1A=secret",
                "Line 1: `1A` is not a name. Names have letters, digits and `_`, and do not begin with a digit; write \
                 one `NAME=value` a line.",
            ),
            (
                "=x",
                "Line 1: `` is not a name. Names have letters, digits and `_`, and do not begin with a digit; write one \
                 `NAME=value` a line.",
            ),
            (
                "A\u{202e}B=x",
                "Line 1: `A\\u{202e}B` is not a name. Names have letters, digits and `_`, and do not begin with a \
                 digit; write one `NAME=value` a line.",
            ),
        ] {
            assert_eq!(EnvironmentVariables::parse(text).unwrap_err().to_string(), expected, "{text:?}");
        }
        assert_eq!(
            EnvironmentVariables::parse(&format!("A={}", "x".repeat(32_767))).unwrap_err().to_string(),
            "The environment variables have 32769 bytes; at most 32768 are allowed."
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = EnvironmentVariables::parse(&text);
        }

        #[test]
        fn what_is_accepted_reads_as_itself(lines in prop::collection::vec("[A-C]{1,2}=[ -~\\r\\t]{0,6}|[A#= \\r]{0,3}", 0..6)) {
            if let Ok(variables) = EnvironmentVariables::parse(&lines.join("\n")) {
                prop_assert_eq!(EnvironmentVariables::parse(&variables.to_string()).unwrap(), variables);
            }
        }

        #[test]
        fn values_are_kept_exactly(value in "[^\\n\\r\\x00]{0,40}") {
            let variables = EnvironmentVariables::parse(&format!("A={value}\r\n")).unwrap();
            prop_assert_eq!(variables.iter().collect::<Vec<_>>(), [("A", value.as_str())]);
        }
    }
}
