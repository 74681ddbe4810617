//! What a workflow's status says, as far as it concerns a run that has not begun or will not end by itself.

use std::sync::Arc;

use kube::core::DynamicObject;
use serde::Deserialize;

use super::{
    names,
    nodes::{Node, NodePhase, Nodes, RawNodes},
    pod_facts::sentence,
};

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
    /// What is said of its steps.
    nodes: Arc<Nodes>,
}

/// What a workflow says of an attempt of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptFacts {
    /// Argo has begun with it.
    pub is_known: bool,
    /// Its pod cannot be made now; why, as a sentence.
    pub waits: Option<String>,
    /// It will have no pod any more.
    pub is_over: bool,
    /// It was left out, since those before it did not end as it needs.
    pub was_left_out: bool,
    /// Why it has ended, as a sentence.
    pub message: Option<String>,
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
    #[serde(flatten)]
    nodes: RawNodes,
}

fn said(message: &str) -> Option<String> {
    (!message.is_empty()).then(|| in_words(message))
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
        let annotations = workflow.metadata.annotations.as_ref();
        Self {
            is_picked_up: !status.phase.is_empty(),
            end: match status.phase.as_str() {
                "Succeeded" => Some(WorkflowEnd::Succeeded),
                "Failed" | "Error" => Some(WorkflowEnd::Failed),
                _ => None,
            },
            message: said(&status.message),
            is_cancelled: annotations.is_some_and(|annotations| annotations.contains_key(names::CANCELLED)),
            nodes: Arc::new(Nodes::of(status.nodes)),
        }
    }

    /// What is said of an attempt of the step that has this template.
    #[must_use]
    pub fn attempt(&self, template: &str, attempt: u32) -> AttemptFacts {
        let node = self.nodes.attempt(template, attempt);
        let step = self.nodes.step(template);
        let phase = node.or(step).map(|node| node.phase);
        let is_over = |phase| matches!(phase, NodePhase::Ended | NodePhase::LeftOut);
        let message = |node: &Node| said(&node.message);
        AttemptFacts {
            is_known: node.is_some(),
            waits: node.filter(|node| node.phase == NodePhase::Pending).and_then(message),
            is_over: phase.is_some_and(is_over) || step.is_some_and(|step| is_over(step.phase)),
            was_left_out: phase == Some(NodePhase::LeftOut),
            message: node.and_then(message).or_else(|| step.and_then(message)),
        }
    }
}
