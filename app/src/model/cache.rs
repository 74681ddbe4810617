//! What preparing a run cost: the cache report.

use serde::{Deserialize, Serialize};

/// How a run came to its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentUse {
    /// It was ready: nothing was done.
    Ready,
    /// Built for this run, and kept for others.
    Built,
    /// Built for this run alone, and deleted after it (`use_cache` off).
    Private,
}

/// Seconds that one stage of a run took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTime {
    /// A word for people, such as `resolve`, `install`, `compile`, `program`.
    pub stage: String,
    /// Milliseconds.
    pub millis: u64,
}

/// What preparing a run cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheReport {
    /// How the run came to its environment.
    pub environment: EnvironmentUse,
    /// Python packages in the lock.
    pub requested: u32,
    /// Of these, taken from the cache (all of them when the environment was ready).
    pub from_cache: u32,
    /// Of these, downloaded or built for this run.
    pub downloaded: u32,
    /// Time by stage, in order.
    pub stages: Vec<StageTime>,
}
