//! How this Stoker is doing, as the System page and the REST API show it.

use serde::{Deserialize, Serialize};

use super::{caches::CacheLedger, checks::CheckReport, cluster::ClusterState, retention::Retention, time::Timestamp};

/// How this Stoker is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// What runs runs.
    pub engine: EngineState,
    /// The cluster that runs go to; `None` without one.
    pub cluster: Option<ClusterState>,
    /// The checks of the place where Stoker works.
    pub checks: LastChecks,
    /// What is kept between runs.
    pub caches: CacheLedger,
    /// What is kept of runs.
    pub runs: KeptRuns,
    /// How runs came to their environments, by day, oldest first; days without runs are there too.
    pub days: Vec<DayOfRuns>,
    /// The disk that holds the data folder; `None` when the system does not tell.
    pub disk: Option<DiskSpace>,
    /// What Stoker is made of and works with.
    pub versions: Versions,
    /// Warnings and errors of late, newest first.
    pub errors: Vec<RecentError>,
}

/// What runs runs, and how far it may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineState {
    /// Its name.
    pub name: String,
    /// Runs that run.
    pub running: u32,
    /// Runs that wait.
    pub queued: u32,
    /// Its limits.
    pub limits: EngineLimits,
}

/// How far an engine may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineLimits {
    /// Most runs at once.
    pub at_once: usize,
    /// Seconds after which a run is stopped whose task sets no limit.
    pub default_timeout: u32,
    /// Most bytes of memory of each process; `None` is no limit.
    pub memory: Option<u64>,
    /// Most bytes of a log.
    pub log: u64,
    /// Seconds after which an unused environment or package set is removed; `None` is never.
    pub prune_after: Option<u64>,
}

/// What is kept of runs, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeptRuns {
    /// How many runs there are.
    pub number: u64,
    /// How many bytes the logs of those have that have ended.
    pub log_bytes: u64,
    /// How long they are kept.
    pub retention: Retention,
}

/// The checks as last made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LastChecks {
    /// What they found; `None` before the first time.
    pub report: Option<CheckReport>,
    /// True while they are being made.
    pub under_way: bool,
}

/// How the runs of a day came to their environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOfRuns {
    /// The beginning of the day, in UTC.
    pub day: Timestamp,
    /// Runs whose environment was ready.
    pub ready: u32,
    /// Runs for which one was built that is kept.
    pub built: u32,
}

impl DayOfRuns {
    /// The share of runs whose environment was ready, in percent; `None` without runs.
    #[must_use]
    pub fn percent_ready(self) -> Option<u32> {
        percent(self.ready, self.ready + self.built)
    }
}

/// The share of runs of several days whose environment was ready, in percent; `None` without runs.
#[must_use]
pub fn percent_ready(days: &[DayOfRuns]) -> Option<u32> {
    let ready: u32 = days.iter().map(|day| day.ready).sum();
    percent(ready, days.iter().map(|day| day.ready + day.built).sum())
}

/// Rounded down, so that 100 % means all.
fn percent(part: u32, whole: u32) -> Option<u32> {
    u32::try_from((u64::from(part) * 100).checked_div(u64::from(whole))?).ok()
}

/// The room on a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskSpace {
    /// What Stoker may still use.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// What Stoker is made of and works with. What is not there, or not yet known, is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Versions {
    /// Stoker itself.
    pub stoker: String,
    /// The uv that installs packages.
    pub uv: Option<String>,
    /// The Python that runs use.
    pub python: Option<String>,
    /// The Nix that provides system packages.
    pub nix: Option<String>,
    /// The database, which is part of Stoker.
    pub sqlite: String,
}

/// A warning or an error of the server's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentError {
    /// When.
    pub at: Timestamp,
    /// True for an error, false for a warning.
    pub is_error: bool,
    /// The sentence, then its fields.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_percent_means_all() {
        let day = |ready, built| DayOfRuns { day: Timestamp(0), ready, built };
        assert_eq!(day(0, 0).percent_ready(), None);
        assert_eq!(day(999, 1).percent_ready(), Some(99));
        assert_eq!(percent_ready(&[day(3, 0), day(0, 1)]), Some(75));
        assert_eq!(percent_ready(&[]), None);
    }
}
