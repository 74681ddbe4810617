//! Runs: started, repeated, cancelled, read.

use std::time::Duration;

use app::{
    backend::{BackendError, StartRun},
    model::{
        cache::Readiness,
        flow::{FlowStep, StepKey},
        identifiers::{Kind, RunId, RunNumber, RunUid, TaskId},
        phase::Phase,
        spec::{EngineChoice, TaskSpec},
        step_address::StepAddress,
        views::{RunDetail, RunKeys, RunOrigin, SpecifiedRun},
    },
};
use diesel::SqliteConnection;

use super::{Page, Service, backend_error, missing_run, missing_step, missing_task};
use crate::{
    clock::random_run_uid,
    db::{
        DatabaseError, manifests,
        runs::{self, CancelRequest, NewRun, RunInputs},
        steps::{self, Beginning, NewStep},
        tasks, views,
    },
    engine::SharedEngine,
    execution::plan,
};

/// How long to wait for a hint before looking at a run again.
const LOOKING_AGAIN: Duration = Duration::from_millis(200);

/// What came of a request to start a run.
enum Started {
    Done(RunNumber),
    Busy(RunNumber),
    Nowhere(String),
}

impl Service {
    pub(super) async fn start(&self, start: StartRun) -> Result<RunNumber, BackendError> {
        let uid = random_run_uid(self.dependencies.random.as_ref());
        let (id, at, engines) = (start.id.clone(), self.dependencies.clock.now(), self.dependencies.engines.clone());
        let started = self
            .dependencies
            .database
            .write(move |connection| {
                if start.only_when_idle
                    && let Some(number) = runs::active_numbers(connection, &start.id)?.first()
                {
                    return Ok(Started::Busy(*number));
                }
                let (steps, choice) = saved_steps(connection, &start)?;
                let engine = match engines.chosen(choice.as_ref()) {
                    Ok(engine) => engine.name().0,
                    Err(error) => return Ok(Started::Nowhere(error.message)),
                };
                let new = NewRun { uid: &uid, task_id: &start.id, steps, engine, origin: None, at };
                Ok(Started::Done(runs::create(connection, &new)?.number))
            })
            .await
            .map_err(|error| backend_error(error, missing_task(&id)))?;
        match started {
            Started::Done(number) => {
                self.dependencies.wake.notify_one();
                Ok(number)
            }
            Started::Nowhere(reason) => Err(BackendError::Conflict(reason)),
            Started::Busy(number) => {
                let kind = match id.kind() {
                    Kind::Task => "Task",
                    Kind::Flow => "Flow",
                };
                Err(BackendError::Conflict(format!(
                    "{kind} {id} already has a running workflow (run #{number}). Please wait for it to complete or \
                     cancel it first."
                )))
            }
        }
    }

    /// A run with the same steps and locks, all of them; of a step that was run alone, that step alone.
    pub(super) async fn start_again(&self, id: &TaskId, number: RunNumber) -> Result<RunNumber, BackendError> {
        self.derive_run(id, number, |old| Ok(old.again())).await
    }

