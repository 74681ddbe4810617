//! Persisted Python environments: which one a run uses. Building one is the runner's work.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use app::model::lock::Lock;
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

/// The Python that runs use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// The interpreter.
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
    /// Finds the interpreter: the one wished for (a path or a version), or what uv prefers.
    ///
    /// # Errors
    /// When uv or Python is missing.
    pub async fn find(uv: &Path, wish: Option<&str>) -> Result<Self, PythonError> {
        let mut find = Command::new(uv);
        find.args(["python", "find", "--no-project", "--no-config", "--system"]).args(wish).stdin(Stdio::null());
        find.env("UV_PYTHON_DOWNLOADS", "never").kill_on_drop(true);
        let found = find.output().await.map_err(|_| PythonError::NoUv)?;
        let path = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim());
        if !found.status.success() || path.as_os_str().is_empty() {
            return Err(PythonError::NoPython(words(&found.stderr)));
        }
        let described =
            Command::new(&path).args(["-I", "-c", DESCRIBE]).stdin(Stdio::null()).kill_on_drop(true).output().await;
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

/// A program's own place: runs have another PATH than the server, so a bare name would not do for them.
#[must_use]
pub fn found_on_path(program: &Path) -> PathBuf {
    if program.components().count() > 1 {
        return std::path::absolute(program).unwrap_or_else(|_| program.to_owned());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| program.to_owned())
}

/// A key made of parts: the first 32 hexadecimal digits of their SHA-256.
#[must_use]
pub fn key(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    hexadecimal(&digest.finalize()[..16])
}

/// Bytes as hexadecimal digits.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
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
