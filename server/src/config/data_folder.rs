//! Takes hold of the data folder: makes it, for its owner only, and makes sure that one Stoker at a time uses it.
//! The file that is locked for that also says where that Stoker listens.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::PathBuf,
};

use rustix::fs::{FlockOperation, flock};

use crate::config::DataFolder;

/// Why the data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// It cannot be made or written.
    #[error("The data folder {0} cannot be used: {1}. Check its permissions, or name another one with --data.")]
    Unusable(PathBuf, io::Error),
    /// Another Stoker uses it.
    #[error("Another Stoker uses the data folder {0}. Stop that one, or name another folder with --data.")]
    InUse(PathBuf),
}

/// The hold on a data folder. It ends when this is dropped, or with the process.
#[derive(Debug)]
pub struct DataFolderLock {
    file: File,
}

impl DataFolderLock {
    /// Notes where this Stoker listens, for `stoker preflight` to find.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_address(&self, address: SocketAddr) -> io::Result<()> {
        self.file.set_len(0)?;
        (&self.file).write_all(format!("{address}\n").as_bytes())
    }
}

/// Where the Stoker listens that uses the folder; `None` when none does, or it does not listen yet.
#[must_use]
pub fn listening_at(folder: &DataFolder) -> Option<SocketAddr> {
    let file = File::open(folder.lock()).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => io::read_to_string(file).ok()?.trim().parse().ok(),
        // What a Stoker left that has ended.
        _ => None,
    }
}

/// Makes the folder when it is not there, and takes hold of it.
///
/// # Errors
/// When it cannot be used, or another Stoker uses it.
pub fn take(folder: &DataFolder) -> Result<DataFolderLock, DataFolderError> {
    let unusable = |error| DataFolderError::Unusable(folder.path().to_owned(), error);
    DirBuilder::new().recursive(true).mode(0o700).create(folder.path()).map_err(unusable)?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(folder.lock())
        .map_err(unusable)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(DataFolderLock { file }),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(DataFolderError::InUse(folder.path().to_owned())),
        Err(error) => Err(unusable(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn one_at_a_time_holds_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder(place.path().join("deep/data"));
        let hold = take(&folder).unwrap();
        assert_eq!(std::fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let refused = take(&folder).unwrap_err();
        assert!(refused.to_string().starts_with("Another Stoker uses the data folder"), "{refused}");
        drop(hold);
        take(&folder).unwrap();
    }

    #[test]
    fn where_it_listens_is_known_as_long_as_it_holds_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder(place.path().to_owned());
        assert_eq!(listening_at(&folder), None);
        let hold = take(&folder).unwrap();
        assert_eq!(listening_at(&folder), None);
        let address = "127.0.0.1:3000".parse().unwrap();
        hold.note_address(address).unwrap();
        assert_eq!(listening_at(&folder), Some(address));
        drop(hold);
        assert_eq!(listening_at(&folder), None);
    }
}
