//! `stoker nix install`: fetches nix-portable into the cache, for machines without Nix.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use crate::{programs, runner};

/// A file to fetch, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Where it is: http, https or file.
    pub url: String,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
}

/// nix-portable v012, the newest release; each file's digest as several distributions have pinned it.
const NIX_PORTABLE: [(&str, &str, &str); 2] = [
    (
        "x86_64",
        "https://github.com/DavHau/nix-portable/releases/download/v012/nix-portable-x86_64",
        "b409c55904c909ac3aeda3fb1253319f86a89ddd1ba31a5dec33d4a06414c72a",
    ),
    (
        "aarch64",
        "https://github.com/DavHau/nix-portable/releases/download/v012/nix-portable-aarch64",
        "af41d8defdb9fa17ee361220ee05a0c758d3e6231384a3f969a314f9133744ea",
    ),
];

/// Why nix-portable was not installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is none for this processor.
    #[error(
        "There is no nix-portable for {0}. Install Nix from the packages of your system, or name a file with --url and --sha256."
    )]
    NoSuchPlatform(&'static str),
    /// An address without a digest, or the other way round.
    #[error("--url needs --sha256 beside it, so that only the file you mean is installed.")]
    NoDigest,
    /// It could not be fetched, or is not the right one.
    #[error(
        "nix-portable was not installed: {0}. Check the network and the address, or name another file with --url and --sha256."
    )]
    Download(String),
    /// It could not be put in its place.
    #[error("nix-portable could not be put into its folder: {0}. Check the permissions of the data folder.")]
    Place(io::Error),
}

/// What to fetch: what is named, or what is pinned for this processor.
///
/// # Errors
/// When nothing is pinned, or the digest is missing.
pub fn wanted(url: Option<String>, sha256: Option<String>) -> Result<Download, InstallError> {
    match (url, sha256) {
        (Some(url), Some(sha256)) => Ok(Download { url, sha256 }),
        (None, None) => NIX_PORTABLE
            .iter()
            .find(|(machine, ..)| *machine == std::env::consts::ARCH)
            .map(|(_, url, sha256)| Download { url: (*url).to_owned(), sha256: (*sha256).to_owned() })
            .ok_or(InstallError::NoSuchPlatform(std::env::consts::ARCH)),
        _ => Err(InstallError::NoDigest),
    }
}

/// Fetches the file into the cache folder, checks it, and makes it a program. Says where it is.
///
/// # Errors
/// When it cannot be fetched, is not the right one, or cannot be written; then nothing is left behind.
pub fn install(download: &Download, cache: &Path, python: &Path) -> Result<PathBuf, InstallError> {
    let folder = cache.join("nix").join("bin");
    let place = folder.join("nix-portable");
    let failed = InstallError::Place;
    fs::create_dir_all(&folder).map_err(failed)?;
    let tools = runner::install(&folder.join(".fetch")).map_err(failed)?;
    let fetched = fetch(download, &tools, &folder.join(".nix-portable"), python);
    // A copy of the runner's files that was only needed for its fetcher.
    let removed = fs::remove_dir_all(folder.join(".fetch"));
    let file = fetched?;
    removed.map_err(failed)?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).map_err(failed)?;
    fs::rename(&file, &place).map_err(failed)?;
    Ok(place)
}

/// The same program that fetches installers for runs: one way to fetch and check.
fn fetch(download: &Download, runner: &Path, file: &Path, python: &Path) -> Result<PathBuf, InstallError> {
    let output = programs::asked_blocking(python)
        .arg("-I")
        .arg(runner.join("fetch.py"))
        .args([&download.url, &download.sha256])
        .arg(file)
        .output()
        .map_err(|error| InstallError::Download(format!("{} could not be started: {error}", python.display())))?;
    if output.status.success() {
        Ok(file.to_owned())
    } else {
        let words = String::from_utf8_lossy(&output.stderr);
        Err(InstallError::Download(words.lines().last().unwrap_or("the fetcher said nothing").to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_digests_and_an_address_needs_one() {
        for (machine, url, sha256) in NIX_PORTABLE {
            assert!(url.ends_with(machine));
            assert!(sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
        assert!(matches!(wanted(Some("file:///x".into()), None), Err(InstallError::NoDigest)));
        let named = wanted(Some("file:///x".into()), Some("ab".into())).unwrap();
        assert_eq!(named.url, "file:///x");
    }
}
