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
    /// Somebody stopped it.
    Cancelled,
}

impl Phase {
    /// All phases, in the order above.
    pub const ALL: [Self; 6] =
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
