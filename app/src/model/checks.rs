//! What was found out about the place where Stoker works: its tools, its folder, its network, its cluster.
//! Not the checkpoints of a step: those are in `checkpoint`.

use serde::{Deserialize, Serialize};

use super::{checkpoint::CheckpointStatus, time::Timestamp};

/// The heading under which a check is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckGroup {
    /// Programs that runs need.
    Tools,
    /// The data folder, its database and its disk.
    Storage,
    /// The address to listen on, and the places that packages come from.
    Network,
    Kubernetes,
}

impl CheckGroup {
    /// All groups, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Storage, Self::Network, Self::Kubernetes];

    /// The word by which programs know it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Storage => "storage",
            Self::Network => "network",
            Self::Kubernetes => "kubernetes",
        }
    }

    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Tools => "Tools",
            Self::Storage => "Storage",
            Self::Network => "Network",
            Self::Kubernetes => "Kubernetes",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The word by which programs and `--only` know it, such as `disk`. No other check of a report has it.
    pub key: String,
    /// Where it is shown.
    pub group: CheckGroup,
    /// A short name for people.
    pub title: String,
    pub status: CheckpointStatus,
    /// What was found, in a sentence or two.
    pub detail: String,
    /// What to do; there for everything that failed or warns.
    pub fix: Option<String>,
}

/// What all checks found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// In the order in which they are shown; those of a group stand together.
    pub checks: Vec<Check>,
    /// When they were made.
    pub at: Timestamp,
}

impl CheckReport {
    /// The status of the worst check. A check that does not apply makes nothing worse.
    #[must_use]
    pub fn worst(&self) -> CheckpointStatus {
        let statuses = self.checks.iter().map(|check| check.status);
        statuses
            .filter(|status| *status != CheckpointStatus::Skipped)
            .max_by_key(|status| match status {
                CheckpointStatus::Ok | CheckpointStatus::Skipped => 0,
                CheckpointStatus::Warning => 1,
                CheckpointStatus::Failed => 2,
            })
            .unwrap_or(CheckpointStatus::Ok)
    }

    /// The groups that have checks, each with its checks, in order.
    #[must_use]
    pub fn by_group(&self) -> Vec<(CheckGroup, Vec<&Check>)> {
        let of = |group| self.checks.iter().filter(|check| check.group == group).collect::<Vec<_>>();
        CheckGroup::ALL.map(|group| (group, of(group))).into_iter().filter(|(_, checks)| !checks.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(statuses: &[(CheckGroup, CheckpointStatus)]) -> CheckReport {
        let check = |(index, (group, status)): (usize, &(CheckGroup, CheckpointStatus))| Check {
            key: index.to_string(),
            group: *group,
            title: "A thing".to_owned(),
            status: *status,
            detail: "It is there.".to_owned(),
            fix: None,
        };
        CheckReport { checks: statuses.iter().enumerate().map(check).collect(), at: Timestamp(0) }
    }

    #[test]
    fn the_worst_check_counts_and_what_does_not_apply_does_not() {
        use CheckpointStatus::{Failed, Ok, Skipped, Warning};
        let worst = |statuses: &[CheckpointStatus]| {
            report(&statuses.iter().map(|status| (CheckGroup::Tools, *status)).collect::<Vec<_>>()).worst()
        };
        assert_eq!(worst(&[]), Ok);
        assert_eq!(worst(&[Skipped]), Ok);
        assert_eq!(worst(&[Ok, Skipped, Ok]), Ok);
        assert_eq!(worst(&[Ok, Warning, Skipped]), Warning);
        assert_eq!(worst(&[Warning, Failed, Ok]), Failed);
    }

    #[test]
    fn groups_keep_their_order_and_empty_ones_are_left_out() {
        let report = report(&[
            (CheckGroup::Network, CheckpointStatus::Ok),
            (CheckGroup::Tools, CheckpointStatus::Ok),
            (CheckGroup::Network, CheckpointStatus::Failed),
        ]);
        let groups: Vec<_> = report.by_group().into_iter().map(|(group, checks)| (group, checks.len())).collect();
        assert_eq!(groups, [(CheckGroup::Tools, 1), (CheckGroup::Network, 2)]);
    }
}
