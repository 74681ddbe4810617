//! What Stoker is measured against: the bare interpreter, uv by itself, and a fresh environment for each run.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// The tools, with a cache of their own.
pub struct Tools {
    /// uv.
    pub uv: PathBuf,
    python: PathBuf,
    folder: tempfile::TempDir,
}

impl Tools {
    /// Finds uv and the Python it prefers.
    pub fn find() -> Self {
        let uv = std::env::var_os("STOKER_UV").map_or_else(|| PathBuf::from("uv"), PathBuf::from);
        let found = clean(&uv).args(["python", "find", "--no-project", "--system"]).output().unwrap();
        let python = PathBuf::from(String::from_utf8(found.stdout).unwrap().trim());
        let tools = Self { uv, python, folder: tempfile::tempdir().unwrap() };
        timed(
            tools
                .uv_command()
                .args(["venv", "--quiet", "--no-project", "--python"])
                .arg(&tools.python)
                .arg(tools.bare()),
        );
        tools
    }

    /// A file with this program.
    pub fn script(&self, code: &str) -> PathBuf {
        self.file(&format!("script-{}.py", code.len()), code.as_bytes())
    }

    /// A file with this content.
    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The bare interpreter, in an empty environment: the fastest that this Python can start. (By itself it may read
    /// what the machine's owner has installed beside it, which takes longer.)
    pub fn interpreter(&self, script: &Path) -> Duration {
        timed(clean(&self.bare().join("bin/python")).arg(script))
    }

    /// So many interpreters for a script, started by a shell, some of them beside each other.
    pub fn shell_loop(&self, script: &Path, times: usize, at_once: usize) -> Duration {
        let python = self.bare().join("bin/python");
        let line =
            format!("seq {times} | xargs -P {at_once} -I _ {} {} >/dev/null", python.display(), script.display());
        timed(clean(Path::new("/bin/sh")).args(["-c", &line]))
    }

    fn bare(&self) -> PathBuf {
        self.folder.path().join("bare")
    }

    /// An environment with these packages, bytecode compiled.
    pub fn environment(&self, packages: &str) -> PathBuf {
        let environment = self.folder.path().join("environment");
        timed(
            self.uv_command().args(["venv", "--quiet", "--no-project", "--python"]).arg(&self.python).arg(&environment),
        );
        timed(
            self.uv_command()
                .args(["pip", "install", "--quiet", "--compile-bytecode", "--python"])
                .arg(environment.join("bin/python"))
                .args(packages.split_whitespace()),
        );
        environment
    }

    /// `uv run --with …`: its environments are cached too.
    pub fn uv_run(&self, script: &Path, packages: &str) -> Duration {
        let mut command = self.uv_command();
        command.args(["run", "--no-project", "--quiet", "--python"]).arg(&self.python);
        for package in packages.split_whitespace() {
            command.args(["--with", package]);
        }
        timed(command.arg(script))
    }

    /// The upstream project's way: a fresh environment and an install from the warm cache for each run.
    pub fn fresh_environment(&self, code: &str, packages: &str) -> Duration {
        let environment = self.folder.path().join("fresh");
        let _ = std::fs::remove_dir_all(&environment);
        let started = Instant::now();
        timed(
            self.uv_command().args(["venv", "--quiet", "--no-project", "--python"]).arg(&self.python).arg(&environment),
        );
        let python = environment.join("bin/python");
        timed(
            self.uv_command()
                .args(["pip", "install", "--quiet", "--python"])
                .arg(&python)
                .args(packages.split_whitespace()),
        );
        timed(clean(&python).arg("-c").arg(code));
        started.elapsed()
    }

    fn uv_command(&self) -> Command {
        let mut command = clean(&self.uv);
        command.env("UV_CACHE_DIR", self.folder.path().join("uv")).env("UV_PYTHON_DOWNLOADS", "never");
        command
    }
}

/// The script in an environment, with a program on `PATH`: what somebody would start by hand.
pub fn process(environment: &Path, script: &Path, program: &Path) -> Duration {
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    timed(clean(&environment.join("bin/python")).arg(script).env("PATH", path))
}

/// How long a program takes to write its lines into a pipe that is read and thrown away.
pub fn lines_through_a_pipe(code: &str) -> Duration {
    let started = Instant::now();
    let mut child = clean(Path::new("python3"))
        .env("PYTHONUNBUFFERED", "1")
        .args(["-c", code])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut buffer = vec![0; 1 << 16];
    while output.read(&mut buffer).unwrap() > 0 {}
    child.wait().unwrap();
    started.elapsed()
}

/// How long `grep` takes to find the lines with a text in a file.
pub fn grep(file: &Path, text: &str) -> Duration {
    let started = Instant::now();
    let output = clean(Path::new("grep")).args(["--fixed-strings", "--line-number", "--", text]).arg(file).output();
    // It ends with 1 where it finds nothing.
    assert!(output.unwrap().status.code().is_some_and(|code| code < 2));
    started.elapsed()
}

/// A program in a clean environment, as a user's: `PATH`, `HOME`, `LANG`, and how the network is reached. Variables such as
/// PYTHONDONTWRITEBYTECODE, which somebody's shell may have, would make a baseline slower than it is.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LANG", "C.UTF-8");
    let is_kept = |name: &str| {
        let network = ["SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
        ["PATH", "HOME"].contains(&name)
            || network.contains(&name.to_ascii_uppercase().as_str())
            || name.starts_with("UV_")
    };
    command.envs(std::env::vars().filter(|(name, _)| is_kept(name)));
    command
}

fn timed(command: &mut Command) -> Duration {
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    started.elapsed()
}
