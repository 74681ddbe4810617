//! What is kept between runs so that they start warm: what is there, what uses it, and taking it away.
//! Building it is the runner's work; which environment a run uses is decided in `environments`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use app::model::caches::{CacheKind, CacheName};

use crate::config::DataFolder;

mod collected;
pub mod hold;
mod in_use;
mod ledger;
pub mod nix_store;
pub mod prune;
pub mod schedule;
mod sizes;
pub mod use_lock;

pub use collected::Caches;
pub use in_use::{InUse, named_by};
pub use ledger::{Inventory, Kept};
pub use sizes::bytes_on_disk;

/// Where everything is that is kept between runs, and the steps that may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheFolders {
    cache: PathBuf,
    steps: PathBuf,
}

impl CacheFolders {
    /// Those of a data folder.
    ///
    /// # Errors
    /// When the folder is named relative to a working directory that is gone.
    pub fn of(data: &DataFolder) -> io::Result<Self> {
        let data = DataFolder(std::path::absolute(data.path())?);
        Ok(Self { cache: data.cache(), steps: data.steps() })
    }

    /// Those at these places.
    #[must_use]
    pub const fn at(cache: PathBuf, steps: PathBuf) -> Self {
        Self { cache, steps }
    }

    /// The folder of everything that can be made again.
    #[must_use]
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    #[must_use]
    pub fn steps(&self) -> &Path {
        &self.steps
    }

    /// The folder of everything of a kind.
    #[must_use]
    pub fn of_kind(&self, kind: CacheKind) -> PathBuf {
        self.cache.join(kind.address_word())
    }

    /// uv's cache of downloaded packages.
    #[must_use]
    pub fn uv(&self) -> PathBuf {
        self.cache.join("uv")
    }

    /// A file that is there while the Nix store may hold what no package set keeps any more.
    #[must_use]
    pub fn store_garbage(&self) -> PathBuf {
        self.cache.join("nix-store-garbage")
    }

    /// A link (environments) or a folder (package sets) by its name.
    fn place(&self, name: &CacheName) -> PathBuf {
        self.of_kind(name.kind).join(name.key.as_str())
    }

    /// The file whose time says when something was last used.
    fn last_use(&self, name: &CacheName) -> PathBuf {
        self.of_kind(name.kind).join(format!("{}.used", name.key))
    }
}

/// The names in a folder; none when it is not there.
fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // A name that is not UTF-8 is none of ours.
    entries.filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose()).collect()
}
