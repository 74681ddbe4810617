//! `stoker cache warm`: preparing a task's environment before anybody runs it.

use std::path::PathBuf;

use app::model::identifiers::TaskId;

use crate::{
    assembly::{LocalParts, SetUpError, set_up_local},
    config::Config,
    db::{self, Database, DatabaseError, tasks},
    engine::{Engine as _, EngineError, local::WarmError},
    http::state::Inputs,
    packages::resolver::{ResolveError, Resolver as _},
};

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
    /// There is no Python.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There are no exact versions.
    #[error(transparent)]
    Lock(#[from] ResolveError),
    /// The folders cannot be set up.
    #[error(transparent)]
    SetUp(#[from] SetUpError),
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
    let LocalParts { engine, resolver, .. } = set_up_local(config, &database, &inputs).await?;
    let lock = resolver.lock(&spec, &engine.target(spec.python).await?).await?;
    Ok(engine.warm(&spec, lock, inputs.random.as_ref(), tell).await?)
}