    /// Makes a run from an older one, unless the older one does not allow it.
    pub(super) async fn derive_run(
        &self,
        id: &TaskId,
        number: RunNumber,
        derive: impl FnOnce(OldRun) -> Result<Derived, String> + Send + 'static,
    ) -> Result<RunNumber, BackendError> {
        let uid = random_run_uid(self.dependencies.random.as_ref());
        let (wanted, at, own) = (id.clone(), self.dependencies.clock.now(), uid.clone());
        let engines = self.dependencies.engines.clone();
        let created = self
            .dependencies
            .database
            .write(move |connection| {
                let run = views::step_keys(connection, &StepAddress::first(wanted.clone(), number))?.run;
                let (old_uid, origin) = runs::origin(connection, run)?;
                let old_engine = runs::engine(connection, run)?;
                // A lock that was made for one engine's Python may be no good for another's.
                let engine = engines.get(&old_engine).unwrap_or_else(|| engines.default_engine()).name().0;
                let steps = steps::inputs(connection, run, None)?.into_iter().map(|step| OldStep {
                    phase: step.phase,
                    kept_from: step.kept_from,
                    new: NewStep {
                        step: step.step,
                        lock: step.lock.filter(|_| engine == old_engine),
                        begins_as: Beginning::Waiting,
                    },
                });
                let Derived { steps, origin } = match derive(OldRun { number, origin, steps: steps.collect() }) {
                    Ok(derived) => derived,
                    Err(reason) => return Ok(Err(reason)),
                };
                let kept = kept(&steps);
                let new = NewRun { uid: &uid, task_id: &wanted, steps, engine, origin, at };
                Ok(Ok((runs::create(connection, &new)?.number, engine, old_uid, kept)))
            })
            .await
            .map_err(|error| backend_error(error, missing_run(id, number)))?;
        let (number, engine, from, kept) = created.map_err(BackendError::Conflict)?;
        self.hand_on(engine, from, own, kept).await;
        self.dependencies.wake.notify_one();
        Ok(number)
    }

    pub(super) async fn cancel(&self, id: &TaskId, number: RunNumber) -> Result<(), BackendError> {
        let (wanted, at) = (id.clone(), self.dependencies.clock.now());
        let (steps, request) = self
            .dependencies
            .database
            .write(move |connection| {
                let run = views::step_keys(connection, &StepAddress::first(wanted.clone(), number))?.run;
                Ok((steps::of_run(connection, run)?, runs::request_cancel(connection, &wanted, number, at)?))
            })
            .await
            .map_err(|error| backend_error(error, missing_run(id, number)))?;
        match request {
            CancelRequest::AlreadyEnded(phase) => {
                Err(BackendError::Conflict(format!("Run #{number} has already ended ({phase}).")))
            }
            CancelRequest::Accepted => {
                self.dependencies.wake.notify_one();
                for step in steps {
                    self.dependencies.hints.changed(step);
                }
                Ok(())
            }
        }
    }

    pub(super) async fn run_detail(&self, step: &StepAddress) -> Result<RunDetail, BackendError> {
        let wanted = step.clone();
        let run = self.dependencies.database.read(move |connection| views::run(connection, &wanted)).await;
        run.map_err(|error| backend_error(error, missing_step(step)))
    }

