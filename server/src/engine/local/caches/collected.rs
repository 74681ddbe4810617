//! The caches as a running server knows them: what is there is looked up each time, bytes are counted in the
//! background and remembered, so that nobody who asks waits for a walk through gigabytes.

use std::{
    collections::HashMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use app::model::{
    caches::{CacheEntry, CacheKind, CacheLedger, CacheName},
    time::Timestamp,
};

use super::{
    CacheFolders, InUse, Inventory, Kept,
    nix_store::{CollectError, NixStore},
    prune::{self, Prune, Pruned, RemovalError},
    sizes::{bytes_on_disk, environment_packages},
};
use crate::{clock::SharedClock, packages::nix::NixSettings};

/// How old a count of uv's cache and the Nix store may be, in milliseconds. An environment or a conda installation does
/// not change once it is there, so it is counted once.
const FRESH_MILLIS: u64 = 10 * 60 * 1000;

/// The caches of a running server. Cheap to clone.
#[derive(Clone)]
pub struct Caches {
    folders: CacheFolders,
    nix: Option<NixSettings>,
    clock: SharedClock,
    counts: Arc<Mutex<Counts>>,
}

/// What was counted so far.
#[derive(Debug, Default)]
struct Counts {
    folders: HashMap<PathBuf, Counted>,
    uv_bytes: Option<u64>,
    nix_store_bytes: Option<u64>,
    at: Option<Timestamp>,
    is_counting: bool,
}

#[derive(Debug, Clone)]
struct Counted {
    bytes: u64,
    packages: Vec<String>,
}

impl Caches {
    /// The caches in these folders. Without settings of Nix, nothing is said of its store.
    #[must_use]
    pub fn new(folders: CacheFolders, nix: Option<NixSettings>, clock: SharedClock) -> Self {
        Self { folders, nix, clock, counts: Arc::default() }
    }

    #[must_use]
    pub fn folders(&self) -> &CacheFolders {
        &self.folders
    }

    /// Everything that is kept, with the bytes known so far. Starts counting what is not known, or was counted long
    /// ago.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub async fn ledger(&self) -> io::Result<CacheLedger> {
        let folders = self.folders.clone();
        let look = move || {
            let in_use = InUse::read(folders.steps())?;
            let inventory = Inventory::read(&folders, &in_use)?;
            Ok::<_, io::Error>((in_use, inventory))
        };
        let (in_use, inventory) = tokio::task::spawn_blocking(look).await.map_err(io::Error::other)??;
        self.count_what_is_missing(&inventory.kept);
        let counts = self.counts();
        let mut entries: Vec<CacheEntry> = inventory.kept.into_iter().map(|kept| counts.entry(kept, &in_use)).collect();
        entries.sort_by(|a, b| (a.name.kind, b.last_used, &a.name.key).cmp(&(b.name.kind, a.last_used, &b.name.key)));
        Ok(CacheLedger {
            entries,
            uv_bytes: counts.uv_bytes,
            nix_store_bytes: counts.nix_store_bytes,
            counted_at: counts.at,
            is_counting: counts.is_counting,
        })
    }

    /// Counts everything now, and waits for it. For who has no page to show.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub async fn counted_ledger(&self) -> io::Result<CacheLedger> {
        let folders = self.folders.clone();
        let look = move || Inventory::read(&folders, &InUse::read(folders.steps())?);
        let inventory = tokio::task::spawn_blocking(look).await.map_err(io::Error::other)??;
        self.counts().is_counting = true;
        let (caches, uncounted) = (self.clone(), countable(&inventory.kept));
        tokio::task::spawn_blocking(move || caches.count(&uncounted, true)).await.map_err(io::Error::other)?;
        self.ledger().await
    }

    /// Starts counting in the background, unless that is under way or everything is known.
    fn count_what_is_missing(&self, kept: &[Kept]) {
        let mut counts = self.counts();
        let all = countable(kept);
        counts.folders.retain(|folder, _| all.contains(folder));
        let uncounted: Vec<PathBuf> = all.into_iter().filter(|folder| !counts.folders.contains_key(folder)).collect();
        let now = self.clock.now();
        let is_stale = counts.at.is_none_or(|at| now.millis_since(at) > FRESH_MILLIS);
        if counts.is_counting || (uncounted.is_empty() && !is_stale) {
            return;
        }
        counts.is_counting = true;
        let caches = self.clone();
        tokio::task::spawn_blocking(move || caches.count(&uncounted, is_stale));
    }

    fn count(&self, uncounted: &[PathBuf], shared_too: bool) {
        // Also when this panics: or nothing would ever be counted again.
        struct Done<'a>(&'a Caches);
        impl Drop for Done<'_> {
            fn drop(&mut self) {
                self.0.counts().is_counting = false;
            }
        }
        let done = Done(self);
        for folder in uncounted {
            let counted =
                bytes_on_disk(folder).and_then(|bytes| Ok(Counted { bytes, packages: environment_packages(folder)? }));
            match counted {
                Ok(counted) => drop(self.counts().folders.insert(folder.clone(), counted)),
                Err(error) => {
                    tracing::warn!(%error, folder = %folder.display(), "A folder of the cache could not be counted");
                }
            }
        }
        if shared_too {
            let count = |folder: PathBuf| {
                let counted = bytes_on_disk(&folder);
                counted.inspect_err(|error| {
                    tracing::warn!(%error, folder = %folder.display(), "A cache could not be counted");
                })
            };
            let uv = count(self.folders.uv()).ok();
            // A provider that has never been used has no store yet.
            let nix_store = self.nix_store().and_then(|store| count(store.folder()).ok()).filter(|bytes| *bytes > 0);
            let mut counts = self.counts();
            counts.uv_bytes = uv;
            counts.nix_store_bytes = nix_store;
            counts.at = Some(self.clock.now());
        }
        drop(done);
    }

    /// Deletes something, with what goes with it. Its room is free a little later; that in the Nix store once no run is
    /// active.
    ///
    /// # Errors
    /// When it is not there, is in use, or could not be taken away.
    pub async fn delete(&self, name: CacheName) -> Result<u32, RemovalError> {
        let folders = self.folders.clone();
        let aside = tokio::task::spawn_blocking(move || prune::put_aside(&folders, &name, None));
        let aside = aside.await.map_err(io::Error::other)??;
        let environments = aside.environments;
        let caches = self.clone();
        tokio::spawn(async move {
            match tokio::task::spawn_blocking(move || aside.remove()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "Something that was deleted still takes room; the next prune tries again");
                }
                Err(error) => tracing::error!(%error, "Removing what was deleted panicked"),
            }
            caches.clean_store().await;
        });
        Ok(environments)
    }

    /// Prunes. Room in the Nix store is made by [`Self::collect_store_garbage`] after it.
    ///
    /// # Errors
    /// When the folders cannot be read, or something could not be taken away.
    pub async fn prune(&self, prune: Prune) -> io::Result<Vec<Pruned>> {
        let folders = self.folders.clone();
        let run = move || {
            let mut pruned = Vec::new();
            prune.run(&folders, |one| pruned.push(one)).map(|()| pruned)
        };
        tokio::task::spawn_blocking(run).await.map_err(io::Error::other)?
    }

    /// Collects the Nix store's garbage, if a package set went since the last time. What could not be done is still to be
    /// done the next time.
    ///
    /// # Errors
    /// When runs are active, somebody builds, or Nix did not do it.
    pub async fn collect_store_garbage(&self) -> Result<(), CollectError> {
        let due = self.folders.store_garbage();
        if !due.exists() {
            return Ok(());
        }
        let active = InUse::read(self.folders.steps())?.count();
        if active > 0 {
            return Err(CollectError::RunsAreActive(active));
        }
        let caches = self.clone();
        let store = tokio::task::spawn_blocking(move || caches.nix_store()).await.map_err(io::Error::other)?;
        let Some(store) = store else { return Ok(()) };
        // First: what goes meanwhile is noted anew.
        fs::remove_file(&due)?;
        let outcome = store.collect_garbage().await;
        if outcome.is_err() {
            fs::File::create(&due)?;
        }
        // To be counted again.
        self.counts().at = None;
        outcome
    }

    /// Collects the Nix store's garbage, where nobody waits to be told.
    pub async fn clean_store(&self) {
        match self.collect_store_garbage().await {
            Ok(()) => {}
            Err(CollectError::RunsAreActive(_) | CollectError::InUse) => {
                tracing::debug!("The Nix store's garbage is left for another time, since the store is in use");
            }
            Err(error) => tracing::warn!(%error, "The Nix store was not cleaned; trying again later"),
        }
    }

    /// The store of the Nix that runs would use now. Not cheap: it may have to try what this machine allows.
    fn nix_store(&self) -> Option<NixStore> {
        self.nix.as_ref().and_then(NixStore::find)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing is left half done under it.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn entry(&self, kept: Kept, in_use: &InUse) -> CacheEntry {
        let (bytes, packages) = match kept.name.kind {
            CacheKind::Environment | CacheKind::Conda => {
                let counted = self.folders.get(&kept.folder);
                (counted.map(|counted| counted.bytes), counted.map(|counted| counted.packages.clone()))
            }
            CacheKind::PackageSet => (kept.store_bytes(), kept.system_packages()),
        };
        CacheEntry {
            in_use_by: in_use.users_of(&kept.name),
            name: kept.name,
            bytes,
            packages,
            last_used: kept.last_used,
            set: kept.set,
        }
    }
}

/// The folders whose bytes are their own. Those of a package set are the store's.
fn countable(kept: &[Kept]) -> Vec<PathBuf> {
    let own = kept.iter().filter(|kept| kept.name.kind != CacheKind::PackageSet);
    own.map(|kept| kept.folder.clone()).collect()
}
