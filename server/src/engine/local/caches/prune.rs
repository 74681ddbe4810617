//! Taking away what is kept, one thing after the other: what was not used for long, what is named, and what is left of
//! builds that came to nothing. Never what a step uses: each time that is looked at anew, while no step can be staged.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use app::model::{
    caches::{CacheKind, CacheName},
    time::Timestamp,
};

use super::{CacheFolders, InUse, Inventory, Kept, hold, ledger::DELETED, sizes::bytes_on_disk, use_lock};
use crate::remove_tree::remove_tree;

/// Why something was not taken away.
#[derive(Debug, thiserror::Error)]
pub enum RemovalError {
    /// There is no such thing.
    #[error("There is no {0} any more.")]
    NotThere(CacheName),
    /// Steps use it, or something that would go with it.
    #[error("A run uses it")]
    InUse(u32),
    /// It could not be looked at, or renamed.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// What was put aside, so that nobody finds it any more, and is to be removed.
#[derive(Debug)]
#[must_use = "it still takes its room until it is removed"]
pub struct PutAside {
    folders: Vec<PathBuf>,
    /// Environments among it.
    pub environments: u32,
}

impl PutAside {
    const fn nothing() -> Self {
        Self { folders: Vec::new(), environments: 0 }
    }

    fn add(&mut self, folders: &CacheFolders, kept: &Kept) -> io::Result<()> {
        match kept.name.kind {
            CacheKind::Environment => {
                // The link first: a folder without one is garbage, should this process end here.
                fs::remove_file(folders.place(&kept.name))?;
                self.environments += 1;
            }
            CacheKind::PackageSet => note_store_garbage(folders)?,
            CacheKind::Conda => {}
        }
        self.folders.push(rename_aside(&kept.folder)?);
        // A left-over time of last use harms nobody.
        let _ = fs::remove_file(folders.last_use(&kept.name));
        Ok(())
    }

    /// Removes it. Slow.
    ///
    /// # Errors
    /// When something stays; the next prune tries again.
    pub fn remove(self) -> io::Result<()> {
        self.folders.iter().try_for_each(|folder| remove_tree(folder))
    }
}

/// Puts something aside, with what goes with it. `unused_since` leaves alone what was used later.
///
/// # Errors
/// When it is not there, is in use, or could not be renamed.
pub fn put_aside(
    folders: &CacheFolders,
    name: &CacheName,
    unused_since: Option<Timestamp>,
) -> Result<PutAside, RemovalError> {
    let _hold = hold::for_removal(folders.cache())?;
    let in_use = InUse::read(folders.steps())?;
    let inventory = Inventory::read(folders, &in_use)?;
    let kept = inventory.find(name).ok_or_else(|| RemovalError::NotThere(name.clone()))?;
    let all = inventory.with_dependents(kept);
    let users: u32 = all.iter().map(|kept| in_use.users_of(&kept.name)).max().unwrap_or(0);
    if users > 0 {
        return Err(RemovalError::InUse(users));
    }
    if unused_since.is_some_and(|since| all.iter().any(|kept| kept.last_used >= since)) {
        return Err(RemovalError::NotThere(name.clone()));
    }
    let mut aside = PutAside::nothing();
    // Environments first: one whose package set is gone would look whole, and not be.
    let (environments, others): (Vec<&Kept>, _) =
        all.into_iter().partition(|kept| kept.name.kind == CacheKind::Environment);
    for kept in environments.into_iter().chain(others) {
        aside.add(folders, kept)?;
    }
    Ok(aside)
}

/// Puts aside what was not used for so long, on a volume that others use whose steps cannot be seen here, with what an
/// earlier one put aside and did not come to remove. What is left of builds stays: somebody may be building. `None` when
/// somebody is about to use something.
///
/// # Errors
/// When something could not be looked at or renamed.
pub fn put_aside_on_volume(folders: &CacheFolders, unused_since: Timestamp) -> io::Result<Option<PutAside>> {
    let Some(_hold) = hold::try_for_removal(folders.cache())? else { return Ok(None) };
    let in_use = InUse::read(folders.steps())?;
    let mut aside = PutAside::nothing();
    // A package set can go once the environments that were built with it have.
    for kind in CacheKind::ALL {
        let inventory = Inventory::read(folders, &in_use)?;
        for kept in inventory.kept.iter().filter(|kept| kept.name.kind == kind) {
            let is_unused = kept.last_used < unused_since && in_use.users_of(&kept.name) == 0;
            let is_needed = inventory.with_dependents(kept).len() > 1;
            if is_unused && !is_needed && !use_lock::is_held(folders, &kept.name)? {
                aside.add(folders, kept)?;
            }
        }
        let is_aside = |path: &&PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            path.starts_with(folders.of_kind(kind)) && name.is_some_and(|name| name.starts_with(DELETED))
        };
        aside.folders.extend(inventory.garbage.iter().filter(is_aside).cloned());
    }
    Ok(Some(aside))
}

