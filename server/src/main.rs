//! The `stoker` command.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser as _;
use server::{
    cli::{Command, CommandLine},
    engine::local::shim,
    preflight, serve,
};

/// Pages are made of many small pieces of memory: this one makes them a third faster than the C library's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A run's first process: it must start fast, so nothing else is set up before it.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() == Some(OsStr::new("step"))
        && let Some(folder) = arguments.next().map(PathBuf::from)
        && folder.is_absolute()
    {
        return step(&folder);
    }
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return explain_usage(&error),
    };
    match line.command {
        Command::Serve(options) => serve::run(options),
        Command::Preflight(options) => preflight::command::run(options),
        Command::Step { folder } => step(&folder),
    }
}

/// Clap itself would end with 2, which `stoker preflight` means otherwise.
fn explain_usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when it cannot be printed.
    let _ = error.print();
    if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

#[expect(clippy::print_stderr, reason = "there is no log in this process")]
fn step(folder: &Path) -> ExitCode {
    match shim::run(folder.to_owned()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stoker: the step in {} could not be run: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}
