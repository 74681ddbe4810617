//! The way to a cluster: by whose credentials, and in which words it refuses. What is asked of the cluster is the
//! engine's and the checks' matter.

pub mod connection;
pub mod container_runtime;
pub mod refusal;
pub mod traffic;

pub use connection::Access;
pub use refusal::Refusal;
pub use traffic::Traffic;
