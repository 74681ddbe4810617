//! The lock of a run: the exact packages, with hashes, in the form of a requirements file. Making it is the server's work.

use serde::{Deserialize, Serialize};

/// One package of a lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LockedPackage {
    /// The normalised name.
    pub name: String,
    /// The version, or the URL of a direct reference.
    pub version: String,
}

/// A lock: the text that `uv pip compile --generate-hashes` wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lock(pub String);

impl Lock {
    /// The packages it pins, in its order.
    #[must_use]
    pub fn packages(&self) -> Vec<LockedPackage> {
        self.0.lines().filter_map(LockedPackage::read).collect()
    }
}

impl LockedPackage {
    /// Reads a line such as `numpy==2.1.0 ; python_version >= "3.11" \` or `name @ https://…`; `None` for options,
    /// comments and hashes.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        if !line.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            return None;
        }
        let line = line.trim_end_matches('\\').trim_end();
        if let Some((name, url)) = line.split_once(" @ ") {
            let url = url.split_whitespace().next().unwrap_or(url);
            return Some(Self { name: name.trim().to_owned(), version: url.to_owned() });
        }
        let (name, version) = line.split_once("==")?;
        let version = version.split([' ', ';']).next().unwrap_or(version);
        Some(Self { name: name.trim().to_owned(), version: version.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_read_from_a_lock() {
        let lock = Lock(
            "# made by uv\n--index-url x\nnumpy==2.1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via pandas\npytz==2024.1 ; python_version < '3.12' \\\n    --hash=sha256:cc\nsix @ https://example.org/six.whl \\\n    --hash=sha256:dd\n"
                .to_owned(),
        );
        let packages: Vec<_> =
            lock.packages().into_iter().map(|package| format!("{} {}", package.name, package.version)).collect();
        assert_eq!(packages, ["numpy 2.1.0", "pytz 2024.1", "six https://example.org/six.whl"]);
    }
}
