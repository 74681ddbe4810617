//! Bytes on disk, and the packages of an environment. Slow: it looks at every file.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::names_in;

/// A block of `st_blocks`, in bytes, whatever the file system's own blocks are (stat(2)).
const BLOCK: u64 = 512;

/// The bytes that a file or a folder takes on its disk. Links are not followed, and a file with several names counts
/// once. What goes meanwhile counts nothing.
///
/// # Errors
/// When a folder cannot be read.
pub fn bytes_on_disk(path: &Path) -> io::Result<u64> {
    let mut seen = HashSet::new();
    let mut waiting: Vec<PathBuf> = vec![path.to_owned()];
    let mut bytes = 0;
    while let Some(path) = waiting.pop() {
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        if metadata.is_dir() {
            match fs::read_dir(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                entries => {
                    for entry in entries? {
                        waiting.push(entry?.path());
                    }
                }
            }
        } else if metadata.nlink() > 1 && !seen.insert((metadata.dev(), metadata.ino())) {
            continue;
        }
        bytes += metadata.blocks() * BLOCK;
    }
    Ok(bytes)
}

/// The packages of an environment, as `name version`, from the folders in which installers leave what they know
/// (`name-version.dist-info`, by the specification of recorded installations).
///
/// # Errors
/// When the environment cannot be read.
pub fn environment_packages(environment: &Path) -> io::Result<Vec<String>> {
    let library = environment.join("lib");
    let mut packages = Vec::new();
    for python in names_in(&library)? {
        for entry in names_in(&library.join(python).join("site-packages"))? {
            if let Some((name, version)) = entry.strip_suffix(".dist-info").and_then(|stem| stem.split_once('-')) {
                packages.push(format!("{} {version}", name.replace('_', "-").to_ascii_lowercase()));
            }
        }
    }
    packages.sort();
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_two_names_counts_once_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (inner, outer) = (folder.path().join("inner"), folder.path().join("outer"));
        fs::create_dir_all(&inner).unwrap();
        fs::write(&outer, vec![1; 1 << 20]).unwrap();
        std::os::unix::fs::symlink(&outer, inner.join("link")).unwrap();
        let empty = bytes_on_disk(&inner).unwrap();
        assert!(empty < 1 << 16, "{empty}");
        fs::write(inner.join("one"), vec![1; 1 << 20]).unwrap();
        let one = bytes_on_disk(&inner).unwrap();
        assert!(one >= 1 << 20, "{one}");
        fs::hard_link(inner.join("one"), inner.join("two")).unwrap();
        assert!(bytes_on_disk(&inner).unwrap() - one < 1 << 16);
        assert_eq!(bytes_on_disk(&folder.path().join("nothing")).unwrap(), 0);
    }

    #[test]
    fn packages_are_read_from_what_installers_leave() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("lib/python3.12/site-packages");
        for name in ["typing_extensions-4.12.2.dist-info", "numpy-2.1.0.dist-info", "numpy", "numpy.libs"] {
            fs::create_dir_all(site.join(name)).unwrap();
        }
        assert_eq!(environment_packages(folder.path()).unwrap(), ["numpy 2.1.0", "typing-extensions 4.12.2"]);
    }
}
