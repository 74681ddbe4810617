//! Argo's workflow, as far as Stoker writes it: only fields that Argo 3.6 to 4.1 all know.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{PodSecurityContext, Volume},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::core::{ApiResource, GroupVersionKind};
use serde::Serialize;

/// Where the API server has workflows.
#[must_use]
pub fn resource() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Workflow"), "workflows")
}

/// A workflow to be created.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workflow {
    /// Always Argo's.
    pub api_version: &'static str,
    /// Always a workflow.
    pub kind: &'static str,
    /// Its name and labels.
    pub metadata: ObjectMeta,
    /// What it does.
    pub spec: WorkflowSpec,
}

/// What a workflow does.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowSpec {
    /// The template that it begins with.
    pub entrypoint: String,
    /// No account for the containers.
    pub automount_service_account_token: bool,
    /// The account of Argo's own containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executor: Option<Executor>,
    /// How the pods' containers run.
    pub security_context: PodSecurityContext,
    /// What is written on all pods.
    pub pod_metadata: Metadata,
    /// When pods go by themselves.
    #[serde(rename = "podGC")]
    pub pod_gc: PodGc,
    /// When the workflow goes by itself.
    pub ttl_strategy: TtlStrategy,
    /// What there is to do.
    pub templates: Vec<Template>,
}

/// Argo's own containers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Executor {
    /// Their account.
    pub service_account_name: String,
}

/// Labels of pods.
#[derive(Debug, Clone, Serialize)]
pub struct Metadata {
    /// By name.
    pub labels: BTreeMap<String, String>,
}

/// When pods go by themselves.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodGc {
    /// What is waited for.
    pub strategy: &'static str,
    /// How long after that.
    pub delete_delay_duration: &'static str,
}

/// When the workflow goes by itself.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TtlStrategy {
    /// Seconds after its end.
    pub seconds_after_completion: u32,
}

/// A template: a pod, or a graph of others.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Template {
    /// Its name.
    pub name: String,
    /// A graph of others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dag: Option<Dag>,
    /// What is written on its pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// How often it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_strategy: Option<RetryStrategy>,
    /// When its pod is stopped, in seconds after it has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_deadline_seconds: Option<u64>,
    /// The pod's volumes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// The main container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<MainContainer>,
    /// What Argo's fields have no place for, merged into the pod; JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_spec_patch: Option<String>,
}

/// The main container, whose name is Argo's choice.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct MainContainer(pub serde_json::Value);

/// A graph.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dag {
    /// Its nodes.
    pub tasks: Vec<DagTask>,
    /// The nodes that decide how it ended, by their names, parted by blanks.
    pub target: String,
    /// Whether a node that fails ends those that do not depend on it.
    pub fail_fast: bool,
}

/// A node of a graph.
#[derive(Debug, Clone, Serialize)]
pub struct DagTask {
    /// Its name.
    pub name: String,
    /// What it does.
    pub template: String,
    /// When it runs, as an expression of how others ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depends: Option<String>,
}

/// How often a template is tried again.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryStrategy {
    /// The most attempts after the first.
    pub limit: String,
    /// After which ends.
    pub retry_policy: &'static str,
    /// The pauses between attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
}

/// Pauses between attempts.
#[derive(Debug, Clone, Serialize)]
pub struct Backoff {
    /// The first one, in seconds.
    pub duration: String,
    /// By what each is longer than the one before.
    pub factor: String,
    /// The longest one, in seconds. Older versions of Argo do not read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<String>,
}
