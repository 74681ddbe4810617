//! What pages and programs are shown: tasks and runs as read for one answer.

use serde::{Deserialize, Serialize};

use super::{
    cache::CacheReport,
    checkpoint::{Checkpoint, CheckpointStatus},
    flow::{Flow, Placement, RunsWhen, StepKey, StepName},
    identifiers::{Kind, RunId, RunNumber, RunUid, StepId, TaskId},
    last_run::LastRun,
    lock::Lock,
    log::{EarlierGroup, LogLines, RunState},
    phase::Phase,
    run_list::Since,
    spec::{EngineChoice, TaskName, TaskSpec},
    step_address::StepAddress,
    task_counts::TaskCounts,
    task_title::TaskTitle,
    time::Timestamp,
};
use crate::routes;

/// Which part of the task list to show. Newest activity first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct TaskQuery {
    /// What is listed.
    pub kind: Kind,
    /// Words to look for in name, id, code and packages; empty for all.
    pub search: String,
    /// How the last run stands; `None` for all.
    pub last: Option<LastRun>,
    /// On which engine the last run is; `None` for all.
    pub engine: Option<EngineChoice>,
    /// Since when something was done with it, saved or run; `None` for all.
    pub since: Option<Since>,
    /// Where the page starts; `None` for the newest.
    pub from: Option<TaskCursor>,
}

impl TaskQuery {
    /// True when some tasks may be left out.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        !self.search.is_empty() || !self.filters().is_empty()
    }

    /// The filters, as parameters of an address.
    #[must_use]
    pub fn filters(&self) -> Vec<(&'static str, String)> {
        [
            ("last", self.last.map(|last| last.address_word().to_owned())),
            ("engine", self.engine.as_ref().map(|engine| engine.as_str().to_owned())),
            ("since", self.since.map(|since| since.address_word().to_owned())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// A place in the task list (keyset paging).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TaskCursor {
    /// True for the page of newer tasks that ends just before the place.
    pub newer: bool,
    /// Activity of the task at the place.
    pub activity_at: Timestamp,
    /// Id of the task at the place.
    pub id: TaskId,
}

/// A page of the task list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPage {
    /// The tasks, newest activity first.
    pub tasks: Vec<TaskSummary>,
    /// The page before this one.
    pub newer: Option<TaskCursor>,
    /// The page after this one.
    pub older: Option<TaskCursor>,
    /// True when there is no task at all, whatever the search.
    pub none_at_all: bool,
    /// How many tasks other choices of the filters would list.
    pub counts: TaskCounts,
}

/// A task in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Its id.
    pub id: TaskId,
    /// What it is called.
    pub title: TaskTitle,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last saved or run.
    pub activity_at: Timestamp,
    /// Its last ten runs, oldest first; the last one is the latest.
    pub recent: Vec<RunSummary>,
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its number within the task.
    pub number: RunNumber,
    /// Where it stands.
    pub phase: Phase,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its turn came.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it ended as it did, or what it waits for.
    pub message: Option<String>,
}

/// A run with the time at which it was prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunTiming {
    /// The run.
    pub run: RunSummary,
    /// When its program began; `None` when it has not.
    pub prepared_at: Option<Timestamp>,
}

/// A task with a page of its run history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDetail {
    /// Its id.
    pub id: TaskId,
    /// Its name.
    pub name: Option<TaskName>,
    /// Its spec as saved.
    pub spec: TaskSpec,
    /// Counts the saves; a form sends it back, so that two people do not overwrite each other unseen.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last saved.
    pub updated_at: Timestamp,
    /// How many runs it has.
    pub run_count: u32,
    /// A page of its runs, newest first.
    pub runs: Vec<RunSummary>,
    /// Set when there are older runs: the number to continue below.
    pub older_than: Option<RunNumber>,
}

impl TaskDetail {
    /// What it is called.
    #[must_use]
    pub fn title(&self) -> TaskTitle {
        TaskTitle::of(self.name.as_ref(), self.spec.code.as_str(), &self.id)
    }
}

