//! What is there: environments, package sets, and what is left of builds that came to nothing.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use app::model::{
    caches::{CacheKey, CacheKind, CacheName},
    time::Timestamp,
};

use super::{CacheFolders, InUse, names_in};

/// An environment is built in a folder of this name, with its key and its builder's step: `.built-<key>-<step>`.
const BUILT: &str = ".built-";
/// What is taken away gets this name first.
pub(super) const DELETED: &str = ".deleted-";

/// Something that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub name: CacheName,
    pub folder: PathBuf,
    /// When a run last started in it, or when it was made.
    pub last_used: Timestamp,
    /// The package set that an environment was built with.
    pub set: Option<CacheKey>,
}

impl Kept {
    /// The names of a set's packages, as its builder wrote them down, one a line.
    pub(super) fn system_packages(&self) -> Option<Vec<String>> {
        let names = fs::read_to_string(self.folder.join("packages")).ok()?;
        Some(names.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// The bytes of all that a set needs in the store, if its builder wrote them down.
    pub(super) fn store_bytes(&self) -> Option<u64> {
        fs::read_to_string(self.folder.join("bytes")).ok()?.trim().parse().ok()
    }
}

/// Everything that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// What is whole.
    pub kept: Vec<Kept>,
    /// What nobody can use and nobody is building.
    pub garbage: Vec<PathBuf>,
}

impl Inventory {
    /// Looks at everything. Cheap: it counts no bytes.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn read(folders: &CacheFolders, in_use: &InUse) -> io::Result<Self> {
        let mut inventory = Self::default();
        inventory.add_environments(folders, in_use)?;
        inventory.add_folders(CacheKind::PackageSet, folders, in_use)?;
        inventory.add_folders(CacheKind::Conda, folders, in_use)?;
        let steps = names_in(folders.steps())?;
        let left = steps.iter().filter(|name| name.starts_with(DELETED)).chain(in_use.abandoned());
        inventory.garbage.extend(left.map(|name| folders.steps().join(name)));
        Ok(inventory)
    }

    fn add_environments(&mut self, folders: &CacheFolders, in_use: &InUse) -> io::Result<()> {
        let all = folders.of_kind(CacheKind::Environment);
        let (mut built, mut linked) = (Vec::new(), HashSet::new());
        for entry in names_in(&all)? {
            if let Some(rest) = entry.strip_prefix(BUILT) {
                let (key, builder) = rest.split_once('-').unwrap_or((rest, ""));
                let key = key.parse().ok().map(|key| CacheName { kind: CacheKind::Environment, key });
                built.push((entry.clone(), key, builder.to_owned()));
            } else if entry.starts_with(DELETED) {
                self.garbage.push(all.join(entry));
            } else if let Ok(key) = entry.parse() {
                let name = CacheName { kind: CacheKind::Environment, key };
                match target(&all, &entry)? {
                    Target::Folder(folder) => {
                        linked.extend(folder.file_name().map(ToOwned::to_owned));
                        let set = fs::read_to_string(folder.join("set")).ok();
                        let set = set.and_then(|line| line.trim().parse().ok());
                        self.kept.push(Kept { last_used: last_used(folders, &name, &folder)?, name, folder, set });
                    }
                    Target::Nothing if in_use.users_of(&name) == 0 => self.garbage.push(all.join(entry)),
                    Target::Nothing | Target::NoLink => {}
                }
            }
        }
        for (folder, key, builder) in built {
            let path = all.join(&folder);
            // A whole one that was found damaged has lost its link, and may still be what a program runs in.
            let may_be_run_in = path.join("complete").exists() && key.is_some_and(|key| in_use.users_of(&key) > 0);
            if !linked.contains(folder.as_ref() as &std::ffi::OsStr) && !in_use.has_step(&builder) && !may_be_run_in {
                self.garbage.push(path);
            }
        }
        Ok(())
    }

    /// What is built in its place, and is whole once `complete` is there.
    fn add_folders(&mut self, kind: CacheKind, folders: &CacheFolders, in_use: &InUse) -> io::Result<()> {
        let all = folders.of_kind(kind);
        for entry in names_in(&all)? {
            let folder = all.join(&entry);
            if entry.starts_with(DELETED) {
                self.garbage.push(folder);
            } else if let Ok(key) = entry.parse()
                && folder.is_dir()
            {
                let name = CacheName { kind, key };
                if folder.join("complete").exists() {
                    let last_used = last_used(folders, &name, &folder)?;
                    self.kept.push(Kept { name, folder, last_used, set: None });
                } else if in_use.users_of(&name) == 0 {
                    self.garbage.push(folder);
                }
            }
        }
        Ok(())
    }

    /// Something by its name.
    #[must_use]
    pub fn find(&self, name: &CacheName) -> Option<&Kept> {
        self.kept.iter().find(|kept| kept.name == *name)
    }

    /// It, and what goes with it: the environments that were built with a package set.
    #[must_use]
    pub fn with_dependents(&self, kept: &Kept) -> Vec<&Kept> {
        let own_key = (kept.name.kind == CacheKind::PackageSet).then_some(&kept.name.key);
        self.kept
            .iter()
            .filter(|other| other.name == kept.name || (own_key.is_some() && other.set.as_ref() == own_key))
            .collect()
    }
}

/// Where an environment's link leads.
enum Target {
    /// To a folder beside it.
    Folder(PathBuf),
    /// To nothing that is there.
    Nothing,
    /// It is none.
    NoLink,
}

fn target(all: &Path, entry: &str) -> io::Result<Target> {
    let link = all.join(entry);
    let Ok(target) = fs::read_link(&link) else { return Ok(Target::NoLink) };
    match fs::metadata(&link) {
        Ok(metadata) if metadata.is_dir() => {
            let beside = target.file_name().map(|name| all.join(name)).filter(|folder| folder.is_dir());
            // One that leads elsewhere is not ours to take away.
            Ok(beside.map_or(Target::NoLink, Target::Folder))
        }
        Ok(_) => Ok(Target::NoLink),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Target::Nothing),
        Err(error) => Err(error),
    }
}

fn last_used(folders: &CacheFolders, name: &CacheName, folder: &Path) -> io::Result<Timestamp> {
    let metadata = fs::metadata(folders.last_use(name)).or_else(|_| fs::metadata(folder))?;
    Ok(timestamp(metadata.modified()?))
}

/// The system's time as a point in time; what lies before 1970 counts as then.
fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
