//! A fake: the few answers of a Kubernetes API server that pre-flight asks for, over plain HTTP. It knows no rules; what
//! it says is what the test put in. Its shapes are those of the API's reference
//! (<https://kubernetes.io/docs/reference/kubernetes-api/>).

use std::{path::Path, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path as UrlPath, Request, State},
    http::{StatusCode, header::AUTHORIZATION},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use super::support::serve;

const TOKEN: &str = "the-token";
pub const NAMESPACE: &str = "runs";

/// A cluster in which all is well, unless a test changes a field.
pub struct FakeCluster {
    /// The token in the kubeconfig; another than the cluster's is refused.
    pub token: &'static str,
    /// What the account may not do: resource (with subresource) and verb.
    pub forbidden: Vec<(&'static str, &'static str)>,
    /// Names and container runtimes.
    pub nodes: Vec<(&'static str, &'static str)>,
    /// The claim `cache`.
    pub claim: Value,
    /// The binding mode of the claim's storage class.
    pub binding_mode: &'static str,
    /// What `argoproj.io/v1alpha1` has.
    pub argo_resources: Vec<&'static str>,
    /// Replicas of Argo's controller that are available.
    pub controllers: u32,
    /// False: deployments may not be listed.
    pub deployments_visible: bool,
}

impl Default for FakeCluster {
    fn default() -> Self {
        Self {
            token: TOKEN,
            forbidden: Vec::new(),
            nodes: vec![("node-a", "containerd://2.1.9"), ("node-b", "containerd://2.0.0-k3s1")],
            claim: claim("Bound", "ReadWriteMany"),
            binding_mode: "Immediate",
            argo_resources: vec!["workflows", "workflowtemplates"],
            controllers: 1,
            deployments_visible: true,
        }
    }
}

/// The claim `cache`.
pub fn claim(phase: &str, mode: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": "cache", "namespace": NAMESPACE },
        "spec": { "accessModes": [mode], "storageClassName": "standard" }, "status": { "phase": phase }
    })
}

type Cluster = State<Arc<FakeCluster>>;

impl FakeCluster {
    /// Starts it, and writes the kubeconfig by which it is reached.
    pub async fn start(self, kubeconfig: &Path) {
        let token = self.token;
        let router = Router::new()
            .route("/version", get(version))
            .route("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", post(review))
            .route("/api/v1/namespaces/{namespace}", get(namespace))
            .route("/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim}", get(volume_claim))
            .route("/api/v1/nodes", get(nodes))
            .route("/apis/storage.k8s.io/v1/storageclasses/{class}", get(storage_class))
            .route("/apis", get(groups))
            .route("/apis/argoproj.io/v1alpha1", get(argo_resources))
            .route("/apis/apps/v1/deployments", get(deployments))
            .fallback(async || status(StatusCode::NOT_FOUND, "NotFound", "not found"))
            .layer(middleware::from_fn(check_token))
            .with_state(Arc::new(self));
        write_kubeconfig(kubeconfig, &serve(router).await, token);
    }
}

/// A kubeconfig with a token.
pub fn write_kubeconfig(path: &Path, server: &str, token: &str) {
    write_kubeconfig_for(path, server, json!({ "token": token }));
}

/// A kubeconfig, which is YAML, of which JSON is a part.
pub fn write_kubeconfig_for(path: &Path, server: &str, user: Value) {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{ "name": "fake", "cluster": { "server": server } }],
        "users": [{ "name": "tester", "user": user }],
        "contexts": [{ "name": "test", "context": { "cluster": "fake", "user": "tester", "namespace": NAMESPACE } }],
    });
    std::fs::write(path, config.to_string()).unwrap();
}

fn status(code: StatusCode, reason: &str, message: &str) -> Response {
    let body = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code.as_u16(), "reason": reason,
        "message": message,
    });
    (code, Json(body)).into_response()
}

fn forbidden(resource: &str) -> Response {
    status(StatusCode::FORBIDDEN, "Forbidden", &format!("{resource} is forbidden: User \"tester\" cannot list it"))
}

