//! Removes a folder with everything in it, also when programs have made folders in it read-only.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

/// Removes a folder with everything in it, or a file, or a link. What is not there is removed.
///
/// # Errors
/// When something in it cannot be removed.
pub fn remove_tree(folder: &Path) -> io::Result<()> {
    let removed = match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => fs::remove_file(folder),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            // Only what is in a writable folder can be removed. What cannot be changed is told by the second attempt.
            make_folders_writable(folder);
            fs::remove_dir_all(folder)
        }
        removed => removed,
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Follows no links: those lead to what is somebody else's.
fn make_folders_writable(folder: &Path) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let _ = fs::set_permissions(&folder, Permissions::from_mode(0o700));
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(
            entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
}

#[cfg(test)]
mod tests {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    use super::*;

    /// Lets this thread (so this test) be held by permissions as everybody but root is.
    fn forgo_roots_powers() {
        let mut sets = capabilities(None).unwrap();
        sets.effective -= CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
        set_capabilities(None, sets).unwrap();
    }

    #[test]
    fn read_only_folders_are_removed_and_links_are_not_followed() {
        forgo_roots_powers();
        let place = tempfile::tempdir().unwrap();
        let (tree, other) = (place.path().join("tree"), place.path().join("other"));
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::create_dir(&other).unwrap();
        fs::write(tree.join("a/b/file"), "x").unwrap();
        std::os::unix::fs::symlink(&other, tree.join("a/link")).unwrap();
        for folder in [tree.join("a/b"), tree.join("a"), other.clone()] {
            fs::set_permissions(folder, Permissions::from_mode(0o555)).unwrap();
        }
        assert!(fs::remove_dir_all(&tree).is_err(), "the plain way does not do");
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert_eq!(fs::metadata(&other).unwrap().permissions().mode() & 0o777, 0o555);
        remove_tree(&tree).unwrap();
    }
}
