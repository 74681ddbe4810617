//! The command line: what `stoker --help` says. Each option is also an environment variable.

#![expect(clippy::doc_markdown, reason = "these comments are the help text, which shows backticks as they are")]

use std::{
    ffi::OsString,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use app::model::spec::Timeout;
use clap::{Args, Parser, Subcommand};

use crate::{
    command_line::cluster::EngineOptions,
    packages::{
        conda::CondaKind,
        nix::{self, NixChoice},
    },
    preflight::Word,
};

/// Run Python in warm environments, and watch it live.
///
/// Every option can also be given as the environment variable named beside it. Set RUST_LOG (for instance to debug, or
/// to server=debug) to see more of what Stoker does.
#[derive(Debug, Parser)]
#[command(name = "stoker", version, arg_required_else_help = true)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the web pages and the REST API, and run tasks.
    Serve(Box<ServeOptions>),
    /// See, clean and fill what is kept between runs so that they start warm. Also while a server runs.
    Cache {
        /// What to do.
        #[command(subcommand)]
        command: CacheCommand,
    },
    /// Manage the Nix that system packages come from.
    Nix {
        /// What to do.
        #[command(subcommand)]
        command: NixCommand,
    },
    /// Look whether this place has what Stoker needs, and say what to do about what is missing. Ends with 0 when all is
    /// in order, with 1 when something failed, and with 2 when there are only warnings.
    Preflight(Box<PreflightOptions>),
    /// Runs one step. Stoker starts this itself.
    #[command(hide = true)]
    Step {
        /// The step's folder.
        folder: PathBuf,
    },
    /// Becomes a program for which a folder's Nix store is at /nix. Stoker starts this itself.
    #[command(hide = true)]
    Inside {
        /// The folder that has the store as nix/store.
        root: PathBuf,
        /// The program, and its arguments.
        #[arg(trailing_var_arg = true, required = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Does a part of a step in a pod of a cluster. Stoker starts this itself.
    #[command(hide = true)]
    Pod {
        /// Which part.
        #[command(subcommand)]
        command: PodCommand,
    },
}

/// What is to be done in a pod.
#[derive(Debug, Subcommand)]
pub enum PodCommand {
    /// Prepares the step that the pod was assigned.
    Prepare,
    /// Runs the program of a step that was prepared.
    Run {
        /// The step's folder.
        folder: PathBuf,
    },
}

/// What to do about the caches.
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// List environments, package sets and conda installations, with their sizes and last use.
    Ls(CacheListOptions),
    /// Remove what no run has used for long, and what is left of builds that came to nothing. What a run uses stays.
    Prune(CachePruneOptions),
    /// Build the environment of a saved task without running its program.
    Warm(Box<CacheWarmOptions>),
}

/// Where the caches are.
#[derive(Debug, Args)]
pub struct CachePlace {
    /// The data folder. [default: as for `stoker serve`]
    #[arg(long, env = "STOKER_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,

    /// Where system packages come from, as for `stoker serve`.
    #[arg(long, env = "STOKER_NIX", value_name = "PROVIDER", value_enum, default_value_t = NixChoice::Auto)]
    pub nix: NixChoice,
}

/// The options of `stoker cache ls`.
#[derive(Debug, Args)]
pub struct CacheListOptions {
    /// Where the caches are.
    #[command(flatten)]
    pub place: CachePlace,

    /// Print JSON, as in the REST API's diagnostics.
    #[arg(long)]
    pub json: bool,
}

/// The options of `stoker cache prune`.
#[derive(Debug, Args)]
pub struct CachePruneOptions {
    /// Where the caches are.
    #[command(flatten)]
    pub place: CachePlace,

    /// Remove what was last used longer ago than this, such as `12h`, `30d` or `2w`.
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub older_than: Duration,

    /// Only say what would be removed.
    #[arg(long)]
    pub dry_run: bool,

    /// The uv whose cache is cleaned of what it cannot use any more.
    #[arg(long, env = "STOKER_UV", value_name = "FILE", default_value = "uv")]
    pub uv: PathBuf,
}

