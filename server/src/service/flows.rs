//! Flows: saved, read, gone on with after a failure, and single steps of them run alone.

use std::collections::{HashMap, HashSet};

use app::{
    backend::{BackendError, Resolve, SaveFlow, SavedTask},
    model::{
        fields::{Field, FieldErrors, FlowErrors},
        flow::{Flow, FlowStep, RunsWhen, StepKey},
        identifiers::{Kind, RunNumber, RunUid, TaskId},
        lock::Lock,
        phase::Phase,
        spec::TaskSpec,
        step_address::StepAddress,
        time::Timestamp,
        views::{FlowDetail, RunOrigin},
    },
};
use diesel::SqliteConnection;
use futures::{FutureExt as _, StreamExt as _, stream};

use super::{
    Service, backend_error, missing_run, missing_task,
    runs::{Derived, OldRun, OldStep, kept},
    saving::{Saved, insert_new},
    script,
};
use crate::{
    clock::{SharedRandom, random_run_uid},
    db::{
        DatabaseError, flows,
        runs::{self, NewRun},
        steps::{self, Beginning, NewStep},
        tasks::Update,
        views,
    },
    engine::{SharedEngine, Target},
};

/// For so many steps at once exact versions are looked up.
const LOCKS_AT_ONCE: usize = 4;

impl Service {
    pub(super) async fn flow_detail(
        &self,
        id: &TaskId,
        older_than: Option<RunNumber>,
    ) -> Result<FlowDetail, BackendError> {
        let wanted = id.clone();
        let flow =
            self.dependencies.database.read(move |connection| views::flow(connection, &wanted, older_than)).await;
        flow.map_err(|error| backend_error(error, missing_task(id)))
    }

    pub(super) async fn frozen_flow(&self, id: &TaskId, number: RunNumber) -> Result<Flow, BackendError> {
        let wanted = id.clone();
        let flow = self.dependencies.database.read(move |connection| {
            let run = views::step_keys(connection, &StepAddress::first(wanted.clone(), number))?.run;
            if let (_, Some(RunOrigin::StepOf(_) | RunOrigin::StepAlone)) = runs::origin(connection, run)? {
                return Ok(None);
            }
            let steps = steps::inputs(connection, run, None)?.into_iter().map(|inputs| inputs.step).collect();
            flows::with_steps(connection, &wanted, steps).map(Some)
        });
        let flow = flow.await.map_err(|error| backend_error(error, missing_run(id, number)))?;
        flow.ok_or_else(|| {
            BackendError::Conflict(format!(
                "Run #{number} is of one step alone, so it does not know the whole flow. Edit the flow itself."
            ))
        })
    }

    pub(super) async fn store_flow(&self, mut save: SaveFlow) -> Result<SavedTask, BackendError> {
        let engine = self.dependencies.engines.chosen(save.flow.engine()).map_err(|error| {
            let flow = FieldErrors::one(Field::Engine, error.message);
            BackendError::InvalidFlow(FlowErrors { flow, ..FlowErrors::default() })
        })?;
        let before = match save.id.clone() {
            Some(id) => self.saved_specs(id).await?,
            None => HashMap::new(),
        };
        settle(&mut save.flow, &before, &engine.targets().await).map_err(BackendError::InvalidFlow)?;
        let locks = match save.resolve {
            Resolve::Now => self.locks_of(save.flow.steps(), engine).await?,
            Resolve::Later => HashMap::new(),
        };
        let (id, engine) = (save.id.clone(), engine.name().0);
        self.store(id, move |connection, random, at| save_in(connection, &save, locks, random, engine, at)).await
    }

    /// What each step of a flow as saved executes.
    async fn saved_specs(&self, id: TaskId) -> Result<HashMap<StepKey, TaskSpec>, BackendError> {
        let wanted = id.clone();
        let flow = self.dependencies.database.read(move |connection| flows::saved(connection, &wanted)).await;
        let flow = flow.map_err(|error| backend_error(error, missing_task(&id)))?;
        Ok(flow.steps().iter().map(|step| (step.key.clone(), step.spec.clone())).collect())
    }

