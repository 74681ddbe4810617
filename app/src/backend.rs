//! What the pages and actions need, as one trait. The server implements it; nothing here knows of databases or engines.

use async_trait::async_trait;
use http::StatusCode;
use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};

use crate::model::{
    cache::Readiness,
    caches::CacheName,
    diagnostics::Diagnostics,
    fields::{FieldErrors, FlowErrors},
    flow::{Flow, StepKey},
    identifiers::{RunNumber, RunUid, TaskId},
    log_search::{LogQuery, LogSearch, SearchFrom},
    python_version::OfferedPython,
    run_list::{ListedRun, RunPage, RunQuery},
    spec::{TaskName, TaskSpec, ValidTask},
    step_address::StepAddress,
    system_packages::SystemPackages,
    views::{FlowDetail, LogPage, LogWindow, RunDetail, RunTiming, StepOutput, TaskDetail, TaskPage, TaskQuery},
};

/// What a page may ask of the server.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// A page of the task list.
    async fn list_tasks(&self, query: &TaskQuery) -> Result<TaskPage, BackendError>;

    /// A task with the newest runs, or with those numbered below `older_than`.
    async fn task(&self, id: &TaskId, older_than: Option<RunNumber>) -> Result<TaskDetail, BackendError>;

    /// How long the task's last runs took, so many at most, oldest first.
    async fn run_timings(&self, id: &TaskId, most: usize) -> Result<Vec<RunTiming>, BackendError>;

    /// Saves a task, and starts a run of it when asked, both or neither.
    async fn save_task(&self, save: SaveTask) -> Result<SavedTask, BackendError>;

    /// Gives a task or a flow this name and leaves all else as somebody saved it. A flow always has one.
    async fn rename(&self, id: &TaskId, name: Option<TaskName>) -> Result<(), BackendError>;

    /// Deletes a task with its runs and logs; stops a run that is active.
    async fn delete_task(&self, id: &TaskId) -> Result<DeletedTask, BackendError>;

    /// Starts a run of the task as saved.
    async fn start_run(&self, start: StartRun) -> Result<RunNumber, BackendError>;

    /// Starts a run with the spec and lock of an older run.
    async fn rerun(&self, id: &TaskId, number: RunNumber) -> Result<RunNumber, BackendError>;

    /// Asks for a run to be stopped, with everything it started.
    async fn cancel_run(&self, id: &TaskId, number: RunNumber) -> Result<(), BackendError>;

    /// A page of the list of all runs.
    async fn list_runs(&self, query: &RunQuery) -> Result<RunPage, BackendError>;

    /// These runs, newest first, as far as they are there.
    async fn runs_named(&self, runs: &[RunUid]) -> Result<Vec<ListedRun>, BackendError>;

    /// Asks for these runs to be stopped, as far as they are there and have not ended.
    async fn cancel_runs(&self, runs: &[RunUid]) -> Result<CancelledRuns, BackendError>;

    /// What a run of this spec would find in the cache now.
    async fn readiness(&self, spec: &TaskSpec) -> Readiness;

    /// The versions of Python that tasks may choose, the lowest first; as far as they are known now.
    fn pythons(&self) -> Vec<OfferedPython> {
        Vec::new()
    }

    /// A run, with this step of it.
    async fn run(&self, step: &StepAddress) -> Result<RunDetail, BackendError>;

    /// A run with a part of a step's log, both as they were at one moment.
    async fn run_with_log(&self, step: &StepAddress, window: LogWindow) -> Result<(RunDetail, LogPage), BackendError>;

    /// A part of a step's log.
    async fn log(&self, step: &StepAddress, window: LogWindow) -> Result<LogPage, BackendError>;

    /// Looks through a step's whole log, and tells what is found from a line on.
    async fn search_log(
        &self,
        step: &StepAddress,
        query: &LogQuery,
        from: SearchFrom,
    ) -> Result<LogSearch, BackendError>;

    /// A flow with the newest runs, or with those numbered below `older_than`.
    async fn flow(&self, id: &TaskId, older_than: Option<RunNumber>) -> Result<FlowDetail, BackendError>;

    /// The flow as a run of it had it.
    async fn flow_of_run(&self, id: &TaskId, number: RunNumber) -> Result<Flow, BackendError>;

    /// Saves a flow, and starts a run of it when asked, both or neither.
    async fn save_flow(&self, save: SaveFlow) -> Result<SavedTask, BackendError>;

    /// Starts a run that goes on where an ended one failed: what succeeded there is kept.
    async fn restart(&self, id: &TaskId, number: RunNumber) -> Result<RunNumber, BackendError>;

    /// Starts a run of one step of a flow as saved, alone. It reads the outputs of an earlier run, if one is named.
    async fn run_step(
        &self,
        id: &TaskId,
        step: &StepKey,
        inputs_of: Option<RunNumber>,
    ) -> Result<RunNumber, BackendError>;

    /// What a step has left so far.
    async fn outputs(&self, step: &StepAddress) -> Result<Vec<StepOutput>, BackendError>;

    /// The beginning of an output, so many bytes of it at most.
    async fn output(&self, step: &StepAddress, name: &str, most: usize) -> Result<Vec<u8>, BackendError>;

    /// How this server is doing. Never waits for a slow count or check: what is not known yet is said to be so.
    async fn diagnostics(&self) -> Result<Diagnostics, BackendError>;

    /// Makes the checks once more, and waits for them a moment; they go on when that was too short.
    async fn check_again(&self);

    /// Deletes an environment or a package set, with what was built from it. Refused while a step uses it.
    async fn delete_cache(&self, name: &CacheName) -> Result<DeletedCache, BackendError>;
}

