//! The connection: which cluster, and by whose credentials. Nothing is asked of it here.

use std::{env, path::PathBuf, time::Duration};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use super::{
    refusal::{self, Refusal},
    traffic::Traffic,
};

/// How long the cluster may take to be connected to.
const CONNECTING: Duration = Duration::from_secs(3);
/// How long a login program may take.
const LOGGING_IN: Duration = Duration::from_secs(6);

/// Set in every pod.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// Which cluster, and as whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The kubeconfig; `None` takes what KUBECONFIG names, the usual file, or the service account of this pod.
    pub kubeconfig: Option<PathBuf>,
    /// Which of the kubeconfig's contexts; `None` takes the current one.
    pub context: Option<String>,
    /// The namespace; `None` takes the context's.
    pub namespace: Option<String>,
}

/// How a cluster can be reached.
pub struct Reach {
    config: Config,
}

impl Access {
    /// Finds out how the cluster can be reached. `None` when there is neither a kubeconfig nor a pod around this process.
    ///
    /// # Errors
    /// When what there is cannot be used.
    pub async fn find(&self) -> Result<Option<Reach>, Refusal> {
        let Some(mut config) = self.configuration().await? else { return Ok(None) };
        config.connect_timeout = Some(CONNECTING);
        if let Some(namespace) = &self.namespace {
            config.default_namespace.clone_from(namespace);
        }
        Ok(Some(Reach { config }))
    }

    async fn configuration(&self) -> Result<Option<Config>, Refusal> {
        if let Some(kubeconfig) = self.kubeconfig()? {
            let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
            let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
            return config.map(Some).map_err(|error| broken(&error.to_string()));
        }
        if env::var_os(IN_CLUSTER).is_some() {
            let config = Config::incluster();
            return config.map(Some).map_err(|error| {
                Refusal::new(
                    format!("This is a pod of a cluster, but its service account cannot be used: {error}."),
                    "Mount the service account's token into the pod (`automountServiceAccountToken: true`).",
                )
            });
        }
        Ok(None)
    }

    /// The one that was named; or what KUBECONFIG names, of which some may be missing (as for kubectl); or the usual file
    /// when it is there.
    fn kubeconfig(&self) -> Result<Option<Kubeconfig>, Refusal> {
        if let Some(path) = &self.kubeconfig {
            return Kubeconfig::read_from(path).map(Some).map_err(|error| broken(&error.to_string()));
        }
        let variable = env::var_os("KUBECONFIG").unwrap_or_default();
        let mut paths: Vec<PathBuf> = env::split_paths(&variable).filter(|path| !path.as_os_str().is_empty()).collect();
        let is_named = !paths.is_empty();
        if !is_named {
            paths.extend(etcetera::home_dir().map(|home| home.join(".kube/config")));
        }
        paths.retain(|path| path.exists());
        if is_named && paths.is_empty() {
            return Err(Refusal::new(
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
}

impl Reach {
    /// The API server's address.
    #[must_use]
    pub fn url(&self) -> String {
        self.config.cluster_url.to_string()
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.config.default_namespace
    }

    /// For somebody who waits: no answer may take longer, and a cluster that is too busy now is worth saying.
    #[must_use]
    pub fn impatient(mut self, answering: Duration) -> Self {
        self.config.read_timeout = Some(answering);
        self.config.default_retry = false;
        self
    }

    /// A client whose requests are counted. A login program that gives the credentials is run for it.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn client(self, traffic: &Traffic) -> Result<Client, Refusal> {
        let traffic = traffic.clone();
        // The login program is waited for with the thread.
        let client = tokio::task::spawn_blocking(move || traffic.counted(self.config));
        match tokio::time::timeout(LOGGING_IN, client).await {
            Ok(Ok(client)) => client.map_err(|error| refusal::explain(&error)),
            Ok(Err(_)) | Err(_) => Err(Refusal::new(
                "The kubeconfig's login program gives no credentials, and does not end.",
                "Run it by hand (`kubectl get namespaces` does), and log in where it asks to.",
            )),
        }
    }
}

fn broken(why: &str) -> Refusal {
    Refusal::new(
        format!("The kubeconfig cannot be used: {why}."),
        "Correct it, or name another with KUBECONFIG; `kubectl config view` and `kubectl config get-contexts` show it.",
    )
}
