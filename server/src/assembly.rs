//! Puts a server together: once, for `stoker serve`, for tests and for benchmarks. What the parts do is elsewhere.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use app::{
    model::resources::{Memory, Resources},
    page_context::ServerFacts,
};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

use crate::{
    config::{ClusterConfig, Config, engine_options::EngineKind, limits},
    db::Database,
    diagnostics::Sources,
    engine::{
        EngineError, Engines, SharedEngine, Target,
        argo::{ArgoEngine, assignment::Conditions, settings::ArgoSettings},
        local::{
            LocalEngine, LocalSettings,
            caches::{CacheFolders, Caches},
        },
    },
    execution::{
        hints::Hints,
        recorder::Recorder,
        supervisor::{self, Driver},
    },
    http::{
        hosts::Hosts,
        site::Site,
        state::{AppState, Inputs},
    },
    kubernetes::Refusal,
    packages::{
        preparation,
        pythons::Pythons,
        resolver::{
            Resolver,
            uv::{AT_ONCE, UvResolver},
        },
    },
    programs,
    runner::SecretKey,
    service::{Dependencies, Service},
};

/// How long to wait at the start for what an engine says of itself: pages show it, and nothing depends on it.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a server is made of.
pub struct Parts {
    /// Where everything is kept.
    pub database: Database,
    /// Where runs run.
    pub engines: Engines,
    /// Finds exact package versions.
    pub resolver: Arc<dyn Resolver>,
    /// What tells the runner's words from the program's.
    pub secret_key: SecretKey,
    /// The clock and the source of randomness.
    pub inputs: Inputs,
    /// How the server is doing.
    pub diagnostics: Sources,
    /// The browser's part.
    pub site: Site,
    /// The names under which browsers may reach the server.
    pub hosts: Hosts,
}

/// A server, put together. It answers requests by its state; runs move once it is told to.
pub struct Stoker {
    /// What handlers share.
    pub state: AppState,
    driver: Driver,
}

impl Stoker {
    /// Puts a server together.
    pub async fn assemble(parts: Parts) -> Self {
        let Parts { database, engines, resolver, secret_key, inputs, diagnostics, site, hosts } = parts;
        let facts = facts(&engines).await;
        let (hints, wake) = (Hints::default(), Arc::new(Notify::new()));
        let driver = Driver {
            database: database.clone(),
            engines: engines.clone(),
            recorder: Recorder::new(database.clone(), hints.clone(), secret_key, inputs.clock.clone()),
            resolver: resolver.clone(),
            clock: inputs.clock.clone(),
            hints: hints.clone(),
            wake: wake.clone(),
        };
        let service = Service::new(Dependencies {
            database,
            engines,
            resolver,
            hints,
            wake,
            clock: inputs.clock.clone(),
            random: inputs.random.clone(),
            diagnostics,
        });
        Self { state: AppState::new(service, site, facts, hosts, inputs), driver }
    }

    /// What wakes those who move runs: notify it after a run was made, or is to be cancelled.
    #[must_use]
    pub fn wake(&self) -> &Arc<Notify> {
        &self.driver.wake
    }

    /// Picks up the runs that were active, and moves runs from now on, until the returned task is aborted.
    #[must_use]
    pub fn move_runs(&self) -> JoinHandle<()> {
        supervisor::start(self.driver.clone())
    }
}

/// What pages say of the default engine.
async fn facts(engines: &Engines) -> ServerFacts {
    let engine = engines.default_engine();
    let asked = tokio::time::timeout(PATIENCE, async { (engine.diagnose().await, engine.target(None).await) }).await;
    let (health, target) = asked.unwrap_or_else(|_| {
        let late = EngineError::passing("the engine did not answer in time");
        (Err(late.clone()), Err::<Target, _>(late))
    });
    let problem = match health {
        Ok(()) => None,
        Err(error) => {
            tracing::warn!(engine = %engine.name(), %error, "No run can start until this is put right");
            // What may pass by itself would stand there for ever.
            Some(error).filter(|error| !error.may_pass)
        }
    };
    ServerFacts {
        version: env!("CARGO_PKG_VERSION"),
        python: target.ok().map(|target| target.python),
        engines: engines.names().map(|name| name.0).collect(),
        problem: problem.map(|error| error.message),
    }
}

/// What runs tasks could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("What runs tasks could not be set up in {0}: {1}. Check the permissions of the folder, and its free space.")]
pub struct SetUpError(PathBuf, io::Error);

/// The local engine, and what goes with it, before anything is started.
pub struct LocalParts {
    /// The engine.
    pub engine: LocalEngine,
    /// Finds exact package versions with this machine's uv.
    pub resolver: UvResolver,
    /// What tells the runner's words from the program's.
    pub secret_key: SecretKey,
}

