//! The Argo engine on a real cluster, which the environment names; see `infrastructure/scripts/test-cluster.sh`.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

mod alone;
mod contract;
mod faults;
mod narrow;
mod place;
mod probe;
#[path = "../contract/rules.rs"]
mod rules;
#[path = "../support/server.rs"]
mod server_process;
mod stoker;
mod survive;
mod unsteady;
