//! Names of tasks, runs and steps. Each is its own type, so one cannot be passed for another.

use std::{fmt, num::NonZeroU32, str::FromStr};

use serde::{Deserialize, Serialize};

/// What is wrong with a name that came from outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a {1}")]
pub struct UnknownIdentifier(String, &'static str);

/// Names what a user saves, a task or a flow: `task-` or `flow-`, and twelve lowercase hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(String);

/// What a user saves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Kind {
    /// One program.
    #[default]
    Task,
    /// Several steps in an order.
    Flow,
}

impl Kind {
    /// The word for one of this kind.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Flow => "flow",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Task => "task-",
            Self::Flow => "flow-",
        }
    }
}

impl TaskId {
    /// Makes the name of a task out of six random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 6]) -> Self {
        Self::of_kind(Kind::Task, bytes)
    }

    /// Makes the name of something of this kind out of six random bytes.
    #[must_use]
    pub fn of_kind(kind: Kind, bytes: [u8; 6]) -> Self {
        Self(format!("{}{}", kind.prefix(), hexadecimal(&bytes)))
    }

    /// What it names.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.0.starts_with(Kind::Flow.prefix()) { Kind::Flow } else { Kind::Task }
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
        let digits = [Kind::Task, Kind::Flow].into_iter().find_map(|kind| text.strip_prefix(kind.prefix()));
        if digits.is_some_and(|digits| digits.len() == 12 && is_hexadecimal(digits)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnknownIdentifier(text.chars().take(80).collect(), "task"))
        }
    }
}

/// The number of a run within its task, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunNumber(NonZeroU32);

impl RunNumber {
    /// The number of the first run.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

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

/// Names a run outside of this server's database: `run-` and twenty random lowercase hexadecimal digits. So what an
/// engine keeps of a run is never taken for that of another one, also after a backup was restored or beside another
/// Stoker. Runs from before there were such names have their step's key, a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunUid(String);

impl RunUid {
    const PREFIX: &'static str = "run-";
    const DIGITS: usize = 20;

    /// Makes the name out of ten random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; Self::DIGITS / 2]) -> Self {
        Self(format!("{}{}", Self::PREFIX, hexadecimal(&bytes)))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the run's step at a position, from 1.
    #[must_use]
    pub fn step(&self, position: NonZeroU32) -> StepUid {
        if is_number(&self.0) { StepUid(self.0.clone()) } else { StepUid(format!("{}-{position}", self.0)) }
    }
}

impl FromStr for RunUid {
    type Err = UnknownIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix(Self::PREFIX).unwrap_or_default();
        if is_number(text) || (digits.len() == Self::DIGITS && is_hexadecimal(digits)) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnknownIdentifier(text.chars().take(80).collect(), "run"))
        }
    }
}

/// Names a step outside of this server's database: its run's name and its position. Each further attempt has a name of its
/// own: `run-…-3`, then `run-…-3.2`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StepUid(String);

impl StepUid {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of an attempt of this step, whose first attempt has this name.
    #[must_use]
    pub fn attempt(self, number: u32) -> Self {
        if number > 1 { Self(format!("{}.{number}", self.0)) } else { self }
    }

    /// The name of its first attempt, which is that of the step as a whole.
    #[must_use]
    pub fn first_attempt(&self) -> Self {
        Self(self.0.split('.').next().unwrap_or_default().to_owned())
    }

    /// The run that it is a step of.
    #[must_use]
    pub fn run(&self) -> RunUid {
        match self.0.rsplit_once('-') {
            Some((run, _)) => RunUid(run.to_owned()),
            None => RunUid(self.0.clone()),
        }
    }
}

impl FromStr for StepUid {
    type Err = UnknownIdentifier;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownIdentifier(text.chars().take(80).collect(), "step");
        if is_number(text) {
            return Ok(Self(text.to_owned()));
        }
        let (run, position) = text.rsplit_once('-').ok_or_else(unknown)?;
        let (position, attempt) = position.split_once('.').unwrap_or((position, "1"));
        let (run, position): (RunUid, NonZeroU32) =
            (run.parse().map_err(|_| unknown())?, position.parse().map_err(|_| unknown())?);
        let attempt = attempt.parse().map_err(|_| unknown())?;
        // The one way to write it: `01` names no step.
        Some(run.step(position).attempt(attempt)).filter(|step| step.0 == text).ok_or_else(unknown)
    }
}

/// Text in both directions, for the names that are text.
macro_rules! text_identifiers {
    ($($name:ident),*) => { $(
        impl TryFrom<String> for $name {
            type Error = UnknownIdentifier;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )* };
}

text_identifiers!(TaskId, RunUid, StepUid);

fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() < 20 && text.bytes().all(|byte| byte.is_ascii_digit())
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
        assert_eq!((id.kind(), id.as_str().parse()), (Kind::Task, Ok(id)));
        let flow = TaskId::of_kind(Kind::Flow, [0, 1, 0xab, 0xff, 9, 0x10]);
        assert_eq!((flow.as_str(), flow.kind()), ("flow-0001abff0910", Kind::Flow));
    }

    #[test]
    fn other_text_is_no_task_id() {
        for text in
            ["", "task-", "task-0001ABFF0910", "task-0001abff091", "task-0001abff0910a", "run-0001abff0910", "../etc"]
        {
            assert!(text.parse::<TaskId>().is_err(), "{text}");
        }
    }

    #[test]
    fn runs_and_steps_name_each_other() {
        let run = RunUid::from_random([0x1f; 10]);
        let step = run.step(NonZeroU32::MIN);
        assert_eq!(step.as_str(), "run-1f1f1f1f1f1f1f1f1f1f-1");
        assert_eq!((step.run(), step.as_str().parse()), (run.clone(), Ok(step)));
        let again = run.step(NonZeroU32::MIN).attempt(2);
        assert_eq!(again.as_str(), "run-1f1f1f1f1f1f1f1f1f1f-1.2");
        assert_eq!((again.run(), again.as_str().parse()), (run.clone(), Ok(again)));
        assert_eq!(run.as_str().parse(), Ok(run));
    }

    #[test]
    fn a_run_from_before_is_named_by_its_step() {
        let run: RunUid = "12".parse().unwrap();
        assert_eq!(run.step(NonZeroU32::MIN).as_str(), "12");
        assert_eq!("12".parse::<StepUid>().unwrap().run(), run);
    }

    #[test]
    fn other_text_names_no_run_and_no_step() {
        for text in [
            "",
            "-",
            "run-",
            "run-1f-1",
            "warm-1f1f1f1f1f1f1f1f1f1f-1",
            "../12",
            "-12",
            "run-1f1f1f1f1f1f1f1f1f1f-01",
            "run-1f1f1f1f1f1f1f1f1f1f-1.1",
        ] {
            assert!(text.parse::<RunUid>().is_err() && text.parse::<StepUid>().is_err(), "{text}");
        }
    }

    #[test]
    fn run_numbers_start_at_one() {
        assert!("0".parse::<RunNumber>().is_err());
        assert!("-1".parse::<RunNumber>().is_err());
        assert_eq!("12".parse::<RunNumber>().map(RunNumber::get), Ok(12));
    }
}
