//! Starts what runs tasks (resolver, engine, recorder, supervisor), and shows it to the service.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use app::model::{
    cache::Readiness,
    identifiers::{RunId, StepId, TaskId},
    lock::Lock,
    phase::Phase,
    spec::TaskSpec,
};
use async_trait::async_trait;
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

use crate::{
    config::Config,
    db::{self, Database, DatabaseError, runs, tasks, views},
    engine::{
        SharedEngine, StepInputs,
        local::{LocalEngine, LocalSettings, WarmError},
    },
    environments::{self, Python},
    hints::Hints,
    recorder::Recorder,
    resolver::{
        ResolveError, Resolver,
        uv::{AT_ONCE, UvResolver},
    },
    runner::SecretKey,
    service::{EngineControl, ManifestError},
    state::Inputs,
    supervisor,
};

/// How long preparing an environment may take at least, in seconds: a run may have to wait for another that builds.
const PREPARATION_TIMEOUT: u32 = 3600;
/// How many stages a preparation may have that take as long as each may.
const LONG_STAGES: u32 = 4;
/// How long a program has to end by itself when it is stopped, in seconds.
const GRACE: u32 = 5;
/// How long to wait for the runs of a task that is being deleted.
const STOPPING: Duration = Duration::from_secs(10);
/// How often to look whether they have ended.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What runs tasks could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("What runs tasks could not be set up in {0}: {1}. Check the permissions of the folder, and its free space.")]
pub struct StartRunningError(PathBuf, io::Error);

/// What runs tasks, as the rest of the server sees it.
pub struct StartedEngine {
    /// Stops runs, and shows what they execute.
    pub control: Arc<dyn EngineControl>,
    /// Finds exact package versions.
    pub resolver: Arc<dyn Resolver>,
    /// Wakes the supervisor.
    pub wake: Arc<Notify>,
    /// The version of the Python that runs use.
    pub python: Option<String>,
}

/// The engine, and what it needs, before anything is started.
struct SetUp {
    engine: LocalEngine,
    resolver: UvResolver,
    secret_key: SecretKey,
    python: Result<Python, environments::PythonError>,
}

async fn set_up(config: &Config, database: &Database, inputs: &Inputs) -> Result<SetUp, StartRunningError> {
    let failed = |error| StartRunningError(config.data.path().to_owned(), error);
    let uv = environments::found_on_path(&config.engine.uv);
    let python = Python::find(&uv, config.engine.python.as_deref()).await;
    let secret_key = SecretKey::keep_in(&config.data.secret_key(), inputs.random.as_ref()).map_err(failed)?;
    let settings = local_settings(config, &uv, &python).map_err(failed)?;
    let engine = LocalEngine::new(settings, inputs.clock.clone(), secret_key.clone()).map_err(failed)?;
    let resolver = UvResolver {
        uv,
        python: python.clone(),
        cache: config.data.cache().join("uv"),
        index_url: config.engine.index_url.clone(),
        database: database.clone(),
        clock: inputs.clock.clone(),
        turns: Semaphore::new(AT_ONCE),
    };
    Ok(SetUp { engine, resolver, secret_key, python })
}

/// Starts what runs tasks, and picks up the runs that were active. Also gives the supervisor, to be aborted at the end.
///
/// # Errors
/// When its folders cannot be set up. A missing `uv` or Python is said in the log, and by each run.
pub async fn start(
    config: &Config,
    database: &Database,
    hints: &Hints,
    inputs: &Inputs,
) -> Result<(StartedEngine, JoinHandle<()>), StartRunningError> {
    let SetUp { engine, resolver, secret_key, python } = set_up(config, database, inputs).await?;
    if let Err(error) = &python {
        tracing::warn!(%error, "No run can start until this is put right");
    }
    let engine: SharedEngine = Arc::new(engine);
    let resolver: Arc<dyn Resolver> = Arc::new(resolver);
    let wake = Arc::new(Notify::new());
    let supervisor = supervisor::start(supervisor::Parts {
        database: database.clone(),
        engine: engine.clone(),
        recorder: Recorder::new(database.clone(), hints.clone(), secret_key),
        resolver: resolver.clone(),
        clock: inputs.clock.clone(),
        hints: hints.clone(),
        wake: wake.clone(),
        at_once: config.engine.workers.get(),
    });
    let control = Arc::new(Control { engine, database: database.clone(), wake: wake.clone() });
    let python = python.ok().map(|python| python.version);
    Ok((StartedEngine { control, resolver, wake, python }, supervisor))
}