/// A run with all that its page shows, but the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunDetail {
    /// The task's id.
    pub task_id: TaskId,
    /// What the task is called.
    pub task_title: TaskTitle,
    /// Number, phase, times and message.
    pub summary: RunSummary,
    /// Its name outside of Stoker.
    pub uid: RunUid,
    /// The engine's name.
    pub engine: String,
    /// Place in the queue from 1, while it waits.
    pub queue_place: Option<u32>,
    /// When somebody asked to cancel it.
    pub cancel_requested_at: Option<Timestamp>,
    /// What the run took from another one, if it did not begin anew.
    pub origin: Option<RunOrigin>,
    /// The step that is shown.
    pub step: StepDetail,
    /// All its steps, in the order of the definition; a task's run has one.
    pub steps: Vec<StepSummary>,
    /// The run before it, to compare with.
    pub previous: Option<PreviousRun>,
    /// The run after it, if there is one.
    pub next: Option<RunNumber>,
    /// The task's latest run.
    pub latest: RunNumber,
    /// What its engine handed over for it, if it did.
    pub manifest: Option<KeptManifest>,
    /// The state as the log socket tells it.
    pub state: RunState,
}

/// What an engine handed over for a run, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptManifest {
    /// How long it is.
    pub bytes: u64,
    /// The text, unless it is too long for a page.
    pub text: Option<String>,
}

/// A step of a run with all that a page shows of it, but the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDetail {
    /// Its key.
    pub id: StepId,
    /// Names it within the run.
    pub key: StepKey,
    /// What people call it.
    pub name: StepName,
    /// Where it stands.
    pub phase: Phase,
    /// Its own frozen copy of the spec.
    pub spec: TaskSpec,
    /// Exact versions installed; `None` until they are known.
    pub lock: Option<Lock>,
    /// The full version of Python that it was given, such as `3.12.4`; `None` until that is known.
    pub python: Option<String>,
    /// What preparing it cost; `None` until it is prepared.
    pub cache: Option<CacheReport>,
    /// Checkpoints made so far.
    pub checkpoints: Vec<Checkpoint>,
    /// The program's exit code; `None` while it runs, or when a signal ended it.
    pub exit_code: Option<i32>,
    /// Why it ended so, or why it was not run.
    pub message: Option<String>,
    /// The attempts before the present one, in order.
    pub attempts: Vec<Attempt>,
    /// Which attempt it is at, from 1.
    pub attempt: u32,
    /// What it waits for outside of Stoker, as a sentence.
    pub waiting_for: Option<String>,
    /// Where the engine placed it, such as a node of a cluster.
    pub place: Option<String>,
}

/// An attempt of a step that failed, after which there was another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// How it ended.
    pub phase: Phase,
    /// The first line of its log within the step's.
    pub first_line: u64,
    /// When its turn came.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Why it ended so.
    pub message: Option<String>,
    /// The program's exit code.
    pub exit_code: Option<i32>,
}

/// A step of a run in a list, and in its drawing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSummary {
    /// Names it within the run.
    pub key: StepKey,
    /// What people call it.
    pub name: StepName,
    /// Where it stands.
    pub phase: Phase,
    /// The steps that it waits for, by their index.
    pub runs_after: Vec<usize>,
    /// How those must have ended.
    pub runs_when: RunsWhen,
    /// Where it was put on the drawing.
    pub placement: Option<Placement>,
    /// Which attempt it is at, from 1.
    pub attempt: u32,
    /// When its turn came.
    pub started_at: Option<Timestamp>,
    /// When its last checkpoint so far was made: up to then it was prepared.
    pub prepared_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it ended as it did, why it was not run, or what it waits for.
    pub message: Option<String>,
    /// The run whose result it has, when it was not run again.
    pub kept_from: Option<RunNumber>,
}

/// What a run took from an earlier run of the same flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOrigin {
    /// It goes on where that one failed: steps that succeeded there are kept.
    Restart(RunNumber),
    /// It is one step alone, with the outputs of that run as its inputs.
    StepOf(RunNumber),
    /// It is one step alone, without inputs.
    StepAlone,
}

