//! A disk with little room. Mounting takes privileges that a test seldom has, so a test that needs such a disk runs again
//! as a process of its own, in namespaces where it may mount.

use std::{env, ffi::OsStr, path::Path, process::Command};

/// Set in the process that may mount: the folder to mount on.
const PLACE: &str = "STOKER_TEST_SMALL_DISK";

/// Gives the body of a test, which is called `test`, a folder on a file system of that size.
pub fn on_small_disk(test: &str, size: &str, body: impl FnOnce(&Path)) {
    let Some(place) = env::var_os(PLACE) else { return run_again(test) };
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "small"]).arg(&place).status();
    assert!(mounted.is_ok_and(|status| status.success()), "a file system could not be mounted");
    body(Path::new(&place));
}

fn run_again(test: &str) {
    let place = tempfile::tempdir().unwrap();
    let namespaces = ["--user", "--map-root-user", "--mount"].map(OsStr::new);
    let mut command = Command::new("unshare");
    command.args(namespaces).arg(env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
    let output = command.env(PLACE, place.path()).output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{test} needs user namespaces (unshare --user --mount), or failed in one:\n{said}\n{errors}"
    );
}
