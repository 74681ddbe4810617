//! What preparing a run cost: the cache report.

use serde::{Deserialize, Serialize};

use super::spec::TaskSpec;

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

/// How a run came to its package set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetUse {
    /// It was ready: no Nix was started.
    Ready,
    /// Made for this run, and kept for others.
    Built,
}

/// What the system packages of a run cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetReport {
    /// How the run came to them.
    pub set: SetUse,
    /// Store paths that the set is made of, if they were counted: with those its packages need.
    pub paths: Option<u32>,
    /// Of these, fetched for this run.
    pub fetched: u32,
    /// Of these, built for this run.
    pub built: u32,
    /// How much was fetched, in bytes; `None` when nothing was, or Nix did not say.
    pub fetched_bytes: Option<u64>,
}

/// What a run of a spec would find in the cache now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    pub environment: Ready,
    /// Its system packages; `None` when it asks for none.
    pub system: Option<Ready>,
}

impl Readiness {
    /// What is said when nobody can tell now.
    #[must_use]
    pub fn unknown(spec: &TaskSpec) -> Self {
        Self { environment: Ready::Unknown, system: (!spec.system_packages.is_empty()).then_some(Ready::Unknown) }
    }
}

/// Whether something is in the cache. In order: the further down, the further from ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ready {
    /// It is ready.
    Ready,
    /// It cannot be told now.
    Unknown,
    /// The next run builds it.
    ToBuild,
    /// Each run builds its own (`use_cache` off).
    Private,
    /// Nothing on this machine can build it.
    Impossible,
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
    /// What the system packages cost, if there were any from Nix.
    #[serde(default)]
    pub system: Option<SetReport>,
    /// Time by stage, in order.
    pub stages: Vec<StageTime>,
}