/// The options of `stoker cache warm`.
#[derive(Debug, Args)]
pub struct CacheWarmOptions {
    /// The task's id, such as `task-0123456789ab`.
    pub task: String,

    /// The options of the server that will run the task: they decide which environment it uses.
    #[command(flatten, next_help_heading = "As for `stoker serve`, whose runs are to find the environment")]
    pub serve: ServeOptions,
}

/// What to do about Nix.
#[derive(Debug, Subcommand)]
pub enum NixCommand {
    /// Fetch nix-portable into the cache, for machines without Nix. Its digest is checked.
    Install(NixInstallOptions),
}

/// The options of `stoker nix install`.
#[derive(Debug, Args)]
pub struct NixInstallOptions {
    /// The data folder of the Stoker that will use it. [default: as for `stoker serve`]
    #[arg(long, env = "STOKER_DATA", value_name = "FOLDER")]
    pub data: Option<PathBuf>,

    /// Another file to fetch (http, https or file) than the pinned release.
    #[arg(long, env = "STOKER_NIX_PORTABLE_URL", value_name = "URL", value_parser = url)]
    pub url: Option<String>,

    /// The SHA-256 of that file.
    #[arg(long, env = "STOKER_NIX_PORTABLE_SHA256", value_name = "HEX", value_parser = sha256)]
    pub sha256: Option<String>,

    /// The uv that finds the Python that fetches.
    #[arg(long, env = "STOKER_UV", value_name = "FILE", default_value = "uv")]
    pub uv: PathBuf,
}

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
    /// Looked at once a day. What goes is built again, in the same versions, when a run needs it.
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

/// A length of time in hours, days or weeks: `12h`, `30d`, `2w`.
fn age(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let seconds = match text.as_bytes().last() {
        Some(b'h') => 3600,
        Some(b'd') => 86_400,
        Some(b'w') => 7 * 86_400,
        _ => 0,
    };
    let number: Option<u64> = text.get(..text.len().saturating_sub(1)).and_then(|digits| digits.parse().ok());
    number
        .and_then(|number| number.checked_mul(seconds))
        .filter(|_| seconds > 0)
        .map(Duration::from_secs)
        .ok_or_else(|| "enter a whole number of hours, days or weeks, such as 12h, 30d or 2w".to_owned())
}

/// The options of `stoker preflight`.
#[derive(Debug, Clone, Args)]
pub struct PreflightOptions {
    /// The options of the server whose place is looked at.
    #[command(flatten, next_help_heading = "As for `stoker serve`")]
    pub serve: ServeOptions,

    /// Further volume claims to look at; may be repeated, or be a list with commas.
    #[arg(long, env = "STOKER_CLAIMS", value_name = "NAME", value_delimiter = ',')]
    pub claims: Vec<String>,

    /// Make only these checks: groups (tools, storage, network, kubernetes) or single ones (such as disk or
    /// containerd); may be repeated, or be a list with commas.
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub only: Vec<Word>,

    /// Also make tiny real runs in the cluster, and tell how long each stage of them takes. Needs --image.
    #[arg(long)]
    pub probe: bool,

    /// Print JSON, for programs.
    #[arg(long)]
    pub json: bool,
}

fn timeout(text: &str) -> Result<Timeout, String> {
    match Timeout::parse(text) {
        Ok(Some(timeout)) => Ok(timeout),
        Ok(None) => Err("enter a number of seconds".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Below this, Python itself does not start.
const LEAST_MEMORY: u64 = 64 << 20;

/// A number of bytes that a program can live with.
fn memory(text: &str) -> Result<u64, String> {
    let bytes = bytes(text)?;
    if bytes < LEAST_MEMORY { Err("Python needs more: enter at least 64M".to_owned()) } else { Ok(bytes) }
}

/// An address that can be fetched.
fn url(text: &str) -> Result<String, String> {
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "file") => Ok(text.to_owned()),
        _ => Err("enter an address that begins with https://, http:// or file://".to_owned()),
    }
}

/// An address of a package index; a name may stand before it, as in uv's own settings.
fn index_url(text: &str) -> Result<String, String> {
    let address = match text.split_once('=') {
        Some((name, address)) if !name.contains(['/', ':']) => address,
        _ => text,
    };
    url(address).map(|_| text.to_owned())
}

/// 64 hexadecimal digits.
fn sha256(text: &str) -> Result<String, String> {
    let is_digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("enter the 64 hexadecimal digits of a SHA-256".to_owned())
    }
}

