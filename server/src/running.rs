//! Starts what runs tasks (resolver, engine, recorder, supervisor), and shows it to the service.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use app::model::{
    cache::Readiness,
    identifiers::{RunId, StepId},
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
    db::{Database, DatabaseError, runs, views},
    engine::{
        SharedEngine, StepInputs,
        local::{LocalEngine, LocalSettings},
    },
    environments::{self, Python},
    hints::Hints,
    recorder::Recorder,
    resolver::{
        Resolver,
        uv::{self, UvResolver},
    },
    runner::SecretKey,
    service::{EngineControl, ManifestError},
    state::Inputs,
    supervisor,
};

/// How long preparing an environment may take, in seconds.
const PREPARATION_TIMEOUT: u32 = 3600;
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
    let failed = |error| StartRunningError(config.data.path().to_owned(), error);
    let uv_program = environments::found_on_path(&config.engine.uv);
    let python = Python::find(&uv_program, config.engine.python.as_deref()).await;
    if let Err(error) = &python {
        tracing::warn!(%error, "No run can start until this is put right");
    }
    let secret_key = SecretKey::keep_in(&config.data.secret_key(), inputs.random.as_ref()).map_err(failed)?;
    let settings = local_settings(config, &uv_program, &python).map_err(failed)?;
    let engine = LocalEngine::new(settings, inputs.clock.clone(), secret_key.clone()).map_err(failed)?;
    let engine: SharedEngine = Arc::new(engine);
    let resolver: Arc<dyn Resolver> = Arc::new(UvResolver {
        uv: uv_program,
        python: python.clone(),
        cache: config.data.cache().join("uv"),
        index_url: config.engine.index_url.clone(),
        database: database.clone(),
        clock: inputs.clock.clone(),
        turns: Semaphore::new(uv::AT_ONCE),
    });
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
        preparation_timeout: PREPARATION_TIMEOUT,
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
