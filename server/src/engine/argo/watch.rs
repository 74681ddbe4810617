//! Watches the cluster: one watch for all workflows of this Stoker and one for all their pods, however many runs there
//! are. Resumed where it broke off, and listed anew when the cluster has forgotten that place.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt::Debug,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::model::{
    identifiers::{RunUid, StepUid},
    time::Timestamp,
};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Resource, ResourceExt as _,
    core::DynamicObject,
    runtime::{
        WatchStreamExt as _,
        utils::Backoff,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::{sync::watch, task::JoinSet};

use super::{
    contact::Doubts,
    cursor::Part,
    names::{self, Names},
    nodes,
    pod_facts::{ContainerEnd, ContainerFacts, PodFacts},
    workflow_facts::WorkflowFacts,
};
use crate::{clock::SharedClock, root_cause::root_cause};

/// The shortest and the longest pause before a watch is begun again that broke.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Where Argo writes on a pod for which node of the workflow it is.
const NODE_NAME: &str = "workflows.argoproj.io/node-name";

/// What is known of a run in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sight {
    /// Its workflow.
    pub workflow: Option<WorkflowFacts>,
    /// The pods of its steps.
    pods: HashMap<Attempt, PodFacts>,
    /// How the programs ended whose pods are gone. Kept as long as the workflow.
    ends: HashMap<Attempt, ContainerEnd>,
}

/// An attempt of a step: each has a pod of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The step.
    pub step: StepUid,
    /// Which attempt, from 1.
    pub number: u32,
}

/// What is known of an attempt of a step, and of its run's workflow.
#[derive(Debug, Clone, Default)]
pub struct AttemptSight {
    /// The run's workflow.
    pub workflow: Option<WorkflowFacts>,
    /// The attempt's pod.
    pub pod: Option<PodFacts>,
    /// How its program ended, if its pod is gone.
    pub end: Option<ContainerEnd>,
    /// True when there is a pod of the attempt after it.
    pub has_next: bool,
}

impl Sight {
    /// Adds what an object says. Gives the object's place.
    pub fn add(&mut self, object: Object) {
        match object {
            Object::Workflow(facts) => self.workflow = Some(facts),
            Object::Pod(attempt, facts) => {
                self.pods.insert(attempt, *facts);
            }
        }
    }

    /// What is known of an attempt.
    #[must_use]
    pub fn of(&self, attempt: &Attempt) -> AttemptSight {
        let next = Attempt { step: attempt.step.clone(), number: attempt.number.saturating_add(1) };
        AttemptSight {
            workflow: self.workflow.clone(),
            pod: self.pods.get(attempt).cloned(),
            end: self.ends.get(attempt).cloned(),
            has_next: self.pods.contains_key(&next),
        }
    }

    fn take(&mut self, place: &Place) {
        match place {
            Place::Workflow => {
                self.workflow = None;
                self.ends.clear();
            }
            Place::Pod(attempt) => {
                let pod = self.pods.remove(attempt).filter(|_| self.workflow.is_some());
                if let Some(ContainerFacts::Ended(end)) = pod.map(|pod| pod.container(Part::Run).clone()) {
                    self.ends.insert(attempt.clone(), end);
                }
            }
        }
    }
}

/// What an object in the cluster says.
#[derive(Debug, Clone)]
pub enum Object {
    /// A workflow.
    Workflow(WorkflowFacts),
    /// The pod of an attempt of a step.
    Pod(Attempt, Box<PodFacts>),
}

/// Which of a run's objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    Workflow,
    Pod(Attempt),
}

impl Object {
    fn place(&self) -> Place {
        match self {
            Self::Workflow(_) => Place::Workflow,
            Self::Pod(attempt, _) => Place::Pod(attempt.clone()),
        }
    }
}

/// Reads a pod; `None` when it is no step's.
#[must_use]
pub fn read_pod(pod: &Pod) -> Option<(RunUid, Object)> {
    let labels = pod.labels();
    let number = pod.annotations().get(NODE_NAME).map_or(1, |name| nodes::attempt(name));
    let attempt = Attempt { step: label(labels, names::STEP)?, number };
    Some((label(labels, names::RUN)?, Object::Pod(attempt, Box::new(PodFacts::of(pod)))))
}

/// Reads a workflow; `None` when it is no run's.
#[must_use]
pub fn read_workflow(workflow: &DynamicObject) -> Option<(RunUid, Object)> {
    Some((label(workflow.labels(), names::RUN)?, Object::Workflow(WorkflowFacts::of(workflow))))
}

fn label<T: std::str::FromStr>(labels: &BTreeMap<String, String>, name: &str) -> Option<T> {
    labels.get(name)?.parse().ok()
}

/// The watches. They end when this is dropped.
pub struct Watch {
    seen: Arc<Seen>,
    _watches: JoinSet<()>,
}