/// Why a task's environment was not prepared.
#[derive(Debug, thiserror::Error)]
pub enum WarmTaskError {
    /// There is no database in the data folder.
    #[error("There is no database in {0}. Name the data folder of your Stoker with --data.")]
    NoDatabase(PathBuf),
    /// An older Stoker made the database, and perhaps serves it now.
    #[error("The database is an older Stoker's. Start this one with `stoker serve` first: that brings it up to date.")]
    OldDatabase,
    /// The database does not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// There is no such task.
    #[error("There is no task {0}. It may have been deleted.")]
    NoTask(TaskId),
    /// The task wants nothing of warm environments.
    #[error("The task does not use warm environments, so there is nothing to prepare. Its form has the switch.")]
    NotKept,
    /// There are no exact versions.
    #[error(transparent)]
    Lock(#[from] ResolveError),
    /// The folders cannot be set up.
    #[error(transparent)]
    SetUp(#[from] StartRunningError),
    /// It could not be prepared.
    #[error(transparent)]
    Warm(#[from] WarmError),
}

/// Prepares the environment of a saved task without running its program, beside a server that may run on the same
/// folder. Tells each line of what happens.
///
/// # Errors
/// When there is no such task, or its environment could not be prepared.
pub async fn warm(config: &Config, task: &TaskId, tell: impl FnMut(&str) + Send) -> Result<(), WarmTaskError> {
    let path = config.data.database();
    if !path.exists() {
        return Err(WarmTaskError::NoDatabase(config.data.path().to_owned()));
    }
    // Not brought up to date here: a server may be using it.
    if db::pending_migrations(&path)? > 0 {
        return Err(WarmTaskError::OldDatabase);
    }
    let database = Database::open(&path).await?;
    let wanted = task.clone();
    let spec = match database.read(move |connection| tasks::spec(connection, &wanted)).await {
        Err(DatabaseError::NotFound) => return Err(WarmTaskError::NoTask(task.clone())),
        spec => spec?,
    };
    if !spec.use_cache {
        return Err(WarmTaskError::NotKept);
    }
    let inputs = Inputs::default();
    let SetUp { engine, resolver, .. } = set_up(config, &database, &inputs).await?;
    let lock = resolver.lock(&spec).await?;
    Ok(engine.warm(&spec, lock, inputs.random.as_ref(), tell).await?)
}

fn local_settings(
    config: &Config,
    uv: &Path,
    python: &Result<Python, environments::PythonError>,
) -> io::Result<LocalSettings> {
    let (stoker, cache) = (std::env::current_exe()?, std::path::absolute(config.data.cache())?);
    let engine = &config.engine;
    Ok(LocalSettings {
        data: std::path::absolute(config.data.path())?,
        nix: config.nix(),
        conda: engine.conda.clone(),
        stage_timeout: engine.stage_timeout,
        minimum_free: engine.minimum_free,
        cache,
        stoker,
        uv: uv.to_owned(),
        python: python.clone(),
        index_url: engine.index_url.clone(),
        default_timeout: Some(engine.default_timeout.seconds()),
        preparation_timeout: PREPARATION_TIMEOUT.max(engine.stage_timeout.saturating_mul(LONG_STAGES)),
        grace: GRACE,
        log_limit: engine.log_limit,
        memory_limit: engine.memory_limit,
    })
}

/// The engine as the service sees it.
struct Control {
    engine: SharedEngine,
    database: Database,
    wake: Arc<Notify>,
}

#[async_trait]
impl EngineControl for Control {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    async fn stop(&self, runs: Vec<(RunId, StepId)>) {
        let all_ended = async {
            for (_, step) in &runs {
                while !self.has_ended(*step).await {
                    // Again each time: a step that is just being started hears nothing yet.
                    self.engine.cancel(*step, true).await;
                    self.wake.notify_one();
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        };
        if tokio::time::timeout(STOPPING, all_ended).await.is_err() {
            tracing::warn!("Runs of a deleted task did not end in time; the supervisor goes on stopping them");
        }
    }

    fn readiness(&self, spec: &TaskSpec, lock: Option<&Lock>) -> Readiness {
        self.engine.readiness(spec, lock)
    }

    async fn manifest(&self, run: RunId) -> Result<String, ManifestError> {
        let inputs = self.database.read(move |connection| {
            let inputs = runs::inputs(connection, run)?;
            let step = views::run_keys(connection, &inputs.task_id, Some(inputs.number))?.step;
            Ok(StepInputs { step, spec: inputs.spec, lock: inputs.lock.unwrap_or_default() })
        });
        match inputs.await {
            Ok(inputs) => Ok(self.engine.manifest(&inputs)),
            Err(error) => {
                tracing::error!(%error, run.id = %run, "A run's manifest could not be made");
                Err(ManifestError("What this run executes cannot be told now. The server's log says why.".to_owned()))
            }
        }
    }
}

impl Control {
    async fn has_ended(&self, step: StepId) -> bool {
        let phase = self.database.read(move |connection| Ok(views::run_state(connection, step)?.phase)).await;
        phase.map_or_else(|error| matches!(error, DatabaseError::NotFound), Phase::is_final)
    }
}
