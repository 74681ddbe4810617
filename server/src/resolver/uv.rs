//! Locks made by `uv pip compile`, and kept in the database by what they were made from.

use std::{path::PathBuf, process::Stdio, time::Duration};

use app::model::{lock::Lock, spec::TaskSpec};
use async_trait::async_trait;
use tokio::{io::AsyncWriteExt as _, process::Command};

use super::{ResolveError, Resolver};
use crate::{
    clock::SharedClock,
    db::{Database, DatabaseError, locks},
    environments::{self, Python, PythonError},
};

/// How long resolving may take. Longer than uv's own time limits, so that its explanation comes first.
const TIME_LIMIT: Duration = Duration::from_secs(120);
/// Part of each key: changes with the way locks are made.
const SCHEMA: &str = "lock 1";

/// Makes locks by uv.
pub struct UvResolver {
    /// uv.
    pub uv: PathBuf,
    /// The Python that runs use.
    pub python: Result<Python, PythonError>,
    /// uv's cache folder.
    pub cache: PathBuf,
    /// The package index, when it is not uv's own default.
    pub index_url: Option<String>,
    /// Where locks are kept.
    pub database: Database,
    /// Says when they were made.
    pub clock: SharedClock,
}

#[async_trait]
impl Resolver for UvResolver {
    async fn lock(&self, spec: &TaskSpec) -> Result<Lock, ResolveError> {
        if !spec.needs_lock() {
            return Ok(Lock::default());
        }
        let wanted = wanted(spec);
        let python = self.python.as_ref().map_err(|error| ResolveError::Unavailable(error.to_string()))?;
        let key = self.key(python, &wanted);
        match self.find(key.clone()).await {
            Ok(Some(lock)) => return Ok(lock),
            Ok(None) => {}
            Err(error) => return Err(ResolveError::Unavailable(error.to_string())),
        }
        let lock = self.compile(python, &wanted, spec.requirements.is_some()).await?;
        let (kept, at) = (lock.clone(), self.clock.now());
        if let Err(error) = self.database.write(move |connection| locks::keep(connection, &key, &kept, at)).await {
            tracing::warn!(%error, "A lock could not be kept; it will be made again");
        }
        Ok(lock)
    }

    async fn known(&self, spec: &TaskSpec) -> Option<Lock> {
        if !spec.needs_lock() {
            return Some(Lock::default());
        }
        let key = self.key(self.python.as_ref().ok()?, &wanted(spec));
        self.find(key).await.ok()?
    }
}

impl UvResolver {
    fn key(&self, python: &Python, wanted: &str) -> String {
        let index = self.index_url.as_deref().unwrap_or_default();
        environments::key(&[SCHEMA, &python.version, &python.platform, index, wanted])
    }

    async fn find(&self, key: String) -> Result<Option<Lock>, DatabaseError> {
        self.database.read(move |connection| locks::find(connection, &key)).await
    }

    /// A requirements file may name indexes of its own; then the lock names them too.
    async fn compile(&self, python: &Python, wanted: &str, own_indexes: bool) -> Result<Lock, ResolveError> {
        let mut command = Command::new(&self.uv);
        if own_indexes {
            command.args(["pip", "compile", "--emit-index-url", "--emit-find-links"]);
        } else {
            command.args(["pip", "compile"]);
        }
        command
            .args(["--generate-hashes", "--no-header", "--quiet", "--no-config", "--no-annotate", "--python"])
            .arg(&python.path)
            .arg("-")
            .env("UV_CACHE_DIR", &self.cache)
            .env("UV_PYTHON_DOWNLOADS", "never")
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir("/")
            .kill_on_drop(true);
        if let Some(url) = &self.index_url {
            command.env("UV_DEFAULT_INDEX", url);
        }
        let mut child = command.spawn().map_err(|_| ResolveError::Unavailable(PythonError::NoUv.to_string()))?;
        let mut input = child.stdin.take();
        let wanted = wanted.to_owned();
        let feed = async move {
            if let Some(input) = &mut input {
                // uv says itself what is wrong when it reads no further.
                let _ = input.write_all(wanted.as_bytes()).await;
            }
        };
        let done = async { tokio::join!(feed, child.wait_with_output()).1 };
        let output = match tokio::time::timeout(TIME_LIMIT, done).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(ResolveError::Unavailable(format!("uv could not be run: {error}."))),
            Err(_) => {
                return Err(ResolveError::Unavailable(format!(
                    "Looking up package versions took longer than {} s. The package index may be slow; try again.",
                    TIME_LIMIT.as_secs()
                )));
            }
        };
        if output.status.success() {
            return Ok(Lock(String::from_utf8_lossy(&output.stdout).into_owned()));
        }
        Err(explain(&String::from_utf8_lossy(&output.stderr)))
    }
}

/// What is to be resolved, in the form of a requirements file.
fn wanted(spec: &TaskSpec) -> String {
    spec.requirements.as_ref().map_or_else(|| spec.packages.to_string(), |file| file.as_str().to_owned())
}

/// uv's words, parted into "it cannot be" and "it could not be found out".
fn explain(words: &str) -> ResolveError {
    const UNREACHABLE: [&str; 9] = [
        "Failed to fetch",
        "Request failed",
        "error sending request",
        "dns error",
        "tcp connect error",
        "Could not connect",
        "timed out",
        "No space left",
        "Permission denied",
    ];
    let words = words.trim();
    let text: String = words.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    let text = text.trim_start_matches("× ").trim_start_matches("error: ").to_owned();
    if !words.contains("No solution found") && UNREACHABLE.iter().any(|sign| words.contains(sign)) {
        return ResolveError::Unavailable(format!(
            "Package versions could not be looked up: the package index did not answer.\n{text}"
        ));
    }
    ResolveError::NoSolution(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_and_unreachable_are_told_apart() {
        let impossible = "  × No solution found when resolving dependencies:\n  ╰─▶ Because nosuch was not found";
        assert!(matches!(explain(impossible), ResolveError::NoSolution(text) if text.contains("Because nosuch")));
        let unreachable = "error: Request failed after 3 retries\n  Caused by: Failed to fetch: `http://127.0.0.1:1/x`";
        assert!(matches!(explain(unreachable), ResolveError::Unavailable(text) if text.contains("did not answer")));
    }
}
