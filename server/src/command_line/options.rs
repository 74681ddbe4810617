//! The command line: what `stoker --help` says. Each option is also an environment variable.

#![expect(clippy::doc_markdown, reason = "these comments are the help text, which shows backticks as they are")]

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::{
    config::{
        options::ServeOptions,
        values::{age, sha256, url},
    },
    packages::nix::NixChoice,
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
        /// The step's folder; without it, what is told on standard input.
        folder: Option<PathBuf>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <CommandLine as clap::CommandFactory>::command().debug_assert();
    }
}
