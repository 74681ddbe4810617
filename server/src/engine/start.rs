//! Puts together what runs tasks: uv and Python, the local engine, the resolver, the recorder, the supervisor.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use app::model::identifiers::{RunId, StepId};
use async_trait::async_trait;
use tokio::sync::Notify;

use super::{
    Engine as _, SharedEngine, StepInputs,
    local::{LocalEngine, LocalSettings},
};
use crate::{
    config::Config,
    db::{Database, DatabaseError, runs},
    environments::Python,
    hints::Hints,
    recorder::Recorder,
    resolver::uv::UvResolver,
    runner::SecretKey,
    service::{EngineControl, ManifestError},
    state::{Inputs, StartedEngine},
    supervisor,
};

/// Seconds for building an environment: large packages over a slow line.
const PREPARATION_TIMEOUT: u32 = 30 * 60;
/// Seconds that a cancelled program has to end by itself.
const GRACE: u32 = 5;

/// Starts what runs tasks. Without uv or Python it starts too: runs then say what is missing.
///
/// # Errors
/// A sentence for the user when the data folder cannot be used.
pub async fn start(
    config: &Config,
    database: &Database,
    hints: &Hints,
    inputs: &Inputs,
) -> Result<StartedEngine, String> {
    let unusable = |error: std::io::Error| {
        format!("The data folder {} cannot be used: {error}.", config.data.path().display())
    };
    let options = &config.engine;
    let uv = found_on_path(options.uv.as_deref().unwrap_or(Path::new("uv")));
    let wish = options.python.as_ref().map(|python| python.to_string_lossy().into_owned());
    let python = Python::find(&uv, wish.as_deref()).await;
    if let Err(error) = &python {
        tracing::warn!("Runs will fail until this is mended and Stoker is started again: {error}");
    }
    let version = python.as_ref().ok().map(|python| python.version.clone());
    let data = std::path::absolute(config.data.path()).map_err(unusable)?;
    let cache = data.join("cache");
    let secret_key = SecretKey::keep_in(&data.join("secret.key"), &*inputs.random).map_err(unusable)?;
    let settings = LocalSettings {
        data,
        cache: cache.clone(),
        stoker: std::env::current_exe().map_err(unusable)?,
        uv: uv.clone(),
        python: python.clone(),
        index_url: options.index_url.clone(),
        default_timeout: Some(options.default_timeout.seconds()),
        preparation_timeout: PREPARATION_TIMEOUT,
        grace: GRACE,
        log_limit: options.log_limit,
        memory_limit: options.memory_limit,
    };
    let engine: SharedEngine =
        Arc::new(LocalEngine::new(settings, inputs.clock.clone(), secret_key.clone()).map_err(unusable)?);
    let resolver = Arc::new(UvResolver {
        uv,
        python,
        cache: cache.join("uv"),
        index_url: options.index_url.clone(),
        database: database.clone(),
        clock: inputs.clock.clone(),
    });
    let wake = Arc::new(Notify::new());
    // Runs for as long as the process does; being killed with it does no harm.
    drop(supervisor::start(supervisor::Parts {
        database: database.clone(),
        engine: engine.clone(),
        recorder: Recorder::new(database.clone(), hints.clone(), secret_key),
        resolver: resolver.clone(),
        clock: inputs.clock.clone(),
        hints: hints.clone(),
        wake: wake.clone(),
        at_once: options.workers.get(),
    }));
    let control = Arc::new(Control { database: database.clone(), engine });
    Ok(StartedEngine { control, resolver, wake, python: version })
}

/// A bare name as the full path that the server's PATH gives it: steps have a PATH of their own.
fn found_on_path(program: &Path) -> PathBuf {
    if program.components().count() > 1 {
        return std::path::absolute(program).unwrap_or_else(|_| program.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| program.to_owned())
}

/// The engine as the service sees it.
struct Control {
    database: Database,
    engine: SharedEngine,
}

#[async_trait]
impl EngineControl for Control {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    async fn stop(&self, runs: Vec<(RunId, StepId)>) {
        for (_, step) in runs {
            self.engine.cancel(step, true).await;
        }
    }

    async fn manifest(&self, run: RunId) -> Result<String, ManifestError> {
        let inputs = self.database.read(move |connection| {
            let inputs = runs::inputs(connection, run)?;
            let step = runs::step_of(connection, run)?;
            Ok(StepInputs { step, spec: inputs.spec, lock: inputs.lock.unwrap_or_default() })
        });
        match inputs.await {
            Ok(inputs) => Ok(self.engine.manifest(&inputs)),
            Err(DatabaseError::NotFound) => Err(ManifestError("There is no such run any more.".to_owned())),
            Err(error) => Err(ManifestError(error.to_string())),
        }
    }
}
