//! The way to a cluster: by whose credentials, and in which words it refuses. What is asked of the cluster is the
//! engine's and the checks' matter.

pub mod connection;
pub mod refusal;

pub use connection::Access;
pub use refusal::Refusal;
