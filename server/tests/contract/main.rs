//! The engines' contract, shown on the engine of this machine: real processes on a real folder.

#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::sync::Arc;

use server::{engine::SharedEngine, packages::pythons::Pythons, runner::SecretKey};

#[path = "../support/local_engine.rs"]
mod local_engine;
mod rules;

/// A data folder of its own.
struct Folder {
    folder: tempfile::TempDir,
    pythons: Pythons,
}

impl Folder {
    async fn new() -> Self {
        let pythons = Pythons::find(&local_engine::uv(), &[]).await;
        Self { folder: tempfile::tempdir().unwrap(), pythons }
    }
}

impl rules::Place for Folder {
    fn engine(&self) -> SharedEngine {
        let (data, shim) = (self.folder.path().to_owned(), env!("CARGO_BIN_EXE_stoker").into());
        Arc::new(local_engine::local_engine(data, shim, self.pythons.clone(), 2, SecretKey::new([1; 32])))
    }

    fn restarted(&self) -> SharedEngine {
        self.engine()
    }
}

rules::tests_of_all_rules!(Folder::new().await);
