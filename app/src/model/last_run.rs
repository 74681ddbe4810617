//! A filter of the lists of tasks and flows: how their last run stands.

use super::{phase::Phase, run_list::PhaseChoice};

/// How the last run of a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LastRun {
    /// In one of these phases.
    In(PhaseChoice),
    /// There is none yet.
    None,
}

impl LastRun {
    /// All choices but that of all tasks, as they are offered.
    #[must_use]
    pub fn all() -> Vec<Self> {
        PhaseChoice::all().into_iter().map(Self::In).chain([Self::None]).collect()
    }

    /// Whether a task is listed whose last run is in this phase, or that has none.
    #[must_use]
    pub fn includes(self, last: Option<Phase>) -> bool {
        match (self, last) {
            (Self::In(choice), Some(phase)) => choice.includes(phase),
            (Self::None, None) => true,
            _ => false,
        }
    }

    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::In(choice) => choice.word(),
            Self::None => "Not run yet",
        }
    }

    /// The word in addresses.
    #[must_use]
    pub const fn address_word(self) -> &'static str {
        match self {
            Self::In(choice) => choice.address_word(),
            Self::None => "none",
        }
    }

    /// Reads the word in an address. What means nothing counts as not there.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::all().into_iter().find(|choice| choice.address_word() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_back_as_written() {
        for choice in LastRun::all() {
            assert_eq!(LastRun::parse(choice.address_word()), Some(choice));
        }
        assert_eq!(LastRun::parse("never"), None);
    }
}
