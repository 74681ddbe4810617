//! A step of a flow as its author made it. How it runs is [`TaskSpec`], as for a task.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Retries;
use crate::model::{
    spec::{TaskSpec, ValueError},
    words::is_invisible,
};

/// A step of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowStep {
    /// Names it within the flow, for code and connections.
    pub key: StepKey,
    /// What people call it.
    pub name: StepName,
    /// What it runs. Its engine is the flow's.
    pub spec: TaskSpec,
    /// The steps that it waits for.
    pub runs_after: Vec<StepKey>,
    /// How those must have ended.
    pub runs_when: RunsWhen,
    /// What happens when it fails.
    pub retries: Retries,
    /// Where it was put on the drawing; `None` leaves that to the layout.
    pub placement: Option<Placement>,
}

impl FlowStep {
    /// The step of a run that has only one, as a task's has.
    #[must_use]
    pub fn only(spec: TaskSpec) -> Self {
        Self {
            key: StepKey::only(),
            name: StepName(StepKey::ONLY.to_owned()),
            spec,
            runs_after: Vec::new(),
            runs_when: RunsWhen::default(),
            retries: Retries::default(),
            placement: None,
        }
    }

    /// A step for tests that prints nothing.
    #[cfg(test)]
    pub(super) fn example(key: &str, runs_after: &[&str]) -> Self {
        let spec = crate::model::spec::TaskDraft { code: "pass".to_owned(), ..Default::default() };
        Self {
            key: key.parse().unwrap(),
            name: StepName::parse(key).unwrap(),
            runs_after: runs_after.iter().map(|key| key.parse().unwrap()).collect(),
            ..Self::only(spec.parse().unwrap().spec)
        }
    }
}

/// Names a step within its flow: letters, digits, `-` and `_`, at most 60. Code reads a step's outputs by it; it stays
/// when the step gets another name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StepKey(String);

/// The text cannot name a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot name a step: letters, digits, `-` and `_` are allowed, at most 60, and no `-` at the beginning")]
pub struct UnknownStepKey(String);

impl StepKey {
    /// The longest key, in characters.
    pub const MAX_CHARACTERS: usize = 60;

    /// The key of the only step of a task's run.
    const ONLY: &'static str = "main";

    /// The key of the only step of a task's run.
    #[must_use]
    pub fn only() -> Self {
        Self(Self::ONLY.to_owned())
    }

    /// A key made from a name, such as `load_data` from `Load data`, that is not among `taken`.
    #[must_use]
    pub fn from_name(name: &str, taken: impl Fn(&Self) -> bool) -> Self {
        let mut key = String::new();
        for character in name.chars() {
            match character {
                _ if key.len() >= Self::MAX_CHARACTERS - 5 => break,
                'A'..='Z' | 'a'..='z' | '0'..='9' | '_' => key.push(character.to_ascii_lowercase()),
                '-' if !key.is_empty() => key.push('-'),
                _ if !key.is_empty() && !key.ends_with('_') => key.push('_'),
                _ => {}
            }
        }
        let key = key.trim_end_matches('_');
        let base = if key.is_empty() { "step" } else { key };
        let mut candidate = Self(base.to_owned());
        let mut number = 2;
        while taken(&candidate) {
            candidate = Self(format!("{base}_{number}"));
            number += 1;
        }
        candidate
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StepKey {
    type Err = UnknownStepKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.is_empty()
            || text.len() > Self::MAX_CHARACTERS
            || text.starts_with('-')
            || !text.bytes().all(is_allowed)
        {
            return Err(UnknownStepKey(text.chars().take(80).collect()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for StepKey {
    type Error = UnknownStepKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<StepKey> for String {
    fn from(key: StepKey) -> Self {
        key.0
    }
}

impl fmt::Display for StepKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What people call a step: one line, at most 60 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StepName(String);

impl StepName {
    /// The longest name, in characters.
    pub const MAX_CHARACTERS: usize = 60;

    /// Reads a name.
    ///
    /// # Errors
    /// When it is empty, too long, has control characters, or nothing of it can be seen.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        if text.chars().all(|character| character.is_whitespace() || is_invisible(character)) {
            return Err(ValueError("Give the step a name.".to_owned()));
        }
        if text.chars().count() > Self::MAX_CHARACTERS {
            return Err(ValueError(format!(
                "The step's name is longer than {} characters. Shorten it.",
                Self::MAX_CHARACTERS
            )));
        }
        if text.chars().any(char::is_control) {
            return Err(ValueError("The step's name has a line break or a control character. Remove it.".to_owned()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How the steps that a step waits for must have ended, so that it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunsWhen {
    /// All of them succeeded.
    #[default]
    AllSucceeded,
    /// All of them ended, however.
    AllEnded,
    /// All of them ended, and at least one of them failed.
    AnyFailed,
}

impl RunsWhen {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AllSucceeded, Self::AllEnded, Self::AnyFailed];

    /// The word, as stored and sent.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AllSucceeded => "all_succeeded",
            Self::AllEnded => "all_ended",
            Self::AnyFailed => "any_failed",
        }
    }

    /// In the user's words.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::AllSucceeded => "all of them succeeded",
            Self::AllEnded => "all of them ended",
            Self::AnyFailed => "one of them failed",
        }
    }

    /// When a step begins that runs after steps of these names, in a few words.
    #[must_use]
    pub fn order_words(self, names: &[&str]) -> String {
        match self {
            _ if names.is_empty() => "begins with the run".to_owned(),
            Self::AllSucceeded => format!("after {}", names.join(", ")),
            Self::AllEnded | Self::AnyFailed => format!("after {}, when {}", names.join(", "), self.label()),
        }
    }
}

impl FromStr for RunsWhen {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|when| when.word() == text);
        found.ok_or_else(|| ValueError("Choose when the step runs.".to_owned()))
    }
}

/// Where a step was put on the drawing, in its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// To the right.
    pub x: i32,
    /// Downwards.
    pub y: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_from_names() {
        let key = |name: &str, taken: &[&str]| StepKey::from_name(name, |key| taken.contains(&key.as_str())).0;
        assert_eq!(key("Load data", &[]), "load_data");
        assert_eq!(key("Load data", &["load_data", "load_data_2"]), "load_data_3");
        assert_eq!(key("  §$% ", &[]), "step");
        assert_eq!(key("-x–y-", &[]), "x_y-");
        let long = key(&"ä b".repeat(60), &[]);
        assert!(long.parse::<StepKey>().is_ok(), "{long}");
    }

    #[test]
    fn other_text_names_no_step() {
        for text in ["", "-a", "a b", "a/b", "..", "ä", &"a".repeat(61)] {
            assert!(text.parse::<StepKey>().is_err(), "{text}");
        }
        assert_eq!("load_1-b".parse::<StepKey>().map(|key| key.0), Ok("load_1-b".to_owned()));
    }

    #[test]
    fn names_can_be_seen_and_fit_on_a_line() {
        for name in ["", "  ", "\u{200b}", "a\nb", &"n".repeat(61)] {
            assert!(StepName::parse(name).is_err(), "{name:?}");
        }
        assert_eq!(StepName::parse(" Übersicht ").unwrap().as_str(), "Übersicht");
    }
}
