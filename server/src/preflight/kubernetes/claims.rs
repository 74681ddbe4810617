//! The volume claims that runs use: bound, and usable from every node where runs may be.

use std::borrow::Cow;

use app::model::checks::CheckGroup;
use k8s_openapi::api::{core::v1::PersistentVolumeClaim, storage::v1::StorageClass};
use kube::Api;

use super::{
    super::finding::{Finding, Subject},
    cluster::Cluster,
    nodes::Nodes,
};
use crate::kubernetes::refusal;

/// Stands for all claims when none is named.
pub(super) const CLAIM: Subject = Subject::new("claim", CheckGroup::Kubernetes, "Volume claims");

/// The volume is chosen when the first pod uses the claim, so that it is where the pod is.
const BOUND_AT_FIRST_USE: &str = "WaitForFirstConsumer";

pub(super) fn subject(claim: &str) -> Subject {
    Subject {
        key: Cow::Owned(format!("claim-{claim}")),
        group: CheckGroup::Kubernetes,
        title: Cow::Owned(format!("Volume claim {claim}")),
    }
}

pub(super) fn none_named() -> Finding {
    Finding::skipped("No volume claims are named. Name those that runs are to use with --claims.")
}

pub(super) async fn finding(cluster: Cluster, name: String, nodes: Nodes) -> Finding {
    let claims = Api::<PersistentVolumeClaim>::namespaced(cluster.client.clone(), &cluster.namespace);
    let claim = match claims.get(&name).await {
        Ok(claim) => claim,
        Err(error) if refusal::is_missing(&error) => {
            return Finding::failed(
                format!("There is no volume claim {name} in the namespace {}.", cluster.namespace),
                "Make it (docs/preflight.md shows one), or correct its name in --claims.",
            );
        }
        Err(error) => return refusal::explain(&error).into(),
    };
    let spec = claim.spec.unwrap_or_default();
    let status = claim.status.unwrap_or_default();
    let modes = status.access_modes.or(spec.access_modes).unwrap_or_default();
    let look = format!("`kubectl --namespace {} describe pvc {name}` says why", cluster.namespace);
    match status.phase.as_deref() {
        Some("Bound") => judge_modes(&modes, nodes.count().await),
        Some("Lost") => Finding::failed(
            "Its volume is gone.",
            format!("{look}; delete the claim and make it anew. What was cached there is built again."),
        ),
        _ if waits_for_a_pod(&cluster, spec.storage_class_name.as_deref()).await => Finding::warning(
            "It is Pending: its storage class binds it when the first pod uses it.",
            "Nothing, if no run has used it yet; then look again after the first run.",
        ),
        phase => Finding::failed(
            format!("It is {}, so pods that use it do not start.", phase.unwrap_or("not bound")),
            format!("{look}; mostly its storage class is missing, or offers none of its access modes or not its size."),
        ),
    }
}

/// False also when the account may not look at storage classes.
async fn waits_for_a_pod(cluster: &Cluster, storage_class: Option<&str>) -> bool {
    let Some(name) = storage_class.filter(|name| !name.is_empty()) else { return false };
    let class = Api::<StorageClass>::all(cluster.client.clone()).get(name).await;
    class.is_ok_and(|class| class.volume_binding_mode.as_deref() == Some(BOUND_AT_FIRST_USE))
}

/// Access modes are about nodes, not pods: many pods of one node may share a `ReadWriteOnce` volume.
/// <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes>
fn judge_modes(modes: &[String], nodes: Option<usize>) -> Finding {
    let has = |mode: &str| modes.iter().any(|other| other == mode);
    let bound = format!("Bound, {}", if modes.is_empty() { "no access mode".to_owned() } else { modes.join(", ") });
    if has("ReadWriteMany") {
        return Finding::ok(format!("{bound}: runs on any node can use it."));
    }
    if has("ReadWriteOnce") {
        return match nodes {
            Some(0 | 1) => Finding::ok(format!("{bound}: enough, since there is one node.")),
            Some(nodes) => Finding::warning(
                format!("{bound}: of {nodes} nodes, only one at a time can use it, so all runs must be there."),
                "Use a storage class that offers ReadWriteMany, or bind the namespace's pods to one node.",
            ),
            None => Finding::warning(
                format!("{bound}: only one node at a time can use it, and how many there are is not known."),
                "If there are several, use a storage class that offers ReadWriteMany, or bind the pods to one node.",
            ),
        };
    }
    if has("ReadWriteOncePod") {
        return Finding::failed(
            format!("{bound}: one pod at a time can use it, so runs would wait for each other."),
            "Make the claim anew with ReadWriteMany, or with ReadWriteOnce on one node.",
        );
    }
    Finding::failed(format!("{bound}: runs cannot write to it."), "Make the claim anew with ReadWriteMany.")
}

#[cfg(test)]
mod tests {
    use app::model::checkpoint::CheckpointStatus::{Failed, Ok, Warning};

    use super::*;

    #[test]
    fn access_modes_are_judged_by_the_number_of_nodes() {
        let status = |modes: &[&str], nodes| {
            judge_modes(&modes.iter().map(|mode| (*mode).to_owned()).collect::<Vec<_>>(), nodes).status
        };
        assert_eq!(status(&["ReadWriteMany"], Some(7)), Ok);
        assert_eq!(status(&["ReadWriteOnce"], Some(1)), Ok);
        assert_eq!(status(&["ReadWriteOnce"], Some(2)), Warning);
        assert_eq!(status(&["ReadWriteOnce"], None), Warning);
        assert_eq!(status(&["ReadWriteOnce", "ReadWriteMany"], Some(2)), Ok);
        assert_eq!(status(&["ReadWriteOncePod"], Some(1)), Failed);
        assert_eq!(status(&["ReadOnlyMany"], Some(1)), Failed);
        assert_eq!(status(&[], Some(1)), Failed);
    }
}
