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

/// The numbers are the runner's: a test there compares them.
impl Checkpoint {
    /// The number of the one that says who may write the run's folders.
    pub const FOLDERS: u8 = 2;
    /// The number of the one that says how the run is kept apart from the machine.
    pub const CONTAINER_RUNTIME: u8 = 3;
    /// The number of the one that looks whether the index can be reached.
    pub const NETWORK: u8 = 7;
    /// The number of the one that makes the system packages ready.
    pub const SYSTEM_PACKAGES: u8 = 9;
    /// The number of the one that makes the Python packages ready, as they were locked. It is the last one.
    pub const PYTHON_PACKAGES: u8 = 11;
    /// How many there are in a preparation that goes well.
    pub const COUNT: u8 = Self::PYTHON_PACKAGES;

    /// True for what keeps others from reading, changing or replacing what the run uses.
    #[must_use]
    pub const fn guards_security(&self) -> bool {
        matches!(self.number, Self::FOLDERS | Self::CONTAINER_RUNTIME | Self::PYTHON_PACKAGES)
    }
}
