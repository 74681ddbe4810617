//! The engines' contract, shown on the engine of this machine: real processes on a real folder.

#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::sync::Arc;

use server::{engine::SharedEngine, packages::environments::Python, runner::SecretKey};

#[path = "../support/local_engine.rs"]
mod local_engine;
mod rules;

/// A data folder of its own.
struct Folder {
    folder: tempfile::TempDir,
    python: Python,
}

impl Folder {
    async fn new() -> Self {
        let python = Python::find(&local_engine::uv(), None).await.unwrap();
        Self { folder: tempfile::tempdir().unwrap(), python }
    }
}

impl rules::Place for Folder {
    fn engine(&self) -> SharedEngine {
        let (data, shim) = (self.folder.path().to_owned(), env!("CARGO_BIN_EXE_stoker").into());
        let python = Ok(self.python.clone());
        Arc::new(local_engine::local_engine(data, shim, python, 2, SecretKey::new([1; 32])))
    }

    fn restarted(&self) -> SharedEngine {
        self.engine()
    }
}

rules::tests_of_all_rules!(Folder::new().await);
