//! Where runs run: the contract between what moves runs and the engines. An engine starts runs, tells what happens to
//! their steps, and stops them; it writes nothing to the database, and knows nothing of who looks.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use app::model::{
    cache::Readiness,
    cluster::ClusterState,
    flow::{FlowStep, StepKey, StepName},
    identifiers::{RunNumber, RunUid, StepUid, TaskId},
    lock::Lock,
    python_version::PythonVersion,
    spec::TaskSpec,
    time::Timestamp,
};
use async_trait::async_trait;
use futures::stream::BoxStream;

pub mod argo;
pub mod local;
pub mod registry;
mod workplace;

pub use registry::{Engines, SharedEngine};

/// A run as an engine gets it: all that it needs to run it, frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunPlan {
    /// Names the run everywhere.
    pub run: RunUid,
    /// The task it is a run of.
    pub task: TaskId,
    /// Its number within the task.
    pub number: RunNumber,
    /// Its steps that the engine is to run, of which there is at least one.
    pub steps: Vec<StepPlan>,
}

impl RunPlan {
    /// A step by its name.
    #[must_use]
    pub fn step(&self, step: &StepUid) -> Option<&StepPlan> {
        self.steps.iter().find(|plan| plan.step == *step)
    }
}

/// A step as an engine gets it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StepPlan {
    /// Names the step everywhere.
    pub step: StepUid,
    /// What to run, when, and how often.
    pub definition: FlowStep,
    /// The exact packages.
    pub lock: Lock,
    /// The steps whose outputs it may read: all that come before it, however far.
    pub readable: Vec<Readable>,
}

/// A step whose outputs another one may read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Readable {
    /// Names it within the run.
    pub key: StepKey,
    /// What people call it.
    pub name: StepName,
    /// The run whose result it has, when it was not run again.
    pub kept_from: Option<RunUid>,
}

/// Who decides when a step of a run may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Stoker: the engine is given each step when its turn comes, as a plan of one step.
    Stoker,
    /// The engine: it is given the whole run, and tells of each step.
    Engine,
}

/// What exact packages are found for: a lock that was made for one target may be no good for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The full version of Python, such as `3.12.4`.
    pub python: String,
    /// Implementation, version, machine and C library.
    pub platform: String,
    /// How the resolver is told of it.
    pub interpreter: Interpreter,
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Python {} ({})", self.python, self.platform)
    }
}

/// That there is no Python of a version, in the user's words; `targets` has those that there are.
#[must_use]
pub fn no_such_python(wanted: PythonVersion, targets: &[Target]) -> String {
    format!(
        "There is no Python {wanted} where this runs, but {}. Choose another version, or have this one set up.",
        versions_in_words(targets)
    )
}

/// The versions of these targets, such as `3.11 and 3.12`.
#[must_use]
pub fn versions_in_words(targets: &[Target]) -> String {
    let versions: Vec<String> = targets
        .iter()
        .map(|target| {
            PythonVersion::of_full(&target.python).map_or_else(|| target.python.clone(), |version| version.to_string())
        })
        .collect();
    match versions.as_slice() {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// How a resolver is told of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interpreter {
    /// The interpreter is on this machine.
    Here(PathBuf),
    /// It is elsewhere; uv's own word for its platform (`uv pip compile --python-platform`).
    Elsewhere(String),
}

/// Where an engine's tale of a step was left: the engine's own text, which means nothing to anybody else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cursor(pub String);

/// From where to tell of each step. A step that is not named is told of from its beginning.
pub type Positions = BTreeMap<StepUid, Cursor>;

/// What an engine tells of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Things that happened to a step, in order.
    Step(StepEvents),
    /// All steps have ended, and all of that was told. Nothing comes after it. A stream that stops without it has told
    /// nothing of the end: whoever follows asks again.
    Ended,
}

/// Things that happened to a step, as many as were there at once; never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepEvents {
    /// The step.
    pub step: StepUid,
    /// What happened, in order.
    pub events: Vec<Observed>,
    /// Where to go on after these.
    pub next: Cursor,
}

/// An event, and when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: StepEvent,
}

/// Something that happened to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEvent {
    /// What holds it up, or the news of it, as a sentence. `None` when nothing does any more.
    Waiting(Option<String>),
    /// Where it was placed, such as a node of a cluster.
    Placed(String),
    /// In which kind of container it runs, as a sentence.
    Container(String),
    /// Its turn has come: it does not wait for other steps any more. An engine that is given each step when its turn
    /// comes need not say so.
    Began,
    /// Bytes on standard output, as they came.
    Output(Vec<u8>),
    /// Bytes on standard error, as they came.
    Error(Vec<u8>),
    /// Output from here on is not kept: the log has reached its limit, in bytes.
    LogLimit(u64),
    /// Output that cannot be had any more; what is known of it, as a sentence.
    Lost(String),
    /// An attempt ended so, and the engine makes another one, of which everything that follows tells. The last of the
    /// events that are told with it.
    AttemptEnded(StepEnd),
    /// The step ended. The last event.
    Ended(StepEnd),
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

