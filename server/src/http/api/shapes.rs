//! The API's answers, field for field.

use app::model::{
    identifiers::TaskId,
    phase::Phase,
    python_packages::PythonPackages,
    spec::TaskSpec,
    time::Timestamp,
    views::{ListedTask, RunDetail, RunKeys, SpecifiedRun, TaskDetail, TaskPlace},
};
use serde::Serialize;

/// A place in the list of tasks as a cursor: `<milliseconds>.<task id>`.
pub fn cursor(place: &TaskPlace) -> String {
    format!("{}.{}", place.created_at.0, place.id)
}

/// The place that a cursor means.
pub fn place(cursor: &str) -> Option<TaskPlace> {
    let (millis, id) = cursor.split_once('.')?;
    Some(TaskPlace { created_at: Timestamp(millis.parse().ok()?), id: id.parse().ok()? })
}

/// A phase in the words that programs know: they know no cancelled runs.
pub fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Cancelled => Phase::Failed.word(),
        other => other.word(),
    }
}

/// A task in the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskEntry {
    id: String,
    phase: &'static str,
    started_at: Option<String>,
    finished_at: Option<String>,
    created_at: String,
}

impl From<ListedTask> for TaskEntry {
    fn from(task: ListedTask) -> Self {
        let (phase, started_at, finished_at) = match task.latest {
            Some((phase, started_at, finished_at)) => (phase_word(phase), started_at, finished_at),
            None => ("Not Started", None, None),
        };
        Self {
            id: task.id.into(),
            phase,
            started_at: started_at.map(Timestamp::to_rfc3339),
            finished_at: finished_at.map(Timestamp::to_rfc3339),
            created_at: task.created_at.to_rfc3339(),
        }
    }
}

/// A task's content; also a run's copy of it. Texts are empty, never null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    python_code: String,
    dependencies: String,
    requirements_file: String,
    system_dependencies: String,
    use_cache: bool,
    // Only this API has it, so who does not ask for it sees nothing new.
    #[serde(skip_serializing_if = "Option::is_none")]
    python_version: Option<String>,
}

impl From<&TaskSpec> for Definition {
    fn from(spec: &TaskSpec) -> Self {
        Self {
            python_code: spec.code.as_str().to_owned(),
            dependencies: dependencies(&spec.packages),
            requirements_file: spec.requirements.as_ref().map(|file| file.as_str().to_owned()).unwrap_or_default(),
            system_dependencies: spec.system_packages.to_string(),
            use_cache: spec.use_cache,
            python_version: spec.python.map(|version| version.to_string()),
        }
    }
}

/// The packages in one line, as programs send them.
pub fn dependencies(packages: &PythonPackages) -> String {
    let all: Vec<&str> = packages.iter().collect();
    let separator = if all.iter().any(|package| package.contains(' ')) { ", " } else { " " };
    all.join(separator)
}

/// A task as it is, without its runs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskHead {
    id: TaskId,
    #[serde(flatten)]
    definition: Definition,
    created_at: String,
    updated_at: String,
}

impl From<TaskDetail> for TaskHead {
    fn from(task: TaskDetail) -> Self {
        Self {
            definition: Definition::from(&task.spec),
            id: task.id,
            created_at: task.created_at.to_rfc3339(),
            updated_at: task.updated_at.to_rfc3339(),
        }
    }
}

/// A run of a task. Times are empty when they are not known, never null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunEntry {
    id: i64,
    run_number: u32,
    workflow_id: String,
    phase: &'static str,
    #[serde(flatten)]
    definition: Definition,
    started_at: String,
    finished_at: String,
    created_at: String,
    message: String,
}

impl From<SpecifiedRun> for RunEntry {
    fn from(run: SpecifiedRun) -> Self {
        let summary = run.summary;
        let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339).unwrap_or_default();
        let message = summary
            .message
            .or_else(|| (summary.phase == Phase::Cancelled).then(|| "The run was cancelled.".to_owned()));
        Self {
            id: run.id.0,
            run_number: summary.number.get(),
            workflow_id: run.uid.into(),
            phase: phase_word(summary.phase),
            definition: Definition::from(&run.spec),
            started_at: time(summary.started_at),
            finished_at: time(summary.finished_at),
            created_at: summary.created_at.to_rfc3339(),
            message: message.unwrap_or_default(),
        }
    }
}

/// Which part of a run a log is of, and how that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogHead {
    /// The part.
    node: String,
    /// Where it ran.
    pod: String,
    /// Where the run stands.
    phase: &'static str,
}

impl LogHead {
    /// Of a run's program.
    pub fn of(run: &RunDetail) -> Self {
        let phase = phase_word(run.state.phase);
        Self { node: run.uid.to_string(), pod: format!("{}-main", run.uid), phase }
    }
}

/// The log of one part of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    #[serde(flatten)]
    head: LogHead,
    logs: String,
}

impl LogEntry {
    /// This text of a run's program.
    pub fn new(run: &RunDetail, logs: String) -> Self {
        Self { head: LogHead::of(run), logs }
    }

    /// What there is to say of a run without a log; `None` when it has no message.
    pub fn of_message(run: &RunDetail) -> Option<Self> {
        let message = run.summary.message.as_ref()?;
        let head = LogHead { node: "workflow".to_owned(), pod: "N/A".to_owned(), phase: phase_word(run.state.phase) };
        Some(Self { head, logs: format!("Workflow message: {message}") })
    }
}

/// The log of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogAnswer {
    /// One entry, or none when nothing was written.
    pub logs: Vec<LogEntry>,
    /// Where the text comes from.
    pub source: &'static str,
    /// The run's key; missing when there is no run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<i64>,
    /// The run's number; 0 when there is no run.
    pub run_number: u32,
}

impl LogAnswer {
    /// The answer when there is no run.
    pub fn empty() -> Self {
        Self { logs: Vec::new(), source: "database", run_id: None, run_number: 0 }
    }

    /// The log of a run.
    pub fn new(keys: RunKeys, logs: Vec<LogEntry>) -> Self {
        Self { logs, source: "database", run_id: Some(keys.run.0), run_number: keys.number.get() }
    }
}
