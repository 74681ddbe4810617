//! The cluster: that it answers, and has what runs there need. Without any, there is nothing to look at, and nothing
//! wrong: the engine of this machine needs no cluster.

use app::model::{
    checkpoint::CheckpointStatus,
    checks::{Check, CheckGroup},
};
use futures::{FutureExt as _, future};

use super::{
    TIME_LIMIT,
    chosen::Chosen,
    finding::{self, Finding, Subject},
};

mod argo;
mod claims;
mod cluster;
mod namespace;
mod nodes;
mod permissions;

use cluster::Cluster;

use crate::kubernetes::Access;

const CLUSTER: Subject = Subject::new("cluster", CheckGroup::Kubernetes, "Cluster");

/// What the checks of the cluster need to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubernetesSettings {
    /// Which cluster, and where runs are to be.
    pub access: Access,
    /// The names of the volume claims that runs use.
    pub claims: Vec<String>,
    /// Whether somebody wants runs to go there. If not, what is wrong with the cluster only warns.
    pub is_wanted: bool,
}

/// Connects, and makes the chosen checks. When there is no connection, that is the only check.
pub(super) async fn checks(settings: KubernetesSettings, chosen: &Chosen) -> Vec<Check> {
    if !chosen.takes_any_of(CheckGroup::Kubernetes) {
        return Vec::new();
    }
    let (claims, is_wanted) = (settings.claims.clone(), settings.is_wanted);
    let mut checks = match finding::guard(TIME_LIMIT, cluster::connect(settings.access)).await {
        Ok(Ok(Some(cluster))) => of_cluster(&cluster, claims, chosen).await,
        Ok(Ok(None)) => vec![no_cluster().of(CLUSTER)],
        Ok(Err(finding)) | Err(finding) => vec![finding.of(CLUSTER)],
    };
    if !is_wanted {
        checks.iter_mut().for_each(only_warn);
    }
    checks
}

fn only_warn(check: &mut Check) {
    if check.status == CheckpointStatus::Failed {
        check.status = CheckpointStatus::Warning;
        check.detail.push_str(" Runs on this machine do not need it.");
    }
}

fn no_cluster() -> Finding {
    Finding::skipped("There is no kubeconfig, so there is no cluster to look at. Runs on this machine need none.")
}

async fn of_cluster(cluster: &Cluster, claims: Vec<String>, chosen: &Chosen) -> Vec<Check> {
    let nodes = nodes::Nodes::of(cluster);
    let mut wanted = vec![
        (CLUSTER, future::ready(Finding::ok(cluster.describe())).boxed()),
        (namespace::NAMESPACE, namespace::finding(cluster.clone()).boxed()),
    ];
    wanted.extend(
        permissions::ALL
            .iter()
            .map(|permission| (permission.subject(), permissions::finding(cluster.clone(), permission).boxed())),
    );
    if claims.is_empty() {
        wanted.push((claims::CLAIM, future::ready(claims::none_named()).boxed()));
    }
    wanted.extend(
        claims
            .into_iter()
            .map(|claim| (claims::subject(&claim), claims::finding(cluster.clone(), claim, nodes.clone()).boxed())),
    );
    wanted.push((argo::CRD, argo::resource(cluster.clone()).boxed()));
    wanted.push((argo::CONTROLLER, argo::controller(cluster.clone()).boxed()));
    wanted.push((nodes::CONTAINERD, nodes::container_runtimes(nodes).boxed()));
    let wanted = wanted.into_iter().filter(|(subject, _)| chosen.takes(subject));
    future::join_all(wanted.map(|(subject, work)| finding::look(subject, TIME_LIMIT, work))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_nobody_wants_only_warns() {
        let mut failed = Finding::failed("It does not answer.", "Start it.").of(CLUSTER);
        only_warn(&mut failed);
        assert_eq!(failed.status, CheckpointStatus::Warning);
        assert_eq!(failed.detail, "It does not answer. Runs on this machine do not need it.");
        let mut ok = Finding::ok("It answers.").of(CLUSTER);
        only_warn(&mut ok);
        assert_eq!((ok.status, ok.detail.as_str()), (CheckpointStatus::Ok, "It answers."));
    }
}
