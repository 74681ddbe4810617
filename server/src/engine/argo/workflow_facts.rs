//! What a workflow's status says, as far as it concerns a run that has not begun or will not end by itself.

use kube::core::DynamicObject;
use serde::Deserialize;

use super::{names, pod_facts::sentence};

/// What is known of a run's workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowFacts {
    /// True once Argo's controller has looked at it.
    pub is_picked_up: bool,
    /// How it has ended, if it has, by Argo's account.
    pub end: Option<WorkflowEnd>,
    /// Why it does not go on, or has ended, as a sentence.
    pub message: Option<String>,
    /// True when this Stoker was told to cancel it.
    pub is_cancelled: bool,
}

/// How a workflow has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkflowEnd {
    Succeeded,
    Failed,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    phase: String,
    message: String,
    nodes: std::collections::BTreeMap<String, Node>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Node {
    phase: String,
    message: String,
}

/// A message of Argo's, with what it means where that is known.
fn in_words(message: &str) -> String {
    let said = sentence(message);
    if said.contains("exceeded quota") {
        return format!(
            "A quota of the namespace leaves no room for the run's pod. It goes on when there is room. {said}"
        );
    }
    if said.contains("pods \"") && said.contains("is forbidden") {
        return format!("The cluster refuses the run's pod: {said}");
    }
    said
}

impl WorkflowFacts {
    /// Of a workflow. What cannot be read says nothing.
    #[must_use]
    pub fn of(workflow: &DynamicObject) -> Self {
        let status =
            workflow.data.get("status").and_then(|status| Status::deserialize(status).ok()).unwrap_or_default();
        let waiting = status.nodes.values().find(|node| node.phase == "Pending" && !node.message.is_empty());
        let message = if status.message.is_empty() {
            waiting.map(|node| node.message.as_str())
        } else {
            Some(status.message.as_str())
        };
        let annotations = workflow.metadata.annotations.as_ref();
        Self {
            is_picked_up: !status.phase.is_empty(),
            end: match status.phase.as_str() {
                "Succeeded" => Some(WorkflowEnd::Succeeded),
                "Failed" | "Error" => Some(WorkflowEnd::Failed),
                _ => None,
            },
            message: message.map(in_words),
            is_cancelled: annotations.is_some_and(|annotations| annotations.contains_key(names::CANCELLED)),
        }
    }
}
