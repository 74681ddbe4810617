//! What is known of the cluster that runs go to.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// The cluster, as this Stoker sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClusterState {
    /// Where runs are.
    pub namespace: String,
    /// Since when it does not answer; `None` while it does.
    pub lost_since: Option<Timestamp>,
    /// When Argo's controller was last seen to take a workflow up, since Stoker was started.
    pub controller_seen: Option<Timestamp>,
    /// Workflows of this Stoker.
    pub workflows: usize,
    /// Pods of this Stoker by their phase, such as `Running`.
    pub pods: Vec<(String, usize)>,
    /// Requests that this Stoker made.
    pub requests: u64,
    /// What broke a watch last, and when.
    pub last_trouble: Option<(Timestamp, String)>,
    /// Its nodes; `None` when this account may not see them, or nobody answers.
    pub nodes: Option<Vec<NodeState>>,
    /// The claims that runs use.
    pub claims: Vec<ClaimState>,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeState {
    pub name: String,
    /// Its container runtime and version.
    pub runtime: String,
    /// Whether it can run pods.
    pub is_ready: bool,
}

/// A claim for a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimState {
    pub name: String,
    /// How things stand with it, such as `Bound, 50Gi, ReadWriteOnce`.
    pub state: String,
}
