//! What lets the program's container wait for the preparing one, which begins at the same time: a lock of the kernel's on
//! a file that both have. So it is known however the other ended.

use std::{
    fs::{self, File},
    io,
    path::Path,
    thread,
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};

/// The file that the preparing container holds locked, and the one that says that it has prepared everything.
const LOCK: &str = "preparing";
const PREPARED: &str = "prepared";
/// How often to look whether the other container has begun: nothing that could be waited for tells it.
const LOOK: Duration = Duration::from_millis(10);

/// The gate, held by the preparing container. It opens when this is dropped, or its process ends.
pub struct Gate {
    _lock: File,
}

impl Gate {
    /// Closes the gate in a folder.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn close(folder: &Path) -> io::Result<Self> {
        // Locked before it can be seen.
        let unseen = folder.join("preparing.new");
        let lock = File::create(&unseen)?;
        flock(&lock, FlockOperation::LockExclusive)?;
        fs::rename(unseen, folder.join(LOCK))?;
        Ok(Self { _lock: lock })
    }

    /// Opens it for good: everything is prepared.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn open(self, folder: &Path) -> io::Result<()> {
        File::create(folder.join(PREPARED))?;
        drop(self);
        Ok(())
    }
}

/// Waits until the gate in a folder is open. False when nothing will be prepared any more.
///
/// # Errors
/// When the folder cannot be read.
pub fn wait(folder: &Path) -> io::Result<bool> {
    let lock = loop {
        match File::open(folder.join(LOCK)) {
            Ok(lock) => break lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => thread::sleep(LOOK),
            Err(error) => return Err(error),
        }
    };
    flock(&lock, FlockOperation::LockShared)?;
    Ok(folder.join(PREPARED).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_learns_how_it_ended() {
        for is_prepared in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().to_owned();
            let waiting = thread::spawn(move || wait(&path).unwrap());
            let gate = Gate::close(folder.path()).unwrap();
            assert!(!waiting.is_finished());
            if is_prepared {
                gate.open(folder.path()).unwrap();
            } else {
                drop(gate);
            }
            assert_eq!(waiting.join().unwrap(), is_prepared);
        }
    }
}
