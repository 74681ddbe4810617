//! A server put together around a test's engine, without its pages' files and without an address.

use std::sync::Arc;

use app::model::{checks::CheckReport, diagnostics::EngineLimits, retention::Retention, time::Timestamp};
use async_trait::async_trait;
use server::{
    assembly::{Parts, Stoker},
    db::Database,
    diagnostics::{
        Sources,
        checks::{Checker, Checks},
        recent_errors::RecentErrors,
        versions::VersionCache,
    },
    engine::Engines,
    http::{hosts::Hosts, site::Site, state::Inputs},
    packages::resolver::Resolver,
    runner::SecretKey,
};

/// Finds nothing to say.
struct NoChecks;

#[async_trait]
impl Checker for NoChecks {
    async fn check(&self) -> CheckReport {
        CheckReport { checks: Vec::new(), at: Timestamp(0) }
    }
}

/// A server with these engines, whose runs do not move yet.
pub async fn assemble(
    database: Database,
    engines: Engines,
    resolver: Arc<dyn Resolver>,
    secret_key: SecretKey,
) -> Stoker {
    let limits = EngineLimits { at_once: 2, default_timeout: 3600, memory: None, log: 1 << 20, prune_after: None };
    let diagnostics = Sources {
        caches: engines.caches().cloned(),
        checks: Checks::new(Arc::new(NoChecks)),
        errors: RecentErrors::default(),
        versions: VersionCache::new("uv".into(), None),
        limits,
        retention: Retention::default(),
        data: std::env::temp_dir(),
    };
    Stoker::assemble(Parts {
        database,
        engines,
        resolver,
        secret_key,
        inputs: Inputs::default(),
        diagnostics,
        site: Site::from_files([]),
        hosts: Hosts::new(3000, &[]),
    })
    .await
}
