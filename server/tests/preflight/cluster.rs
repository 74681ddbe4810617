//! The checks of a cluster, against a fake API server.

use std::path::Path;

use axum::Router;
use serde_json::json;
use tokio::net::TcpListener;

use super::{
    fake_cluster::{FakeCluster, claim, write_kubeconfig, write_kubeconfig_for},
    support::{Report, nowhere, preflight, serve},
};

/// What is found in a cluster.
async fn look(cluster: FakeCluster, arguments: &[&str]) -> Report {
    let place = tempfile::tempdir().unwrap();
    let kubeconfig = place.path().join("kubeconfig");
    cluster.start(&kubeconfig).await;
    look_through(&kubeconfig, arguments).await
}

async fn look_through(kubeconfig: &Path, arguments: &[&str]) -> Report {
    let place = tempfile::tempdir().unwrap();
    let mut command = preflight(place.path());
    Report::of(command.args(["--claims", "cache"]).args(arguments).env("KUBECONFIG", kubeconfig)).await
}

const KUBERNETES: [&str; 2] = ["--only", "kubernetes"];

#[tokio::test]
async fn a_cluster_in_which_all_is_well() {
    let report = look(FakeCluster::default(), &KUBERNETES).await;
    let expected = [
        "cluster",
        "namespace",
        "rbac-workflows",
        "rbac-pods",
        "rbac-pod-logs",
        "rbac-claims",
        "rbac-events",
        "rbac-secrets",
        "rbac-nodes",
        "claim-cache",
        "argo-crd",
        "argo-controller",
        "containerd",
    ];
    assert_eq!(report.statuses(), expected.map(|key| (key, "ok")), "{report:#?}");
    assert_eq!((report.code, report.worst()), (0, "ok"));
    assert!(report.words("cluster").contains("Kubernetes v1.34.9, namespace runs"), "{report:#?}");
    assert_eq!(report.words("containerd").trim(), "containerd 2.0.0-k3s1 (node-b); containerd 2.1.9 (node-a).");
    assert_eq!(report.words("argo-controller").trim(), "workflow-controller in argo is available, v4.1.2.");
    assert_eq!(report.words("argo-crd").trim(), "workflows.argoproj.io is served as v1alpha1.");
}

#[tokio::test]
async fn missing_verbs_are_named() {
    let forbidden = vec![("workflows", "patch"), ("workflows", "delete"), ("pods/log", "get"), ("events", "list")];
    let report = look(FakeCluster { forbidden, ..FakeCluster::default() }, &KUBERNETES).await;
    assert_eq!(report.code, 1);
    let words = report.words("rbac-workflows");
    assert!(words.contains("may not patch, delete workflows of argoproj.io in the namespace runs."), "{words}");
    assert!(
        words.contains("Add the verbs patch, delete for workflows of argoproj.io to the account's Role"),
        "{words}"
    );
    assert!(report.words("rbac-pod-logs").contains("may not get pods/log in the namespace runs."), "{report:#?}");
    assert_eq!(report.status("rbac-pods"), "ok");
    assert_eq!(report.status("rbac-events"), "warning");
}

#[tokio::test]
async fn what_runs_can_do_without_only_warns() {
    let forbidden = vec![("nodes", "list"), ("events", "list")];
    let cluster = FakeCluster { forbidden, claim: claim("Bound", "ReadWriteOnce"), ..FakeCluster::default() };
    let report = look(cluster, &KUBERNETES).await;
    assert_eq!((report.code, report.worst()), (2, "warning"));
    assert!(report.words("rbac-nodes").contains("Add the verbs list for nodes to the account's ClusterRole"));
    assert_eq!(report.status("rbac-events"), "warning");
    assert!(report.words("containerd").contains("may not list nodes"), "{report:#?}");
    assert!(report.words("claim-cache").contains("how many there are is not known"), "{report:#?}");
}

