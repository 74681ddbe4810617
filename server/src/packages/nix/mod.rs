//! Nix: which one there is, and the package sets that runs get from it. Building a set is the runner's work.

use std::{
    fs,
    path::{Path, PathBuf},
};

use app::model::system_packages::SystemPackages;

use crate::{packages::environments, runner};

pub mod inside;
pub mod install;
pub mod provider;

/// The nixpkgs that packages come from: nixos-26.05 as of 2026-09-25. One for each release of Stoker, so that a name
/// means the same everywhere; `--nixpkgs` overrides it.
pub const NIXPKGS: &str = "github:NixOS/nixpkgs/f5c082a40f7571c266e74e80ae2e68aadd8a9fc7";

/// Which Nix to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum NixChoice {
    /// The first of the others that works here.
    Auto,
    /// The machine's own, with its store at /nix.
    Nix,
    /// The machine's own, with a store in the cache folder (needs user namespaces).
    Own,
    /// nix-portable, with a store in the cache folder.
    Portable,
    /// None: tasks that ask for system packages fail.
    None,
}

/// How system packages are made ready.
#[derive(Debug, Clone)]
pub struct NixSettings {
    /// Which Nix to use.
    pub choice: NixChoice,
    /// The nixpkgs, as a flake reference.
    pub nixpkgs: String,
    /// Where a store of Stoker's own, and what Nix itself keeps, is: a folder of the cache.
    pub folder: PathBuf,
    /// Where package sets are.
    pub sets: PathBuf,
    /// The stoker program, which takes programs into a store that is not at /nix.
    pub stoker: PathBuf,
}

impl NixSettings {
    /// The settings for a cache folder.
    #[must_use]
    pub fn new(choice: NixChoice, nixpkgs: String, cache: &Path, stoker: PathBuf) -> Self {
        // Programs get to see these folders, and run elsewhere.
        let cache = std::path::absolute(cache).unwrap_or_else(|_| cache.to_owned());
        Self { choice, nixpkgs, folder: cache.join("nix"), sets: cache.join("sets"), stoker }
    }

    /// Whether a set is there with all its packages. The runner looks again, and closer.
    #[must_use]
    pub fn set_is_ready(&self, key: &str, provider: &provider::Provider) -> bool {
        let root = provider.root().unwrap_or_else(|| Path::new("/"));
        let there = |path: &str| root.join(path.trim_start_matches('/')).exists();
        let paths = fs::read_to_string(self.sets.join(key).join("complete")).unwrap_or_default();
        !paths.is_empty() && paths.lines().all(there)
    }

    /// The key of the set that has exactly these packages.
    #[must_use]
    pub fn set_key(&self, names: &[&str], provider: &provider::Provider) -> String {
        let mut sorted = names.to_vec();
        sorted.sort_unstable();
        let platform = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
        environments::key(&[&sorted.join(" "), &self.nixpkgs, &platform, provider.word(), &runner::set_digest()])
    }
}

/// This program. Where it cannot be told, it is looked for on `PATH`.
#[must_use]
pub fn stoker_program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| "stoker".into())
}

/// The names that Nix has to provide: all but those that a fallback provides.
#[must_use]
pub fn names(packages: &SystemPackages) -> Vec<&str> {
    packages.iter().filter(|name| !crate::packages::conda::provides(name)).collect()
}
