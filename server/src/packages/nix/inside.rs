//! Takes a program into a mount namespace in which a folder's `nix` is at /nix. That is what `nix --store` does for what
//! it runs itself, but without Nix: a warm run starts none. Where /nix is not there, the program gets a root folder made
//! of binds of everything in the real one.

use std::{ffi::OsString, fs, io, os::unix::fs::symlink, path::Path};

use rustix::{
    mount::{MountFlags, MountPropagationFlags, mount, mount_bind_recursive, mount_change},
    process::{chroot, getgid, getuid},
    thread::UnshareFlags,
};

use crate::programs;

/// Becomes the command, with `root/nix` at /nix. Returns only when that fails.
#[must_use]
pub fn run(root: &Path, command: &[OsString]) -> io::Error {
    match enter(root) {
        Ok(()) => {}
        Err(error) => return error,
    }
    match command.split_first() {
        Some((program, arguments)) => programs::become_program(program, arguments),
        None => io::ErrorKind::InvalidInput.into(),
    }
}

fn enter(root: &Path) -> io::Result<()> {
    let folder = std::env::current_dir()?;
    let nix = root.join("nix");
    fs::create_dir_all(&nix)?;
    leave_namespaces()?;
    // What is mounted here is nobody else's business.
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    if Path::new("/nix").is_dir() {
        mount_bind_recursive(&nix, "/nix")?;
        return Ok(());
    }
    let new = root.join("root");
    fs::create_dir_all(&new)?;
    mount("stoker", &new, "tmpfs", MountFlags::empty(), Some(c"mode=0755"))?;
    for entry in fs::read_dir("/")? {
        let entry = entry?;
        let (from, to) = (entry.path(), new.join(entry.file_name()));
        if entry.file_type()?.is_symlink() {
            symlink(fs::read_link(&from)?, &to)?;
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::create_dir(&to)?;
        } else {
            fs::write(&to, "")?;
        }
        mount_bind_recursive(&from, &to)?;
    }
    fs::create_dir(new.join("nix"))?;
    mount_bind_recursive(&nix, new.join("nix"))?;
    chroot(&new)?;
    std::env::set_current_dir(folder)
}

/// A mount namespace, and where that takes privileges, a user namespace in which this user is the same as outside.
fn leave_namespaces() -> io::Result<()> {
    if unshare(UnshareFlags::NEWNS).is_ok() {
        return Ok(());
    }
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

#[expect(deprecated, reason = "its successor is unsafe for the sake of a flag that is not used here")]
fn unshare(flags: UnshareFlags) -> io::Result<()> {
    Ok(rustix::thread::unshare(flags)?)
}