#[tokio::test]
async fn an_old_containerd_warns_and_says_when_it_matters() {
    let nodes = vec![("node-a", "containerd://1.7.22-k3s1"), ("node-b", "cri-o://1.34.1")];
    let report = look(FakeCluster { nodes, ..FakeCluster::default() }, &["--only", "containerd"]).await;
    assert_eq!(report.statuses(), [("containerd", "warning")]);
    assert_eq!(report.code, 2);
    let words = report.words("containerd");
    assert!(words.starts_with("containerd 1.7.22-k3s1 (node-a); cri-o 1.34.1 (node-b)."), "{words}");
    assert!(words.contains("matters only where nix-portable"), "{words}");
}

#[tokio::test]
async fn a_claim_that_is_not_bound_fails_unless_it_waits_for_its_first_pod() {
    let pending =
        |binding_mode| FakeCluster { claim: claim("Pending", "ReadWriteOnce"), binding_mode, ..FakeCluster::default() };
    let only = ["--only", "claim"];
    let report = look(pending("Immediate"), &only).await;
    assert_eq!((report.code, report.statuses()), (1, vec![("claim-cache", "failed")]));
    assert!(report.words("claim-cache").contains("kubectl --namespace runs describe pvc cache"), "{report:#?}");
    let report = look(pending("WaitForFirstConsumer"), &only).await;
    assert_eq!((report.code, report.statuses()), (2, vec![("claim-cache", "warning")]));
}

#[tokio::test]
async fn a_claim_for_one_node_warns_when_there_are_several() {
    let cluster = || FakeCluster { claim: claim("Bound", "ReadWriteOnce"), ..FakeCluster::default() };
    let only = ["--only", "claim"];
    let report = look(cluster(), &only).await;
    assert!(report.words("claim-cache").contains("of 2 nodes, only one at a time can use it"), "{report:#?}");
    let nodes = vec![("node-a", "containerd://2.1.9")];
    let report = look(FakeCluster { nodes, ..cluster() }, &only).await;
    assert_eq!((report.code, report.statuses()), (0, vec![("claim-cache", "ok")]));
    let report = look(cluster(), &["--only", "claim", "--claims", "other"]).await;
    assert!(report.words("claim-other").contains("There is no volume claim other in the namespace runs."));
}

#[tokio::test]
async fn claims_are_looked_at_once_each_and_may_be_none() {
    let place = tempfile::tempdir().unwrap();
    let kubeconfig = place.path().join("kubeconfig");
    FakeCluster::default().start(&kubeconfig).await;
    for (variable, expected) in [("cache,cache,", ("claim-cache", "ok")), ("", ("claim", "skipped"))] {
        let mut command = preflight(place.path());
        command.args(["--only", "claim"]).env("KUBECONFIG", &kubeconfig).env("STOKER_CLAIMS", variable);
        let report = Report::of(command.env("STOKER_NAMESPACE", "")).await;
        assert_eq!(report.statuses(), [expected]);
    }
}

#[tokio::test]
async fn a_namespace_that_is_not_there() {
    let report = look(FakeCluster::default(), &["--only", "namespace", "--namespace", "elsewhere"]).await;
    assert_eq!((report.code, report.statuses()), (1, vec![("namespace", "failed")]));
    assert!(report.words("namespace").contains("`kubectl create namespace elsewhere`"), "{report:#?}");
}

#[tokio::test]
async fn argo_may_be_missing_or_not_at_work() {
    let only = ["--only", "argo"];
    // Argo CD alone has the same group.
    let report = look(FakeCluster { argo_resources: vec!["applications"], ..FakeCluster::default() }, &only).await;
    assert_eq!(report.statuses(), [("argo-crd", "failed"), ("argo-controller", "ok")]);
    assert!(report.words("argo-crd").contains("Install Argo Workflows"), "{report:#?}");
    let report = look(FakeCluster { controllers: 0, ..FakeCluster::default() }, &only).await;
    assert_eq!(report.statuses(), [("argo-crd", "ok"), ("argo-controller", "failed")]);
    assert!(report.words("argo-controller").contains("describe deployment workflow-controller"), "{report:#?}");
    let report = look(FakeCluster { deployments_visible: false, ..FakeCluster::default() }, &only).await;
    assert_eq!((report.code, report.status("argo-controller")), (0, "skipped"));
}

