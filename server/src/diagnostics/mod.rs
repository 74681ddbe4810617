//! How this server is doing: what is collected while it runs, for the System page and the REST API. What the database
//! knows is added by the service.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use app::model::diagnostics::{DiskSpace, EngineLimits};

use crate::{
    caches::{CacheFolders, Caches},
    clock::SharedClock,
    config::Config,
    environments::found_on_path,
};

pub mod checks;
pub mod json;
pub mod recent_errors;
pub mod versions;

use checks::{Checker, Checks};
use recent_errors::RecentErrors;
use versions::KnownVersions;

/// Where diagnostics come from. Cheap to clone.
#[derive(Clone)]
pub struct Sources {
    /// What is kept between runs.
    pub caches: Caches,
    /// The checks of the place where Stoker works.
    pub checks: Checks,
    /// Warnings and errors of late.
    pub errors: RecentErrors,
    /// What Stoker works with.
    pub versions: KnownVersions,
    /// The version of the Python that runs use.
    pub python: Option<String>,
    /// How far the engine may go.
    pub limits: EngineLimits,
    /// The folder whose disk matters.
    pub data: PathBuf,
}

impl Sources {
    /// Those of a server that runs with this configuration.
    ///
    /// # Errors
    /// When the data folder is named relative to a working directory that is gone.
    pub fn new(
        config: &Config,
        python: Option<String>,
        errors: RecentErrors,
        checker: Arc<dyn Checker>,
        clock: SharedClock,
    ) -> io::Result<Self> {
        let engine = &config.engine;
        Ok(Self {
            caches: Caches::new(CacheFolders::of(&config.data)?, Some(config.nix()), clock),
            checks: Checks::new(checker),
            errors,
            versions: KnownVersions::new(found_on_path(&engine.uv), Some(config.nix())),
            python,
            limits: EngineLimits {
                at_once: engine.workers.get(),
                default_timeout: engine.default_timeout.seconds(),
                memory: engine.memory_limit,
                log: engine.log_limit,
                prune_after: config.prune_after.map(|age| age.as_secs()),
            },
            data: config.data.path().to_owned(),
        })
    }
}

/// The room on the disk of a folder; `None` when the system does not tell.
#[must_use]
pub fn disk_space(folder: &Path) -> Option<DiskSpace> {
    let found = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Some(DiskSpace { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
}