/// Puts aside what is left of builds that came to nothing, and of removals that were broken off.
///
/// # Errors
/// When something could not be looked at or renamed.
pub fn put_garbage_aside(folders: &CacheFolders) -> io::Result<PutAside> {
    let _hold = hold::for_removal(folders.cache())?;
    let in_use = InUse::read(folders.steps())?;
    let inventory = Inventory::read(folders, &in_use)?;
    let mut aside = PutAside::nothing();
    if inventory.garbage.iter().any(|path| path.starts_with(folders.of_kind(CacheKind::PackageSet))) {
        note_store_garbage(folders)?;
    }
    for path in inventory.garbage {
        aside.folders.push(rename_aside(&path)?);
    }
    Ok(aside)
}

/// Noted before anything goes, so that it is not forgotten if this process ends here.
fn note_store_garbage(folders: &CacheFolders) -> io::Result<()> {
    fs::File::create(folders.store_garbage()).map(drop)
}

/// Gives something a name under which nobody looks for it, in the same folder: that is one move on any file system,
/// and allowed for a folder that cannot be written.
fn rename_aside(path: &Path) -> io::Result<PathBuf> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.starts_with(DELETED) {
        return Ok(path.to_owned());
    }
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let aside =
        path.with_file_name(format!("{DELETED}{}-{}-{count}", name.trim_start_matches('.'), std::process::id()));
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// Something that prune took away, or would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// What it was; `None` for what was left of a build or a removal.
    pub name: Option<CacheName>,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
    /// The bytes that it took on the disk, without what it links to in a store.
    pub bytes: u64,
}

/// What prune is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prune {
    /// Everything goes that was last used before.
    pub unused_since: Timestamp,
    /// Only say what would go.
    pub dry_run: bool,
}

impl Prune {
    /// Prunes, and tells of each thing. What steps use stays, however old.
    ///
    /// # Errors
    /// When the folders cannot be read, or something could not be taken away; the rest is left as it is.
    pub fn run(self, folders: &CacheFolders, mut tell: impl FnMut(Pruned)) -> io::Result<()> {
        let in_use = InUse::read(folders.steps())?;
        let inventory = Inventory::read(folders, &in_use)?;
        for kept in &inventory.kept {
            let all = inventory.with_dependents(kept);
            let is_needed = |kept: &&Kept| kept.last_used >= self.unused_since || in_use.users_of(&kept.name) > 0;
            if all.iter().any(is_needed) {
                continue;
            }
            let bytes = bytes_on_disk(&kept.folder)?;
            if !self.dry_run {
                match put_aside(folders, &kept.name, Some(self.unused_since)) {
                    Ok(aside) => aside.remove()?,
                    // A run has just come to use it, or somebody else took it away.
                    Err(RemovalError::NotThere(_) | RemovalError::InUse(_)) => continue,
                    Err(RemovalError::System(error)) => return Err(error),
                }
            }
            tell(Pruned { name: Some(kept.name.clone()), last_used: Some(kept.last_used), bytes });
        }
        self.garbage(folders, &inventory, tell)
    }

    /// One that cannot be counted or removed keeps no other.
    fn garbage(self, folders: &CacheFolders, seen: &Inventory, mut tell: impl FnMut(Pruned)) -> io::Result<()> {
        let mut tell = |bytes| tell(Pruned { name: None, last_used: None, bytes });
        if self.dry_run {
            seen.garbage.iter().for_each(|path| tell(bytes_on_disk(path).unwrap_or(0)));
            return Ok(());
        }
        let mut outcome = Ok(());
        for folder in put_garbage_aside(folders)?.folders {
            let bytes = bytes_on_disk(&folder).unwrap_or(0);
            match remove_tree(&folder) {
                Ok(()) => tell(bytes),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }
}
