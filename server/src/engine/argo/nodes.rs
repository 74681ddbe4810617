//! The nodes of a workflow's status: what Argo's controller makes of each step, and of each attempt of it.

use std::{collections::BTreeMap, io::Read as _};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::read::GzDecoder;
use serde::Deserialize;

/// More than any status unpacks to that etcd takes, in bytes.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// How far a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodePhase {
    /// It waits.
    Pending,
    /// It was left out.
    LeftOut,
    /// It has ended.
    Ended,
    /// Anything else.
    Other,
}

/// A node: a step, or an attempt of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// How far it is.
    pub phase: NodePhase,
    /// What the controller says of it, in its words; empty when it says nothing.
    pub message: String,
}

/// Which node: of a template, and of which attempt; `None` is the step as a whole, where it has attempts.
type Place = (String, Option<u32>);

/// The nodes of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nodes(BTreeMap<Place, Node>);

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawNode {
    name: String,
    template_name: String,
    r#type: String,
    phase: String,
    message: String,
}

/// What a status has of them: there, or packed when they are large.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawNodes {
    nodes: BTreeMap<String, RawNode>,
    compressed_nodes: String,
}

impl Nodes {
    /// Of a status. What cannot be read says nothing: then a step's end is known when the workflow's is.
    #[must_use]
    pub fn of(raw: RawNodes) -> Self {
        let raw = if raw.compressed_nodes.is_empty() {
            raw.nodes
        } else {
            unpack(&raw.compressed_nodes).unwrap_or_else(|error| {
                tracing::debug!(%error, "The nodes of a workflow cannot be read");
                BTreeMap::new()
            })
        };
        Self(raw.into_values().map(RawNode::read).collect())
    }

    /// The node of an attempt of the step that has this template.
    #[must_use]
    pub fn attempt(&self, template: &str, attempt: u32) -> Option<&Node> {
        self.0.get(&(template.to_owned(), Some(attempt)))
    }

    /// The node of the step that has this template, over all its attempts.
    #[must_use]
    pub fn step(&self, template: &str) -> Option<&Node> {
        self.0.get(&(template.to_owned(), None)).or_else(|| self.attempt(template, 1))
    }
}

impl RawNode {
    fn read(self) -> (Place, Node) {
        let attempt = (self.r#type != "Retry").then(|| attempt(&self.name));
        let phase = match self.phase.as_str() {
            "Pending" => NodePhase::Pending,
            "Skipped" | "Omitted" => NodePhase::LeftOut,
            "Succeeded" | "Failed" | "Error" => NodePhase::Ended,
            _ => NodePhase::Other,
        };
        ((self.template_name, attempt), Node { phase, message: self.message })
    }
}

/// Which attempt a node is, by its name: Argo writes the number of its retries at its end, such as `load(2)`.
#[must_use]
pub fn attempt(node_name: &str) -> u32 {
    let retries = node_name.strip_suffix(')').and_then(|name| name.rsplit_once('(')?.1.parse::<u32>().ok());
    retries.map_or(1, |retries| retries.saturating_add(1))
}

fn unpack(packed: &str) -> Result<BTreeMap<String, RawNode>, Box<dyn std::error::Error>> {
    let bytes = BASE64_STANDARD.decode(packed)?;
    let mut text = Vec::new();
    GzDecoder::new(bytes.as_slice()).take(MOST_BYTES).read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde_json::json;

    use super::*;

    #[test]
    fn nodes_are_read_packed_or_not() {
        let nodes = json!({
            "w": {"name": "w", "type": "DAG", "templateName": "steps", "phase": "Running"},
            "w-1": {"name": "w.load", "type": "Retry", "templateName": "step-1", "phase": "Running", "message": "Backoff"},
            "w-2": {"name": "w.load(0)", "type": "Pod", "templateName": "step-1", "phase": "Error", "message": "gone"},
            "w-3": {"name": "w.load(1)", "type": "Pod", "templateName": "step-1", "phase": "Pending"},
            "w-4": {"name": "w.report", "type": "Skipped", "templateName": "step-2", "phase": "Omitted"},
        });
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(nodes.to_string().as_bytes()).unwrap();
        let packed = BASE64_STANDARD.encode(packed.finish().unwrap());
        for status in [json!({"nodes": nodes}), json!({"compressedNodes": packed})] {
            let nodes = Nodes::of(serde_json::from_value(status).unwrap());
            let phase = |attempt| nodes.attempt("step-1", attempt).map(|node| node.phase);
            assert_eq!([1, 2, 3].map(phase), [Some(NodePhase::Ended), Some(NodePhase::Pending), None]);
            assert_eq!(nodes.step("step-1").unwrap().message, "Backoff");
            assert_eq!(nodes.step("step-2").unwrap().phase, NodePhase::LeftOut);
        }
        let unreadable = Nodes::of(serde_json::from_value(json!({"compressedNodes": "KLUv/Q=="})).unwrap());
        assert_eq!(unreadable, Nodes::default());
    }
}