/// What to save.
#[derive(Debug, Clone)]
pub struct SaveTask {
    /// The task to overwrite; `None` makes a new one.
    pub id: Option<TaskId>,
    /// The revision that the user started from; a newer one in the database is a conflict. `None` overwrites.
    pub expected_revision: Option<i64>,
    /// The new content.
    pub task: ValidTask,
    /// Whether to find exact package versions before saving.
    pub resolve: Resolve,
    /// Whether to start a run in the same step.
    pub run: bool,
}

/// Whether to find exact package versions before saving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolve {
    /// Do, and refuse to save when there are none.
    Now,
    /// Leave it to the run.
    Later,
}

/// What to save of a flow.
#[derive(Debug, Clone)]
pub struct SaveFlow {
    /// The flow to overwrite; `None` makes a new one.
    pub id: Option<TaskId>,
    /// The revision that the user started from; a newer one in the database is a conflict. `None` overwrites.
    pub expected_revision: Option<i64>,
    /// The new content.
    pub flow: Flow,
    /// Whether to find exact package versions before saving.
    pub resolve: Resolve,
    /// Whether to start a run in the same step.
    pub run: bool,
}

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedTask {
    /// The task.
    pub id: TaskId,
    /// The run that was started, if one was asked for.
    pub run: Option<RunNumber>,
}

/// Which run to start.
#[derive(Debug, Clone)]
pub struct StartRun {
    /// The task.
    pub id: TaskId,
    /// For this run only: other system packages.
    pub system_packages: Option<SystemPackages>,
    /// For this run only: another cache choice.
    pub use_cache: Option<bool>,
    /// Refuse when a run of the task is active (the REST API does).
    pub only_when_idle: bool,
}

/// What went with a deleted task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedTask {
    /// Number of runs.
    pub runs: u64,
    /// Number of runs that had a log.
    pub logs: u64,
    /// Number of runs that were stopped.
    pub stopped: u64,
}

/// What became of a wish to cancel several runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CancelledRuns {
    /// How many are being stopped.
    pub stopping: u32,
    /// How many had ended before, or are not there any more.
    pub ended: u32,
}

/// What was deleted with an environment or a package set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedCache {
    /// Environments that were built with a package set, and went with it.
    pub environments: u32,
}

/// Why something could not be done. The texts are for the user; the cause is in the server's log. Actions answer with it
/// too, as `{"kind": …, "detail": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", content = "detail", rename_all = "snake_case")]
pub enum BackendError {
    /// No such task or run.
    #[error("{0}")]
    NotFound(String),
    /// It does not fit the present state (already running, already ended).
    #[error("{0}")]
    Conflict(String),
    /// Somebody else saved the task in between; their revision, and who wins is the user's choice.
    #[error("Somebody else saved this task while you were editing it.")]
    EditConflict {
        /// The revision now in the database.
        revision: i64,
    },
    /// Values that cannot be saved.
    #[error("There is a problem with what you entered.")]
    Invalid(FieldErrors),
    /// Values of a flow that cannot be saved.
    #[error("There is a problem with what you entered.")]
    InvalidFlow(FlowErrors),
    /// Exact package versions could not be looked up (index unreachable, resolver missing); saving without is possible.
    #[error("{0}")]
    Unresolved(String),
    /// The server cannot do it now (database locked or full); trying again may help.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of the server, or of the form of a request to an action.
    #[error("{0}")]
    Internal(String),
}

impl BackendError {
    /// The status of the page that says it.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) | Self::EditConflict { .. } => StatusCode::CONFLICT,
            Self::Invalid(_) | Self::InvalidFlow(_) | Self::Unresolved(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl FromServerFnError for BackendError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::Internal(error.to_string())
    }
}
