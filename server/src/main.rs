//! The `stoker` command.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser as _;
use server::{
    command_line::{
        cache,
        options::{Command, CommandLine, NixCommand, NixInstallOptions, PodCommand},
        preflight, serve,
    },
    config::DataFolder,
    engine::{argo::pod, local::shim},
    packages::{environments::Python, nix},
    programs,
};

/// Pages are made of many small pieces of memory: this one makes them a third faster than the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Processes of a run: they must start fast, so nothing else is set up before them.
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [word] if word == "step" => return step(None),
        [word, folder] if word == "step" && Path::new(folder).is_absolute() => return step(Some(folder.into())),
        [word, root, command @ ..] if word == "inside" && Path::new(root).is_absolute() => {
            return inside(Path::new(root), command);
        }
        [word, part] if word == "pod" && part == "prepare" => return pod::prepare(),
        [word, part, folder] if word == "pod" && part == "run" => return pod::run(Path::new(folder)),
        _ => {}
    }
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return explain_usage(&error),
    };
    match line.command {
        Command::Serve(options) => serve::run(*options),
        Command::Cache { command } => cache::run(command),
        Command::Nix { command: NixCommand::Install(options) } => nix_install(options),
        Command::Preflight(options) => preflight::run(*options),
        Command::Step { folder } => step(folder),
        Command::Inside { root, command } => inside(&root, &command),
        Command::Pod { command: PodCommand::Prepare } => pod::prepare(),
        Command::Pod { command: PodCommand::Run { folder } } => pod::run(&folder),
    }
}

#[expect(clippy::print_stderr, reason = "its caller reads what it says")]
fn inside(root: &Path, command: &[OsString]) -> ExitCode {
    let error = nix::inside::run(root, command);
    eprintln!("stoker: nothing can be run with the Nix store in {}: {error}", root.display());
    ExitCode::FAILURE
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]
fn nix_install(options: NixInstallOptions) -> ExitCode {
    let outcome =
        nix::install::wanted(options.url, options.sha256).map_err(|error| error.to_string()).and_then(|download| {
            let data = DataFolder::named(options.data).map_err(|error| error.to_string())?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            let uv = programs::found_on_path(&options.uv);
            let python = runtime.block_on(Python::find(&uv, None)).map_err(|error| error.to_string())?;
            println!("Fetching {}", download.url);
            nix::install::install(&download, &data.cache(), &python.path).map_err(|error| error.to_string())
        });
    match outcome {
        Ok(place) => {
            println!(
                "nix-portable is in {}. Runs that ask for system packages use it where there is no Nix.",
                place.display()
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("stoker: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Clap itself would end with 2, which `stoker preflight` means otherwise.
fn explain_usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when it cannot be printed.
    let _ = error.print();
    if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[expect(clippy::print_stderr, reason = "there is no log in this process")]
fn step(folder: Option<PathBuf>) -> ExitCode {
    match folder.map_or_else(shim::run_when_told, shim::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stoker: the step could not be run: {error}");
            ExitCode::FAILURE
        }
    }
}
