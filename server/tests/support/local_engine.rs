//! A local engine on a data folder of a test's own: without Nix and conda, and with limits that no test reaches.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use server::{
    clock::SystemClock,
    config::DataFolder,
    engine::local::{
        LocalEngine, LocalSettings,
        caches::{CacheFolders, Caches},
    },
    packages::{
        nix::{self, NixChoice, NixSettings},
        pythons::Pythons,
    },
    programs,
    runner::SecretKey,
};

pub fn uv() -> PathBuf {
    programs::found_on_path(Path::new("uv"))
}

/// `shim` is the program that is started as each step's shim.
pub fn local_engine(
    data: PathBuf,
    shim: PathBuf,
    pythons: Pythons,
    at_once: usize,
    secret_key: SecretKey,
) -> LocalEngine {
    let (clock, cache) = (Arc::new(SystemClock), data.join("cache"));
    let caches = Caches::new(CacheFolders::of(&DataFolder(data.clone())).unwrap(), None, clock.clone());
    let settings = LocalSettings {
        nix: NixSettings::new(NixChoice::None, nix::NIXPKGS.into(), &cache, shim.clone()),
        data,
        cache,
        stoker: shim,
        uv: uv(),
        pythons,
        index_url: None,
        default_timeout: None,
        preparation_timeout: 600,
        grace: 2,
        log_limit: 64 * 1024 * 1024,
        memory_limit: None,
        stage_timeout: 600,
        minimum_free: 0,
        at_once,
        conda: None,
    };
    LocalEngine::new(settings, caches, clock, secret_key).unwrap()
}
