//! Whether the cluster answers, and who it is.

use std::time::Duration;

use kube::Client;

use super::super::finding::Finding;
use crate::kubernetes::{Access, Traffic, refusal};

/// How long the cluster may take to answer.
const ANSWERING: Duration = Duration::from_secs(6);

/// A cluster that answers.
#[derive(Clone)]
pub(super) struct Cluster {
    pub client: Client,
    /// Where runs are to be.
    pub namespace: String,
    url: String,
    version: String,
}

impl Cluster {
    pub(super) fn describe(&self) -> String {
        format!("{} answers: Kubernetes {}, namespace {}.", self.url, self.version, self.namespace)
    }
}

/// Connects by the kubeconfig, or as a pod of the cluster; gives `None` when there is neither.
pub(super) async fn connect(access: Access) -> Result<Option<Cluster>, Finding> {
    let Some(reach) = access.find().await? else { return Ok(None) };
    let (url, namespace) = (reach.url(), reach.namespace().to_owned());
    let client = reach.impatient(ANSWERING).client(&Traffic::default()).await?;
    let version = client.apiserver_version().await.map_err(|error| {
        let refusal = refusal::explain(&error);
        Finding::failed(format!("{url}: {}", refusal.what), refusal.advice)
    })?;
    Ok(Some(Cluster { client, namespace, url, version: version.git_version }))
}
