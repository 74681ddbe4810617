//! Locks made by `uv pip compile`, and kept in the database by what they were made from.

use std::{ffi::OsString, io, path::PathBuf, process::Stdio, time::Duration};

use app::model::{lock::Lock, spec::TaskSpec};
use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    sync::Semaphore,
};

use super::{ResolveError, Resolver, hashes};
use crate::{
    clock::SharedClock,
    db::{Database, DatabaseError, locks},
    engine::{Interpreter, Target},
    packages::{
        environments::{self, PythonError},
        preparation,
    },
    programs,
};

/// How many resolve at once; others wait. Resolving may build packages, which takes all of a core.
pub const AT_ONCE: usize = 4;
/// How long resolving may take. Longer than uv's own time limits, so that its explanation comes first.
const TIME_LIMIT: Duration = Duration::from_secs(120);
/// Part of each key: changes with the way locks are made.
const SCHEMA: &str = "lock 2";

/// Makes locks by uv.
pub struct UvResolver {
    pub uv: PathBuf,
    pub cache: PathBuf,
    /// The package index, when it is not uv's own default.
    pub index_url: Option<String>,
    /// Where locks are kept.
    pub database: Database,
    /// Says when they were made.
    pub clock: SharedClock,
    /// Who may resolve: [`AT_ONCE`] permits.
    pub turns: Semaphore,
}

#[async_trait]
impl Resolver for UvResolver {
    async fn lock(&self, spec: &TaskSpec, target: &Target) -> Result<Lock, ResolveError> {
        if !spec.needs_lock() {
            return Ok(Lock::default());
        }
        let wanted = wanted(spec);
        let key = self.key(target, &wanted);
        let find = async || self.find(key.clone()).await.map_err(|error| ResolveError::Unavailable(error.to_string()));
        if let Some(lock) = find().await? {
            return Ok(lock);
        }
        // Never closed.
        let _turn = self.turns.acquire().await;
        // The steps of a flow often have the same packages: somebody may have made it while this one waited.
        if let Some(lock) = find().await? {
            return Ok(lock);
        }
        let mut lock = self.compile(target, &wanted, spec.requirements.is_some()).await?;
        if let Some(file) = &spec.requirements {
            lock = hashes::keep_written(&lock, file).map_err(|error| ResolveError::NoSolution(error.to_string()))?;
        }
        let (kept, at) = (lock.clone(), self.clock.now());
        if let Err(error) = self.database.write(move |connection| locks::keep(connection, &key, &kept, at)).await {
            tracing::warn!(%error, "A lock could not be kept; it will be made again");
        }
        Ok(lock)
    }

    async fn known(&self, spec: &TaskSpec, target: &Target) -> Option<Lock> {
        if !spec.needs_lock() {
            return Some(Lock::default());
        }
        let key = self.key(target, &wanted(spec));
        self.find(key).await.ok()?
    }
}

impl UvResolver {
    fn key(&self, target: &Target, wanted: &str) -> String {
        let index = self.index_url.as_deref().unwrap_or_default();
        environments::key(&[SCHEMA, &target.python, &target.platform, index, wanted])
    }

    async fn find(&self, key: String) -> Result<Option<Lock>, DatabaseError> {
        self.database.read(move |connection| locks::find(connection, &key)).await
    }

    /// A requirements file may name indexes of its own; then the lock names them too.
    async fn compile(&self, target: &Target, wanted: &str, own_indexes: bool) -> Result<Lock, ResolveError> {
        let mut command = programs::isolated(&self.uv);
        if own_indexes {
            command.args(["pip", "compile", "--emit-index-url", "--emit-find-links"]);
        } else {
            command.args(["pip", "compile"]);
        }
        command
            .args(["--generate-hashes", "--no-header", "--quiet", "--no-config", "--no-annotate"])
            .args(interpreter_arguments(target))
            .arg("-")
            .envs(preparation::variables(self.index_url.as_deref()))
            .env("PATH", preparation::PATH)
            .env("HOME", &self.cache)
            .env("LANG", "C.UTF-8")
            .env("UV_CACHE_DIR", &self.cache)
            .env("UV_PYTHON_DOWNLOADS", "never")
            .env("NO_COLOR", "1")
            .current_dir("/");
        let output = match tokio::time::timeout(TIME_LIMIT, output_of(command, wanted)).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ResolveError::Unavailable(PythonError::NoUv.to_string()));
            }
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

/// What says for which Python to resolve.
fn interpreter_arguments(target: &Target) -> Vec<OsString> {
    match &target.interpreter {
        Interpreter::Here(path) => vec!["--python".into(), path.into()],
        Interpreter::Elsewhere(platform) => {
            vec!["--python-version".into(), (&target.python).into(), "--python-platform".into(), platform.into()]
        }
    }
}

/// Runs a command on an input to its end. When dropped before, it is killed with everything it started: uv starts the
/// build tools of packages.
async fn output_of(mut command: Command, input: &str) -> io::Result<std::process::Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut group = Group(command.spawn()?);
    let (stdin, stdout, stderr) = (group.0.stdin.take(), group.0.stdout.take(), group.0.stderr.take());
    let feed = async move {
        if let Some(mut stdin) = stdin {
            // uv says itself what is wrong when it reads no further.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let (mut output, mut error) = (Vec::new(), Vec::new());
    let read_output = async {
        match stdout {
            Some(mut stdout) => stdout.read_to_end(&mut output).await,
            None => Ok(0),
        }
    };
    let read_error = async {
        match stderr {
            Some(mut stderr) => stderr.read_to_end(&mut error).await,
            None => Ok(0),
        }
    };
    let ((), read_output, read_error) = tokio::join!(feed, read_output, read_error);
    read_output.and(read_error)?;
    // Asked last: until then its number, which is its group's, is nobody else's.
    let status = group.0.wait().await?;
    Ok(std::process::Output { status, stdout: output, stderr: error })
}

/// A process that leads a group of its own. Dropped before its end was seen, the whole group is killed.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // There is no number any more when its end was seen.
        if let Some(leader) = self.0.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            // Gone in between is as good.
            let _ = kill_process_group(leader, Signal::KILL);
        }
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