async fn check_token(request: Request, next: Next) -> Response {
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given == Some(&format!("Bearer {TOKEN}")) {
        next.run(request).await
    } else {
        status(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }
}

async fn version() -> Json<Value> {
    Json(json!({
        "major": "1", "minor": "34", "gitVersion": "v1.34.9", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.24", "compiler": "gc", "platform": "linux/amd64",
    }))
}

async fn review(State(cluster): Cluster, Json(mut review): Json<Value>) -> (StatusCode, Json<Value>) {
    let asked = &review["spec"]["resourceAttributes"];
    let text = |field: &str| asked[field].as_str().unwrap_or_default();
    let resource = [text("resource"), text("subresource")].join("/");
    let right_group = (text("group") == "argoproj.io") == (text("resource") == "workflows");
    let right_place = (text("namespace") == NAMESPACE) != (text("resource") == "nodes");
    let allowed = right_group
        && right_place
        && !cluster
            .forbidden
            .iter()
            .any(|(other, verb)| resource.trim_end_matches('/') == *other && text("verb") == *verb);
    review["status"] = json!({ "allowed": allowed });
    (StatusCode::CREATED, Json(review))
}

async fn namespace(UrlPath(name): UrlPath<String>) -> Response {
    if name != NAMESPACE {
        return status(StatusCode::NOT_FOUND, "NotFound", &format!("namespaces \"{name}\" not found"));
    }
    Json(json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name }, "status": { "phase": "Active" }
    }))
    .into_response()
}

async fn volume_claim(State(cluster): Cluster, UrlPath((_, name)): UrlPath<(String, String)>) -> Response {
    if name == "cache" {
        Json(cluster.claim.clone()).into_response()
    } else {
        status(StatusCode::NOT_FOUND, "NotFound", &format!("persistentvolumeclaims \"{name}\" not found"))
    }
}

async fn nodes(State(cluster): Cluster) -> Response {
    if cluster.forbidden.contains(&("nodes", "list")) {
        return forbidden("nodes");
    }
    let nodes = cluster.nodes.iter().map(|(name, runtime)| {
        json!({
            "metadata": { "name": name },
            "status": { "nodeInfo": {
                "architecture": "amd64", "bootID": "", "containerRuntimeVersion": runtime, "kernelVersion": "",
                "kubeProxyVersion": "", "kubeletVersion": "v1.34.9", "machineID": "", "operatingSystem": "linux",
                "osImage": "", "systemUUID": "",
            } },
        })
    });
    list("v1", "NodeList", nodes.collect())
}

fn list(version: &str, kind: &str, items: Vec<Value>) -> Response {
    Json(json!({ "apiVersion": version, "kind": kind, "metadata": {}, "items": items })).into_response()
}

async fn storage_class(State(cluster): Cluster, UrlPath(name): UrlPath<String>) -> Json<Value> {
    Json(json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": name },
        "provisioner": "rancher.io/local-path", "volumeBindingMode": cluster.binding_mode,
    }))
}

async fn groups() -> Json<Value> {
    let version = json!({ "groupVersion": "argoproj.io/v1alpha1", "version": "v1alpha1" });
    Json(json!({
        "apiVersion": "v1", "kind": "APIGroupList",
        "groups": [{ "name": "argoproj.io", "versions": [version], "preferredVersion": version }],
    }))
}

async fn argo_resources(State(cluster): Cluster) -> Json<Value> {
    let resources = cluster
        .argo_resources
        .iter()
        .map(|name| json!({ "name": name, "singularName": "", "namespaced": true, "kind": "Thing", "verbs": ["get"] }));
    Json(json!({
        "apiVersion": "v1", "kind": "APIResourceList", "groupVersion": "argoproj.io/v1alpha1",
        "resources": resources.collect::<Vec<_>>(),
    }))
}

async fn deployments(State(cluster): Cluster) -> Response {
    if !cluster.deployments_visible {
        return forbidden("deployments.apps");
    }
    let labels = json!({ "app": "workflow-controller" });
    let controller = json!({
        "metadata": { "name": "workflow-controller", "namespace": "argo" },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{
                    "name": "workflow-controller", "image": "quay.io/argoproj/workflow-controller:v4.1.2",
                }] },
            },
        },
        "status": { "availableReplicas": cluster.controllers },
    });
    list("apps/v1", "DeploymentList", vec![controller])
}