#[tokio::test]
async fn credentials_that_are_refused_are_the_one_thing_said() {
    let report = look(FakeCluster { token: "an-old-token", ..FakeCluster::default() }, &KUBERNETES).await;
    assert_eq!((report.code, report.statuses()), (1, vec![("cluster", "failed")]));
    assert!(report.words("cluster").contains("does not accept the credentials (401)"), "{report:#?}");
}

#[tokio::test]
async fn a_cluster_that_does_not_answer() {
    let place = tempfile::tempdir().unwrap();
    let kubeconfig = place.path().join("kubeconfig");
    write_kubeconfig(&kubeconfig, &nowhere().await, "any");
    // Also when another check of it was asked for: that one could not be made.
    for only in ["kubernetes", "containerd"] {
        let report = look_through(&kubeconfig, &["--only", only]).await;
        assert_eq!((report.code, report.statuses()), (1, vec![("cluster", "failed")]));
        let words = report.words("cluster");
        assert!(words.contains("Connection refused") && words.contains("Check that the cluster runs"), "{words}");
    }
}

#[tokio::test]
async fn something_else_that_answers_at_the_address() {
    let place = tempfile::tempdir().unwrap();
    let kubeconfig = place.path().join("kubeconfig");
    for router in [Router::new(), Router::new().fallback(async || "<html>Welcome</html>")] {
        write_kubeconfig(&kubeconfig, &serve(router).await, "any");
        let report = look_through(&kubeconfig, &KUBERNETES).await;
        assert_eq!((report.code, report.statuses()), (1, vec![("cluster", "failed")]));
        assert!(report.words("cluster").contains("does not speak Kubernetes"), "{report:#?}");
    }
}

/// As clouds and single sign-on do it: a program of the user's gives the token.
#[tokio::test]
async fn a_login_program_that_fails_is_quoted_and_what_it_printed_is_not() {
    let place = tempfile::tempdir().unwrap();
    let kubeconfig = place.path().join("kubeconfig");
    let login = |command: &str, script: &str| {
        json!({ "exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "command": command,
            "args": ["-c", script],
        } })
    };
    let address = nowhere().await;
    write_kubeconfig_for(&kubeconfig, &address, login("sh", "echo a-secret; echo Please log in. >&2; exit 1"));
    let words = look_through(&kubeconfig, &KUBERNETES).await.words("cluster");
    assert!(words.contains("failed: Please log in."), "{words}");
    assert!(!words.contains("a-secret"), "{words}");
    write_kubeconfig_for(&kubeconfig, &address, login("/nowhere/login", ""));
    let words = look_through(&kubeconfig, &KUBERNETES).await.words("cluster");
    assert!(words.contains("login program could not be started: No such file"), "{words}");
}

/// It accepts connections, and says nothing ever.
#[tokio::test]
async fn a_cluster_that_hangs_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = tempfile::tempdir().unwrap();
    let kubeconfig = place.path().join("kubeconfig");
    write_kubeconfig(&kubeconfig, &format!("http://{}", silent.local_addr().unwrap()), "any");
    let report = look_through(&kubeconfig, &KUBERNETES).await;
    assert_eq!((report.code, report.statuses()), (1, vec![("cluster", "failed")]));
    assert!(report.words("cluster").contains("does not answer"), "{report:#?}");
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_used() {
    let place = tempfile::tempdir().unwrap();
    let report = look_through(&place.path().join("missing"), &KUBERNETES).await;
    assert_eq!(report.code, 1);
    assert!(report.words("cluster").contains("which is not there"), "{report:#?}");
    let kubeconfig = place.path().join("kubeconfig");
    write_kubeconfig(&kubeconfig, &nowhere().await, "any");
    let report = look_through(&kubeconfig, &["--only", "cluster", "--context", "other"]).await;
    assert!(report.words("cluster").contains("The kubeconfig cannot be used"), "{report:#?}");
    std::fs::write(&kubeconfig, "clusters: [").unwrap();
    assert_eq!(look_through(&kubeconfig, &KUBERNETES).await.status("cluster"), "failed");
}
