//! The options that say how a server runs: those of `stoker serve`, which other commands share.

#![expect(clippy::doc_markdown, reason = "these comments are the help text, which shows backticks as they are")]

use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use app::model::spec::Timeout;
use clap::Args;

use super::{
    engine_options::EngineOptions,
    values::{address, age, bytes, index_url, memory, sha256, timeout, url},
};
use crate::packages::{
    conda::CondaKind,
    nix::{self, NixChoice},
};

/// Where Stoker works and what it works with: what serving and looking have in common.
#[derive(Debug, Clone, Args)]
pub struct PlaceOptions {
    /// Folder for everything Stoker keeps: the database, logs, and environments. Made when it is not there. One
    /// Stoker at a time uses it. [default: `stoker` in your platform's folder for application data]
    #[arg(long, env = "STOKER_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,

    /// Where to listen. Port 0 takes any free port. Only this machine's own addresses (127.0.0.1, ::1) are allowed,
    /// since whoever reaches Stoker can run programs.
    #[arg(long, env = "STOKER_ADDR", value_name = "HOST:PORT", default_value = "127.0.0.1:3000", value_parser = address)]
    pub addr: SocketAddr,

    /// The Python that runs use whose task asks for none: a file, or a version such as 3.12. May be a list with commas:
    /// then tasks may choose the others too, and else all that uv finds. [default: the one that uv finds]
    #[arg(long = "python", env = "STOKER_PYTHON", value_name = "PYTHON", value_delimiter = ',')]
    pub pythons: Vec<String>,

    /// The uv that finds and installs packages.
    #[arg(long, env = "STOKER_UV", value_name = "FILE", default_value = "uv")]
    pub uv: PathBuf,

    /// Space that must be free before anything is built; `K`, `M` and `G` may follow the number.
    #[arg(long, env = "STOKER_MINIMUM_FREE", value_name = "BYTES", default_value = "1G", value_parser = bytes)]
    pub minimum_free: u64,

    /// Where system packages come from. Set NIX_CONFIG in Stoker's environment for settings of Nix itself.
    #[arg(long, env = "STOKER_NIX", value_name = "PROVIDER", value_enum, default_value_t = NixChoice::Auto)]
    pub nix: NixChoice,

    /// The nixpkgs that system packages come from, as a flake reference. Name a revision, not a branch: then a name
    /// means the same tomorrow.
    #[arg(long, env = "STOKER_NIXPKGS", value_name = "FLAKE", default_value = nix::NIXPKGS)]
    pub nixpkgs: String,

    /// The package index to use instead of PyPI.
    #[arg(long, env = "STOKER_INDEX_URL", value_name = "URL", value_parser = index_url)]
    pub index_url: Option<String>,
}

impl PlaceOptions {
    /// The Pythons that are named, the default first. A variable that is set to nothing names none.
    #[must_use]
    pub fn pythons(&self) -> Vec<String> {
        self.pythons.iter().map(|python| python.trim().to_owned()).filter(|python| !python.is_empty()).collect()
    }
}

