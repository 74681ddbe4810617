//! The cluster that the environment names, and an engine that uses it with the rights of Stoker's own account.

use std::{env, path::PathBuf, sync::Arc};

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::ListParams,
    config::{KubeConfigOptions, Kubeconfig},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use server::{
    clock::{Random as _, SystemClock, SystemRandom},
    engine::{
        RunPlan, SharedEngine,
        argo::{ArgoEngine, assignment::Conditions, settings::ArgoSettings},
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

async fn engine(settings: &ArgoSettings, kubeconfig: PathBuf, key: [u8; 32]) -> SharedEngine {
    let namespace = Some(variable("STOKER_TEST_NAMESPACE"));
    let access = Access { kubeconfig: Some(kubeconfig), context: None, namespace };
    let engine = ArgoEngine::new(settings.clone(), &access, Arc::new(SystemClock), SecretKey::new(key)).await;
    Arc::new(engine.unwrap_or_else(|refusal| panic!("{refusal}")))
}

fn settings() -> ArgoSettings {
    ArgoSettings {
        image: variable("STOKER_TEST_IMAGE"),
        python: "3.11.2".to_owned(),
        platform: "x86_64-manylinux_2_36".to_owned(),
        cache_claim: Some("stoker-cache".to_owned()),
        nix_claim: Some("stoker-nix".to_owned()),
        service_account: Some("stoker-executor".to_owned()),
        at_once: 8,
        user: 1000,
        memory_limit: None,
        conditions: Conditions {
            preparation: Vec::new(),
            preparation_timeout: 600,
            default_timeout: None,
            grace: 2,
            log_limit: 64 << 20,
            stage_timeout: 300,
            minimum_free: 0,
            nixpkgs: nix::NIXPKGS.to_owned(),
            conda: None,
        },
    }
}

/// A client with all rights, to cause faults and to look.
async fn operator() -> Client {
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

/// Selects what belongs to a run.
pub fn of(plan: &RunPlan) -> ListParams {
    ListParams::default().labels(&format!("stoker/run={}", plan.run))
}
