//! What the service needs of the engine beside the database: stopping runs whose rows are about to go, and showing
//! what a run executes. Everything else the engine learns from the database.

use app::model::{
    cache::Readiness,
    identifiers::{RunId, StepId},
    lock::Lock,
    spec::TaskSpec,
};
use async_trait::async_trait;

/// Why there is no manifest. The text is for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ManifestError(pub String);

/// What the service needs of the engine.
#[async_trait]
pub trait EngineControl: Send + Sync + 'static {
    /// The engine's name, kept with each new run.
    fn name(&self) -> &'static str;

    /// Stops these runs with everything they started. Their cancellation is already noted, so none
    /// of them starts any more; their rows are deleted after this returns.
    async fn stop(&self, runs: Vec<(RunId, StepId)>);

    /// What a run of this spec would find in the engine's cache now. Without a lock its environment cannot be there.
    fn readiness(&self, spec: &TaskSpec, lock: Option<&Lock>) -> Readiness;

    /// What the engine executes for a run, as YAML.
    ///
    /// # Errors
    /// When it cannot be told any more.
    async fn manifest(&self, run: RunId) -> Result<String, ManifestError>;
}
