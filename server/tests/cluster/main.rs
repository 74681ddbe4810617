//! The Argo engine on a real cluster, which the environment names; see `infrastructure/scripts/test-cluster.sh`.

#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

mod contract;
mod faults;
mod place;
#[path = "../contract/rules.rs"]
mod rules;
mod unsteady;
