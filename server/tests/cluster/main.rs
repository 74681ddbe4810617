//! The Argo engine on a real cluster, which the environment names; see `infrastructure/scripts/test-cluster.sh`.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

mod alone;
#[path = "../support/assembled.rs"]
mod assembled;
mod contract;
mod faults;
#[expect(dead_code, reason = "the tests of flows on the local engine use the rest")]
#[path = "../flows/place.rs"]
mod flow_place;
mod flows;
#[path = "../support/local_engine.rs"]
mod local_engine;
mod manifest;
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
#[path = "../support/waiting.rs"]
mod waiting;