    /// The runs of a task numbered below `older_than`, newest first, each with its copy of the spec. So many at most.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn specified_runs(
        &self,
        id: &TaskId,
        older_than: Option<RunNumber>,
        limit: usize,
    ) -> Result<Page<SpecifiedRun, RunNumber>, BackendError> {
        let (database, wanted) = (&self.dependencies.database, id.clone());
        let read = move |connection: &mut _| views::specified_runs(connection, &wanted, older_than, limit + 1);
        let runs = database.read(read).await.map_err(|error| backend_error(error, missing_task(id)))?;
        Ok(Page::of(runs, limit, |run| run.summary.number))
    }

    /// Waits until a run has ended, was deleted, or the time is up.
    pub async fn until_ended(&self, keys: RunKeys, limit: Duration) {
        let mut hints = self.dependencies.hints.subscribe(keys.step);
        let ended = async {
            loop {
                let state =
                    self.dependencies.database.read(move |connection| views::run_state(connection, keys.step)).await;
                if state.map_or(true, |state| state.phase.is_final()) {
                    return;
                }
                // A step of a flow may end before its run does, and says nothing any more.
                let _ = tokio::time::timeout(LOOKING_AGAIN, hints.changed()).await;
            }
        };
        // Late is no error: the request is noted, and the run ends when it ends.
        let _ = tokio::time::timeout(limit, ended).await;
    }

    /// The keys of a run and of a step of it.
    ///
    /// # Errors
    /// `NotFound` when there is no such task, run or step.
    pub async fn step_keys(&self, step: &StepAddress) -> Result<RunKeys, BackendError> {
        let wanted = step.clone();
        let keys = self.dependencies.database.read(move |connection| views::step_keys(connection, &wanted)).await;
        keys.map_err(|error| backend_error(error, missing_step(step)))
    }

    /// The keys of a task's latest run.
    ///
    /// # Errors
    /// `NotFound` when there is no such task, or it has no run.
    pub async fn latest_run_keys(&self, id: &TaskId) -> Result<RunKeys, BackendError> {
        let wanted = id.clone();
        let keys = self.dependencies.database.read(move |connection| views::latest_run_keys(connection, &wanted)).await;
        keys.map_err(|error| backend_error(error, || format!("Task {id} has no run.")))
    }

    /// The active run of a task, by the task's id or by the run's own workflow id.
    ///
    /// # Errors
    /// `NotFound` when there is no such task or run, `Conflict` when a task has no active run.
    pub async fn active_runs(&self, target: CancelTarget) -> Result<(TaskId, Vec<RunNumber>), BackendError> {
        let wanted = target.clone();
        let found = self.dependencies.database.read(move |connection| active_runs_in(connection, &wanted)).await;
        match (found, target) {
            (Ok((id, numbers)), _) if numbers.is_empty() => {
                Err(BackendError::Conflict(format!("Task {id} has no active run, so there is nothing to cancel.")))
            }
            (Ok(found), _) => Ok(found),
            (Err(error), CancelTarget::Task(id)) => Err(backend_error(error, missing_task(&id))),
            (Err(error), CancelTarget::Run(run)) => {
                Err(backend_error(error, move || format!("There is no run {run}.")))
            }
        }
    }

    /// What a run's engine handed over for it, as it was then.
    ///
    /// # Errors
    /// `NotFound` when there is no such run, or nothing of the kind is kept of it.
    pub async fn kept_manifest(&self, run: &StepAddress) -> Result<String, BackendError> {
        let wanted = run.clone();
        let read = move |connection: &mut _| {
            let run = views::step_keys(connection, &wanted)?.run;
            Ok((runs::engine(connection, run)?, manifests::of_run(connection, run)?))
        };
        let found = self.dependencies.database.read(read).await;
        let (engine, manifest) = found.map_err(|error| backend_error(error, missing_step(run)))?;
        manifest.ok_or_else(|| {
            BackendError::NotFound(format!(
                "Of this run, which is on the engine `{engine}`, no manifest is kept: it was not submitted to a cluster."
            ))
        })
    }

    /// What was handed over for a run, or what its engine would run of it now, as YAML.
    ///
    /// # Errors
    /// `NotFound` when there is no such run, `Unavailable` or `Internal` when its engine cannot tell.
    pub async fn manifest(&self, run: RunId) -> Result<Manifest, BackendError> {
        let found = self.dependencies.database.read(move |connection| {
            let engine = runs::engine(connection, run)?;
            Ok((engine, runs::inputs(connection, run, None)?, manifests::of_run(connection, run)?))
        });
        let (engine, inputs, kept) =
            found.await.map_err(|error| backend_error(error, || format!("There is no run {run}.")))?;
        if let Some(yaml) = kept {
            return Ok(Manifest { run: inputs.uid, yaml });
        }
        let Some(engine) = self.dependencies.engines.get(&engine) else {
            return Err(BackendError::Unavailable(format!(
                "The engine `{engine}` that ran this is not set up now, so what it was given cannot be shown."
            )));
        };
        Ok(Manifest { run: inputs.uid.clone(), yaml: manifest_of(engine, inputs).await? })
    }

    /// What a run of this spec would find in its engine's cache now.
    pub(super) async fn readiness_of(&self, spec: &TaskSpec) -> Readiness {
        let Ok(engine) = self.dependencies.engines.chosen(spec.engine.as_ref()) else {
            return Readiness::unknown(spec);
        };
        // What cannot be told now is not ready: its lock would have to be made.
        let lock = match engine.target(spec.python).await {
            Ok(target) => self.dependencies.resolver.known(spec, &target).await,
            Err(_) => None,
        };
        engine.readiness(spec, lock.as_ref()).await
    }
}

