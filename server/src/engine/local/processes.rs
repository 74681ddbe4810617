//! The tree of processes below this one: to stop all of it, whatever it did to hide, and to see why it died.

use std::{ffi::OsStr, fs, io, os::unix::ffi::OsStrExt as _, path::Path, process::Child};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, wait},
    thread::{CapabilitySet, remove_capability_from_bounding_set},
};

/// How often to look again for processes that were started while others were killed.
const ROUNDS: usize = 50;

/// Makes this process the parent of every orphan below it, so that none gets away by outliving its parent or by
/// leaving its process group.
///
/// # Errors
/// When the kernel does not know how.
pub fn become_reaper() -> io::Result<()> {
    Ok(set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// When run as root: takes the power to write read-only files from everything started from now on. Environments are
/// read-only files, and a task must not be able to change what other tasks import.
pub fn forgo_access_overrides() {
    if rustix::process::geteuid().is_root() {
        // Refused inside some containers, which then lack the power anyway.
        let _ = remove_capability_from_bounding_set(CapabilitySet::DAC_OVERRIDE);
    }
}

/// The process number of a child.
///
/// # Errors
/// Never in practice: a child has a number.
pub fn pid_of(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Sends a signal to every process below this one.
pub fn signal_descendants(signal: Signal) {
    for pid in descendants() {
        // Gone in between is as good.
        let _ = kill_process(pid, signal);
    }
}

/// Kills every process below this one and waits until they are gone.
pub fn kill_descendants() {
    for _ in 0..ROUNDS {
        if descendants().is_empty() {
            return;
        }
        signal_descendants(Signal::KILL);
        // Each wait ends with one child's end; none left is an error, which ends the round.
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

fn descendants() -> Vec<Pid> {
    let mut found = Vec::new();
    let mut parents = vec![rustix::process::getpid()];
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            found.push(child);
            parents.push(child);
        }
    }
    found
}

/// The children of a process, from each of its threads (`/proc/PID/task/TID/children`).
fn children(parent: Pid) -> Vec<Pid> {
    let Ok(threads) = fs::read_dir(format!("/proc/{}/task", parent.as_raw_nonzero())) else { return Vec::new() };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|text| text.split_ascii_whitespace().filter_map(|number| number.parse().ok()).collect::<Vec<i32>>())
        .filter_map(Pid::from_raw)
        .collect()
}

/// Kills what a step has left behind when its shim is gone: every process that works in the step's folder, or has its
/// temporary folder there. Told by those, not by process numbers: a number may be somebody else's by now.
pub fn kill_left_behind(folder: &Path) {
    for _ in 0..ROUNDS {
        let left: Vec<Pid> = all_processes().filter(|pid| belongs_to(*pid, folder)).collect();
        if left.is_empty() {
            return;
        }
        for pid in left {
            // Gone in between is as good.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn all_processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw))
}

fn belongs_to(pid: Pid, folder: &Path) -> bool {
    let process = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    if fs::read_link(process.join("cwd")).is_ok_and(|place| place.starts_with(folder)) {
        return true;
    }
    let environment = fs::read(process.join("environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| {
        variable.strip_prefix(b"TMPDIR=").is_some_and(|place| Path::new(OsStr::from_bytes(place)).starts_with(folder))
    })
}

/// How often the kernel has killed something for lack of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryKills {
    /// On this machine.
    machine: u64,
    /// Within the memory limit of the container around this process.
    container: u64,
}

/// Where memory ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryLack {
    /// On the machine.
    Machine,
    /// In the container around this process, which has a limit of so many bytes.
    Container(u64),
}

impl MemoryKills {
    #[must_use]
    pub fn now() -> Self {
        let container = Path::new(CONTAINER_KILLS.iter().find(|file| Path::new(file).exists()).unwrap_or(&""));
        Self { machine: kills_in(Path::new("/proc/vmstat")), container: kills_in(container) }
    }

    /// Where it happened again since, if it did.
    #[must_use]
    pub fn happened_since(self) -> Option<MemoryLack> {
        let now = Self::now();
        let limit = container_limit().filter(|_| now.container > self.container);
        limit.map(MemoryLack::Container).or_else(|| (now.machine > self.machine).then_some(MemoryLack::Machine))
    }
}

/// Where the kernel counts for the container around this process: in version 2 of control groups, and in version 1.
const CONTAINER_KILLS: [&str; 2] = ["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];
const CONTAINER_LIMITS: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
/// What version 1 calls no limit is a little below this.
const NO_LIMIT: u64 = 1 << 60;

fn kills_in(file: &Path) -> u64 {
    let counted = fs::read_to_string(file).unwrap_or_default();
    counted.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok()).unwrap_or(0)
}

/// Bytes of memory that the container around this process may have; `None` without a limit, or a container.
fn container_limit() -> Option<u64> {
    let limit = CONTAINER_LIMITS.iter().find_map(|file| fs::read_to_string(file).ok())?;
    limit.trim().parse().ok().filter(|limit| *limit < NO_LIMIT)
}
