//! Where steps run. An engine starts them, tells what happens, and stops them; it writes nothing to the database.

use std::sync::Arc;

use app::model::{cache::Readiness, identifiers::StepId, lock::Lock, spec::TaskSpec, time::Timestamp};
use async_trait::async_trait;
use futures::stream::BoxStream;

pub mod local;

/// What an engine needs to run a step.
#[derive(Debug, Clone)]
pub struct StepInputs {
    /// The step.
    pub step: StepId,
    /// What to run.
    pub spec: TaskSpec,
    /// The exact packages.
    pub lock: Lock,
}

/// Something that happened to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEvent {
    /// Bytes on standard output, as they came.
    Output(Vec<u8>),
    /// Bytes on standard error, as they came.
    Error(Vec<u8>),
    /// Output from here on is not kept: the log has reached its limit, in bytes.
    LogLimit(u64),
    /// The step ended. The last event.
    Ended(StepEnd),
}

/// An event, when it happened, and where to go on reading after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: StepEvent,
    /// The position after this event: [`Engine::observe`] from here gives what comes next.
    pub next: u64,
}

/// How a step's process ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StepEnd {
    /// Who ended it.
    pub cause: EndCause,
    /// Its exit code, unless a signal ended it.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// True when the kernel killed something for lack of memory meanwhile.
    pub memory_ran_out: bool,
}

/// Who ended a step.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndCause {
    /// The program itself, or something outside Stoker.
    Program,
    /// Somebody cancelled it.
    Cancelled,
    /// The program's time was up; in seconds.
    Timeout(u32),
    /// The time for preparing it was up; in seconds.
    PreparationTimeout(u32),
    /// It could not be started; the reason.
    NotStarted(String),
    /// What it printed could not be written down any more, for another reason than want of room; the reason.
    Unrecorded(String),
    /// Its process is gone without a word (the machine went down, or somebody killed it).
    Lost,
}

/// Why an engine could not do as asked, in the user's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EngineError(pub String);

/// Where steps run.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Its name, as kept with each run.
    fn name(&self) -> &'static str;

    /// Lays out everything the step needs, without starting it. Doing it twice is the same as doing it once.
    ///
    /// # Errors
    /// When it cannot be laid out, for instance since the disk is full.
    async fn stage(&self, inputs: &StepInputs) -> Result<(), EngineError>;

    /// Starts a staged step. A step that was started before is not started again, whoever asks.
    ///
    /// # Errors
    /// When it cannot be started.
    async fn launch(&self, step: StepId) -> Result<(), EngineError>;

    /// What happened to a step from a position on (0 is the beginning). It ends with [`StepEvent::Ended`].
    /// Batches hold what was there at once; an empty one never comes.
    fn observe(&self, step: StepId, from: u64) -> BoxStream<'static, Vec<Observed>>;

    /// Stops a step with everything it started. `kill` gives it no time to end by itself.
    /// A step that does not run is left alone.
    async fn cancel(&self, step: StepId, kill: bool);

    /// Lets go of everything that is kept of a step, once it has ended and is recorded.
    async fn forget(&self, step: StepId);

    /// Steps that something is kept of.
    async fn kept(&self) -> Vec<StepId>;

    /// What a run of this spec would find in the cache now. Without a lock its environment cannot be there.
    fn readiness(&self, spec: &TaskSpec, lock: Option<&Lock>) -> Readiness;

    /// What the engine runs for a step, as text for people.
    fn manifest(&self, inputs: &StepInputs) -> String;
}

/// An engine to share.
pub type SharedEngine = Arc<dyn Engine>;
