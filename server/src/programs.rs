//! How Stoker starts other programs. Nothing else makes a command (`clippy.toml` says so), so that each one has an
//! answer to: what does it read, what does it see of the server's environment, and what ends it?

#![expect(clippy::disallowed_methods, reason = "this is the module that may")]

use std::{
    ffi::OsString,
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tokio::process;

/// A program that is asked something. It sees the server's environment, reads nothing, and is killed when nobody waits
/// for it any more.
#[must_use]
pub fn asked(program: &Path) -> process::Command {
    let mut command = process::Command::from(asked_blocking(program));
    command.kill_on_drop(true);
    command
}

/// As [`asked`], where waiting holds nobody up. Nothing ends it but itself.
#[must_use]
pub fn asked_blocking(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

/// A program that sees nothing of the server's environment: what prepares or runs a step. It reads nothing unless told
/// otherwise, and is killed when nobody waits for it any more.
#[must_use]
pub fn isolated(program: &Path) -> process::Command {
    let mut command = process::Command::from(isolated_blocking(program));
    command.kill_on_drop(true);
    command
}

/// As [`isolated`], for the shim, which itself decides what ends it.
#[must_use]
pub fn isolated_blocking(program: &Path) -> Command {
    let mut command = asked_blocking(program);
    command.env_clear();
    command
}

/// A program that goes on when the server ends: as [`isolated`], in no folder of anybody's, and nobody hears it.
#[must_use]
pub fn detached(program: &Path) -> process::Command {
    let mut command = process::Command::from(isolated_blocking(program));
    command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Becomes another program, in the environment that is. Returns only when that fails.
#[must_use]
pub fn become_program(program: &OsString, arguments: &[OsString]) -> io::Error {
    Command::new(program).args(arguments).exec()
}

/// A program's own place: runs have another `PATH` than the server, so a bare name would not do for them.
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