/// An address to listen on: `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`, or a port alone.
fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let parsed = match host {
        "" | "localhost" => port.parse().ok().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port))),
        _ => text.parse().ok(),
    };
    parsed.ok_or_else(|| "enter an address and a port, such as 127.0.0.1:3000, [::1]:3000 or localhost:3000".to_owned())
}

/// A number of bytes: `1048576`, `1024K`, `1M`.
fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let (digits, factor) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1 << 10),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1 << 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 1 << 30),
        Some(b't' | b'T') => (&text[..text.len() - 1], 1 << 40),
        _ => (text, 1),
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "enter a whole number above 0, such as 1048576, 512M or 2G".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <CommandLine as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn ages_have_a_unit() {
        let hours = |hours: u64| Ok(Duration::from_secs(hours * 3600));
        assert_eq!([age("12h"), age("30d"), age(" 2w ")], [hours(12), hours(720), hours(336)]);
        assert_eq!(age("0d"), Ok(Duration::ZERO));
        for wrong in ["", "d", "30", "30m", "-1d", "1.5d", "30 d", "ä", "99999999999999999999d", "9999999999999999w"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
        assert_eq!(prune_after("off"), Ok(PruneAfter(None)));
        assert_eq!(prune_after("1h"), Ok(PruneAfter(Some(Duration::from_secs(3600)))));
    }

    #[test]
    fn what_is_kept_is_a_number_or_all() {
        assert_eq!([kept_number("off"), kept_number(" 7 ")], [Ok(Kept(None)), Ok(Kept(Some(7)))]);
        assert_eq!([kept_bytes("off"), kept_bytes("2G")], [Ok(Kept(None)), Ok(Kept(Some(2 << 30)))]);
        for wrong in ["", "0", "-1", "7d", "on"] {
            assert!(kept_number(wrong).is_err() && kept_bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, expected) in [
            ("127.0.0.1:3000", "127.0.0.1:3000"),
            ("localhost:4557", "127.0.0.1:4557"),
            ("4557", "127.0.0.1:4557"),
            (":4557", "127.0.0.1:4557"),
            ("[::1]:80", "[::1]:80"),
            ("0.0.0.0:1", "0.0.0.0:1"),
        ] {
            assert_eq!(address(text).map(|address| address.to_string()), Ok(expected.to_owned()));
        }
        for wrong in ["", "localhost", "70000", "host:1", "127.0.0.1", "::1"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
        for right in ["https://h/simple/", "http://u:p@h:1/s", "ours=https://h/simple", "file:///srv/index"] {
            assert_eq!(index_url(right).as_deref(), Ok(right));
        }
        for wrong in ["not a url", "h/simple", "ftp://h", "/srv/index"] {
            assert!(index_url(wrong).is_err(), "{wrong}");
        }
        assert!(sha256("zz").is_err() && sha256(&"aB".repeat(32)).is_ok());
    }

    #[test]
    fn sizes_may_have_a_unit() {
        assert_eq!(bytes("4096"), Ok(4096));
        assert_eq!(bytes("64M"), Ok(64 << 20));
        assert_eq!(bytes("2g"), Ok(2 << 30));
        assert_eq!(bytes("5T"), Ok(5 << 40));
        assert!(memory("1K").is_err());
        assert_eq!(memory("64M"), Ok(64 << 20));
        for wrong in ["", "0", "M", "-1", "1.5G", "99999999999G"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
