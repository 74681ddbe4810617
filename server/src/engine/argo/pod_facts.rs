//! What a pod's status says, in Stoker's words: why it does not begin, where it is, how its containers ended.

use app::model::{resources::Memory, time::Timestamp};
use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};

use super::cursor::Part;

const SIGKILL: i32 = 9;
/// A container that a signal ended has this and the signal's number as its exit code.
const SIGNALLED: i32 = 128;

/// What is known of a step's pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodFacts {
    /// Its name.
    pub name: String,
    /// Its phase, in the cluster's word.
    pub phase: String,
    /// The node it was placed on.
    pub node: Option<String>,
    /// Why it does not begin, as a sentence.
    pub waiting: Option<String>,
    /// Why it has failed as a whole, as a sentence: evicted, or its node went down.
    pub failed: Option<String>,
    /// True when somebody has asked for its removal.
    pub is_being_removed: bool,
    prepare: ContainerFacts,
    main: ContainerFacts,
}

/// How far a container is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ContainerFacts {
    /// It has not begun.
    #[default]
    Waiting,
    /// It runs.
    Running,
    /// It has ended.
    Ended(ContainerEnd),
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerEnd {
    /// When.
    pub at: Option<Timestamp>,
    /// Its exit code, unless a signal ended it.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// It needed more memory than its limit.
    pub memory_ran_out: bool,
    /// Bytes of memory that it may have, if there is a limit.
    pub memory_limit: Option<u64>,
}

impl PodFacts {
    /// Of a pod.
    #[must_use]
    pub fn of(pod: &Pod) -> Self {
        let status = pod.status.as_ref();
        let statuses = |list: Option<&Vec<ContainerStatus>>| list.cloned().unwrap_or_default();
        let of_ours = statuses(status.and_then(|status| status.container_statuses.as_ref()));
        let of_argo = statuses(status.and_then(|status| status.init_container_statuses.as_ref()));
        let container = |part: Part| {
            let state = of_ours.iter().find(|status| status.name == part.container())?.state.as_ref()?;
            Some(ContainerFacts::of(state, memory_limit(pod, part)))
        };
        let phase = status.and_then(|status| status.phase.as_deref()).unwrap_or("Pending");
        Self {
            name: pod.metadata.name.clone().unwrap_or_default(),
            phase: phase.to_owned(),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            waiting: unschedulable(pod).or_else(|| of_argo.iter().chain(&of_ours).find_map(waiting_reason)),
            failed: (phase == "Failed").then(|| failure(pod)).flatten(),
            is_being_removed: pod.metadata.deletion_timestamp.is_some(),
            prepare: container(Part::Prepare).unwrap_or_default(),
            main: container(Part::Run).unwrap_or_default(),
        }
    }

    /// How far one of the two containers is.
    #[must_use]
    pub fn container(&self, part: Part) -> &ContainerFacts {
        match part {
            Part::Prepare => &self.prepare,
            Part::Run => &self.main,
        }
    }
}

impl ContainerFacts {
    fn of(state: &ContainerState, memory_limit: Option<u64>) -> Self {
        if let Some(ended) = &state.terminated {
            let memory_ran_out = ended.reason.as_deref() == Some("OOMKilled");
            let signal = if memory_ran_out {
                Some(SIGKILL)
            } else {
                ended.signal.or(Some(ended.exit_code - SIGNALLED).filter(|signal| (1..=64).contains(signal)))
            };
            return Self::Ended(ContainerEnd {
                at: ended.finished_at.as_ref().map(|time| Timestamp(time.0.as_millisecond())),
                exit_code: signal.is_none().then_some(ended.exit_code),
                signal,
                memory_ran_out,
                memory_limit,
            });
        }
        if state.running.is_some() { Self::Running } else { Self::Waiting }
    }
}

fn memory_limit(pod: &Pod, part: Part) -> Option<u64> {
    let containers = &pod.spec.as_ref()?.containers;
    let container = containers.iter().find(|container| container.name == part.container())?;
    let limit = container.resources.as_ref()?.limits.as_ref()?.get("memory")?;
    memory(&limit.0).map(Memory::bytes)
}

/// An amount of memory as the cluster writes it: `2Gi`, or a number of bytes.
fn memory(text: &str) -> Option<Memory> {
    text.parse().map(Memory::of_bytes).ok().or_else(|| Memory::parse(text).ok()?)
}

/// What the program's container asks for, in words; `None` when it asks for nothing.
fn asked_for(pod: &Pod) -> Option<String> {
    let containers = &pod.spec.as_ref()?.containers;
    let main = containers.iter().find(|container| container.name == Part::Run.container())?;
    let requests = main.resources.as_ref()?.requests.as_ref()?;
    let cpu = requests.get("cpu").map(|amount| format!("{} CPU", amount.0));
    let bytes = requests.get("memory").and_then(|amount| memory(&amount.0));
    let amounts: Vec<String> = cpu.into_iter().chain(bytes.map(|bytes| format!("{bytes} of memory"))).collect();
    (!amounts.is_empty()).then(|| amounts.join(" and "))
}

/// Why no node takes it.
fn unschedulable(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let scheduled = conditions.iter().find(|condition| condition.type_ == "PodScheduled")?;
    if scheduled.status == "True" {
        return None;
    }
    let message = sentence(scheduled.message.as_deref().unwrap_or("the scheduler gave no reason"));
    Some(if message.contains("persistentvolumeclaim") || message.contains("PersistentVolumeClaim") {
        format!("The pod waits for a volume: {message}")
    } else {
        let asks = asked_for(pod).map(|amounts| format!(", whose program asks for {amounts}")).unwrap_or_default();
        format!("No node has room for the pod{asks}, or may take it: {message}")
    })
}

fn waiting_reason(status: &ContainerStatus) -> Option<String> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    let message = || sentence(waiting.message.as_deref().unwrap_or("the node gave no reason"));
    Some(match waiting.reason.as_deref()? {
        "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" => {
            format!("The image {} cannot be pulled: {}", status.image, message())
        }
        "InvalidImageName" => format!("The image's name {} is no valid one. Correct --image.", status.image),
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            format!("The node cannot make the container: {}", message())
        }
        _ => return None,
    })
}

fn failure(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let message = sentence(status.message.as_deref().unwrap_or("it gave no reason"));
    Some(match status.reason.as_deref()? {
        "Evicted" => format!("The cluster evicted the run's pod: {message} Let it use less, or run it again."),
        "DeadlineExceeded" => "The run's pod took longer than the cluster allows. Run it again.".to_owned(),
        reason => format!("The cluster ended the run's pod ({reason}): {message} Run it again."),
    })
}

/// A message of the cluster's as a sentence on one line.
#[must_use]
pub fn sentence(message: &str) -> String {
    let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{}.", words.trim_end_matches('.'))
}
