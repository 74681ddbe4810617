//! The connection: which cluster, by whose credentials, and whether it answers.

use std::{env, path::PathBuf, time::Duration};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::{super::finding::Finding, KubernetesSettings, refusal};

/// How long the cluster may take to be connected to, and to answer.
const CONNECTING: Duration = Duration::from_secs(3);
const ANSWERING: Duration = Duration::from_secs(6);

/// Set in every pod.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

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
pub(super) async fn connect(settings: KubernetesSettings) -> Result<Option<Cluster>, Finding> {
    let Some(mut config) = configuration(&settings).await? else { return Ok(None) };
    config.connect_timeout = Some(CONNECTING);
    config.read_timeout = Some(ANSWERING);
    // The user is waiting: a cluster that is too busy now is worth saying.
    config.default_retry = false;
    let url = config.cluster_url.to_string();
    let namespace = settings.namespace.unwrap_or_else(|| config.default_namespace.clone());
    // It may run a program that gives the credentials, and waits for it with the thread.
    let client = tokio::task::spawn_blocking(move || Client::try_from(config));
    let client = match tokio::time::timeout(ANSWERING, client).await {
        Ok(Ok(client)) => client.map_err(|error| refusal::explain(&error))?,
        Ok(Err(_)) | Err(_) => {
            return Err(Finding::failed(
                "The kubeconfig's login program gives no credentials, and does not end.",
                "Run it by hand (`kubectl get namespaces` does), and log in where it asks to.",
            ));
        }
    };
    let version = client.apiserver_version().await.map_err(|error| {
        let finding = refusal::explain(&error);
        Finding { detail: format!("{url}: {}", finding.detail), ..finding }
    })?;
    Ok(Some(Cluster { client, namespace, url, version: version.git_version }))
}

async fn configuration(settings: &KubernetesSettings) -> Result<Option<Config>, Finding> {
    if let Some(kubeconfig) = kubeconfig()? {
        let options = KubeConfigOptions { context: settings.context.clone(), ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        return config.map(Some).map_err(|error| broken(&error.to_string()));
    }
    if env::var_os(IN_CLUSTER).is_some() {
        let config = Config::incluster();
        return config.map(Some).map_err(|error| {
            Finding::failed(
                format!("This is a pod of a cluster, but its service account cannot be used: {error}."),
                "Mount the service account's token into the pod (`automountServiceAccountToken: true`).",
            )
        });
    }
    Ok(None)
}

/// What KUBECONFIG names, of which some may be missing (as for kubectl), or the usual file when it is there.
fn kubeconfig() -> Result<Option<Kubeconfig>, Finding> {
    let variable = env::var_os("KUBECONFIG").unwrap_or_default();
    let mut paths: Vec<PathBuf> = env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty()).collect();
    let is_named = !paths.is_empty();
    if !is_named {
        paths.extend(etcetera::home_dir().map(|home| home.join(".kube/config")));
    }
    paths.retain(|path| path.exists());
    if is_named && paths.is_empty() {
        return Err(Finding::failed(
            format!("KUBECONFIG names {}, which is not there.", variable.display()),
            "Correct the variable KUBECONFIG, or unset it when Stoker is to use no cluster.",
        ));
    }
    let merged = paths.iter().try_fold(None, |merged: Option<Kubeconfig>, path| {
        let next = Kubeconfig::read_from(path)?;
        Ok::<_, KubeconfigError>(Some(match merged {
            Some(first) => first.merge(next)?,
            None => next,
        }))
    });
    merged.map_err(|error| broken(&error.to_string()))
}

fn broken(why: &str) -> Finding {
    Finding::failed(
        format!("The kubeconfig cannot be used: {why}."),
        "Correct it, or name another with KUBECONFIG; `kubectl config view` and `kubectl config get-contexts` show it.",
    )
}
