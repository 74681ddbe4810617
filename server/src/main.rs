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
    serve,
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
    match CommandLine::parse().command {
        Command::Serve(options) => serve::run(options),
        Command::Step { folder } => step(&folder),
    }
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
