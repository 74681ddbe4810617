//! Which environments and package sets steps use, or are about to: read from the steps' folders, which are there from
//! staging until the step is forgotten, whether or not a server runs.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::Path,
};

use app::model::{
    caches::{CacheKind, CacheName},
    identifiers::StepUid,
};
use serde::Deserialize;

use super::names_in;
use crate::engine::local::folder::{self, StepFolder};

/// What steps use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InUse {
    users: HashMap<CacheName, u32>,
    /// The names of the steps' folders.
    steps: HashSet<String>,
    /// Folders of steps of no run whose process is gone.
    abandoned: Vec<String>,
}

impl InUse {
    /// Looks at all steps.
    ///
    /// # Errors
    /// When a step's orders cannot be read: then nothing is known of what may be taken away.
    pub fn read(steps: &Path) -> io::Result<Self> {
        let mut in_use = Self::default();
        for name in names_in(steps)? {
            let is_of_no_run = name.starts_with(folder::OF_NO_RUN);
            // What has another name is not staged.
            if !is_of_no_run && name.parse::<StepUid>().is_err() {
                continue;
            }
            let folder = StepFolder::at(steps.join(&name));
            if is_of_no_run && !folder.is_held() {
                in_use.abandoned.push(name);
                continue;
            }
            for used in named_by(&folder)? {
                *in_use.users.entry(used).or_default() += 1;
            }
            in_use.steps.insert(name);
        }
        Ok(in_use)
    }

    /// How many steps use it.
    #[must_use]
    pub fn users_of(&self, name: &CacheName) -> u32 {
        self.users.get(name).copied().unwrap_or(0)
    }

    /// Whether a step by the name of its folder is there.
    #[must_use]
    pub fn has_step(&self, folder: &str) -> bool {
        self.steps.contains(folder)
    }

    /// How many steps are there.
    #[must_use]
    pub fn count(&self) -> usize {
        self.steps.len()
    }

    /// Folders that `stoker cache warm` left behind when it was killed.
    pub(super) fn abandoned(&self) -> &[String] {
        &self.abandoned
    }
}

/// What the orders in a step's folder name.
///
/// # Errors
/// When they cannot be read.
pub fn named_by(folder: &StepFolder) -> io::Result<Vec<CacheName>> {
    /// The part of [`crate::engine::local::shim::Orders`] that matters here: the rest may be another version's.
    #[derive(Deserialize)]
    struct Variables {
        environment: Vec<(String, String)>,
    }
    let text = match fs::read(folder.orders()) {
        Ok(text) => text,
        // It is just being forgotten: its processes are gone.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let orders: Variables = serde_json::from_slice(&text)?;
    let environment: HashMap<String, String> = orders.environment.into_iter().collect();
    let named = |kind, variable| {
        // Only conda is named by its whole path; a key is the last part of itself.
        let key = environment.get(variable)?.rsplit('/').next()?.parse().ok()?;
        Some(CacheName { kind, key })
    };
    // A step with an environment of its own has the key for nothing.
    let is_private = environment.get("STOKER_PRIVATE").is_some_and(|value| !value.is_empty());
    let own = named(CacheKind::Environment, "STOKER_ENVIRONMENT_KEY").filter(|_| !is_private);
    let system = [named(CacheKind::PackageSet, "STOKER_SET_KEY"), named(CacheKind::Conda, "STOKER_CONDA")];
    Ok(own.into_iter().chain(system.into_iter().flatten()).collect())
}
