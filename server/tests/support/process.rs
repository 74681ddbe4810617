//! A process as the kernel tells of it.

/// Whether the process with this number has ended. Where nobody collects orphans, a dead one stays as a zombie.
pub fn is_gone(number: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
    state.is_empty() || state.contains(") Z ")
}
