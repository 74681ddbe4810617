//! The API's answers about flows, field for field.

use app::model::{
    flow::{Flow, FlowStep, StepKey},
    identifiers::{RunNumber, RunUid},
    phase::Phase,
    spec::Timeout,
    time::Timestamp,
    views::{
        FlowDetail, FlowPlace, ListedFlow, RunDetail, RunOrigin, RunSummary, SpecifiedRun, StepOutput, StepSummary,
    },
};
use serde::Serialize;
use serde_json::{Value, json};

use super::shapes::{dependencies, phase_word};
use crate::service::StepLog;

/// A place in the list of flows as a cursor: `<milliseconds>.<flow id>`.
pub fn cursor(place: &FlowPlace) -> String {
    format!("{}.{}", place.updated_at.0, place.id)
}

/// The place that a cursor means.
pub fn place(cursor: &str) -> Option<FlowPlace> {
    let (millis, id) = cursor.split_once('.')?;
    Some(FlowPlace { updated_at: Timestamp(millis.parse().ok()?), id: id.parse().ok()? })
}

/// All flows have this status: there are no others.
const STATUS: &str = "draft";

/// The phase of a step in the words that programs know. They know four; that a step was not run is told too.
pub fn step_phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Error => Phase::Failed.word(),
        other => phase_word(other),
    }
}

/// A flow in the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowEntry {
    id: String,
    name: String,
    description: Option<String>,
    status: &'static str,
    created_at: String,
    updated_at: String,
    step_count: u32,
}

impl From<ListedFlow> for FlowEntry {
    fn from(flow: ListedFlow) -> Self {
        Self {
            id: flow.id.into(),
            name: flow.name,
            description: flow.description,
            status: STATUS,
            created_at: flow.created_at.to_rfc3339(),
            updated_at: flow.updated_at.to_rfc3339(),
            step_count: flow.steps,
        }
    }
}

/// A flow with its definition.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowBody {
    id: String,
    name: String,
    description: Option<String>,
    engine: Option<String>,
    steps: Vec<StepBody>,
    edges: Vec<EdgeBody>,
    status: &'static str,
    created_at: String,
    updated_at: String,
}

impl From<FlowDetail> for FlowBody {
    fn from(detail: FlowDetail) -> Self {
        let flow = &detail.flow;
        Self {
            id: detail.id.into(),
            name: flow.name().as_str().to_owned(),
            description: flow.description().map(|description| description.as_str().to_owned()),
            engine: flow.engine().map(|engine| engine.as_str().to_owned()),
            steps: flow.steps().iter().map(StepBody::from).collect(),
            edges: edges(flow),
            status: STATUS,
            created_at: detail.created_at.to_rfc3339(),
            updated_at: detail.updated_at.to_rfc3339(),
        }
    }
}

/// A step of a flow. What was not given is null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StepBody {
    id: String,
    name: String,
    python_code: String,
    dependencies: Option<String>,
    requirements_file: Option<String>,
    system_dependencies: Option<String>,
    position: Value,
    use_cache: bool,
    environment: String,
    timeout_seconds: Option<u32>,
    cpu_request: Option<String>,
    cpu_limit: Option<String>,
    memory_request: Option<String>,
    memory_limit: Option<String>,
    python_version: Option<String>,
    runs_when: &'static str,
    retries: u32,
    retry_wait_seconds: u32,
    retry_factor: u32,
}

impl From<&FlowStep> for StepBody {
    fn from(step: &FlowStep) -> Self {
        let FlowStep { key, name, spec, runs_when, retries, placement, .. } = step;
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        let resources = &spec.resources;
        Self {
            id: key.to_string(),
            name: name.as_str().to_owned(),
            python_code: spec.code.as_str().to_owned(),
            dependencies: given(dependencies(&spec.packages)),
            requirements_file: spec.requirements.as_ref().map(|file| file.as_str().to_owned()),
            system_dependencies: given(spec.system_packages.to_string()),
            position: placement.map_or_else(|| json!({}), |placement| json!({ "x": placement.x, "y": placement.y })),
            use_cache: spec.use_cache,
            environment: spec.environment.to_string(),
            timeout_seconds: spec.timeout.map(Timeout::seconds),
            cpu_request: resources.cpu_request.map(|amount| amount.to_string()),
            cpu_limit: resources.cpu_limit.map(|amount| amount.to_string()),
            memory_request: resources.memory_request.map(|amount| amount.to_string()),
            memory_limit: resources.memory_limit.map(|amount| amount.to_string()),
            python_version: spec.python.map(|version| version.to_string()),
            runs_when: runs_when.word(),
            retries: retries.count(),
            retry_wait_seconds: retries.wait(),
            retry_factor: retries.factor(),
        }
    }
}

