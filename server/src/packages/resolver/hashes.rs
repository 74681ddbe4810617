//! Hashes that a user wrote into a requirements file: uv puts the index's own into a lock. Here the written ones win.

use app::model::{
    lock::{Lock, LockedPackage},
    python_packages::RequirementsFile,
};

/// A package of the lock has none of the files that the requirements file asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "None of the hashes that the requirements file has for {name} belongs to a file of version {version}. Check the \
     version and the hashes; without hashes Stoker keeps those that the index names."
)]
pub struct HashMismatch {
    name: String,
    version: String,
}

/// The lock with the hashes of the file, for those packages that have some there.
///
/// # Errors
/// When all hashes of a package differ from those of the index.
pub fn keep_written(lock: &Lock, file: &RequirementsFile) -> Result<Lock, HashMismatch> {
    let written = file.hashes();
    let mut text = String::with_capacity(lock.0.len());
    let mut lines = lock.0.lines().peekable();
    while let Some(line) = lines.next() {
        let package = LockedPackage::read(line);
        let Some((package, written)) =
            package.and_then(|package| written.get(&package.name).map(|written| (package, written)))
        else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let mut known = Vec::new();
        while let Some(hash) = lines.peek().and_then(|line| line.trim_start().strip_prefix("--hash=")) {
            known.push(hash.trim_end_matches('\\').trim_end());
            lines.next();
        }
        // Of another kind than the index's, it can only be compared with the file itself, which the installer does.
        let kept: Vec<&String> = written
            .iter()
            .filter(|hash| known.contains(&hash.as_str()) || !known.iter().any(|known| kind(known) == kind(hash)))
            .collect();
        if kept.is_empty() {
            return Err(HashMismatch { name: package.name, version: package.version });
        }
        text.push_str(line.trim_end_matches('\\').trim_end());
        for hash in kept {
            text.push_str(" \\\n    --hash=");
            text.push_str(hash);
        }
        text.push('\n');
    }
    Ok(Lock(text))
}

fn kind(hash: &str) -> &str {
    hash.split(':').next().unwrap_or(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "--index-url https://i/\nnumpy==2.1.0 ; os_name == 'posix' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nsix==1.16.0 \\\n    --hash=sha256:cc\n";

    fn kept(file: &str) -> Result<String, String> {
        let file = RequirementsFile::parse(file).unwrap().unwrap();
        keep_written(&Lock(LOCK.to_owned()), &file).map(|lock| lock.0).map_err(|error| error.to_string())
    }

    #[test]
    fn written_hashes_win() {
        assert_eq!(kept("numpy\nsix").as_deref(), Ok(LOCK));
        let one = LOCK.replace(" \\\n    --hash=sha256:bb", "");
        assert_eq!(kept("NumPy==2.1.0 --hash=sha256:AA --hash=sha256:00\nsix"), Ok(one));
        let other = LOCK.replace("--hash=sha256:cc", "--hash=sha512:dd");
        assert_eq!(kept("numpy\nsix \\\n  --hash sha512:dd"), Ok(other));
    }

    #[test]
    fn hashes_that_are_all_wrong_are_refused() {
        let message = kept("numpy\nsix==1.16.0 --hash=sha256:00").unwrap_err();
        assert!(message.contains("has for six belongs to a file of version 1.16.0"), "{message}");
    }
}
