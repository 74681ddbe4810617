//! The nodes: how many take runs, and which container runtimes they have. Listed once, for all checks.

use std::collections::BTreeMap;

use app::model::checks::CheckGroup;
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use k8s_openapi::api::core::v1::Node;
use kube::{Api, ResourceExt as _, api::ListParams};

use super::{
    super::finding::{Finding, Subject},
    cluster::Cluster,
};
use crate::kubernetes::{container_runtime::ContainerRuntime, refusal};

pub(super) const CONTAINERD: Subject = Subject::new("containerd", CheckGroup::Kubernetes, "Container runtimes");

/// More names would hide the rest of the table.
const NAMED_NODES: usize = 4;

/// All nodes, or why they are not known. They are asked for by the first who waits.
#[derive(Clone)]
pub(super) struct Nodes(Shared<BoxFuture<'static, Result<Vec<Node>, Finding>>>);

impl Nodes {
    pub(super) fn of(cluster: &Cluster) -> Self {
        let nodes = Api::<Node>::all(cluster.client.clone());
        let ask = async move {
            match nodes.list(&ListParams::default()).await {
                Ok(list) => Ok(list.items),
                Err(error) if refusal::is_forbidden(&error) => Err(Finding::warning(
                    "The account may not list nodes, so their container runtimes are not known.",
                    "Add the verbs get, list for nodes to the account's ClusterRole; docs/preflight.md has all of it.",
                )),
                Err(error) => Err(refusal::explain(&error).into()),
            }
        };
        Self(ask.boxed().shared())
    }

    /// How many take ordinary pods; `None` when that is not known.
    pub(super) async fn count(&self) -> Option<usize> {
        let nodes = self.0.clone().await.ok()?;
        Some(nodes.iter().filter(|node| takes_pods(node)).count())
    }
}

/// False for nodes that are cordoned off, and for those that take only pods made for them, such as control planes.
fn takes_pods(node: &Node) -> bool {
    node.spec.as_ref().is_none_or(|spec| {
        let mut taints = spec.taints.iter().flatten();
        !spec.unschedulable.unwrap_or(false)
            && !taints.any(|taint| matches!(&*taint.effect, "NoSchedule" | "NoExecute"))
    })
}

pub(super) async fn container_runtimes(nodes: Nodes) -> Finding {
    match nodes.0.await {
        Ok(nodes) => judge(&nodes),
        Err(finding) => finding,
    }
}

fn judge(nodes: &[Node]) -> Finding {
    if nodes.is_empty() {
        return Finding::failed("The cluster has no nodes.", "Add a node: without one, no pod can start.");
    }
    let mut by_runtime = BTreeMap::<String, Vec<String>>::new();
    let mut old = Vec::new();
    for node in nodes {
        let info = node.status.as_ref().and_then(|status| status.node_info.as_ref());
        let runtime = ContainerRuntime::parse(info.map_or("", |info| &info.container_runtime_version));
        if runtime.is_old_containerd() {
            old.push(node.name_any());
        }
        by_runtime.entry(runtime.to_string()).or_default().push(node.name_any());
    }
    let runtimes: Vec<_> =
        by_runtime.iter().map(|(runtime, names)| format!("{runtime} ({})", some_of(names))).collect();
    let detail = format!("{}.", runtimes.join("; "));
    if old.is_empty() {
        return Finding::ok(detail);
    }
    Finding::warning(
        format!(
            "{detail} A containerd before 2.0.0 matters only where nix-portable provides system packages inside pods: \
             there it may not start."
        ),
        format!(
            "Update containerd on {}, or mount a Nix store into the pods, which needs no nix-portable.",
            some_of(&old)
        ),
    )
}

fn some_of(names: &[String]) -> String {
    match names.len().checked_sub(NAMED_NODES) {
        Some(more @ 1..) => format!("{} and {more} more", names[..NAMED_NODES].join(", ")),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use app::model::checkpoint::CheckpointStatus;

    use super::*;

    fn node(name: &str, runtime: &str) -> Node {
        let json = serde_json::json!({
            "metadata": { "name": name },
            "status": { "nodeInfo": {
                "architecture": "amd64", "bootID": "", "containerRuntimeVersion": runtime, "kernelVersion": "",
                "kubeProxyVersion": "", "kubeletVersion": "", "machineID": "", "operatingSystem": "linux",
                "osImage": "", "systemUUID": ""
            } }
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn runtimes_are_shown_with_their_nodes() {
        let found =
            judge(&[node("a", "containerd://2.1.9"), node("b", "cri-o://1.34.1"), node("c", "containerd://2.1.9")]);
        assert_eq!(found.status, CheckpointStatus::Ok);
        assert_eq!(found.detail, "containerd 2.1.9 (a, c); cri-o 1.34.1 (b).");
    }

    #[test]
    fn an_old_containerd_warns_and_its_nodes_are_named() {
        let found = judge(&[node("a", "containerd://2.1.9"), node("b", "containerd://1.7.22-k3s1")]);
        assert_eq!(found.status, CheckpointStatus::Warning);
        assert!(found.detail.contains("only where nix-portable"), "{}", found.detail);
        assert!(found.fix.unwrap().starts_with("Update containerd on b,"));
    }

    #[test]
    fn of_many_nodes_some_are_named() {
        let nodes: Vec<_> = (0..9).map(|number| node(&format!("n{number}"), "containerd://2.1.9")).collect();
        assert_eq!(judge(&nodes).detail, "containerd 2.1.9 (n0, n1, n2, n3 and 5 more).");
        assert_eq!(judge(&[]).status, CheckpointStatus::Failed);
    }

    #[test]
    fn nodes_for_others_do_not_take_runs() {
        let mut tainted = node("a", "");
        tainted.spec = serde_json::from_value(serde_json::json!({
            "taints": [{ "key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule" }]
        }))
        .unwrap();
        let mut cordoned = node("b", "");
        cordoned.spec = serde_json::from_value(serde_json::json!({ "unschedulable": true })).unwrap();
        assert_eq!([&tainted, &cordoned, &node("c", "")].map(takes_pods), [false, false, true]);
    }
}
