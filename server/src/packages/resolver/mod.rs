//! Finds the exact versions for a spec's packages: the lock. Made once per spec, kept in the database.

use app::model::{lock::Lock, spec::TaskSpec};
use async_trait::async_trait;

use crate::engine::Target;

mod hashes;
pub mod uv;

/// Why there is no lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// The packages do not go together, or one does not exist. The text is the resolver's own explanation.
    #[error("{0}")]
    NoSolution(String),
    /// It could not be found out: index unreachable, resolver missing, or it took too long. Trying later may help.
    #[error("{0}")]
    Unavailable(String),
}

#[async_trait]
pub trait Resolver: Send + Sync + 'static {
    /// The lock of a spec's Python packages for a target.
    ///
    /// # Errors
    /// When there is none, or it could not be found out.
    async fn lock(&self, spec: &TaskSpec, target: &Target) -> Result<Lock, ResolveError>;

    /// The lock of a spec's Python packages for a target, if it was made before.
    async fn known(&self, spec: &TaskSpec, target: &Target) -> Option<Lock>;
}
