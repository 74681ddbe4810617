//! What things are called in the cluster. Names are made from Stoker's instance and the run: so a second create of the same
//! run is refused by the cluster itself, and two Stokers in one namespace never touch each other's.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use app::model::identifiers::{RunUid, StepUid};

/// Whose an object is.
pub const INSTANCE: &str = "stoker/instance";
/// Of which run.
pub const RUN: &str = "stoker/run";
/// Of which step.
pub const STEP: &str = "stoker/step";
/// Of which task; for people.
pub const TASK: &str = "stoker/task";
/// On a workflow that this Stoker was told to cancel.
pub const CANCELLED: &str = "stoker/cancelled";

/// Names for one Stoker's objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    instance: String,
}

impl Names {
    /// For an instance, which is a few letters and digits.
    #[must_use]
    pub fn of(instance: String) -> Self {
        Self { instance }
    }

    /// The workflow of a run; also the base of everything else's name.
    #[must_use]
    pub fn workflow(&self, run: &RunUid) -> String {
        format!("stoker-{}-{run}", self.instance)
    }

    /// The secret of a step.
    #[must_use]
    pub fn secret(&self, step: &StepUid) -> String {
        format!("stoker-{}-{step}", self.instance)
    }

    /// The folder of the outputs of all its runs, in a folder that several Stokers may share.
    #[must_use]
    pub fn outputs(&self, folder: &Path) -> PathBuf {
        folder.join(&self.instance)
    }

    /// Selects all objects of this Stoker.
    #[must_use]
    pub fn selector(&self) -> String {
        format!("{INSTANCE}={}", self.instance)
    }

    /// Selects the objects of a run.
    #[must_use]
    pub fn run_selector(&self, run: &RunUid) -> String {
        format!("{INSTANCE}={},{RUN}={run}", self.instance)
    }

    /// What is written on each object of a run.
    #[must_use]
    pub fn labels(&self, run: &RunUid) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("app.kubernetes.io/managed-by".to_owned(), "stoker".to_owned()),
            (INSTANCE.to_owned(), self.instance.clone()),
            (RUN.to_owned(), run.to_string()),
        ])
    }

    /// True for an object of this Stoker and this run.
    #[must_use]
    pub fn is_ours(&self, run: &RunUid, labels: Option<&BTreeMap<String, String>>) -> bool {
        let has =
            |name: &str, value: &str| labels.and_then(|labels| labels.get(name)).is_some_and(|label| label == value);
        has(INSTANCE, &self.instance) && has(RUN, run.as_str())
    }
}

/// The template of a step, by its position in its run.
#[must_use]
pub fn template(step: &StepUid) -> String {
    let name = step.as_str();
    format!("step-{}", name.rsplit_once('-').map_or(name, |(_, position)| position))
}
