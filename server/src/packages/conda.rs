//! conda: not a package of Nix (what nixpkgs calls conda is a wrapper that downloads it, and needs what containers do not
//! allow), so an installer puts it into the cache, once. Running the installer is the runner's work.

use std::path::{Path, PathBuf};

use app::model::fallback::{self, Fallback};

use crate::packages::environments;

/// True for the name of a system package that this installs.
#[must_use]
pub fn provides(name: &str) -> bool {
    fallback::of(name) == Some(Fallback::Installer)
}

/// Which conda to install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
pub enum CondaKind {
    /// conda and mamba, set up for conda-forge (BSD licence).
    Miniforge,
    /// Anaconda's own installer. Its channels fall under Anaconda's terms of service, which ask many companies to pay: read
    /// them before you choose it.
    Miniconda,
    /// One program that understands conda's usual commands (BSD licence).
    Micromamba,
}

/// An installer: what to fetch, and how to run it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CondaInstaller {
    /// How to run it.
    pub kind: CondaKind,
    /// Where it is.
    pub url: String,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// The installers that are known, with the digests under which other distributions have pinned them.
const KNOWN: [(CondaKind, &str, &str, &str); 3] = [
    (
        CondaKind::Miniforge,
        "x86_64",
        "https://github.com/conda-forge/miniforge/releases/download/26.1.1-3/Miniforge3-26.1.1-3-Linux-x86_64.sh",
        "b25b828b702df4dd2a6d24d4eb56cfa912471dd8e3342cde2c3d86fe3dc2d870",
    ),
    (
        CondaKind::Miniforge,
        "aarch64",
        "https://github.com/conda-forge/miniforge/releases/download/26.1.1-3/Miniforge3-26.1.1-3-Linux-aarch64.sh",
        "83280e4ee71a5bd547d6b318f96e9ababe1054911ff6cc2b8801ce5493fe67e5",
    ),
    (
        CondaKind::Micromamba,
        "x86_64",
        "https://github.com/mamba-org/micromamba-releases/releases/download/2.3.2-0/micromamba-linux-64",
        "ffc3cb8d52d4d6b354bdbb979c407719c485392b74e462cbd50811aa88e58f85",
    ),
];

/// Why no installer is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CondaError {
    /// Nothing is pinned for this kind on this machine.
    #[error(
        "No conda installer is known for this choice on this machine. Name one with --conda-url and --conda-sha256."
    )]
    NotPinned,
    /// An address without a digest, or the other way round.
    #[error("--conda-url needs --conda-sha256 beside it, so that only the file you mean is run.")]
    NoDigest,
}

impl CondaInstaller {
    /// The installer that is named, or the one that is known.
    ///
    /// # Errors
    /// When only half of it is named, or none is known.
    pub fn wanted(kind: CondaKind, url: Option<String>, sha256: Option<String>) -> Result<Self, CondaError> {
        match (url, sha256) {
            (Some(url), Some(sha256)) => Ok(Self { kind, url, sha256 }),
            (None, None) => KNOWN
                .iter()
                .find(|(known, machine, ..)| *known == kind && *machine == std::env::consts::ARCH)
                .map(|(.., url, sha256)| Self { kind, url: (*url).to_owned(), sha256: (*sha256).to_owned() })
                .ok_or(CondaError::NotPinned),
            _ => Err(CondaError::NoDigest),
        }
    }

    /// The word by which the runner knows the kind.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.kind {
            CondaKind::Miniforge => "miniforge",
            CondaKind::Miniconda => "miniconda",
            CondaKind::Micromamba => "micromamba",
        }
    }

    /// Where it is installed.
    #[must_use]
    pub fn folder(&self, cache: &Path) -> PathBuf {
        cache.join("conda").join(environments::key(&[self.word(), &self.sha256]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installer_is_known_or_named_in_full() {
        assert!(KNOWN.iter().all(|(.., sha256)| sha256.len() == 64));
        assert_eq!(CondaInstaller::wanted(CondaKind::Miniconda, None, None), Err(CondaError::NotPinned));
        let half = CondaInstaller::wanted(CondaKind::Miniforge, Some("file:///x".into()), None);
        assert_eq!(half, Err(CondaError::NoDigest));
        let named = CondaInstaller::wanted(CondaKind::Miniconda, Some("file:///x".into()), Some("00".into()));
        assert_eq!(named.unwrap().word(), "miniconda");
    }
}
