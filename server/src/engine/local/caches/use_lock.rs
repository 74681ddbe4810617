//! A program in a pod shows what it uses by a lock, since no folder of its step can be seen by others: it holds the file of
//! the last use locked, for reading, as long as it runs.

use std::{fs, io};

use app::model::caches::CacheName;
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::CacheFolders;

/// Shows that these are in use, until it is dropped or the process ends.
#[derive(Debug)]
#[must_use = "what nobody holds is not in use"]
pub struct UseLock {
    _files: Vec<fs::File>,
}

/// Locks those of these that there are. Others may do so too, also where nothing can be written.
///
/// # Errors
/// When one of them cannot be locked.
pub fn lock(folders: &CacheFolders, used: &[CacheName]) -> io::Result<UseLock> {
    let mut files = Vec::new();
    for name in used {
        match fs::File::open(folders.last_use(name)) {
            Ok(file) => {
                flock(&file, FlockOperation::LockShared)?;
                files.push(file);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(UseLock { _files: files })
}

/// Whether somebody holds it.
///
/// # Errors
/// When that cannot be told.
pub fn is_held(folders: &CacheFolders, name: &CacheName) -> io::Result<bool> {
    let file = match fs::OpenOptions::new().write(true).open(folders.last_use(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(false),
        Err(Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