    /// The exact versions of each step's Python packages; each conflict at its step.
    async fn locks_of(
        &self,
        steps: &[FlowStep],
        engine: &SharedEngine,
    ) -> Result<HashMap<StepKey, Lock>, BackendError> {
        let mut finding = Vec::new();
        for step in steps {
            finding.push(async move { (step.key.clone(), self.lock_of(&step.spec, engine).await) }.boxed());
        }
        let found: Vec<_> = stream::iter(finding).buffered(LOCKS_AT_ONCE).collect().await;
        let (mut locks, mut errors) = (HashMap::new(), FlowErrors::default());
        for (index, (key, lock)) in found.into_iter().enumerate() {
            match lock {
                Ok(Some(lock)) => drop(locks.insert(key, lock)),
                Ok(None) => {}
                Err(BackendError::Invalid(step)) => errors.of_step(index).0.extend(step.0),
                Err(other) => return Err(other),
            }
        }
        if errors.is_empty() { Ok(locks) } else { Err(BackendError::InvalidFlow(errors)) }
    }

    /// A run of a flow as saved.
    pub(super) fn steps_of_saved(
        connection: &mut SqliteConnection,
        id: &TaskId,
    ) -> Result<(Flow, Vec<NewStep>), DatabaseError> {
        let flow = flows::saved(connection, id)?;
        let steps = new_steps(&flow, &mut HashMap::new());
        Ok((flow, steps))
    }

    /// A run that goes on where an older one ended badly.
    pub(super) async fn go_on(&self, id: &TaskId, number: RunNumber) -> Result<RunNumber, BackendError> {
        self.derive_run(id, number, |old| {
            let number = old.number;
            if old.steps.iter().any(|step| !step.phase.is_final()) {
                return Err(format!("Run #{number} has not ended yet. Cancel it first, or wait."));
            }
            if old.is_of_one_step() {
                return Ok(old.again());
            }
            let steps = gone_on_with(old);
            if steps.iter().all(|step| step.begins_as != Beginning::Waiting) {
                return Err(format!(
                    "All steps of run #{number} succeeded, so there is nothing to go on with. Rerun it."
                ));
            }
            Ok(Derived { steps, origin: Some(RunOrigin::Restart(number)) })
        })
        .await
    }

    /// A run of one step alone. Those before it are there for what it reads of them.
    pub(super) async fn start_step(
        &self,
        id: &TaskId,
        step: &StepKey,
        inputs_of: Option<RunNumber>,
    ) -> Result<RunNumber, BackendError> {
        let uid = random_run_uid(self.dependencies.random.as_ref());
        let (wanted, key, at, own) = (id.clone(), step.clone(), self.dependencies.clock.now(), uid.clone());
        let engines = self.dependencies.engines.clone();
        let started = self
            .dependencies
            .database
            .write(move |connection| {
                let flow = flows::saved(connection, &wanted)?;
                let engine = match engines.chosen(flow.engine()) {
                    Ok(engine) => engine.name().0,
                    Err(error) => return Ok(Err(error.message)),
                };
                let (from, succeeded) = match inputs_of {
                    Some(number) => {
                        let (from, succeeded) = succeeded_in(connection, &wanted, number)?;
                        (Some(from), succeeded)
                    }
                    None => (None, HashSet::new()),
                };
                let Some(steps) = alone(&flow, &key, inputs_of, &succeeded) else {
                    return Err(DatabaseError::NotFound);
                };
                let origin = Some(inputs_of.map_or(RunOrigin::StepAlone, RunOrigin::StepOf));
                let kept = kept(&steps);
                let new = NewRun { uid: &uid, task_id: &wanted, steps, engine, origin, at };
                Ok(Ok((runs::create(connection, &new)?.number, engine, from, kept)))
            })
            .await
            .map_err(|error| backend_error(error, || format!("There is no step `{step}` in {id}, or no such run.")))?;
        let (number, engine, from, kept) = started.map_err(BackendError::Conflict)?;
        if let Some(from) = from {
            self.hand_on(engine, from, own, kept).await;
        }
        self.dependencies.wake.notify_one();
        Ok(number)
    }
}

