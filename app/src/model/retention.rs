//! How long runs are kept.

use serde::{Deserialize, Serialize};

/// How long runs are kept, with their logs; `None` is for ever. Whatever it says, a run that has not ended is kept, and
/// the latest one of each task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Retention {
    /// The last so many of each task, at least one.
    pub runs: Option<u32>,
    /// So many days after they ended.
    pub days: Option<u32>,
    /// As long as all logs together have no more bytes; the oldest go first.
    pub log_bytes: Option<u64>,
}
