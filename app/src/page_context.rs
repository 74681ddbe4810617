//! What the server hands to a page besides the URL: typed values that come back, a notice, preferences, the time.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{
    log_text::groups::Folding,
    model::{
        fields::{FieldErrors, FlowErrors},
        flow::{FlowDraft, Focus},
        spec::TaskDraft,
        time::Timestamp,
    },
};

/// The task form as it was sent, given back to the page when it could not be saved (status 422 or 409).
#[derive(Debug, Clone, Default)]
pub struct TaskFormState {
    /// Everything that was typed.
    pub draft: TaskDraft,
    /// The messages at the fields.
    pub errors: FieldErrors,
    /// Set when package versions could not be looked up: saving without that is then offered, with this explanation.
    pub unresolved: Option<String>,
    /// The revision that the next save starts from: after an edit conflict, the newer one.
    pub revision: Option<i64>,
}

/// The flow form as it was sent, given back to the page: because it could not be saved (status 422 or 409), or because a
/// button changed its steps.
#[derive(Debug, Clone, Default)]
pub struct FlowFormState {
    /// Everything that was typed.
    pub draft: FlowDraft,
    /// The messages at the fields.
    pub errors: FlowErrors,
    /// Set when package versions could not be looked up: saving without that is then offered, with this explanation.
    pub unresolved: Option<String>,
    /// The revision that the next save starts from: after an edit conflict, the newer one.
    pub revision: Option<i64>,
    /// Whether somebody else saved in between.
    pub is_outdated: bool,
    /// Where one goes on after a button changed the steps.
    pub focus: Option<Focus>,
    /// The steps that the page has already.
    pub kept: KeptSteps,
}

/// The steps that a page has already, by their keys.
#[derive(Debug, Clone, Default)]
pub struct KeptSteps {
    /// Those with all their fields.
    pub whole: HashSet<String>,
    /// Those of which it has no more than their values.
    pub folded: HashSet<String>,
}

impl KeptSteps {
    /// Whether the page is drawn from nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.folded.is_empty()
    }
}

/// A new name as it was sent, given back to the page when it could not be taken.
#[derive(Debug, Clone)]
pub struct RefusedName {
    /// What was typed.
    pub typed: String,
    /// Why it was not taken.
    pub message: String,
}

/// An action on this page that was refused, said at the top of the page.
#[derive(Debug, Clone)]
pub struct Refusal(pub String);

/// What the last action did, said once on the page it led to.
#[derive(Debug, Clone)]
pub struct Notice(pub String);

/// Light or dark, as the user chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system says.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Which time stands before the lines of a log, as the user chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimesChoice {
    /// None.
    #[default]
    Off,
    /// The time since the run started.
    Start,
    /// The time of day.
    Clock,
}

/// What the user chose, from cookies. The server knows it, so a page comes out right without a flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    /// Light or dark.
    pub theme: Theme,
    /// Wrap long log lines.
    pub wrap_log: bool,
    /// The time before each log line.
    pub log_times: TimesChoice,
    /// The groups of the logs of this task or flow.
    pub log_groups: Folding,
}

/// The time of the request. Pages take it from here, so that tests control it.
#[derive(Debug, Clone, Copy)]
pub struct Now(pub Timestamp);

/// Facts about this server that pages show.
#[derive(Debug, Clone)]
pub struct ServerFacts {
    /// Stoker's version.
    pub version: &'static str,
    /// The Python that runs use, such as `3.12.4`; `None` when none was found.
    pub python: Option<String>,
    /// The engines that are set up, the default first.
    pub engines: Vec<&'static str>,
    /// Why no run can start until somebody does something; `None` when all is well.
    pub problem: Option<String>,
}
