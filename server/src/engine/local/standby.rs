//! A shim that was started before there was a step for it, so that no step waits until the program is loaded. What it
//! does once it is told its step is in `shim`.

use std::{
    fs::File,
    io::{self, Write as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, PoisonError},
};

use tokio::process::Child;

use crate::programs;

/// Starts shims, and keeps one that waits.
pub struct Standby {
    /// The stoker program.
    program: PathBuf,
    /// It ends by itself when nobody can tell it anything any more.
    waiting: Mutex<Option<Child>>,
}

impl Standby {
    /// Of a program; none is started before the first is asked for.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        Self { program, waiting: Mutex::default() }
    }

    /// A shim for the step in a folder, and another one for the next step. It is not waited for: it goes on when the
    /// server ends. Tokio collects its exit status when it ends first.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, folder: &Path) -> io::Result<Child> {
        let waiting = self.swap(None).and_then(|mut shim| tell(&mut shim, folder).ok().map(|()| shim));
        let shim = if let Some(shim) = waiting {
            shim
        } else {
            let mut shim = self.spawn()?;
            // One that has ended already leaves its exit status to whoever follows the step.
            let _ = tell(&mut shim, folder);
            shim
        };
        match self.spawn() {
            Ok(next) => drop(self.swap(Some(next))),
            Err(error) => tracing::debug!(%error, "No shim waits for the next step"),
        }
        Ok(shim)
    }

    fn spawn(&self) -> io::Result<Child> {
        programs::detached(&self.program).arg("step").stdin(Stdio::piped()).spawn()
    }

    fn swap(&self, shim: Option<Child>) -> Option<Child> {
        std::mem::replace(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner), shim)
    }
}

/// Fails when the shim has ended.
fn tell(shim: &mut Child, folder: &Path) -> io::Result<()> {
    let input = shim.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?.into_owned_fd()?;
    // Far less than a pipe holds, so this waits for nobody.
    File::from(input).write_all(folder.as_os_str().as_bytes())
}
