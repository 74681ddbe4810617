//! What the account may do, asked of the cluster itself (`SelfSubjectAccessReview`), one check a resource.

use std::borrow::Cow;

use app::model::checks::CheckGroup;
use futures::future;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReviewStatus,
};
use kube::{Api, api::PostParams};

use super::{
    super::finding::{Finding, Subject},
    cluster::Cluster,
};
use crate::kubernetes::refusal;

/// What may be done to one kind of thing.
#[derive(Debug)]
pub(super) struct Permission {
    key: &'static str,
    /// For people.
    title: &'static str,
    /// The API group; empty is the core group.
    group: &'static str,
    resource: &'static str,
    /// Empty for the resource itself.
    subresource: &'static str,
    verbs: &'static [&'static str],
    scope: Scope,
    /// What does not work without it; `None` when nothing does.
    without: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Namespace,
    Cluster,
}

/// All that runs in a cluster need, and what they can do without.
pub(super) const ALL: [Permission; 7] = [
    Permission {
        key: "rbac-workflows",
        title: "May use workflows",
        group: "argoproj.io",
        resource: "workflows",
        subresource: "",
        verbs: &["create", "get", "list", "watch", "patch", "delete"],
        scope: Scope::Namespace,
        without: None,
    },
    Permission {
        key: "rbac-pods",
        title: "May use pods",
        group: "",
        resource: "pods",
        subresource: "",
        verbs: &["get", "list", "watch", "delete"],
        scope: Scope::Namespace,
        without: None,
    },
    Permission {
        key: "rbac-pod-logs",
        title: "May read logs",
        group: "",
        resource: "pods",
        subresource: "log",
        verbs: &["get"],
        scope: Scope::Namespace,
        without: None,
    },
    Permission {
        key: "rbac-claims",
        title: "May look at volume claims",
        group: "",
        resource: "persistentvolumeclaims",
        subresource: "",
        verbs: &["get", "list"],
        scope: Scope::Namespace,
        without: None,
    },
    Permission {
        key: "rbac-events",
        title: "May look at events",
        group: "",
        resource: "events",
        subresource: "",
        verbs: &["list"],
        scope: Scope::Namespace,
        without: Some("Without it, Stoker cannot say why a pod does not start."),
    },
    Permission {
        key: "rbac-secrets",
        title: "May make secrets",
        group: "",
        resource: "secrets",
        subresource: "",
        verbs: &["create"],
        scope: Scope::Namespace,
        without: None,
    },
    Permission {
        key: "rbac-nodes",
        title: "May look at nodes",
        group: "",
        resource: "nodes",
        subresource: "",
        verbs: &["get", "list"],
        scope: Scope::Cluster,
        without: Some(
            "Without it, Stoker cannot tell how many nodes there are, and which container runtimes they have.",
        ),
    },
];

impl Permission {
    pub(super) fn subject(&self) -> Subject {
        Subject { key: Cow::Borrowed(self.key), group: CheckGroup::Kubernetes, title: Cow::Borrowed(self.title) }
    }

    /// As in a role: `pods/log`, `workflows` of `argoproj.io`.
    fn target(&self) -> String {
        let subresource = if self.subresource.is_empty() { String::new() } else { format!("/{}", self.subresource) };
        let of = if self.group.is_empty() { String::new() } else { format!(" of {}", self.group) };
        format!("{}{subresource}{of}", self.resource)
    }

    fn question(&self, verb: &str, namespace: &str) -> SelfSubjectAccessReview {
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    namespace: (self.scope == Scope::Namespace).then(|| namespace.to_owned()),
                    group: filled(self.group),
                    resource: filled(self.resource),
                    subresource: filled(self.subresource),
                    verb: filled(verb),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        }
    }

    fn judge(&self, missing: &[&str], namespace: &str) -> Finding {
        let target = self.target();
        if missing.is_empty() {
            return Finding::ok(format!("{} {target}.", self.verbs.join(", ")));
        }
        let (role, place) = match self.scope {
            Scope::Namespace => ("Role", format!(" in the namespace {namespace}")),
            Scope::Cluster => ("ClusterRole", String::new()),
        };
        let verbs = missing.join(", ");
        let detail = format!("The account may not {verbs} {target}{place}.");
        let fix =
            format!("Add the verbs {verbs} for {target} to the account's {role}; docs/preflight.md has all of it.");
        match self.without {
            Some(without) => Finding::warning(format!("{detail} {without}"), fix),
            None => Finding::failed(detail, fix),
        }
    }
}

pub(super) async fn finding(cluster: Cluster, permission: &'static Permission) -> Finding {
    let reviews = Api::<SelfSubjectAccessReview>::all(cluster.client.clone());
    let ask = async |verb: &'static str| {
        let question = permission.question(verb, &cluster.namespace);
        let answer = reviews.create(&PostParams::default(), &question).await?;
        let allowed = answer.status.is_some_and(|SubjectAccessReviewStatus { allowed, .. }| allowed);
        Ok::<_, kube::Error>((!allowed).then_some(verb))
    };
    match future::try_join_all(permission.verbs.iter().map(|verb| ask(verb))).await {
        Ok(missing) => permission.judge(&missing.into_iter().flatten().collect::<Vec<_>>(), &cluster.namespace),
        Err(error) => refusal::explain(&error).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The role that operators copy must have all that is asked for.
    #[test]
    fn the_documented_role_has_every_permission() {
        const PAGE: &str = include_str!("../../../../docs/preflight.md");
        for permission in &ALL {
            let subresource = if permission.subresource.is_empty() { "" } else { "/log" };
            let rule = format!(
                "  - apiGroups: [\"{}\"]\n    resources: [\"{}{subresource}\"]\n    verbs: [\"{}\"]\n",
                permission.group,
                permission.resource,
                permission.verbs.join("\", \"")
            );
            assert!(PAGE.contains(&rule), "docs/preflight.md lacks\n{rule}");
        }
    }
}
