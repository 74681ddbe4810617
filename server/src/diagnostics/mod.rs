//! How this server is doing: what is collected while it runs, for the System page and the REST API. What the database
//! knows is added by the service.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use app::model::{
    diagnostics::{DiskSpace, EngineLimits},
    retention::Retention,
};

use crate::{config::Config, engine::local::caches::Caches, programs::found_on_path};

pub mod checks;
pub mod json;
pub mod recent_errors;
pub mod versions;

use checks::{Checker, Checks};
use recent_errors::RecentErrors;
use versions::VersionCache;

/// Where diagnostics come from. Cheap to clone.
#[derive(Clone)]
pub struct Sources {
    /// What is kept between runs on this machine, if an engine keeps something here.
    pub caches: Option<Caches>,
    /// The checks of the place where Stoker works.
    pub checks: Checks,
    /// Warnings and errors of late.
    pub errors: RecentErrors,
    /// What Stoker works with.
    pub versions: VersionCache,
    /// How far the engine may go.
    pub limits: EngineLimits,
    /// How long runs are kept.
    pub retention: Retention,
    /// The folder whose disk matters.
    pub data: PathBuf,
}

impl Sources {
    /// Those of a server that runs with this configuration.
    #[must_use]
    pub fn new(config: &Config, caches: Option<Caches>, errors: RecentErrors, checker: Arc<dyn Checker>) -> Self {
        let engine = &config.engine;
        Self {
            caches,
            checks: Checks::new(checker),
            errors,
            versions: VersionCache::new(found_on_path(&engine.uv), Some(config.nix())),
            limits: EngineLimits {
                at_once: engine.workers.get(),
                default_timeout: engine.default_timeout.seconds(),
                memory: engine.memory_limit,
                log: engine.log_limit,
                prune_after: config.prune_after.map(|age| age.as_secs()),
            },
            retention: config.retention,
            data: config.data.path().to_owned(),
        }
    }
}

/// The room on the disk of a folder; `None` when the system does not tell.
#[must_use]
pub fn disk_space(folder: &Path) -> Option<DiskSpace> {
    let found = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Some(DiskSpace { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
}
