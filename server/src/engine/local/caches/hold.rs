//! Who stages a step and who takes something away exclude each other, in this process and between processes: otherwise
//! an environment could go between a step's decision to use it and the first moment in which that can be seen.

use std::{fs, io, path::Path};

use rustix::fs::{FlockOperation, flock};

/// A hold on the caches. It ends when this is dropped, or with the process.
#[derive(Debug)]
pub struct Hold {
    _file: fs::File,
}

/// For who is about to use something: nothing is taken away meanwhile. Waits while something is.
///
/// # Errors
/// When the cache folder cannot be written.
pub fn for_use(cache: &Path) -> io::Result<Hold> {
    take(cache, FlockOperation::LockShared)
}

/// For who takes something away: no step is staged meanwhile. To be held for moments only.
///
/// # Errors
/// When the cache folder cannot be written.
pub fn for_removal(cache: &Path) -> io::Result<Hold> {
    take(cache, FlockOperation::LockExclusive)
}

/// The same, if nobody is about to use something just now.
///
/// # Errors
/// When the cache folder cannot be written.
pub fn try_for_removal(cache: &Path) -> io::Result<Option<Hold>> {
    match take(cache, FlockOperation::NonBlockingLockExclusive) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        held => held.map(Some),
    }
}

fn take(cache: &Path, operation: FlockOperation) -> io::Result<Hold> {
    let open = || fs::OpenOptions::new().write(true).create(true).truncate(false).open(cache.join("prune.lock"));
    let file = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(cache)?;
            open()?
        }
        opened => opened?,
    };
    loop {
        match flock(&file, operation) {
            Ok(()) => return Ok(Hold { _file: file }),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
