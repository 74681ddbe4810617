//! The filter of the lists of tasks and flows: how their last run stands.

use super::{
    phase::Phase,
    run_list::{Count, PhaseChoice},
};

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

/// How many tasks each choice would list; `None` among the choices stands for all tasks.
pub type LastRunCounts = Vec<(Option<LastRun>, Count)>;

/// Counts the tasks whose last runs are in these phases. Choices that would list nothing are left out.
#[must_use]
pub fn count(last: &[Option<Phase>]) -> LastRunCounts {
    let all = (None, Count::new(last.len()));
    let choices = LastRun::all().into_iter().filter_map(|choice| {
        let number = last.iter().filter(|last| choice.includes(**last)).count();
        (number > 0).then(|| (Some(choice), Count::new(number)))
    });
    [all].into_iter().chain(choices).collect()
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

    #[test]
    fn every_task_is_counted_where_it_would_be_listed() {
        let last = [None, Some(Phase::Running), Some(Phase::Failed), Some(Phase::Failed)];
        let words: Vec<String> = count(&last)
            .into_iter()
            .map(|(choice, count)| format!("{} {count}", choice.map_or("All", LastRun::word)))
            .collect();
        assert_eq!(words, ["All 4", "Active 1", "Running 1", "Failed 2", "Not run yet 1"]);
    }
}
