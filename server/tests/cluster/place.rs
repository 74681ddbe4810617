//! The cluster that the environment names, and an engine that uses it with the rights of Stoker's own account.

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use app::model::resources::Resources;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Secret, ServiceAccount};
use kube::{
    Api, Client,
    api::{ListParams, PostParams},
    config::{KubeConfigOptions, Kubeconfig},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::json;
use server::{
    clock::{Random as _, SystemClock, SystemRandom},
    engine::{
        RunPlan, SharedEngine,
        argo::{
            ArgoEngine,
            assignment::Conditions,
            images::{TaskImage, TaskImages},
            settings::ArgoSettings,
        },
    },
    kubernetes::Access,
    packages::nix,
    runner::SecretKey,
};

use crate::rules;

/// A variable that whoever runs these tests sets.
pub fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} must be set: run infrastructure/scripts/test-cluster.sh"))
}

/// A Stoker's part of the tests' namespace. Its instance is its own: tests run beside each other.
pub struct Namespace {
    engine: SharedEngine,
    other: SharedEngine,
}

impl Namespace {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings.
    pub async fn with(change: impl FnOnce(&mut ArgoSettings)) -> Self {
        Self::reached_by(variable("STOKER_TEST_SERVER_KUBECONFIG").into(), change).await
    }

    /// By another way.
    pub async fn reached_by(kubeconfig: PathBuf, change: impl FnOnce(&mut ArgoSettings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let mut key = [0; 32];
        SystemRandom.fill(&mut key);
        let engine = async || engine(&settings, kubeconfig.clone(), key).await;
        Self { engine: engine().await, other: engine().await }
    }
}

impl rules::Place for Namespace {
    fn engine(&self) -> SharedEngine {
        self.engine.clone()
    }

    fn restarted(&self) -> SharedEngine {
        self.other.clone()
    }
}

/// An engine for this key, with other settings.
pub async fn engine_with(key: [u8; 32], change: impl FnOnce(&mut ArgoSettings)) -> SharedEngine {
    let mut settings = settings();
    change(&mut settings);
    engine(&settings, variable("STOKER_TEST_SERVER_KUBECONFIG").into(), key).await
}

async fn engine(settings: &ArgoSettings, kubeconfig: PathBuf, key: [u8; 32]) -> SharedEngine {
    // The namespace is the kubeconfig's own.
    let access = Access { kubeconfig: Some(kubeconfig), context: None, namespace: None };
    let engine = ArgoEngine::new(settings.clone(), &access, Arc::new(SystemClock), SecretKey::new(key)).await;
    Arc::new(engine.unwrap_or_else(|refusal| panic!("{refusal}")))
}

fn settings() -> ArgoSettings {
    ArgoSettings {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        images: TaskImages::only(TaskImage { name: variable("STOKER_TEST_IMAGE"), python: "3.11.2".to_owned() }),
        platform: "x86_64-manylinux_2_36".to_owned(),
        cache_claim: Some("stoker-cache".to_owned()),
        nix_claim: Some("stoker-nix".to_owned()),
        results_claim: Some("stoker-results".to_owned()),
        results_folder: None,
        service_account: Some("stoker-executor".to_owned()),
        at_once: 8,
        user: 1000,
        resources: Resources::default(),
        conditions: Conditions {
            preparation: Vec::new(),
            preparation_timeout: 600,
            default_timeout: None,
            grace: 2,
            log_limit: 64 << 20,
            stage_timeout: 300,
            minimum_free: 0,
            prune_after: None,
            nixpkgs: nix::NIXPKGS.to_owned(),
            conda: None,
        },
    }
}

/// A client with all rights, to cause faults and to look.
pub async fn operator() -> Client {
    let kubeconfig = Kubeconfig::from_env().unwrap().unwrap();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// The pods of the tests' namespace, with all rights.
pub async fn pods() -> Api<Pod> {
    Api::namespaced(operator().await, &variable("STOKER_TEST_NAMESPACE"))
}

/// The workflows of the tests' namespace, with all rights.
pub async fn workflows() -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Workflow");
    let resource = ApiResource::from_gvk_with_plural(&kind, "workflows");
    Api::namespaced_with(operator().await, &variable("STOKER_TEST_NAMESPACE"), &resource)
}

/// How many workflows there are of a task.
pub async fn workflows_of_task(task: &str) -> usize {
    let of_task = ListParams::default().labels(&format!("stoker/task={task}"));
    workflows().await.list(&of_task).await.unwrap().items.len()
}

/// A claim that is bound to a volume which no node can mount.
pub async fn broken_claim() -> String {
    let (namespace, name) = (variable("STOKER_TEST_NAMESPACE"), "broken");
    let volume_name = format!("{namespace}-{name}");
    let volume = json!({
        "metadata": {"name": volume_name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Mi"},
            "claimRef": {"namespace": namespace, "name": name},
            "hostPath": {"path": "/nonexistent/stoker-test", "type": "Directory"},
        },
    });
    let claim = json!({
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}},
            "storageClassName": "",
            "volumeName": volume_name,
        },
    });
    // An earlier attempt may have made them.
    let volumes = Api::<PersistentVolume>::all(operator().await);
    let _ = volumes.create(&PostParams::default(), &serde_json::from_value(volume).unwrap()).await;
    let claims = Api::<PersistentVolumeClaim>::namespaced(operator().await, &namespace);
    let _ = claims.create(&PostParams::default(), &serde_json::from_value(claim).unwrap()).await;
    name.to_owned()
}

/// An account that may do nothing, with the token that Argo looks for.
pub async fn powerless_account() -> String {
    let (namespace, name) = (variable("STOKER_TEST_NAMESPACE"), "powerless");
    let account = json!({"metadata": {"name": name}});
    let token = json!({
        "metadata": {
            "name": format!("{name}.service-account-token"),
            "annotations": {"kubernetes.io/service-account.name": name},
        },
        "type": "kubernetes.io/service-account-token",
    });
    // An earlier attempt may have made them.
    let accounts = Api::<ServiceAccount>::namespaced(operator().await, &namespace);
    let _ = accounts.create(&PostParams::default(), &serde_json::from_value(account).unwrap()).await;
    let secrets = Api::<Secret>::namespaced(operator().await, &namespace);
    let _ = secrets.create(&PostParams::default(), &serde_json::from_value(token).unwrap()).await;
    while secrets.get(&format!("{name}.service-account-token")).await.unwrap().data.is_none() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    name.to_owned()
}

/// Selects what belongs to a run.
pub fn of(plan: &RunPlan) -> ListParams {
    ListParams::default().labels(&format!("stoker/run={}", plan.run))
}
