//! Persisted Python environments: which one a run uses. Building one is the runner's work.

use std::path::{Path, PathBuf};

use app::model::lock::Lock;
use sha2::{Digest as _, Sha256};

use crate::programs;

/// The Python that runs use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    pub path: PathBuf,
    /// Its full version, such as `3.12.4`.
    pub version: String,
    /// Implementation, version, machine and C library: environments and locks are not shared between two of these.
    pub platform: String,
}

/// Why there is no Python.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PythonError {
    /// uv is not there.
    #[error("`uv` was not found. Install it (`pip install uv`), or name it with `--uv`.")]
    NoUv,
    /// uv found no Python.
    #[error("No Python was found. Install Python 3.9 or newer, or name one with `--python`. uv says: {0}")]
    NoPython(String),
}

const DESCRIBE: &str = "import platform, sys, sysconfig
print(platform.python_version())
print(sys.implementation.cache_tag, sysconfig.get_platform(), *platform.libc_ver())";

impl Python {
    /// Finds the interpreter: the one asked for (a path or a version), or what uv prefers.
    ///
    /// # Errors
    /// When uv or Python is missing.
    pub async fn find(uv: &Path, asked_for: Option<&str>) -> Result<Self, PythonError> {
        let mut find = programs::asked(uv);
        find.args(["python", "find", "--no-project", "--no-config", "--system"]).args(asked_for);
        find.env("UV_PYTHON_DOWNLOADS", "never");
        let found = find.output().await.map_err(|_| PythonError::NoUv)?;
        let path = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim());
        if !found.status.success() || path.as_os_str().is_empty() {
            return Err(PythonError::NoPython(words(&found.stderr)));
        }
        let described = programs::asked(&path).args(["-I", "-c", DESCRIBE]).output().await;
        let described = described.map_err(|error| PythonError::NoPython(error.to_string()))?;
        let text = String::from_utf8_lossy(&described.stdout);
        match text.lines().collect::<Vec<_>>().as_slice() {
            [version, platform] => {
                Ok(Self { path, version: (*version).to_owned(), platform: (*platform).trim().to_owned() })
            }
            _ => Err(PythonError::NoPython(words(&described.stderr))),
        }
    }

    /// The key of the environment that has exactly the packages of a lock, built beside the system packages of a set
    /// (packages that are built from source may use them).
    #[must_use]
    pub fn environment_key(&self, lock: &Lock, set: Option<&str>) -> String {
        let (path, digest) = (self.path.to_string_lossy(), crate::runner::environment_digest());
        key(&[&path, &self.version, &self.platform, &digest, &lock.0, set.unwrap_or_default()])
    }
}

/// A key made of parts: the first 32 hexadecimal digits of their SHA-256.
#[must_use]
pub fn key(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    let mut key = format!("{:x}", digest.finalize());
    key.truncate(32);
    key
}

/// How much of what a program says is quoted, in characters.
const QUOTED: usize = 300;

/// What a program said in its first paragraph, on one line: what it wraps belongs together.
fn words(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let paragraph: Vec<&str> =
        text.trim().lines().take_while(|line| !line.trim().is_empty()).flat_map(str::split_whitespace).collect();
    let words = paragraph.join(" ");
    let words = words.strip_prefix("error: ").unwrap_or(&words);
    if words.is_empty() { "nothing".to_owned() } else { words.chars().take(QUOTED).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_wraps_is_one_sentence() {
        let said = "error: No interpreter found for Python 3.7 in\n  search path\n\nhint: something else\n";
        assert_eq!(words(said.as_bytes()), "No interpreter found for Python 3.7 in search path");
        assert_eq!(words(b"\n"), "nothing");
    }
}
