//! Named, timed checks during the preparation of a step.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// How a checkpoint ended, or how a check of the place stands (`checks`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckpointStatus {
    /// In order.
    Ok,
    /// Does not apply; the detail says why.
    Skipped,
    /// Goes on, but somebody should look.
    Warning,
    /// It cannot go on like this: a preparation ends here.
    Failed,
}

/// A named, timed check during the preparation of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// 1 to 11, in the order in which they are made.
    pub number: u8,
    /// A short name for people.
    pub name: String,
    /// How it ended; `None` while it is under way.
    pub status: Option<CheckpointStatus>,
    /// What was found, in a sentence.
    pub detail: String,
    /// What to do next; only when failed or warned.
    pub advice: Option<String>,
    /// Which entry of the troubleshooting page tells more; only when failed or warned.
    pub code: Option<String>,
    /// The last lines of what the installers printed, when it failed.
    pub tail: Option<String>,
    /// When it ended; when it began, while it is under way.
    pub at: Timestamp,
    /// Milliseconds it took.
    pub millis: u64,
}

impl Checkpoint {
    /// How many there are in a preparation that goes well.
    pub const COUNT: u8 = 11;

    /// True for what keeps others from reading, changing or replacing what the run uses: who may write its folders (2),
    /// how it is kept apart from the machine (3), and that its packages are the ones that were locked (11).
    #[must_use]
    pub const fn guards_security(&self) -> bool {
        matches!(self.number, 2 | 3 | 11)
    }
}
