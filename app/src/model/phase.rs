//! Where a run or a step stands.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where a run or a step stands. It moves from top to bottom only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Accepted; waits for its turn.
    Pending,
    /// Prepares its environment, or runs the code.
    Running,
    /// The code ended with exit code 0.
    Succeeded,
    /// The code ended otherwise, or its preparation failed.
    Failed,
    /// Stoker or the machine failed, not the code.
    Error,
    Cancelled,
    /// A step that never ran, for how those before it ended. No run is in this phase.
    Skipped,
}

impl Phase {
    /// All phases, in the order above.
    pub const ALL: [Self; 7] =
        [Self::Pending, Self::Running, Self::Succeeded, Self::Failed, Self::Error, Self::Cancelled, Self::Skipped];

    /// Those that a run can be in.
    pub const OF_RUNS: [Self; 6] =
        [Self::Pending, Self::Running, Self::Succeeded, Self::Failed, Self::Error, Self::Cancelled];

    /// The word, as stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Cancelled => "Cancelled",
            Self::Skipped => "Skipped",
        }
    }

    /// Where a run stands whose steps stand so. What happened to one step outweighs that others went well: an error of
    /// Stoker's outweighs a failure, and that a cancellation.
    #[must_use]
    pub fn of_run(steps: &[Self]) -> Self {
        let any = |phase| steps.contains(&phase);
        if steps.iter().all(|phase| *phase == Self::Pending) {
            Self::Pending
        } else if any(Self::Pending) || any(Self::Running) {
            Self::Running
        } else {
            let worst = [Self::Error, Self::Failed, Self::Cancelled].into_iter().find(|phase| any(*phase));
            worst.unwrap_or(Self::Succeeded)
        }
    }

    /// True when nothing can change any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// The text names no phase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a phase")]
pub struct UnknownPhase(String);

impl FromStr for Phase {
    type Err = UnknownPhase;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|phase| phase.word() == text).ok_or_else(|| UnknownPhase(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::Phase::{self, Cancelled, Error, Failed, Pending, Running, Skipped, Succeeded};

    #[test]
    fn a_run_stands_where_its_steps_do() {
        for (steps, run) in [
            (vec![Pending, Pending], Pending),
            (vec![Succeeded, Pending], Running),
            (vec![Failed, Running], Running),
            (vec![Succeeded, Succeeded], Succeeded),
            (vec![Cancelled, Failed, Succeeded], Failed),
            (vec![Cancelled, Error, Failed], Error),
            (vec![Succeeded, Cancelled], Cancelled),
            (vec![Succeeded, Skipped], Succeeded),
            (vec![Failed, Skipped], Failed),
            (vec![Skipped, Pending], Running),
        ] {
            assert_eq!(Phase::of_run(&steps), run, "{steps:?}");
        }
    }
}