/// Sets the local engine up as configured. A missing `uv` or Python is said by each run.
///
/// # Errors
/// When its folders cannot be made.
pub async fn set_up_local(config: &Config, database: &Database, inputs: &Inputs) -> Result<LocalParts, SetUpError> {
    let failed = |error| SetUpError(config.data.path().to_owned(), error);
    let uv = programs::found_on_path(&config.engine.uv);
    let pythons = Pythons::find(&uv, &config.engine.pythons).await;
    let secret_key = SecretKey::keep_in(&config.data.secret_key(), inputs.random.as_ref()).map_err(failed)?;
    let settings = local_settings(config, &uv, pythons).map_err(failed)?;
    let caches = CacheFolders::of(&config.data)
        .map(|folders| Caches::new(folders, Some(config.nix()), inputs.clock.clone()))
        .map_err(failed)?;
    let engine = LocalEngine::new(settings, caches, inputs.clock.clone(), secret_key.clone()).map_err(failed)?;
    let resolver = UvResolver {
        uv,
        cache: config.data.cache().join("uv"),
        index_url: config.engine.index_url.clone(),
        database: database.clone(),
        clock: inputs.clock.clone(),
        turns: Semaphore::new(AT_ONCE),
    };
    Ok(LocalParts { engine, resolver, secret_key })
}

/// The engines that are configured, the default first. The local one is given: what goes with it is needed anyway.
///
/// # Errors
/// When it is not known which cluster, or by whose credentials.
pub async fn set_up_engines(
    config: &Config,
    local: LocalEngine,
    secret_key: &SecretKey,
    inputs: &Inputs,
) -> Result<Engines, Refusal> {
    let local: SharedEngine = Arc::new(local);
    let mut engines: Option<Engines> = None;
    for kind in &config.engines {
        let engine: SharedEngine = match (kind, &config.cluster) {
            (EngineKind::Argo, Some(cluster)) => {
                let settings = argo_settings(config, cluster);
                let (clock, key) = (inputs.clock.clone(), secret_key.clone());
                Arc::new(ArgoEngine::new(settings, &cluster.access, clock, key).await?)
            }
            _ => local.clone(),
        };
        engines = Some(match engines {
            None => Engines::of(engine),
            Some(others) => others.and(engine),
        });
    }
    Ok(engines.unwrap_or_else(|| Engines::of(local)))
}

/// How runs go to a cluster, as configured.
#[must_use]
pub fn argo_settings(config: &Config, cluster: &ClusterConfig) -> ArgoSettings {
    let engine = &config.engine;
    // Files of this machine are not in pods.
    let is_file = |name: &str| matches!(name, "SSL_CERT_FILE" | "SSL_CERT_DIR" | "NETRC" | "NIX_SSL_CERT_FILE");
    let mut preparation = preparation::variables(engine.index_url.as_deref());
    preparation.retain(|(name, _)| !is_file(name));
    ArgoSettings {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        images: cluster.images.clone(),
        platform: cluster.platform.clone(),
        cache_claim: cluster.cache_claim.clone(),
        nix_claim: cluster.nix_claim.clone(),
        results_claim: cluster.results_claim.clone(),
        results_folder: cluster.results_folder.clone(),
        service_account: cluster.service_account.clone(),
        at_once: cluster.at_once.get(),
        user: cluster.user,
        resources: Resources {
            cpu_request: cluster.cpu_request,
            memory_request: cluster.memory_request,
            memory_limit: engine.memory_limit.map(Memory::of_bytes),
            ..Resources::default()
        },
        conditions: Conditions {
            preparation,
            preparation_timeout: limits::preparation_timeout(config.engine.stage_timeout),
            default_timeout: Some(engine.default_timeout.seconds()),
            grace: limits::GRACE,
            log_limit: engine.log_limit,
            stage_timeout: engine.stage_timeout,
            minimum_free: engine.minimum_free,
            prune_after: config.prune_after.map(|age| age.as_secs()),
            nixpkgs: engine.nixpkgs.clone(),
            conda: engine.conda.clone(),
        },
    }
}

fn local_settings(config: &Config, uv: &Path, pythons: Pythons) -> io::Result<LocalSettings> {
    let (stoker, cache) = (std::env::current_exe()?, std::path::absolute(config.data.cache())?);
    let engine = &config.engine;
    Ok(LocalSettings {
        data: std::path::absolute(config.data.path())?,
        nix: config.nix(),
        conda: engine.conda.clone(),
        at_once: engine.workers.get(),
        stage_timeout: engine.stage_timeout,
        minimum_free: engine.minimum_free,
        cache,
        stoker,
        uv: uv.to_owned(),
        pythons,
        index_url: engine.index_url.clone(),
        default_timeout: Some(engine.default_timeout.seconds()),
        preparation_timeout: limits::preparation_timeout(config.engine.stage_timeout),
        grace: limits::GRACE,
        log_limit: engine.log_limit,
        memory_limit: engine.memory_limit,
    })
}
