//! A cache of the versions of the programs that Stoker works with, since each answer takes a process. What was not there is
//! looked for again: it may be installed meanwhile.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::sync::OnceCell;

use crate::{
    packages::nix::{NixSettings, provider::Provider},
    programs,
};

/// How long a program may take to say its version.
const PATIENCE: Duration = Duration::from_secs(2);

/// The versions of programs, each asked for once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct VersionCache {
    uv: PathBuf,
    nix: Option<NixSettings>,
    answers: Arc<Answers>,
}

#[derive(Debug, Default)]
struct Answers {
    uv: OnceCell<String>,
    nix: OnceCell<String>,
}

/// The versions of programs; `None` for what is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramVersions {
    pub uv: Option<String>,
    pub nix: Option<String>,
}

impl VersionCache {
    /// The versions of these programs. Without settings, nothing is said of Nix.
    #[must_use]
    pub fn new(uv: PathBuf, nix: Option<NixSettings>) -> Self {
        Self { uv, nix, answers: Arc::default() }
    }

    /// What the programs say, or have said.
    pub async fn get(&self) -> ProgramVersions {
        let uv = self.answers.uv.get_or_try_init(|| async { version(&self.uv).await.ok_or(()) });
        let nix = self.answers.nix.get_or_try_init(|| async { self.version_of_nix().await.ok_or(()) });
        let (uv, nix) = tokio::join!(uv, nix);
        ProgramVersions { uv: uv.ok().cloned(), nix: nix.ok().cloned() }
    }

    async fn version_of_nix(&self) -> Option<String> {
        let settings = self.nix.clone()?;
        match tokio::task::spawn_blocking(move || Provider::find(&settings)).await.ok()? {
            Provider::None => None,
            // Asking it would unpack it first.
            Provider::Portable { .. } => Some("inside nix-portable".to_owned()),
            Provider::Nix { program } | Provider::Own { program, .. } => version(&program).await,
        }
    }
}

async fn version(program: &Path) -> Option<String> {
    let output = tokio::time::timeout(PATIENCE, programs::asked(program).arg("--version").output()).await.ok()?.ok()?;
    version_in(&String::from_utf8_lossy(&output.stdout))
}

/// The first word that begins with a digit: `uv 0.9.2 (…)`, `nix (Nix) 2.31.1`.
fn version_in(text: &str) -> Option<String> {
    let mut words = text.lines().next()?.split_whitespace();
    words.find(|word| word.starts_with(|first: char| first.is_ascii_digit())).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        assert_eq!(version_in("uv 0.9.2 (abcdef 2026-01-01)\n").as_deref(), Some("0.9.2"));
        assert_eq!(version_in("nix (Nix) 2.31.1+1").as_deref(), Some("2.31.1+1"));
        assert_eq!(version_in("").as_deref(), None);
    }
}
