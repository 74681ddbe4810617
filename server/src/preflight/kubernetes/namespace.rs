//! The namespace where runs are to be: that there is one.

use app::model::checks::CheckGroup;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;

use super::{
    super::finding::{Finding, Subject},
    cluster::Cluster,
};
use crate::kubernetes::refusal;

pub(super) const NAMESPACE: Subject = Subject::new("namespace", CheckGroup::Kubernetes, "Namespace");

pub(super) async fn finding(cluster: Cluster) -> Finding {
    let name = &cluster.namespace;
    match Api::<Namespace>::all(cluster.client.clone()).get(name).await {
        Ok(namespace) => {
            let phase = namespace.status.and_then(|status| status.phase).unwrap_or_default();
            if phase == "Terminating" {
                return Finding::failed(
                    format!("The namespace {name} is being deleted."),
                    "Wait until it is gone and make it anew, or name another with --namespace.",
                );
            }
            Finding::ok(format!("{name} is there."))
        }
        Err(error) if refusal::is_missing(&error) => Finding::failed(
            format!("There is no namespace {name}."),
            format!("Make it (`kubectl create namespace {name}`), or name another with --namespace."),
        ),
        Err(error) if refusal::is_forbidden(&error) => Finding::skipped(format!(
            "The account may not look at the namespace {name} itself, which runs do not need either."
        )),
        Err(error) => refusal::explain(&error).into(),
    }
}
