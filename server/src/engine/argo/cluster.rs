//! The engine's end of the cluster: what it asks of which resources.

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::{Api, Client, core::DynamicObject};

use super::{names::Names, watch::Watch, workflow};

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
}

impl Cluster {
    /// Begins to watch.
    #[must_use]
    pub fn new(client: Client, namespace: String, names: Names) -> Self {
        let pods = Api::namespaced(client.clone(), &namespace);
        let workflows = Api::namespaced_with(client.clone(), &namespace, &workflow::resource());
        Self {
            watch: Watch::begin(pods.clone(), workflows.clone(), &names),
            secrets: Api::namespaced(client.clone(), &namespace),
            client,
            namespace,
            names,
            workflows,
            pods,
        }
    }
}
