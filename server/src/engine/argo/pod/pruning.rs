//! Takes away from the volume what no run has used for long: once a day, by whichever pod prepares then, while its program
//! runs already. Who prepares holds the same lock as on one machine (`caches::hold`), and who runs shows it by another one
//! (`caches::use_lock`): so what somebody uses stays, and what was just used does too. What package sets leave behind in the
//! Nix store is collected by the next pod that has the store.

use std::{
    fs::{self, File},
    io,
    time::{Duration, SystemTime},
};

use app::model::time::Timestamp;

use crate::{
    engine::local::caches::{CacheFolders, nix_store::NixStore, prune, schedule},
    packages::nix::NixSettings,
};

/// The file whose time says when the volume was last pruned.
const PRUNED: &str = "pruned";
/// The time from one pruning to the next; what was used since is never taken away, whatever the setting.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Prunes, if that was not done for a day and nobody else is preparing just now.
///
/// # Errors
/// When the volume cannot be read or written; what was put aside goes another time.
pub fn prune(folders: &CacheFolders, unused_for: Duration, now: Timestamp) -> io::Result<()> {
    let pruned = folders.cache().join(PRUNED);
    let last = fs::metadata(&pruned).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    if last.elapsed().is_ok_and(|age| age < DAY) {
        return Ok(());
    }
    let unused_since = schedule::before(now, unused_for.max(DAY));
    let Some(aside) = prune::put_aside_on_volume(folders, unused_since)? else { return Ok(()) };
    aside.remove()?;
    File::create(pruned).map(drop)
}

/// Collects the garbage of the Nix store, if a package set went since that was last done. Where it is broken off, the next
/// pod goes on with it.
///
/// # Errors
/// When Nix did not do it.
pub fn collect_store_garbage(folders: &CacheFolders, nix: &NixSettings) -> io::Result<()> {
    let due = folders.store_garbage();
    if !due.exists() {
        return Ok(());
    }
    let Some(store) = NixStore::find(nix) else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(store.collect_garbage_unlocked()).map_err(io::Error::other)?;
    fs::remove_file(due)
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::symlink,
        path::{Path, PathBuf},
    };

    use app::model::caches::{CacheKind, CacheName};

    use super::*;
    use crate::{
        clock::{Clock as _, SystemClock},
        engine::local::caches::{hold, use_lock},
    };

    const KEYS: [&str; 3] =
        ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccccccccccccc"];
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

    /// A volume with environments that were last used so many days ago.
    fn volume(folder: &Path, days: [u32; 3]) -> CacheFolders {
        let environments = folder.join("environments");
        for (key, days) in KEYS.iter().zip(days) {
            let built = environments.join(format!(".built-{key}-x"));
            fs::create_dir_all(&built).unwrap();
            fs::write(built.join("complete"), "1").unwrap();
            symlink(&built, environments.join(key)).unwrap();
            let used = File::create(environments.join(format!("{key}.used"))).unwrap();
            used.set_modified(SystemTime::now() - DAY * days).unwrap();
        }
        CacheFolders::at(folder.to_owned(), folder.join("steps"))
    }

    fn left(folders: &CacheFolders) -> Vec<&'static str> {
        let environments = folders.of_kind(CacheKind::Environment);
        KEYS.into_iter().filter(|key| environments.join(key).join("complete").exists()).collect()
    }

    fn name(key: &str) -> CacheName {
        CacheName { kind: CacheKind::Environment, key: key.parse().unwrap() }
    }

    /// Adds a package set that was last used so many days ago; the second environment was built with it.
    fn add_set(folders: &CacheFolders, days: u32) -> PathBuf {
        let set = folders.of_kind(CacheKind::PackageSet).join(KEYS[2]);
        fs::create_dir_all(&set).unwrap();
        fs::write(set.join("complete"), "/nix/store/x").unwrap();
        let used = File::create(set.with_extension("used")).unwrap();
        used.set_modified(SystemTime::now() - DAY * days).unwrap();
        let built = folders.of_kind(CacheKind::Environment).join(format!(".built-{}-x", KEYS[1]));
        fs::write(built.join("set"), KEYS[2]).unwrap();
        set
    }

    #[test]
    fn a_package_set_goes_with_the_last_environment_that_was_built_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let folders = volume(folder.path(), [30, 30, 30]);
        let set = add_set(&folders, 30);
        // Not yet whole: somebody builds it.
        let unfinished = set.with_file_name("dddddddddddddddddddddddddddddddd");
        fs::create_dir(&unfinished).unwrap();
        let program = use_lock::lock(&folders, &[name(KEYS[1])]).unwrap();
        prune(&folders, WEEK, SystemClock.now()).unwrap();
        assert_eq!((left(&folders), set.exists(), folders.store_garbage().exists()), (vec![KEYS[1]], true, false));
        drop(program);
        fs::remove_file(folder.path().join(PRUNED)).unwrap();
        prune(&folders, WEEK, SystemClock.now()).unwrap();
        assert_eq!((left(&folders), set.exists(), folders.store_garbage().exists()), (Vec::new(), false, true));
        assert!(unfinished.exists());
    }

    #[test]
    fn a_package_set_that_was_used_or_is_in_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        let folders = volume(folder.path(), [30, 30, 30]);
        let set = add_set(&folders, 2);
        prune(&folders, WEEK, SystemClock.now()).unwrap();
        assert!(set.exists());
        File::open(set.with_extension("used")).unwrap().set_modified(SystemTime::now() - DAY * 30).unwrap();
        fs::remove_file(folder.path().join(PRUNED)).unwrap();
        let set_name = CacheName { kind: CacheKind::PackageSet, key: KEYS[2].parse().unwrap() };
        let program = use_lock::lock(&folders, &[set_name]).unwrap();
        prune(&folders, WEEK, SystemClock.now()).unwrap();
        assert!(set.exists());
        drop(program);
    }

    #[test]
    fn what_was_not_used_for_long_goes_once_a_day_and_what_somebody_uses_stays() {
        let folder = tempfile::tempdir().unwrap();
        let folders = volume(folder.path(), [30, 30, 2]);
        let program = use_lock::lock(&folders, &[name(KEYS[1])]).unwrap();
        // A build of another pod's, and what a pruning that was broken off left.
        let unfinished = folders.of_kind(CacheKind::Environment).join(".built-dddddddddddddddddddddddddddddddd-y");
        let broken_off = folders.of_kind(CacheKind::Environment).join(".deleted-x");
        fs::create_dir(&unfinished).unwrap();
        fs::create_dir(&broken_off).unwrap();
        let prune = || prune(&folders, WEEK, SystemClock.now()).unwrap();
        prune();
        assert_eq!(left(&folders), KEYS[1..]);
        assert_eq!((unfinished.exists(), broken_off.exists()), (true, false));
        // The program ends; but the volume is looked at once a day.
        drop(program);
        prune();
        assert_eq!(left(&folders), KEYS[1..]);
        File::open(folder.path().join(PRUNED)).unwrap().set_modified(SystemTime::now() - DAY).unwrap();
        prune();
        assert_eq!(left(&folders), KEYS[2..]);
    }

    #[test]
    fn nothing_goes_while_somebody_prepares_or_that_was_used_within_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let folders = volume(folder.path(), [30, 0, 0]);
        let preparing = hold::for_use(folders.cache()).unwrap();
        prune(&folders, Duration::from_secs(1), SystemClock.now()).unwrap();
        assert_eq!(left(&folders), KEYS);
        drop(preparing);
        prune(&folders, Duration::from_secs(1), SystemClock.now()).unwrap();
        assert_eq!(left(&folders), KEYS[1..]);
    }
}