/// That a step runs after another one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EdgeBody {
    id: String,
    source: String,
    target: String,
    source_handle: Option<String>,
    target_handle: Option<String>,
}

fn edges(flow: &Flow) -> Vec<EdgeBody> {
    let to_step = |step: &FlowStep| {
        let edge = |source: &StepKey| EdgeBody {
            id: format!("edge-{source}-{}", step.key),
            source: source.to_string(),
            target: step.key.to_string(),
            source_handle: None,
            target_handle: None,
        };
        step.runs_after.iter().map(edge).collect::<Vec<_>>()
    };
    flow.steps().iter().flat_map(to_step).collect()
}

/// A run of a flow. Times that are not known are null.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowRunEntry {
    id: i64,
    run_number: u32,
    workflow_id: String,
    phase: &'static str,
    started_at: Option<String>,
    finished_at: Option<String>,
    created_at: String,
    message: Option<String>,
}

impl FlowRunEntry {
    fn new(id: i64, uid: RunUid, summary: RunSummary) -> Self {
        Self {
            id,
            run_number: summary.number.get(),
            workflow_id: uid.into(),
            phase: phase_word(summary.phase),
            started_at: summary.started_at.map(Timestamp::to_rfc3339),
            finished_at: summary.finished_at.map(Timestamp::to_rfc3339),
            created_at: summary.created_at.to_rfc3339(),
            message: summary.message,
        }
    }
}

impl From<SpecifiedRun> for FlowRunEntry {
    fn from(run: SpecifiedRun) -> Self {
        Self::new(run.id.0, run.uid, run.summary)
    }
}

/// A run of a flow with its steps.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlowRunBody {
    flow_id: String,
    #[serde(flatten)]
    run: FlowRunEntry,
    /// Of which run this is a restart, if it is one.
    restart_of: Option<u32>,
    step_runs: Vec<StepRunEntry>,
}

impl FlowRunBody {
    /// A run with its steps and their logs, both in order.
    pub fn new(id: i64, detail: RunDetail, logs: Vec<StepLog>) -> Self {
        Self {
            flow_id: detail.task_id.into(),
            run: FlowRunEntry::new(id, detail.uid, detail.summary),
            restart_of: match detail.origin {
                Some(RunOrigin::Restart(number)) => Some(number.get()),
                _ => None,
            },
            step_runs: detail.steps.into_iter().zip(logs).map(StepRunEntry::from).collect(),
        }
    }
}

/// A step of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StepRunEntry {
    id: i64,
    step_id: String,
    name: String,
    workflow_node_id: String,
    phase: &'static str,
    started_at: Option<String>,
    finished_at: Option<String>,
    attempt: u32,
    message: Option<String>,
    /// The run whose result it has, when it was not run again.
    kept_from: Option<u32>,
}

impl From<(StepSummary, StepLog)> for StepRunEntry {
    fn from((step, log): (StepSummary, StepLog)) -> Self {
        Self {
            id: log.id.0,
            step_id: step.key.into(),
            name: step.name.as_str().to_owned(),
            workflow_node_id: log.uid.into(),
            phase: step_phase_word(step.phase),
            started_at: step.started_at.map(Timestamp::to_rfc3339),
            finished_at: step.finished_at.map(Timestamp::to_rfc3339),
            attempt: step.attempt,
            message: step.message,
            kept_from: step.kept_from.map(RunNumber::get),
        }
    }
}

/// Whose log a text is, and how that step stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepLogHead {
    step_id: String,
    node: String,
    pod: String,
    phase: &'static str,
}

impl From<&StepLog> for StepLogHead {
    fn from(log: &StepLog) -> Self {
        Self {
            step_id: log.key.to_string(),
            node: log.uid.to_string(),
            pod: format!("{}-main", log.uid),
            phase: step_phase_word(log.phase),
        }
    }
}

/// What a step has put out.
#[derive(Debug, Serialize)]
pub struct OutputEntry {
    name: String,
    bytes: u64,
}

impl From<StepOutput> for OutputEntry {
    fn from(output: StepOutput) -> Self {
        Self { name: output.name, bytes: output.bytes }
    }
}
