//! How this server is doing: what is collected while it runs, for the System page and the REST API. What the database
//! knows is added by the service.

use std::path::{Path, PathBuf};

use app::model::diagnostics::{DiskSpace, EngineLimits};

use crate::caches::Caches;

pub mod checks;
pub mod recent_errors;
pub mod versions;

use checks::Checks;
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

/// The room on the disk of a folder; `None` when the system does not tell.
#[must_use]
pub fn disk_space(folder: &Path) -> Option<DiskSpace> {
    let found = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Some(DiskSpace { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
}
