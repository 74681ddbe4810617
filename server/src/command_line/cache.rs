//! `stoker cache`: what is kept between runs, seen and cleaned from the command line, also while a server runs.

use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use app::model::{
    caches::{CacheEntry, CacheLedger},
    identifiers::TaskId,
    sizes::bytes_text,
};

use crate::{
    clock::{Clock as _, SystemClock},
    command_line::{
        options::{CacheCommand, CacheListOptions, CachePlace, CachePruneOptions, CacheWarmOptions},
        warm,
    },
    config::{Config, DataFolder},
    diagnostics,
    engine::local::caches::{
        CacheFolders, Caches,
        prune::{Prune, Pruned},
        schedule,
    },
    packages::nix::{NIXPKGS, NixSettings, stoker_program},
    programs::{self, found_on_path},
};

/// How long uv may take to clean its cache: it waits for everybody who installs from it.
const UV_LIMIT: Duration = Duration::from_secs(60);

/// Does what was asked for. Says on standard error why not.
#[must_use]
#[expect(clippy::print_stderr, reason = "a command for people")]
pub fn run(command: CacheCommand) -> ExitCode {
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("stoker: The system refused what Stoker needs to start: {error}.");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        match command {
            CacheCommand::Ls(options) => list(options).await,
            CacheCommand::Prune(options) => prune(options).await,
            CacheCommand::Warm(options) => warm(*options).await,
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stoker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn caches(place: CachePlace) -> Result<Caches, String> {
    let data = existing(DataFolder::named(place.data).map_err(|error| error.to_string())?)?;
    let unusable = |error: std::io::Error| format!("The data folder cannot be used: {error}.");
    let folders = CacheFolders::of(&data).map_err(unusable)?;
    let nix = NixSettings::new(place.nix, NIXPKGS.to_owned(), folders.cache(), stoker_program());
    Ok(Caches::new(folders, Some(nix), Arc::new(SystemClock)))
}

fn existing(data: DataFolder) -> Result<DataFolder, String> {
    if data.path().is_dir() {
        Ok(data)
    } else {
        Err(format!("There is no data folder {}. Name the one of your Stoker with --data.", data.path().display()))
    }
}

#[expect(clippy::print_stdout, reason = "a command for people and programs")]
async fn list(options: CacheListOptions) -> Result<(), String> {
    let ledger = caches(options.place)?.counted_ledger().await.map_err(|error| unreadable(&error))?;
    if options.json {
        println!("{:#}", diagnostics::json::of_caches(&ledger));
    } else {
        print!("{}", table(&ledger));
    }
    Ok(())
}

fn unreadable(error: &std::io::Error) -> String {
    format!("The cache folder could not be read or changed: {error}. Check its permissions.")
}

/// A line for each thing, then the sizes that are shared.
fn table(ledger: &CacheLedger) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let size = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), bytes_text);
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{:<19} {:<32} {:>9}  {:<20}  PACKAGES", "KIND", "KEY", "SIZE", "LAST USED");
    for entry in &ledger.entries {
        let CacheEntry { name, bytes, packages, last_used, in_use_by, set } = entry;
        let when = if *in_use_by > 0 { "in use".to_owned() } else { last_used.to_rfc3339()[..19].replace('T', " ") };
        let mut packages = packages.as_ref().map(|packages| packages.join(", ")).unwrap_or_default();
        if let Some(set) = set {
            let _ = write!(packages, "{}with set {}", if packages.is_empty() { "" } else { ", " }, set.short());
        }
        let (kind, key, size) = (name.kind.words(), name.key.as_str(), size(*bytes));
        let _ = writeln!(text, "{kind:<19} {key:<32} {size:>9}  {when:<20}  {packages}");
    }
    let _ = writeln!(text, "uv's cache of packages: {}", size(ledger.uv_bytes));
    if ledger.nix_store_bytes.is_some() {
        let _ = writeln!(text, "Nix store: {}", size(ledger.nix_store_bytes));
    }
    text
}

#[expect(clippy::print_stdout, reason = "a command for people")]
async fn prune(options: CachePruneOptions) -> Result<(), String> {
    let caches = caches(options.place)?;
    let unused_since = schedule::before(SystemClock.now(), options.older_than);
    let prune = Prune { unused_since, dry_run: options.dry_run };
    let pruned = caches.prune(prune).await.map_err(|error| unreadable(&error))?;
    let verb = if options.dry_run { "Would remove" } else { "Removed" };
    for Pruned { name, last_used, bytes } in &pruned {
        let what = name.as_ref().map_or_else(
            || "what was left of a build or a removal".to_owned(),
            |name| format!("{} {}", name.kind.words(), name.key),
        );
        let when = last_used.map(|at| format!(", last used {}", at.to_utc_text())).unwrap_or_default();
        println!("{verb} {what} ({}{when}).", bytes_text(*bytes));
    }
    let bytes = bytes_text(pruned.iter().map(|one| one.bytes).sum());
    match pruned.len() {
        0 => println!("Nothing to remove: all that is kept was used since {}.", unused_since.to_utc_text()),
        number => println!("{verb} {number} {}, {bytes}.", if number == 1 { "folder" } else { "folders" }),
    }
    if options.dry_run {
        return Ok(());
    }
    if let Err(error) = caches.collect_store_garbage().await {
        println!("The Nix store was not cleaned: {error}. It is cleaned when that is over.");
    }
    if caches.folders().uv().is_dir() {
        prune_uv(&found_on_path(&options.uv), &caches.folders().uv()).await;
    }
    Ok(())
}

/// Also from uv's own cache goes what it can never use again. A pity when it does not, and no more.
#[expect(clippy::print_stderr, reason = "a command for people")]
async fn prune_uv(uv: &Path, cache: &Path) {
    let mut command = programs::asked(uv);
    command.args(["cache", "prune", "--no-config"]).env("UV_CACHE_DIR", cache);
    match tokio::time::timeout(UV_LIMIT, command.status()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => eprintln!("stoker: uv's own cache was not pruned: {error}."),
        Err(_) => eprintln!("stoker: uv's own cache was not pruned, since it was in use for {} s.", UV_LIMIT.as_secs()),
    }
}

#[expect(clippy::print_stdout, reason = "a command for people")]
async fn warm(options: CacheWarmOptions) -> Result<(), String> {
    let task: TaskId = options.task.parse().map_err(|error| format!("{error}."))?;
    let config = Config::from_options(options.serve).map_err(|error| error.to_string())?;
    existing(config.data.clone())?;
    warm::warm(&config, &task, |line| println!("{line}")).await.map_err(|error| error.to_string())?;
    println!("The environment of {task} is ready.");
    Ok(())
}
