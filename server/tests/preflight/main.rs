//! `stoker preflight`, through the real command: what it finds, says, and ends with.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

mod cluster;
mod fake_cluster;
mod here;
mod support;
