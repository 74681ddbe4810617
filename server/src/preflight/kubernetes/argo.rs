//! Argo Workflows: that the cluster knows its resources, and that its controller works.

use app::model::checks::CheckGroup;
use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, ResourceExt as _,
    api::{ListParams, ObjectList},
};

use super::{
    super::finding::{Finding, Subject},
    cluster::Cluster,
};
use crate::kubernetes::refusal;

pub(super) const CRD: Subject = Subject::new("argo-crd", CheckGroup::Kubernetes, "Argo Workflows");
pub(super) const CONTROLLER: Subject = Subject::new("argo-controller", CheckGroup::Kubernetes, "Argo controller");

/// Argo CD, Events and Rollouts use the same group, so the group alone says nothing.
const GROUP: &str = "argoproj.io";
const RESOURCE: &str = "workflows";
/// Part of the deployment's name in Argo's own manifests, and in its Helm chart with the release's name before it.
const CONTROLLER_NAME: &str = "workflow-controller";
/// Where Argo's own manifests put it.
const USUAL_NAMESPACE: &str = "argo";

const INSTALL: &str = "Install Argo Workflows: https://argo-workflows.readthedocs.io/en/stable/installation/";

/// Asked by discovery, which every account may use.
pub(super) async fn resource(cluster: Cluster) -> Finding {
    let groups = match cluster.client.list_api_groups().await {
        Ok(groups) => groups.groups,
        Err(error) => return refusal::explain(&error).into(),
    };
    let mut served = Vec::new();
    for version in groups.into_iter().filter(|group| group.name == GROUP).flat_map(|group| group.versions) {
        match cluster.client.list_api_group_resources(&version.group_version).await {
            Ok(list) if list.resources.iter().any(|resource| resource.name == RESOURCE) => served.push(version.version),
            Ok(_) => {}
            Err(error) => return refusal::explain(&error).into(),
        }
    }
    if served.is_empty() {
        return Finding::failed(format!("The cluster does not know {RESOURCE} of {GROUP}."), format!("{INSTALL}."));
    }
    Finding::ok(format!("{RESOURCE}.{GROUP} is served as {}.", served.join(", ")))
}

pub(super) async fn controller(cluster: Cluster) -> Finding {
    let everywhere = Api::<Deployment>::all(cluster.client.clone());
    match everywhere.list(&ListParams::default()).await {
        Ok(list) => judge(&controllers(list)).unwrap_or_else(|| {
            Finding::warning(
                "No deployment of Argo's controller is in the cluster. It may run elsewhere, which nobody can see.",
                format!("`stoker preflight --probe` shows whether it takes runs up. If there is none: {INSTALL}."),
            )
        }),
        Err(error) if refusal::is_forbidden(&error) => near(&cluster).await,
        Err(error) => refusal::explain(&error).into(),
    }
}

/// Where a controller may well be, for an account that may not look everywhere: not to find one then means nothing.
async fn near(cluster: &Cluster) -> Finding {
    for namespace in [USUAL_NAMESPACE, &cluster.namespace] {
        let deployments = Api::<Deployment>::namespaced(cluster.client.clone(), namespace);
        let list = deployments.list(&ListParams::default()).await;
        if let Some(finding) = list.ok().and_then(|list| judge(&controllers(list))) {
            return finding;
        }
    }
    Finding::skipped("The account may not list deployments, which runs do not need either, so it is not known.")
}

fn controllers(list: ObjectList<Deployment>) -> Vec<Deployment> {
    list.items.into_iter().filter(|deployment| deployment.name_any().contains(CONTROLLER_NAME)).collect()
}

/// `None` when there is none.
fn judge(controllers: &[Deployment]) -> Option<Finding> {
    let available = |deployment: &&Deployment| {
        deployment.status.as_ref().and_then(|status| status.available_replicas).unwrap_or(0) > 0
    };
    if let Some(controller) = controllers.iter().find(available) {
        return Some(Finding::ok(format!("{} is available{}.", place(controller), version(controller))));
    }
    controllers.first().map(|controller| {
        Finding::failed(
            format!("{} is not available, so workflows would wait for ever.", place(controller)),
            format!(
                "`kubectl --namespace {} describe deployment {}` says why.",
                controller.namespace().unwrap_or_default(),
                controller.name_any()
            ),
        )
    })
}

fn place(deployment: &Deployment) -> String {
    format!("{} in {}", deployment.name_any(), deployment.namespace().unwrap_or_default())
}

/// By the image's tag: `quay.io/argoproj/workflow-controller:v4.1.2`.
fn version(deployment: &Deployment) -> String {
    let pod = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let image = pod.and_then(|pod| pod.containers.first()).and_then(|container| container.image.as_deref());
    let tag = image.and_then(|image| image.rsplit('/').next()).and_then(|name| name.split('@').next()?.split_once(':'));
    tag.map(|(_, tag)| format!(", {tag}")).unwrap_or_default()
}
