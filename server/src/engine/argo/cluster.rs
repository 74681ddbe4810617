//! The engine's end of the cluster: what it asks of which resources.

use std::{collections::HashMap, time::Duration};

use app::model::cluster::{ClaimState, ClusterState, NodeState};
use k8s_openapi::api::core::v1::{Event, Node, PersistentVolumeClaim, Pod, Secret};
use kube::{Api, Client, ResourceExt as _, api::ListParams, core::DynamicObject};
use tokio::sync::Mutex;

use super::{contact::Contact, names::Names, pod_facts::sentence, watch::Watch, workflow};
use crate::{
    clock::SharedClock,
    kubernetes::{Refusal, Traffic, connection::Reach, container_runtime::ContainerRuntime, refusal},
};

/// How long a node may be asked for.
const ANSWERING: Duration = Duration::from_secs(3);

/// What the engine uses of a cluster.
pub struct Cluster {
    /// For what is no object.
    pub client: Client,
    /// The namespace of all.
    pub namespace: String,
    /// What its objects are called.
    pub names: Names,
    /// Workflows.
    pub workflows: Api<DynamicObject>,
    /// Pods.
    pub pods: Api<Pod>,
    /// Secrets.
    pub secrets: Api<Secret>,
    /// What was last seen.
    pub watch: Watch,
    /// Whether it answers.
    pub contact: Contact,
    /// What is asked of it.
    pub traffic: Traffic,
    /// What nodes said of their container runtimes; `None` where this account may not ask.
    runtimes: Mutex<HashMap<String, Option<ContainerRuntime>>>,
}

impl Cluster {
    /// Begins to watch.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn connect(reach: Reach, names: Names, clock: SharedClock) -> Result<Self, Refusal> {
        let (namespace, traffic) = (reach.namespace().to_owned(), Traffic::default());
        let client = reach.client(&traffic).await?;
        let pods = Api::namespaced(client.clone(), &namespace);
        let workflows = Api::namespaced_with(client.clone(), &namespace, &workflow::resource());
        let contact = Contact::with(workflows.clone(), clock.clone());
        Ok(Self {
            watch: Watch::begin(pods.clone(), workflows.clone(), &names, &contact.doubts(), clock),
            contact,
            runtimes: Mutex::default(),
            secrets: Api::namespaced(client.clone(), &namespace),
            client,
            namespace,
            names,
            workflows,
            pods,
            traffic,
        })
    }
    /// What is known of it, for people. Only nodes and claims are asked for, and not for long.
    pub async fn state(&self, claims: &[&str]) -> ClusterState {
        let nodes = Api::<Node>::all(self.client.clone());
        let volumes = Api::<PersistentVolumeClaim>::namespaced(self.client.clone(), &self.namespace);
        let (parameters, selected) =
            (ListParams::default(), |claim: &PersistentVolumeClaim| claims.contains(&&*claim.name_any()));
        let asked = async { tokio::join!(nodes.list(&parameters), volumes.list(&parameters)) };
        let (nodes, volumes) = match tokio::time::timeout(ANSWERING, asked).await {
            Ok((nodes, volumes)) => (nodes.ok(), volumes.ok()),
            Err(_) => (None, None),
        };
        let (workflows, pods) = self.watch.counts();
        ClusterState {
            namespace: self.namespace.clone(),
            lost_since: *self.contact.lost_since().borrow(),
            controller_seen: self.watch.controller_seen(),
            workflows,
            pods: pods.into_iter().collect(),
            requests: self.traffic.requests(),
            last_trouble: self.contact.last_doubt(),
            nodes: nodes.map(|nodes| nodes.iter().map(node_state).collect()),
            claims: volumes.into_iter().flatten().filter(selected).map(|claim| claim_state(&claim)).collect(),
        }
    }

    /// Why a node does not get a pod going, as a sentence, where the pod itself does not tell; `None` when nothing is known
    /// of that, or this account may not look.
    pub async fn warning_of(&self, pod: &str) -> Option<String> {
        let events = Api::<Event>::namespaced(self.client.clone(), &self.namespace);
        let of_pod = ListParams::default().fields(&format!("involvedObject.name={pod},type=Warning"));
        let found = tokio::time::timeout(ANSWERING, events.list(&of_pod)).await.ok()?.ok()?;
        let what = |event: &Event| match event.reason.as_deref()? {
            "FailedMount" | "FailedAttachVolume" | "FailedMapVolume" => Some("A volume cannot be mounted into the pod"),
            "FailedCreatePodSandBox" | "NetworkNotReady" => Some("The node cannot make room for the pod"),
            _ => None,
        };
        let time = |event: &Event| {
            let last = event.last_timestamp.as_ref().map(|time| time.0);
            last.or_else(|| event.event_time.as_ref().map(|time| time.0))
        };
        let told = found.items.iter().filter_map(|event| Some((event, what(event)?)));
        let (event, what) = told.max_by_key(|(event, _)| time(event))?;
        Some(format!("{what}: {}", sentence(event.message.as_deref().unwrap_or("the cluster gave no reason"))))
    }

    /// The container runtime of a node, which is asked once; `None` when it is not known.
    pub async fn container_runtime(&self, node: &str) -> Option<ContainerRuntime> {
        // Kept meanwhile: of fifty who want to know, one asks.
        let mut runtimes = self.runtimes.lock().await;
        if let Some(known) = runtimes.get(node) {
            return known.clone();
        }
        let nodes = Api::<Node>::all(self.client.clone());
        let found = match tokio::time::timeout(ANSWERING, nodes.get(node)).await.ok()? {
            Ok(node) => {
                let info = node.status.and_then(|status| status.node_info);
                info.map(|info| ContainerRuntime::parse(&info.container_runtime_version))
            }
            Err(error) if refusal::is_forbidden(&error) => None,
            Err(_) => return None,
        };
        runtimes.insert(node.to_owned(), found.clone());
        found
    }
}

fn node_state(node: &Node) -> NodeState {
    let status = node.status.as_ref();
    let runtime =
        status.and_then(|status| status.node_info.as_ref()).map_or("", |info| &info.container_runtime_version);
    let conditions = status.and_then(|status| status.conditions.as_ref());
    NodeState {
        name: node.name_any(),
        runtime: ContainerRuntime::parse(runtime).to_string(),
        is_ready: conditions
            .into_iter()
            .flatten()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True"),
    }
}

fn claim_state(claim: &PersistentVolumeClaim) -> ClaimState {
    let status = claim.status.as_ref();
    let phase = status.and_then(|status| status.phase.clone()).unwrap_or_else(|| "unknown".to_owned());
    let size = status.and_then(|status| status.capacity.as_ref()?.get("storage").map(|size| size.0.clone()));
    let modes = status.and_then(|status| status.access_modes.clone()).unwrap_or_default();
    let words = [phase].into_iter().chain(size).chain(modes);
    ClaimState { name: claim.name_any(), state: words.collect::<Vec<_>>().join(", ") }
}