impl StepEnd {
    /// An end of which nothing is known but its cause.
    #[must_use]
    pub const fn by(cause: EndCause) -> Self {
        Self { cause, exit_code: None, signal: None, memory_ran_out: false }
    }
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
    /// It needed more memory than its container may have; in bytes.
    MemoryLimit(u64),
    /// It could not be started; the reason.
    NotStarted(String),
    /// What it printed could not be written down any more, for another reason than want of room; the reason.
    Unrecorded(String),
    /// Its process is gone without a word (the machine went down, or somebody killed it).
    Lost,
    /// Something outside Stoker ended it; what, and what to do, as sentences.
    Outside(String),
    /// It was never begun, as its engine decided; why, as a sentence.
    NotRun(String),
}

/// What an engine's own books say of a run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whether all went well.
    pub succeeded: bool,
    /// What they say, as sentences for the user.
    pub words: String,
}

/// How to stop a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancel {
    /// Its programs get some seconds to end by themselves.
    WithGrace,
    /// At once.
    AtOnce,
}

/// Why an engine could not do as asked, in the user's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// What happened, and what to do.
    pub message: String,
    /// Whether the same may succeed a little later without anybody doing anything.
    pub may_pass: bool,
}

impl EngineError {
    /// Trying again helps nothing.
    #[must_use]
    pub fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), may_pass: false }
    }

    /// Trying again may help.
    #[must_use]
    pub fn passing(message: impl Into<String>) -> Self {
        Self { message: message.into(), may_pass: true }
    }
}

/// The name of an engine, as kept with each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EngineName(pub &'static str);

impl fmt::Display for EngineName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// Where runs run. Nothing here is awaited where one slow answer would hold other runs up.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Its name, as kept with each run.
    fn name(&self) -> EngineName;

    /// How many plans it runs at once; more wait for their turn in Stoker's own queue.
    fn capacity(&self) -> usize;

    /// Who decides when a step of a run may begin.
    fn order(&self) -> Order {
        Order::Stoker
    }

    /// What exact packages are found for: a Python of this version, or the one that it has for runs that ask for none.
    ///
    /// # Errors
    /// When there is no such Python, or it cannot be told now.
    async fn target(&self, python: Option<PythonVersion>) -> Result<Target, EngineError>;

    /// The Pythons that there are, one of each version that may be asked for, the lowest first. None when it cannot be
    /// told now.
    async fn targets(&self) -> Vec<Target> {
        self.target(None).await.into_iter().collect()
    }

    /// Starts a run. A run that was started before is not started again, whoever asks. Answers what was handed over for it
    /// to those who run it, as YAML for people, without secrets; `None` when the engine runs it itself.
    ///
    /// # Errors
    /// When it cannot be started. One that may pass is tried again; it may have been started all the same.
    async fn start(&self, plan: &RunPlan) -> Result<Option<String>, EngineError>;

    /// What happens to a run's steps, of each from where it was left. Every step's tale ends with
    /// [`StepEvent::Ended`], also that of a run that is gone or was never there; the run's ends with
    /// [`Observation::Ended`]. Steps that are not named in the plan are not told of.
    fn observe(&self, plan: &RunPlan, from: Positions) -> BoxStream<'static, Result<Observation, EngineError>>;

    /// Stops a run with everything that it started; its steps' ends are told as always. One that does not run is left
    /// alone. Asking again is no fault.
    ///
    /// # Errors
    /// When it could not be told to stop.
    async fn cancel(&self, run: &RunUid, how: Cancel) -> Result<(), EngineError>;

    /// What the engine's own books say of a run whose steps have all ended: not how the run ended, which was told, but
    /// whether the two agree. It may take its time. `None` when they say nothing.
    async fn account(&self, _run: &RunUid) -> Option<Account> {
        None
    }

    /// Lets go of everything that is kept of a run; what still runs of it is stopped first. Asking again is no fault.
    ///
    /// # Errors
    /// When something is left.
    async fn forget(&self, run: &RunUid) -> Result<(), EngineError>;

    /// Lets go of what is kept of a step that has ended, while its run goes on. Asking again is no fault. An engine that
    /// keeps nothing for single steps does nothing.
    ///
    /// # Errors
    /// When something is left.
    async fn forget_step(&self, _step: &StepUid) -> Result<(), EngineError> {
        Ok(())
    }

    /// The runs of this Stoker that something is kept of.
    ///
    /// # Errors
    /// When it cannot be told now.
    async fn kept(&self) -> Result<Vec<RunUid>, EngineError>;

    /// What a run of this spec would find in the cache now. Without a lock its environment cannot be there.
    async fn readiness(&self, spec: &TaskSpec, lock: Option<&Lock>) -> Readiness;

    /// What a run like this would be now, as YAML for people, without secrets.
    ///
    /// # Errors
    /// When it cannot be told now.
    async fn manifest(&self, plan: &RunPlan) -> Result<String, EngineError>;

    /// Why no run can start now.
    ///
    /// # Errors
    /// The reason, with what to do.
    async fn diagnose(&self) -> Result<(), EngineError>;

    /// What is known of the cluster that runs go to; `None` for an engine without one.
    async fn cluster(&self) -> Option<ClusterState> {
        None
    }

    /// What is kept between runs on this machine; `None` for an engine that keeps nothing here.
    fn caches(&self) -> Option<&local::caches::Caches> {
        None
    }

    /// What steps have put out; `None` where this server cannot see it, or steps cannot.
    fn outputs(&self) -> Option<&local::outputs::Outputs> {
        None
    }
}