/// A flow with a page of its run history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowDetail {
    /// Its id.
    pub id: TaskId,
    /// The flow as saved.
    pub flow: Flow,
    /// Counts the saves; a form sends it back, so that two people do not overwrite each other unseen.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last saved.
    pub updated_at: Timestamp,
    /// How many runs it has.
    pub run_count: u32,
    /// A page of its runs, newest first.
    pub runs: Vec<RunSummary>,
    /// Set when there are older runs: the number to continue below.
    pub older_than: Option<RunNumber>,
}

/// Something that a step left for the steps after it and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepOutput {
    /// Its name, such as `output.json`.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
}

impl StepDetail {
    /// Whether it could not be prepared.
    #[must_use]
    pub fn has_failed_preparation(&self) -> bool {
        self.checkpoints.iter().any(|checkpoint| checkpoint.status == Some(CheckpointStatus::Failed))
    }
}

impl RunDetail {
    /// Names one of its steps.
    #[must_use]
    pub fn address_of(&self, step: &StepKey) -> StepAddress {
        StepAddress {
            task: self.task_id.clone(),
            number: self.summary.number,
            // A task's run has one step, and is one page with it.
            step: (self.task_id.kind() == Kind::Flow).then(|| step.clone()),
        }
    }

    /// Names the step that is shown.
    #[must_use]
    pub fn address(&self) -> StepAddress {
        self.address_of(&self.step.key)
    }

    /// The address of the page of the step that is shown.
    #[must_use]
    pub fn page(&self) -> String {
        routes::step(&self.address())
    }

    /// Whether it has steps to tell apart.
    #[must_use]
    pub fn has_several_steps(&self) -> bool {
        self.steps.len() > 1
    }

    /// The step that is shown, as it stands among all, with its index.
    #[must_use]
    pub fn shown(&self) -> Option<(usize, &StepSummary)> {
        self.steps.iter().enumerate().find(|(_, step)| step.key == self.step.key)
    }

    /// The checkpoint that is under way.
    #[must_use]
    pub fn under_way(&self) -> Option<&Checkpoint> {
        let last = self.step.checkpoints.last();
        last.filter(|checkpoint| checkpoint.status.is_none() && !self.step.phase.is_final())
    }
}

/// The run before another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousRun {
    /// Its number.
    pub number: RunNumber,
    /// Its spec.
    pub spec: TaskSpec,
    /// Its lock.
    pub lock: Option<Lock>,
}

/// The keys of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunKeys {
    /// The run's.
    pub run: RunId,
    /// Its first step's.
    pub step: StepId,
    /// Its number within the task.
    pub number: RunNumber,
}

/// A task in the list that programs read, with its latest run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTask {
    /// Its id.
    pub id: TaskId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Phase, start and end of the latest run.
    pub latest: Option<(Phase, Option<Timestamp>, Option<Timestamp>)>,
}

/// A flow in the list that programs read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFlow {
    /// Its id.
    pub id: TaskId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last saved.
    pub updated_at: Timestamp,
    /// How many steps it has.
    pub steps: u32,
}

/// A place in the list of flows that programs read: after the flow that was saved then and has this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowPlace {
    /// When the flow was last saved.
    pub updated_at: Timestamp,
    /// Its id.
    pub id: TaskId,
}

/// A place in the list that programs read: after the task of this age and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPlace {
    /// When the task was made.
    pub created_at: Timestamp,
    /// Its id.
    pub id: TaskId,
}

/// A run with its copy of the spec, as programs read it with its task.
#[derive(Debug, Clone)]
pub struct SpecifiedRun {
    /// Its key.
    pub id: RunId,
    /// Its name outside of Stoker.
    pub uid: RunUid,
    /// Number, phase, times and message.
    pub summary: RunSummary,
    /// Its copy of the spec.
    pub spec: TaskSpec,
}

/// Which lines of a log to read, at most: of long lines it may be fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogWindow {
    /// The last so many lines.
    Last(u32),
    /// So many lines around this one; the last ones when it is not there.
    Around(u64, u32),
    /// So many lines up to before this one.
    Before(u64, u32),
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// The lines.
    pub lines: LogLines,
    /// The groups that began before and go on there, from the outermost. Those that began very long before are left out.
    pub groups: Vec<EarlierGroup>,
    /// How many lines the whole log has so far.
    pub total: u64,
}
