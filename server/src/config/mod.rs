//! The configuration: the command line's options, checked once, with the defaults filled in.

pub mod data_folder;
pub mod engine_options;
pub mod limits;
pub mod options;
pub(crate) mod values;

use std::{
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use app::model::{
    resources::{Cpu, Memory},
    retention::Retention,
    spec::Timeout,
};
use etcetera::BaseStrategy as _;

use self::{
    engine_options::{ClusterOptions, EngineKind, EngineOptions},
    options::ServeOptions,
};
use crate::{
    kubernetes::Access,
    packages::{
        conda::{CondaError, CondaInstaller, CondaKind},
        nix::{self, NixChoice, NixSettings},
    },
};

/// Why Stoker does not start with these options. Says what to do instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Anybody who reaches Stoker can run programs, so only this machine may.
    #[error(
        "Stoker was asked to listen on {0}, but it listens on loopback only until authentication is configured. Use \
         an address such as 127.0.0.1:3000, and reach it from elsewhere through SSH (`ssh -L 3000:127.0.0.1:3000 \
         HOST`)."
    )]
    NotLoopback(SocketAddr),
    /// The platform names no folder for application data.
    #[error("There is no folder for application data ({0}). Name one with --data.")]
    NoDataFolder(String),
    /// Runs in a cluster need an image.
    #[error("Runs in a cluster need the task image. Name it with --image, or leave `argo` out of --engine.")]
    NoImage,
    /// The conda installer is half named.
    #[error(transparent)]
    Conda(CondaError),
}

/// How Stoker is to run.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept.
    pub data: DataFolder,
    /// Where to listen.
    pub address: SocketAddr,
    /// Further names under which browsers may reach it.
    pub allowed_hosts: Vec<String>,
    /// What runs are given.
    pub engine: EngineConfig,
    /// Where runs run, the default first; never empty.
    pub engines: Vec<EngineKind>,
    /// How runs go to a cluster; `None` when none go there.
    pub cluster: Option<ClusterConfig>,
    /// After how long an unused environment or package set is removed; `None` keeps all.
    pub prune_after: Option<Duration>,
    /// How long runs are kept.
    pub retention: Retention,
}

/// What runs are given.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// How many go on at once.
    pub workers: NonZeroUsize,
    /// Their Python, a path or a version; `None` takes what `uv` finds.
    pub python: Option<String>,
    /// Their `uv`.
    pub uv: PathBuf,
    /// Their package index; `None` leaves it to `uv`.
    pub index_url: Option<String>,
    /// When to stop a run whose task sets no limit.
    pub default_timeout: Timeout,
    /// Most memory of each process, in bytes.
    pub memory_limit: Option<u64>,
    /// Longest log, in bytes.
    pub log_limit: u64,
    /// Longest time for each stage of preparing, in seconds.
    pub stage_timeout: u32,
    /// Bytes that must be free before anything is built.
    pub minimum_free: u64,
    /// Which Nix provides system packages.
    pub nix: NixChoice,
    /// The nixpkgs they come from.
    pub nixpkgs: String,
    /// What provides conda; `None` when nothing is known for this machine.
    pub conda: Option<CondaInstaller>,
}

/// How runs go to a cluster.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// Which cluster, and where in it.
    pub access: Access,
    /// The task image.
    pub image: String,
    /// The version of its Python.
    pub python: String,
    /// Its platform, in uv's words.
    pub platform: String,
    /// The claim for environments.
    pub cache_claim: Option<String>,
    /// The claim for the Nix store.
    pub nix_claim: Option<String>,
    /// The claim for what steps put out.
    pub results_claim: Option<String>,
    /// Where this server has its volume.
    pub results_folder: Option<PathBuf>,
    /// The account of Argo's executor.
    pub service_account: Option<String>,
    /// The user id of containers.
    pub user: i64,
    /// How many runs it gets at once.
    pub at_once: NonZeroUsize,
    /// Processors that programs ask for whose tasks say nothing.
    pub cpu_request: Option<Cpu>,
    /// Memory that programs ask for whose tasks say nothing.
    pub memory_request: Option<Memory>,
}

/// The folder for everything Stoker keeps, and the names in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder(pub PathBuf);

impl DataFolder {
    /// The folder that somebody named, or the platform's.
    ///
    /// # Errors
    /// When none is named, and the platform has none.
    pub fn named(folder: Option<PathBuf>) -> Result<Self, ConfigError> {
        if let Some(folder) = folder {
            return Ok(Self(folder));
        }
        let strategy =
            etcetera::choose_base_strategy().map_err(|error| ConfigError::NoDataFolder(error.to_string()))?;
        Ok(Self(strategy.data_dir().join("stoker")))
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("stoker.sqlite")
    }

    /// What can be made again: environments, and uv's cache.
    #[must_use]
    pub fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    /// A folder for each step that is kept.
    #[must_use]
    pub fn steps(&self) -> PathBuf {
        self.0.join("steps")
    }

