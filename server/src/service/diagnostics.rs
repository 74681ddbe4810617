//! How the server is doing, and what can be done about it.

use app::{
    backend::{BackendError, DeletedCache},
    model::{
        caches::{CacheLedger, CacheName},
        diagnostics::{Diagnostics, EngineState, KeptRuns, Versions},
        phase::Phase,
    },
};

use futures::future;

use super::{Service, backend_error};
use crate::{
    db::{self, preparation, queue, retention},
    diagnostics::disk_space,
    engine::local::caches::prune::RemovalError,
};

/// How many days the hit rate goes back.
const DAYS: u16 = 14;

impl Service {
    pub(super) async fn collect_diagnostics(&self) -> Result<Diagnostics, BackendError> {
        let (sources, now) = (&self.dependencies.diagnostics, self.dependencies.clock.now());
        let rows = self.dependencies.database.read(move |connection| {
            let active = queue::active_phases(connection)?;
            let kept = (retention::run_count(connection)?, retention::log_bytes(connection)?);
            Ok((active, kept, preparation::by_day(connection, now, DAYS)?, db::sqlite_version(connection)?))
        });
        let (active, (number, log_bytes), days, sqlite) =
            rows.await.map_err(|error| backend_error(error, String::new))?;
        let in_phase = |phase| {
            let number = active.iter().filter(|own| **own == phase).count();
            u32::try_from(number).unwrap_or(u32::MAX)
        };
        let engine = self.dependencies.engines.default_engine();
        let caches = match &sources.caches {
            None => CacheLedger::default(),
            Some(caches) => caches.ledger().await.map_err(|error| {
                tracing::error!(%error, "The caches could not be looked at");
                BackendError::Internal(
                    "The cache folder could not be read. Check its permissions; the server's log says why.".to_owned(),
                )
            })?,
        };
        let programs = sources.versions.get().await;
        let clusters = future::join_all(self.dependencies.engines.iter().map(|engine| engine.cluster())).await;
        Ok(Diagnostics {
            cluster: clusters.into_iter().flatten().next(),
            engine: EngineState {
                name: engine.name().to_string(),
                running: in_phase(Phase::Running),
                queued: in_phase(Phase::Pending),
                limits: sources.limits.clone(),
            },
            checks: sources.checks.last(),
            caches,
            runs: KeptRuns { number, log_bytes, retention: sources.retention },
            days,
            disk: disk_space(&sources.data),
            versions: Versions {
                stoker: env!("CARGO_PKG_VERSION").to_owned(),
                uv: programs.uv,
                python: engine.target(None).await.ok().map(|target| target.python),
                nix: programs.nix,
                sqlite,
            },
            errors: sources.errors.all(),
        })
    }

    pub(super) async fn make_checks_again(&self) {
        self.dependencies.diagnostics.checks.again().await;
    }

    pub(super) async fn remove_cache(&self, name: &CacheName) -> Result<DeletedCache, BackendError> {
        let missing = || BackendError::NotFound(RemovalError::NotThere(name.clone()).to_string());
        let caches = self.dependencies.diagnostics.caches.as_ref().ok_or_else(missing)?;
        match caches.delete(name.clone()).await {
            Ok(environments) => Ok(DeletedCache { environments }),
            Err(error @ RemovalError::NotThere(_)) => Err(BackendError::NotFound(error.to_string())),
            Err(RemovalError::InUse(users)) => Err(BackendError::Conflict(format!(
                "Nothing was deleted: {} the {}. Try again when {} ended.",
                if users == 1 { "a run uses".to_owned() } else { format!("{users} runs use") },
                name.kind.words(),
                if users == 1 { "it has" } else { "they have" },
            ))),
            Err(RemovalError::System(error)) => {
                tracing::error!(%error, cache = %name, "Something could not be deleted from the cache");
                Err(BackendError::Internal(format!(
                    "The {} could not be deleted. Check the permissions of the cache folder.",
                    name.kind.words()
                )))
            }
        }
    }
}
