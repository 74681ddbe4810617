//! The Pythons of this machine that runs may choose from: one of each version, as far as uv finds them.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use app::model::python_version::PythonVersion;
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use serde::Deserialize;

use super::environments::{Python, PythonError};
use crate::programs;

/// How long uv may take to list what is installed: nothing but the choice depends on it.
const LISTING: Duration = Duration::from_secs(30);

/// The Pythons of this machine. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pythons {
    /// The one of runs that ask for none.
    default: Result<Python, PythonError>,
    /// The one of each version. Looked for beside everything else: asking uv takes a second where there are many.
    by_version: Shared<BoxFuture<'static, Arc<BTreeMap<PythonVersion, Python>>>>,
}

impl Pythons {
    /// One, which there is no choice but.
    #[must_use]
    pub fn only(default: Result<Python, PythonError>) -> Self {
        let mut by_version = BTreeMap::new();
        offer(&mut by_version, default.clone().ok());
        Self { default, by_version: futures::future::ready(Arc::new(by_version)).boxed().shared() }
    }

    /// Finds the default one, and looks for the others in the background. Those asked for are paths or versions, the
    /// default first; when it is one at most, all that uv finds can be chosen.
    pub async fn find(uv: &Path, asked_for: &[String]) -> Self {
        let default = Python::find(uv, asked_for.first().map(String::as_str)).await;
        let (uv, others, found) = (uv.to_owned(), asked_for.get(1..).unwrap_or_default().to_owned(), default.clone());
        let looking = async move { Arc::new(look_for(&uv, others, found.ok()).await) };
        let by_version = looking.boxed().shared();
        tokio::spawn(by_version.clone());
        Self { default, by_version }
    }

    /// The one of runs that ask for none.
    ///
    /// # Errors
    /// Why there is none.
    pub const fn default(&self) -> Result<&Python, &PythonError> {
        self.default.as_ref()
    }

    /// One of each version, the lowest first. Waits until they are found.
    pub async fn all(&self) -> Arc<BTreeMap<PythonVersion, Python>> {
        self.by_version.clone().await
    }
}

async fn look_for(uv: &Path, others: Vec<String>, default: Option<Python>) -> BTreeMap<PythonVersion, Python> {
    let mut found = BTreeMap::new();
    offer(&mut found, default);
    let others = if others.is_empty() { installed(uv, found.keys().copied().collect()).await } else { others };
    for other in others {
        match Python::find(uv, Some(&other)).await {
            Ok(python) => offer(&mut found, Some(python)),
            Err(error) => tracing::warn!(python = other, %error, "A Python cannot be offered to tasks"),
        }
    }
    found
}

/// Adds one, unless it is too old for the runner's files, or there is one of its version.
fn offer(found: &mut BTreeMap<PythonVersion, Python>, python: Option<Python>) {
    if let Some(python) = python
        && let Some(version) = PythonVersion::of_full(&python.version)
        && version >= PythonVersion::OLDEST
    {
        found.entry(version).or_insert(python);
    }
}

/// An interpreter, as uv lists it.
#[derive(Debug, Deserialize)]
struct Listed {
    version: String,
    path: Option<PathBuf>,
    #[serde(default)]
    implementation: String,
    #[serde(default)]
    variant: String,
}

/// The paths of the usual interpreters that uv finds, one of each version but those that are known.
async fn installed(uv: &Path, mut known: BTreeSet<PythonVersion>) -> Vec<String> {
    let mut list = programs::asked(uv);
    list.args(["python", "list", "--only-installed", "--no-config", "--output-format", "json"]);
    list.env("UV_PYTHON_DOWNLOADS", "never");
    let listed: Vec<Listed> = match tokio::time::timeout(LISTING, list.output()).await {
        Ok(Ok(output)) => match serde_json::from_slice(&output.stdout) {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(%error, "What uv says of the Pythons that there are cannot be read, so tasks have no choice");
                return Vec::new();
            }
        },
        // That there is no uv was said when the default one was looked for.
        Ok(Err(_)) => return Vec::new(),
        Err(_) => {
            tracing::warn!("uv did not list the Pythons that there are in time, so tasks have no choice");
            return Vec::new();
        }
    };
    // Of each version uv names the newest first.
    let usual = listed.into_iter().filter(|python| python.implementation == "cpython" && python.variant == "default");
    let new =
        usual.filter(|python| PythonVersion::of_full(&python.version).is_some_and(|version| known.insert(version)));
    new.filter_map(|python| python.path?.into_os_string().into_string().ok()).collect()
}
