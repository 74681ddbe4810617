//! The Nix store, as far as caches need it: how large it is, and collecting its garbage once package sets went.

use std::{ffi::OsString, path::PathBuf, process::Stdio, time::Duration};

use tokio::process::Command;

/// How long collecting may take. It is taken up again at the next prune.
const LONGEST: Duration = Duration::from_secs(1800);

/// The Nix store that runs use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NixStore {
    /// Its folder, such as `/nix/store`.
    pub folder: PathBuf,
    /// What collects its garbage; `None` for a store that others use too, which is theirs to clean.
    pub collector: Option<GarbageCollector>,
}

/// A program that removes from a store what no link keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GarbageCollector {
    /// The program with its arguments, such as `nix-collect-garbage`.
    pub command: Vec<OsString>,
    /// Environment variables that it needs besides the server's own.
    pub environment: Vec<(OsString, OsString)>,
}

impl GarbageCollector {
    /// Collects. Only to be called when no step is there.
    ///
    /// # Errors
    /// When it could not be started, failed or took too long; in a sentence.
    pub async fn collect(&self) -> Result<(), String> {
        let Some((program, arguments)) = self.command.split_first() else { return Ok(()) };
        let mut command = Command::new(program);
        command.args(arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).kill_on_drop(true);
        match tokio::time::timeout(LONGEST, command.output()).await {
            Ok(Ok(output)) if output.status.success() => Ok(()),
            Ok(Ok(output)) => Err(format!(
                "The Nix store's garbage could not be collected: {}",
                String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("no reason was given").trim()
            )),
            Ok(Err(error)) => Err(format!("The Nix store's garbage could not be collected: {error}")),
            Err(_) => Err("Collecting the Nix store's garbage took too long and was stopped.".to_owned()),
        }
    }
}
