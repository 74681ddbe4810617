//! The Nix store, as far as caches need it: where it is, and collecting its garbage once package sets went.

use std::{fs, io, path::PathBuf, time::Duration};

use rustix::fs::{FlockOperation, flock};
use tokio::process::Command;

use crate::{
    packages::nix::{NixSettings, provider::Provider},
    programs,
};

/// How long collecting may take. What is left over goes the next time.
const LONGEST: Duration = Duration::from_secs(1800);

/// The Nix store that runs use.
#[derive(Debug, Clone)]
pub struct NixStore {
    provider: Provider,
    settings: NixSettings,
}

/// Why garbage was not collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// So many steps are there, which may build in the store.
    #[error("{}", match .0 { 1 => "a run is active".to_owned(), number => format!("{number} runs are active") })]
    RunsAreActive(usize),
    /// Somebody builds in the store.
    #[error("somebody builds in it")]
    InUse,
    /// It took too long.
    #[error("it took longer than {} s", LONGEST.as_secs())]
    TooLong,
    #[error("Nix says: {0}")]
    Refused(String),
    /// It could not be started.
    #[error(transparent)]
    System(#[from] io::Error),
}

impl NixStore {
    /// The store of the Nix that runs would use now; `None` without one.
    #[must_use]
    pub fn find(settings: &NixSettings) -> Option<Self> {
        let provider = Provider::find(settings);
        (provider != Provider::None).then(|| Self { provider, settings: settings.clone() })
    }

    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.provider.root().map_or_else(|| PathBuf::from("/nix/store"), |root| root.join("nix/store"))
    }

    /// Removes what no package set keeps, from a store of Stoker's own; the machine's is others' too, and theirs to
    /// clean. Under the lock that whoever builds in the store holds as well (see the runner), so that neither hinders
    /// the other.
    ///
    /// # Errors
    /// When somebody builds, or Nix did not do it.
    pub async fn collect_garbage(&self) -> Result<(), CollectError> {
        let Some(root) = self.provider.root() else { return Ok(()) };
        let lock = fs::OpenOptions::new().append(true).create(true).open(root.join("stoker.lock"))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(CollectError::InUse),
            Err(error) => return Err(io::Error::from(error).into()),
        }
        self.collect_garbage_unlocked().await
    }

    /// Removes what no package set keeps, without that lock: from a store on a volume, which is at /nix, and Stoker's own all the
    /// same. Pods that build in it meanwhile are safe by Nix's own locks, which are on the volume too.
    ///
    /// # Errors
    /// When Nix did not do it.
    pub async fn collect_garbage_unlocked(&self) -> Result<(), CollectError> {
        let Some(mut command) = self.nix(&["store", "gc"]) else { return Ok(()) };
        let output = tokio::time::timeout(LONGEST, command.output()).await.map_err(|_| CollectError::TooLong)??;
        if output.status.success() {
            return Ok(());
        }
        let words = String::from_utf8_lossy(&output.stderr);
        Err(CollectError::Refused(words.lines().last().unwrap_or("nothing").trim().to_owned()))
    }

    /// Nix on this store, with the settings that the runner gives it too.
    fn nix(&self, arguments: &[&str]) -> Option<Command> {
        let mut command = match &self.provider {
            Provider::None => return None,
            Provider::Nix { program } => programs::asked(program),
            Provider::Own { program, root } => {
                let mut command = programs::asked(&self.settings.stoker);
                command.arg("inside").arg(root).arg(program);
                command
            }
            Provider::Portable { program, runtime, .. } => {
                let mut command = programs::asked(program);
                command.arg("nix").env("NP_LOCATION", &self.settings.folder).env("NP_RUNTIME", runtime);
                command
            }
        };
        let own = std::env::var("NIX_CONFIG").unwrap_or_default();
        let config = format!("extra-experimental-features = nix-command flakes\nbuild-users-group =\n{own}");
        command.args(arguments).env("HOME", self.settings.folder.join("home")).env("NIX_CONFIG", config);
        Some(command)
    }
}