/// The steps of a run of a task or flow as saved, and the engine that it asks for.
fn saved_steps(
    connection: &mut SqliteConnection,
    start: &StartRun,
) -> Result<(Vec<NewStep>, Option<EngineChoice>), DatabaseError> {
    if start.id.kind() == Kind::Flow {
        let (flow, steps) = Service::steps_of_saved(connection, &start.id)?;
        return Ok((steps, flow.engine().cloned()));
    }
    let mut spec = tasks::spec(connection, &start.id)?;
    spec.system_packages = start.system_packages.clone().unwrap_or(spec.system_packages);
    spec.use_cache = start.use_cache.unwrap_or(spec.use_cache);
    let engine = spec.engine.clone();
    Ok((vec![NewStep { step: FlowStep::only(spec), lock: None, begins_as: Beginning::Waiting }], engine))
}

/// What an engine is given for a run, as YAML.
pub(super) async fn manifest_of(engine: &SharedEngine, inputs: RunInputs) -> Result<String, BackendError> {
    let run = inputs.uid.clone();
    engine.manifest(&plan::shown(inputs, engine.order())).await.map_err(|error| {
        tracing::warn!(%error, %run, "A run's manifest could not be made");
        if error.may_pass { BackendError::Unavailable(error.message) } else { BackendError::Internal(error.message) }
    })
}

/// A run from which another one is made.
pub(super) struct OldRun {
    pub number: RunNumber,
    pub origin: Option<RunOrigin>,
    pub steps: Vec<OldStep>,
}

/// A step of it.
pub(super) struct OldStep {
    /// Where it stands.
    pub phase: Phase,
    /// The run whose result it has.
    pub kept_from: Option<RunNumber>,
    /// The same once more.
    pub new: NewStep,
}

impl OldRun {
    /// Whether it is of one step alone; the others are only there for what that one reads.
    pub fn is_of_one_step(&self) -> bool {
        matches!(self.origin, Some(RunOrigin::StepOf(_) | RunOrigin::StepAlone))
    }

    /// The same run once more.
    pub fn again(self) -> Derived {
        let is_of_one_step = self.is_of_one_step();
        let steps = self.steps.into_iter().map(|OldStep { phase, kept_from, new }| {
            let begins_as = match (kept_from, phase) {
                (Some(number), _) if is_of_one_step => Beginning::Kept(number),
                (None, Phase::Skipped) if is_of_one_step => Beginning::LeftOut,
                _ => Beginning::Waiting,
            };
            NewStep { begins_as, ..new }
        });
        Derived { steps: steps.collect(), origin: self.origin.filter(|_| is_of_one_step) }
    }
}

/// What is made of it.
pub(super) struct Derived {
    pub steps: Vec<NewStep>,
    pub origin: Option<RunOrigin>,
}

/// The steps of a new run that are not run again.
pub(super) fn kept(steps: &[NewStep]) -> Vec<StepKey> {
    let kept = steps.iter().filter(|step| matches!(step.begins_as, Beginning::Kept(_)));
    kept.map(|step| step.step.key.clone()).collect()
}

/// What an engine is given for a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The run's name outside of Stoker.
    pub run: RunUid,
    /// What it is given.
    pub yaml: String,
}

/// What a program may name to have a run cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelTarget {
    /// A task: all its active runs.
    Task(TaskId),
    /// A run.
    Run(RunUid),
}

fn active_runs_in(
    connection: &mut SqliteConnection,
    target: &CancelTarget,
) -> Result<(TaskId, Vec<RunNumber>), DatabaseError> {
    match target {
        CancelTarget::Run(run) => {
            let (id, number) = views::run_by_uid(connection, run)?;
            Ok((id, vec![number]))
        }
        CancelTarget::Task(id) => {
            tasks::name(connection, id)?.ok_or(DatabaseError::NotFound)?;
            Ok((id.clone(), runs::active_numbers(connection, id)?))
        }
    }
}