/// Takes what the code of each step says of itself; what does not go together is said at its step.
fn settle(flow: &mut Flow, before: &HashMap<StepKey, TaskSpec>, targets: &[Target]) -> Result<(), FlowErrors> {
    let mut errors = FlowErrors::default();
    flow.change_specs(|index, key, spec| match script::settle(spec.clone(), before.get(key), targets) {
        Ok(settled) => *spec = settled,
        Err(step) => errors.of_step(index).0.extend(step.0),
    });
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The steps of a run of this flow.
fn new_steps(flow: &Flow, locks: &mut HashMap<StepKey, Lock>) -> Vec<NewStep> {
    let new = |step: &FlowStep| {
        let mut step = step.clone();
        step.spec.engine = flow.engine().cloned();
        let lock = locks.remove(&step.key);
        NewStep { step, lock, begins_as: Beginning::Waiting }
    };
    flow.steps().iter().map(new).collect()
}

/// What is run of a run that is gone on with: what succeeded is kept, as long as nothing that it waited for runs again.
fn gone_on_with(old: OldRun) -> Vec<NewStep> {
    let OldRun { number, steps, .. } = old;
    let waits: HashMap<StepKey, (Phase, Vec<StepKey>)> =
        steps.iter().map(|step| (step.new.step.key.clone(), (step.phase, step.new.step.runs_after.clone()))).collect();
    let mut kept: HashMap<StepKey, bool> = HashMap::new();
    for key in waits.keys() {
        is_kept(key, &waits, &mut kept);
    }
    steps
        .into_iter()
        .map(|OldStep { new, .. }| {
            let is_kept = kept.get(&new.step.key).copied().unwrap_or(false);
            NewStep { begins_as: if is_kept { Beginning::Kept(number) } else { Beginning::Waiting }, ..new }
        })
        .collect()
}

/// Whether a step succeeded, and all those before it. Works without recursion: a flow may be a long row.
fn is_kept(key: &StepKey, steps: &HashMap<StepKey, (Phase, Vec<StepKey>)>, known: &mut HashMap<StepKey, bool>) {
    let mut way = vec![key.clone()];
    while let Some(key) = way.last() {
        let (phase, before) = match steps.get(key) {
            Some(step) if !known.contains_key(key) => step,
            _ => {
                way.pop();
                continue;
            }
        };
        match before.iter().find(|earlier| !known.contains_key(*earlier) && steps.contains_key(*earlier)) {
            Some(earlier) if *phase == Phase::Succeeded => way.push(earlier.clone()),
            _ => {
                let all_before = before.iter().all(|earlier| known.get(earlier).copied().unwrap_or(false));
                known.insert(key.clone(), *phase == Phase::Succeeded && all_before);
                way.pop();
            }
        }
    }
}

/// One step of a flow, with those before it, which are not run.
fn alone(
    flow: &Flow,
    key: &StepKey,
    inputs_of: Option<RunNumber>,
    succeeded: &HashSet<StepKey>,
) -> Option<Vec<NewStep>> {
    let steps: HashMap<&StepKey, &FlowStep> = flow.steps().iter().map(|step| (&step.key, step)).collect();
    let mut wanted: HashSet<&StepKey> = HashSet::new();
    let mut left = vec![steps.get_key_value(key).map(|(key, _)| *key)?];
    while let Some(key) = left.pop() {
        if wanted.insert(key) {
            left.extend(steps.get(key).into_iter().flat_map(|step| &step.runs_after));
        }
    }
    let all = new_steps(flow, &mut HashMap::new());
    let chosen = all.into_iter().filter(|new| wanted.contains(&new.step.key)).map(|mut new| {
        if new.step.key == *key {
            // Those before it do not decide whether it runs.
            new.step.runs_when = RunsWhen::AllEnded;
        } else {
            let kept = inputs_of.filter(|_| succeeded.contains(&new.step.key));
            new.begins_as = kept.map_or(Beginning::LeftOut, Beginning::Kept);
        }
        new
    });
    Some(chosen.collect())
}

fn succeeded_in(
    connection: &mut SqliteConnection,
    id: &TaskId,
    number: RunNumber,
) -> Result<(RunUid, HashSet<StepKey>), DatabaseError> {
    let run = views::step_keys(connection, &StepAddress::first(id.clone(), number))?.run;
    let steps = steps::inputs(connection, run, None)?.into_iter();
    let succeeded = steps.filter(|step| step.phase == Phase::Succeeded).map(|step| step.step.key).collect();
    Ok((runs::origin(connection, run)?.0, succeeded))
}

/// Saves and, when asked, makes the run, in the caller's transaction.
fn save_in(
    connection: &mut SqliteConnection,
    save: &SaveFlow,
    mut locks: HashMap<StepKey, Lock>,
    random: &SharedRandom,
    engine: &str,
    at: Timestamp,
) -> Result<Saved, DatabaseError> {
    let id = if let Some(id) = &save.id {
        match flows::update(connection, id, save.expected_revision, &save.flow, at)? {
            Update::Outdated(revision) => return Ok(Saved::Outdated(revision)),
            Update::Done => id.clone(),
        }
    } else {
        insert_new(connection, Kind::Flow, random, |connection, id| flows::insert(connection, id, &save.flow, at))?
    };
    let run = if save.run {
        let uid = random_run_uid(random.as_ref());
        let steps = new_steps(&save.flow, &mut locks);
        Some(runs::create(connection, &NewRun { uid: &uid, task_id: &id, steps, engine, origin: None, at })?.number)
    } else {
        None
    };
    Ok(Saved::Done(SavedTask { id, run }))
}

#[cfg(test)]
mod tests {
    use app::model::spec::TaskDraft;

    use super::*;

    fn step(key: &str, runs_after: &[&str], phase: Phase) -> OldStep {
        let draft = TaskDraft { code: "pass".to_owned(), ..TaskDraft::default() };
        let step = FlowStep {
            key: key.parse().unwrap(),
            runs_after: runs_after.iter().map(|key| key.parse().unwrap()).collect(),
            ..FlowStep::only(draft.parse().unwrap().spec)
        };
        OldStep { phase, kept_from: None, new: NewStep { step, lock: None, begins_as: Beginning::Waiting } }
    }

    #[test]
    fn what_succeeded_is_kept_unless_something_before_it_runs_again() {
        let number = RunNumber::new(7).unwrap();
        let steps = vec![
            step("load", &[], Phase::Succeeded),
            step("check", &["load"], Phase::Failed),
            step("copy", &["load"], Phase::Succeeded),
            step("clean", &["check"], Phase::Succeeded),
            step("report", &["check", "copy"], Phase::Skipped),
        ];
        let begins: Vec<_> =
            gone_on_with(OldRun { number, origin: None, steps }).iter().map(|step| step.begins_as).collect();
        let kept = Beginning::Kept(number);
        assert_eq!(begins, [kept, Beginning::Waiting, kept, Beginning::Waiting, Beginning::Waiting]);
    }

    #[test]
    fn a_long_row_is_gone_on_with() {
        let number = RunNumber::new(1).unwrap();
        let mut steps = vec![step("s0", &[], Phase::Succeeded)];
        steps.extend((1..1000).rev().map(|place| {
            let phase = if place == 999 { Phase::Failed } else { Phase::Succeeded };
            step(&format!("s{place}"), &[&format!("s{}", place - 1)], phase)
        }));
        let waiting = gone_on_with(OldRun { number, origin: None, steps });
        assert_eq!(waiting.iter().filter(|step| step.begins_as == Beginning::Waiting).count(), 1);
    }
}
