//! What is kept between runs so that they start warm: environments and package sets, as people see and name them.
//! What a run's preparation cost is in `cache`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{time::Timestamp, words::shown};

/// What kind of thing is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CacheKind {
    Environment,
    /// A set of system packages.
    PackageSet,
    Conda,
}

impl CacheKind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Environment, Self::PackageSet, Self::Conda];

    /// The word in addresses.
    #[must_use]
    pub const fn address_word(self) -> &'static str {
        match self {
            Self::Environment => "environments",
            Self::PackageSet => "sets",
            Self::Conda => "conda",
        }
    }

    /// The words in a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::PackageSet => "package set",
            Self::Conda => "conda installation",
        }
    }
}

/// The text names no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a kind of cache")]
pub struct UnknownCacheKind(String);

impl FromStr for CacheKind {
    type Err = UnknownCacheKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.address_word() == text).ok_or_else(|| UnknownCacheKind(shown(text)))
    }
}

/// Names an environment or a package set among its kind: letters and digits only, so it never leads out of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CacheKey(String);

impl CacheKey {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of it to tell it from others, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// The text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not the key of an environment or a package set")]
pub struct NotACacheKey(String);

impl FromStr for CacheKey {
    type Err = NotACacheKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotACacheKey(shown(text)))
        }
    }
}

impl TryFrom<String> for CacheKey {
    type Error = NotACacheKey;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<CacheKey> for String {
    fn from(key: CacheKey) -> Self {
        key.0
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Names one thing that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CacheName {
    pub kind: CacheKind,
    pub key: CacheKey,
}

impl fmt::Display for CacheName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind.words(), self.key.short())
    }
}

/// An environment, a package set or a conda installation that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheEntry {
    pub name: CacheName,
    /// Bytes on disk; `None` while they are being counted. Of a package set the bytes of all it needs in the store,
    /// which it may share with others; `None` when its builder left no number.
    pub bytes: Option<u64>,
    /// What is in it, such as `numpy 2.1.0` or `gcc`; `None` while it is not known.
    pub packages: Option<Vec<String>>,
    /// When a run last started in it, or when it was made.
    pub last_used: Timestamp,
    /// How many steps use it now, or are about to.
    pub in_use_by: u32,
    /// The package set that an environment was built with, and goes with.
    pub set: Option<CacheKey>,
}

/// Everything that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CacheLedger {
    /// By kind, each the latest used first.
    pub entries: Vec<CacheEntry>,
    /// Bytes of uv's cache of downloaded packages; `None` while they are being counted.
    pub uv_bytes: Option<u64>,
    /// Bytes of the Nix store; `None` when there is none, or while they are being counted.
    pub nix_store_bytes: Option<u64>,
    /// When the last of the slow counts was done.
    pub counted_at: Option<Timestamp>,
    /// True while sizes are being counted.
    pub is_counting: bool,
}

impl CacheLedger {
    /// The entries of a kind.
    pub fn of_kind(&self, kind: CacheKind) -> impl Iterator<Item = &CacheEntry> {
        self.entries.iter().filter(move |entry| entry.name.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_leads_out_of_its_folder() {
        for key in ["0123456789abcdef0123456789abcdef", "x"] {
            assert_eq!(key.parse::<CacheKey>().map(|key| key.to_string()), Ok(key.to_owned()));
        }
        for text in ["", "..", "a/b", ".built-a-1", "a.used", "a b", "ä", &"a".repeat(65)] {
            assert!(text.parse::<CacheKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn kinds_are_read_back_as_written() {
        for kind in CacheKind::ALL {
            assert_eq!(kind.address_word().parse(), Ok(kind));
        }
        assert!("environment".parse::<CacheKind>().is_err());
    }
}