/// What was seen last.
struct Seen {
    clock: SharedClock,
    controller: Mutex<Option<Timestamp>>,
    runs: Mutex<HashMap<RunUid, Sight>>,
    changed: watch::Sender<()>,
}

impl Watch {
    /// Begins to watch. What breaks a watch is also a doubt whether the cluster answers.
    #[must_use]
    pub fn begin(
        pods: Api<Pod>,
        workflows: Api<DynamicObject>,
        names: &Names,
        doubts: &Doubts,
        clock: SharedClock,
    ) -> Self {
        let seen = Arc::new(Seen {
            clock,
            controller: Mutex::default(),
            runs: Mutex::default(),
            changed: watch::Sender::new(()),
        });
        let mut watches = JoinSet::new();
        watches.spawn(follow(pods, names.selector(), seen.clone(), doubts.clone(), read_pod));
        watches.spawn(follow(workflows, names.selector(), seen.clone(), doubts.clone(), read_workflow));
        Self { seen, _watches: watches }
    }

    /// What was last seen of a run's workflow.
    #[must_use]
    pub fn workflow(&self, run: &RunUid) -> Option<WorkflowFacts> {
        self.seen.runs().get(run).and_then(|sight| sight.workflow.clone())
    }

    /// What was last seen of an attempt of a step.
    #[must_use]
    pub fn attempt(&self, run: &RunUid, attempt: &Attempt) -> AttemptSight {
        self.seen.runs().get(run).map(|sight| sight.of(attempt)).unwrap_or_default()
    }

    /// How many workflows there are, and how many pods in each phase.
    #[must_use]
    pub fn counts(&self) -> (usize, BTreeMap<String, usize>) {
        let runs = self.seen.runs();
        let mut phases = BTreeMap::new();
        for pod in runs.values().flat_map(|sight| sight.pods.values()) {
            *phases.entry(pod.phase.clone()).or_default() += 1;
        }
        (runs.values().filter(|sight| sight.workflow.is_some()).count(), phases)
    }

    /// When Argo's controller was last seen to take up a workflow.
    #[must_use]
    pub fn controller_seen(&self) -> Option<Timestamp> {
        *self.seen.controller.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells when anything has changed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.seen.changed.subscribe()
    }
}

impl Seen {
    fn runs(&self) -> MutexGuard<'_, HashMap<RunUid, Sight>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A workflow that was not picked up before, and is now.
    fn note_controller(&self, before: &Sight, object: &Object) {
        let was_waiting = before.workflow.as_ref().is_some_and(|workflow| !workflow.is_picked_up);
        if was_waiting && matches!(object, Object::Workflow(now) if now.is_picked_up) {
            *self.controller.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.clock.now());
        }
    }

    fn change(&self, run: &RunUid, change: impl FnOnce(&mut Sight)) {
        let mut runs = self.runs();
        let sight = runs.entry(run.clone()).or_default();
        change(sight);
        if *sight == Sight::default() {
            runs.remove(run);
        }
        drop(runs);
        self.changed.send_replace(());
    }
}

/// The pauses before a watch is begun again. Not half a minute at last, as is usual: somebody waits.
struct Pauses(Duration);

impl Default for Pauses {
    fn default() -> Self {
        Self(SHORTEST_PAUSE)
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        Some(pause)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

async fn follow<K>(
    api: Api<K>,
    selector: String,
    seen: Arc<Seen>,
    doubts: Doubts,
    read: fn(&K) -> Option<(RunUid, Object)>,
) where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let mut events = watcher(api, watcher::Config::default().labels(&selector)).backoff(Pauses::default()).boxed();
    // What is there by this watch's account, and what a list that is under way has named so far.
    let (mut there, mut listed) = (HashSet::new(), HashSet::new());
    let mut is_failing = false;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                is_failing = false;
                match event {
                    Event::Init => listed.clear(),
                    Event::InitApply(object) | Event::Apply(object) => {
                        let Some((run, object)) = read(&object) else { continue };
                        let place = (run, object.place());
                        seen.change(&place.0, |sight| {
                            seen.note_controller(sight, &object);
                            sight.add(object);
                        });
                        listed.insert(place.clone());
                        there.insert(place);
                    }
                    Event::InitDone => {
                        for (run, place) in there.difference(&listed) {
                            seen.change(run, |sight| sight.take(place));
                        }
                        there.clone_from(&listed);
                    }
                    Event::Delete(object) => {
                        let Some((run, object)) = read(&object) else { continue };
                        let place = (run, object.place());
                        // What was seen last of it comes with it.
                        seen.change(&place.0, |sight| {
                            sight.add(object);
                            sight.take(&place.1);
                        });
                        listed.remove(&place);
                        there.remove(&place);
                    }
                }
            }
            Err(error) => {
                doubts.raise(root_cause(&error));
                if !std::mem::replace(&mut is_failing, true) {
                    tracing::warn!(%error, "A watch of the cluster broke; trying again");
                }
            }
        }
    }
}
