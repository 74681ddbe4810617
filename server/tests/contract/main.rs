//! The engines' contract, shown on the engine of this machine: real processes on a real folder.

#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::{path::Path, sync::Arc};

use server::{
    clock::SystemClock,
    config::DataFolder,
    engine::{
        SharedEngine,
        local::{
            LocalEngine, LocalSettings,
            caches::{CacheFolders, Caches},
        },
    },
    packages::{
        environments::Python,
        nix::{self, NixChoice, NixSettings},
    },
    runner::SecretKey,
};

mod rules;

/// A data folder of its own.
struct Folder {
    folder: tempfile::TempDir,
    python: Python,
}

impl Folder {
    async fn new() -> Self {
        let python = Python::find(&server::programs::found_on_path(Path::new("uv")), None).await.unwrap();
        Self { folder: tempfile::tempdir().unwrap(), python }
    }
}

impl rules::Place for Folder {
    fn engine(&self) -> SharedEngine {
        let data = self.folder.path().to_owned();
        let cache = data.join("cache");
        let stoker = Path::new(env!("CARGO_BIN_EXE_stoker"));
        let clock = Arc::new(SystemClock);
        let folders = CacheFolders::of(&DataFolder(data.clone())).unwrap();
        let settings = LocalSettings {
            nix: NixSettings::new(NixChoice::None, nix::NIXPKGS.into(), &cache, stoker.into()),
            data,
            cache,
            stoker: stoker.into(),
            uv: server::programs::found_on_path(Path::new("uv")),
            python: Ok(self.python.clone()),
            index_url: None,
            default_timeout: None,
            preparation_timeout: 600,
            grace: 2,
            log_limit: 64 * 1024 * 1024,
            memory_limit: None,
            stage_timeout: 600,
            minimum_free: 0,
            at_once: 2,
            conda: None,
        };
        let caches = Caches::new(folders, None, clock.clone());
        Arc::new(LocalEngine::new(settings, caches, clock, SecretKey::new([1; 32])).unwrap())
    }

    fn restarted(&self) -> SharedEngine {
        self.engine()
    }
}

rules::tests_of_all_rules!(Folder::new().await);