/// The options of `stoker serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// Where and with what.
    #[command(flatten)]
    pub place: PlaceOptions,

    /// Where runs run.
    #[command(flatten)]
    pub engine: EngineOptions,

    /// A further name under which browsers may reach Stoker, as `name` or `name:port`; may be repeated, or be a list
    /// with commas. Needed behind a proxy or a port forward; other names are refused, so that no foreign web page can
    /// reach Stoker by a name of its own.
    #[arg(long = "allowed-host", env = "STOKER_ALLOWED_HOSTS", value_name = "NAME", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,

    /// How many runs go on at once; the others wait in order. [default: the number of processor cores]
    #[arg(long, env = "STOKER_WORKERS", value_name = "NUMBER")]
    pub workers: Option<NonZeroUsize>,

    /// When to stop a run whose task sets no time limit, in seconds; at most seven days.
    #[arg(long, env = "STOKER_DEFAULT_TIMEOUT", value_name = "SECONDS", default_value = "86400", value_parser = timeout)]
    pub default_timeout: Timeout,

    /// Most memory that each process of a run may take, in bytes; `K`, `M` and `G` may follow the number. [default: no
    /// limit]
    #[arg(long, env = "STOKER_MEMORY_LIMIT", value_name = "BYTES", value_parser = memory)]
    pub memory_limit: Option<u64>,

    /// Longest log that is kept of a run, in bytes; `K`, `M` and `G` may follow the number. The rest is dropped, and
    /// the log says so.
    #[arg(long, env = "STOKER_LOG_LIMIT", value_name = "BYTES", default_value = "256M", value_parser = bytes)]
    pub log_limit: u64,

    /// Remove environments and package sets that no run has used for so long, such as `30d` or `12w`; `off` keeps all.
    /// Looked at once a day. What goes is built again, in the same versions, when a run needs it. On a cluster's volume it
    /// is environments only, after a day at least.
    #[arg(long, env = "STOKER_PRUNE_AFTER", value_name = "AGE", default_value = "90d", value_parser = prune_after)]
    pub prune_after: PruneAfter,

    /// Keep the last so many runs of each task, with their logs; `off` keeps all. A task's latest run is always kept, and
    /// what runs.
    #[arg(long, env = "STOKER_KEEP_RUNS", value_name = "NUMBER", default_value = "1000", value_parser = kept_number)]
    pub keep_runs: Kept<u32>,

    /// Keep runs for so many days after they ended; `off` keeps them whatever their age.
    #[arg(long, env = "STOKER_KEEP_DAYS", value_name = "DAYS", default_value = "365", value_parser = kept_number)]
    pub keep_days: Kept<u32>,

    /// Keep so many bytes of logs of all runs together, and remove the oldest runs beyond; `K`, `M`, `G` and `T` may
    /// follow the number; `off` sets no limit.
    #[arg(long, env = "STOKER_KEEP_LOG_BYTES", value_name = "BYTES", default_value = "20G", value_parser = kept_bytes)]
    pub keep_log_bytes: Kept<u64>,

    /// Longest time for each stage of preparing a run (fetching or building its packages), in seconds.
    #[arg(long, env = "STOKER_STAGE_TIMEOUT", value_name = "SECONDS", default_value = "1800")]
    pub stage_timeout: NonZeroU32,

    /// What a task gets that asks for conda.
    #[arg(long, env = "STOKER_CONDA", value_name = "INSTALLER", value_enum, default_value_t = CondaKind::Miniforge)]
    pub conda: CondaKind,

    /// Another conda installer (http, https or file) than the pinned one.
    #[arg(long, env = "STOKER_CONDA_URL", value_name = "URL", value_parser = url)]
    pub conda_url: Option<String>,

    /// The SHA-256 of that installer.
    #[arg(long, env = "STOKER_CONDA_SHA256", value_name = "HEX", value_parser = sha256)]
    pub conda_sha256: Option<String>,
}

/// When to remove what is not used; `None` is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneAfter(pub Option<Duration>);

fn prune_after(text: &str) -> Result<PruneAfter, String> {
    match text.trim() {
        "off" => Ok(PruneAfter(None)),
        text => match age(text)? {
            Duration::ZERO => {
                Err("enter more than nothing, or `off`; `stoker cache prune` removes what is not in use".to_owned())
            }
            age => Ok(PruneAfter(Some(age))),
        },
    }
}

/// How much is kept; `None` is everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept<T>(pub Option<T>);

fn kept_number(text: &str) -> Result<Kept<u32>, String> {
    match text.trim() {
        "off" => Ok(Kept(None)),
        text => match text.parse() {
            Ok(0) | Err(_) => Err("enter a whole number above 0, or `off`".to_owned()),
            Ok(number) => Ok(Kept(Some(number))),
        },
    }
}

fn kept_bytes(text: &str) -> Result<Kept<u64>, String> {
    if text.trim() == "off" { Ok(Kept(None)) } else { bytes(text).map(|bytes| Kept(Some(bytes))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_used_goes_after_a_time_or_never() {
        assert_eq!(prune_after("off"), Ok(PruneAfter(None)));
        assert_eq!(prune_after("1h"), Ok(PruneAfter(Some(Duration::from_secs(3600)))));
        assert!(prune_after("0d").is_err());
    }

    #[test]
    fn what_is_kept_is_a_number_or_all() {
        assert_eq!([kept_number("off"), kept_number(" 7 ")], [Ok(Kept(None)), Ok(Kept(Some(7)))]);
        assert_eq!([kept_bytes("off"), kept_bytes("2G")], [Ok(Kept(None)), Ok(Kept(Some(2 << 30)))]);
        for wrong in ["", "0", "-1", "7d", "on"] {
            assert!(kept_number(wrong).is_err() && kept_bytes(wrong).is_err(), "{wrong}");
        }
    }
}
