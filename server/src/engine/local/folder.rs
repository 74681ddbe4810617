//! The folder of a step: where each of its files is.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::remove_tree::remove_tree;
use app::model::identifiers::StepUid;
use rustix::fs::{CWD, FileType, FlockOperation, Mode, flock, mknodat};

/// How the name of a folder begins that belongs to no run: see [`super::LocalEngine::warm`].
pub const OF_NO_RUN: &str = "warm-";

/// The folder of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFolder(PathBuf);

impl StepFolder {
    /// The folder of a step below the folder of all steps.
    #[must_use]
    pub fn of(steps: &Path, step: &StepUid) -> Self {
        Self(steps.join(step.as_str()))
    }

    /// A folder that is somewhere.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self(path)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the shim is to do: [`super::shim::Orders`] as JSON.
    #[must_use]
    pub fn orders(&self) -> PathBuf {
        self.0.join("orders.json")
    }

    /// The secrets of the step's marker lines, from staging until the step starts.
    fn secrets(&self) -> PathBuf {
        self.0.join("secrets")
    }

    /// Leaves the secrets for whoever starts the step.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn leave_secrets(&self, secrets: &str) -> io::Result<()> {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(self.secrets())?;
        file.write_all(secrets.as_bytes())
    }

    /// Takes the secrets away, so that nothing that the step starts finds them, as the runner's standard input.
    ///
    /// # Errors
    /// When it cannot be read or removed.
    pub fn take_secrets(&self) -> io::Result<Stdio> {
        let secrets = match fs::read(self.secrets()) {
            Ok(secrets) => secrets,
            // A step that an earlier version laid out: its runner finds one in its environment.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stdio::null()),
            Err(error) => return Err(error),
        };
        fs::remove_file(self.secrets())?;
        let (reader, mut writer) = io::pipe()?;
        // Far less than a pipe holds, so this waits for nobody.
        writer.write_all(&[&secrets[..], b"\n"].concat())?;
        Ok(reader.into())
    }

    /// Where the program runs.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// The program's folder for temporary files.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.0.join("tmp")
    }

    /// The steps whose outputs the program may read.
    #[must_use]
    pub fn readable(&self) -> PathBuf {
        self.0.join("readable.json")
    }

    /// What the shim saw.
    #[must_use]
    pub fn events(&self) -> PathBuf {
        self.0.join("events")
    }

    /// A file that the shim holds locked while it lives.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// A file that the shim makes before it starts anything: whoever finds it does not start the step again.
    #[must_use]
    pub fn started(&self) -> PathBuf {
        self.0.join("started")
    }

    /// A FIFO by which the shim is told things; see [`super::shim`].
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.0.join("control")
    }

    /// A FIFO into which the shim drops a byte when there are new events.
    #[must_use]
    pub fn doorbell(&self) -> PathBuf {
        self.0.join("doorbell")
    }

    /// Removes the program's own files, which may fill the disk.
    ///
    /// # Errors
    /// When something of them cannot be removed; the rest is gone.
    pub fn remove_program_files(&self) -> io::Result<()> {
        let removed = [self.work(), self.temporary(), self.0.join("environment")].map(|folder| remove_tree(&folder));
        removed.into_iter().collect()
    }

    /// Makes both FIFOs.
    ///
    /// # Errors
    /// When the file system has none, or is full.
    pub fn make_fifos(&self) -> io::Result<()> {
        for path in [self.control(), self.doorbell()] {
            match mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes the lock, or says that the shim has it.
    ///
    /// # Errors
    /// When the folder is not there or cannot be written.
    pub fn try_lock(&self) -> io::Result<Option<File>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(self.lock())?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the lock, waiting for whoever just asks whether somebody has it.
    ///
    /// # Errors
    /// When the folder is not there or cannot be written.
    pub fn wait_for_lock(&self) -> io::Result<File> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(self.lock())?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    /// True while somebody has the lock. Not to be asked of a step whose shim may come to its lock just now: see
    /// [`Self::shim_lives`].
    #[must_use]
    pub fn is_held(&self) -> bool {
        // Asking makes no file: somebody may be removing the folder.
        let Ok(file) = OpenOptions::new().write(true).open(self.lock()) else { return false };
        flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(rustix::io::Errno::WOULDBLOCK)
    }

    /// True while the shim lives. Only ever asks for the lock after the shim has had it: a shim that found it taken
    /// by somebody who merely asks would think that it was the second one.
    #[must_use]
    pub fn shim_lives(&self) -> bool {
        self.started().exists() && self.is_held()
    }

    /// Opens a FIFO without ever waiting for the other side.
    ///
    /// # Errors
    /// When it is not there.
    pub fn open_fifo(path: &Path) -> io::Result<File> {
        let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
    }
}