    /// The key from which runs' secrets are made.
    #[must_use]
    pub fn secret_key(&self) -> PathBuf {
        self.0.join("secret.key")
    }

    /// The file whose lock says that a Stoker uses the folder.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("stoker.lock")
    }
}

impl Config {
    /// Where system packages come from.
    #[must_use]
    pub fn nix(&self) -> NixSettings {
        let cache = self.data.cache();
        // Steps have another working directory than this process.
        let cache = std::path::absolute(&cache).unwrap_or(cache);
        NixSettings::new(self.engine.nix, self.engine.nixpkgs.clone(), &cache, nix::stoker_program())
    }

    /// Checks the options, and fills in what they leave open.
    ///
    /// # Errors
    /// When the address is not this machine's own, or no data folder is known.
    pub fn from_options(options: ServeOptions) -> Result<Self, ConfigError> {
        let place = options.place;
        if !place.addr.ip().is_loopback() {
            return Err(ConfigError::NotLoopback(place.addr));
        }
        let EngineOptions { engines: named, cluster } = options.engine;
        let mut engines = Vec::new();
        for kind in named {
            if !engines.contains(&kind) {
                engines.push(kind);
            }
        }
        let cluster = engines.contains(&EngineKind::Argo).then(|| ClusterConfig::from_options(cluster)).transpose()?;
        Ok(Self {
            engines,
            cluster,
            data: DataFolder::named(place.data)?,
            address: place.addr,
            allowed_hosts: options.allowed_hosts,
            prune_after: options.prune_after.0,
            retention: Retention {
                runs: options.keep_runs.0,
                days: options.keep_days.0,
                log_bytes: options.keep_log_bytes.0,
            },
            engine: EngineConfig {
                workers: options.workers.unwrap_or_else(cores),
                python: place.python,
                uv: place.uv,
                index_url: place.index_url,
                default_timeout: options.default_timeout,
                memory_limit: options.memory_limit,
                log_limit: options.log_limit,
                stage_timeout: options.stage_timeout.get(),
                minimum_free: place.minimum_free,
                nix: place.nix,
                nixpkgs: place.nixpkgs,
                conda: conda(options.conda, options.conda_url, options.conda_sha256)?,
            },
        })
    }
}

impl ClusterConfig {
    fn from_options(options: ClusterOptions) -> Result<Self, ConfigError> {
        // A variable that is set to nothing says nothing.
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Self {
            access: Access {
                kubeconfig: options.kubeconfig,
                context: given(options.context),
                namespace: given(options.namespace),
            },
            image: given(options.image).ok_or(ConfigError::NoImage)?,
            python: options.image_python,
            platform: options.image_platform,
            cache_claim: given(options.cache_claim),
            nix_claim: given(options.nix_claim),
            results_claim: given(options.results_claim),
            results_folder: options.results_folder.filter(|folder| !folder.as_os_str().is_empty()),
            service_account: given(options.service_account),
            user: options.pod_user,
            at_once: options.cluster_runs,
            cpu_request: options.default_cpu_request,
            memory_request: options.default_memory_request,
        })
    }
}

/// A choice that nothing is known for here is no reason not to start: only tasks that ask for conda need it.
fn conda(kind: CondaKind, url: Option<String>, sha256: Option<String>) -> Result<Option<CondaInstaller>, ConfigError> {
    match CondaInstaller::wanted(kind, url, sha256) {
        Ok(installer) => Ok(Some(installer)),
        Err(CondaError::NotPinned) => Ok(None),
        Err(error) => Err(ConfigError::Conda(error)),
    }
}

fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        options: ServeOptions,
    }

    fn config(arguments: &[&str]) -> Result<Config, ConfigError> {
        Config::from_options(Line::try_parse_from(["serve"].iter().chain(arguments)).unwrap().options)
    }

    #[test]
    fn only_loopback_addresses_are_accepted() {
        assert!(config(&["--addr", "127.0.0.1:0"]).is_ok());
        assert!(config(&["--addr", "[::1]:3000"]).is_ok());
        let error = config(&["--addr", "0.0.0.0:3000"]).unwrap_err().to_string();
        assert!(error.contains("listens on loopback only until authentication is configured"), "{error}");
    }

    #[test]
    fn a_cluster_is_used_when_it_is_asked_for_and_has_an_image() {
        assert!(config(&[]).unwrap().cluster.is_none());
        assert_eq!(config(&["--engine", "argo"]).unwrap_err(), ConfigError::NoImage);
        let config = config(&["--engine", "argo,local,argo", "--image", "stoker:1"]).unwrap();
        assert_eq!(config.engines, [EngineKind::Argo, EngineKind::Local]);
        assert_eq!(config.cluster.unwrap().image, "stoker:1");
    }

    #[test]
    fn the_database_is_in_the_data_folder() {
        let config = config(&["--data", "/somewhere"]).unwrap();
        assert_eq!(config.data.database(), Path::new("/somewhere/stoker.sqlite"));
    }
}
