//! Limits that no option changes: how long stopping a program and preparing an environment may take.

/// How long a program has to end by itself when it is stopped, in seconds.
pub const GRACE: u32 = 5;

/// How long preparing an environment may take at least, in seconds: a run may have to wait for another that builds.
const PREPARATION: u32 = 3600;

/// How many stages a preparation may have that take as long as each may.
const LONG_STAGES: u32 = 4;

/// How long preparing may take in all, in seconds, when each of its stages may take so long.
#[must_use]
pub fn preparation_timeout(stage_timeout: u32) -> u32 {
    PREPARATION.max(stage_timeout.saturating_mul(LONG_STAGES))
}
