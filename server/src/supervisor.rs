//! Moves runs forward: a reconciler. It takes no input: it reads the runs that have not ended, compares them with what
//! the engine has, and moves each on by one step. Woken by a notification and by a timer, killed at any line and
//! started again, it ends in the same state.

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use app::model::{
    identifiers::{RunId, StepId},
    phase::Phase,
};
use futures::FutureExt as _;
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    clock::SharedClock,
    db::{
        Database, DatabaseError,
        runs::{self, ActiveRun, Outcome, RunInputs},
    },
    engine::{SharedEngine, StepInputs},
    hints::Hints,
    recorder::{RecordError, Recorder},
    resolver::{ResolveError, Resolver},
};

/// How often to look without being woken.
const TIMER: Duration = Duration::from_secs(1);
/// How many passes lie between two searches for things of steps that nobody needs any more.
const PASSES_BETWEEN_CLEANING: u32 = 60;

/// What is said of a run whose rows hold something that cannot be.
const UNREADABLE: &str = "What is stored of this run cannot be read, so Stoker has ended it. The server's log says what \
                          is wrong. Run the task again; if that fails too, restore the database from a backup.";

/// What a supervisor works with.
#[derive(Clone)]
pub struct Parts {
    /// Where runs are kept.
    pub database: Database,
    /// Where steps run.
    pub engine: SharedEngine,
    /// Writes down what steps do.
    pub recorder: Recorder,
    /// Makes locks for runs that have none.
    pub resolver: Arc<dyn Resolver>,
    /// The clock.
    pub clock: SharedClock,
    /// Tells viewers.
    pub hints: Hints,
    /// Wakes the supervisor: notify it after a run was made or is to be cancelled.
    pub wake: Arc<Notify>,
    /// How many runs may run at once.
    pub at_once: usize,
}

/// What is under way for a run in this process. Everything else is in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Its lock is being made; it keeps its place in the queue.
    Locking,
    /// It is being started, or followed; it takes one of the places.
    Carrying,
}

/// Runs until the returned task is aborted, which harms nothing.
#[must_use]
pub fn start(parts: Parts) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut supervisor = Supervisor { parts, under_way: HashMap::new(), queue: Vec::new(), jobs: JoinSet::new() };
        let mut passes = 0_u32;
        loop {
            if passes.is_multiple_of(PASSES_BETWEEN_CLEANING)
                && let Err(error) = supervisor.clean().await
            {
                tracing::warn!(%error, "What is left of ended steps could not be cleaned up; trying again later");
            }
            passes = passes.wrapping_add(1);
            if let Err(error) = supervisor.pass().await {
                tracing::error!(%error, "The supervisor could not read the runs; trying again");
            }
            supervisor.wait().await;
        }
    })
}

struct Supervisor {
    parts: Parts,
    under_way: HashMap<RunId, Work>,
    /// The waiting runs as last seen, in order.
    queue: Vec<RunId>,
    jobs: JoinSet<RunId>,
}

impl Supervisor {
    /// Waits for a reason to look again.
    async fn wait(&mut self) {
        let wake = self.parts.wake.clone();
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep(TIMER) => {}
            Some(done) = self.jobs.join_next() => self.done(done),
        }
        while let Some(done) = self.jobs.try_join_next() {
            self.done(done);
        }
    }

    fn done(&mut self, job: Result<RunId, tokio::task::JoinError>) {
        // Jobs give their run even when they panic, and nobody aborts one.
        if let Ok(run) = job {
            self.under_way.remove(&run);
        }
    }

    /// Does something for a run beside everything else.
    fn spawn(&mut self, run: RunId, work: Work, job: impl Future<Output = ()> + Send + 'static) {
        self.under_way.insert(run, work);
        self.jobs.spawn(async move {
            if AssertUnwindSafe(job).catch_unwind().await.is_err() {
                tracing::error!(run.id = %run, "A run's job panicked; trying again");
                tokio::time::sleep(TIMER).await;
            }
            run
        });
    }

    async fn pass(&mut self) -> Result<(), DatabaseError> {
        let active = self.parts.database.read(runs::active).await?;
        self.tell_places(&active);
        let mut may_lock = self.parts.at_once.saturating_sub(self.locking());
        let mut free = self.parts.at_once.saturating_sub(self.carrying(&active));
        for run in active {
            let work = self.under_way.get(&run.id).copied();
            match (run.phase, work) {
                // Whoever cancels a waiting run ends it; one that was only noted, as earlier versions did, ends here.
                (Phase::Pending, None) if run.cancel_requested => {
                    self.parts.finish(run.id, Phase::Cancelled, runs::CANCELLED_WAITING.to_owned()).await?;
                }
                // Before its turn comes, or a later run whose lock is found sooner would overtake it.
                (Phase::Pending, None) if !run.locked && may_lock > 0 => {
                    may_lock -= 1;
                    self.begin(&run).await?;
                }
                (Phase::Pending, None) if run.locked && free > 0 => {
                    free -= usize::from(self.begin(&run).await?);
                }
                (Phase::Running, None) => self.carry(&run, None),
                (Phase::Running, Some(_)) if run.cancel_requested => self.parts.engine.cancel(run.step, false).await,
                _ => {}
            }
        }
        Ok(())
    }

    /// Tells the viewers of waiting runs when the queue has moved.
    fn tell_places(&mut self, active: &[ActiveRun]) {
        let queue: Vec<RunId> = active.iter().filter(|run| run.phase == Phase::Pending).map(|run| run.id).collect();
        if queue != self.queue {
            for run in &queue {
                self.parts.hints.changed(*run);
            }
            self.queue = queue;
        }
    }

    /// How many locks are being made.
    fn locking(&self) -> usize {
        self.under_way.values().filter(|work| **work == Work::Locking).count()
    }

    /// How many places are taken: by runs that run, and by those that are just being started.
    fn carrying(&self, active: &[ActiveRun]) -> usize {
        active
            .iter()
            .filter(|run| run.phase == Phase::Running || self.under_way.get(&run.id) == Some(&Work::Carrying))
            .count()
    }

    /// Moves a waiting run on. True when it takes a place now.
    async fn begin(&mut self, run: &ActiveRun) -> Result<bool, DatabaseError> {
        let id = run.id;
        let inputs = match self.parts.database.read(move |connection| runs::inputs(connection, id)).await {
            Ok(inputs) => inputs,
            Err(DatabaseError::NotFound) => return Ok(false),
            Err(DatabaseError::Unreadable(what)) => {
                tracing::error!(run.id = %id, error = what, "A run cannot be read; ending it");
                self.parts.finish(id, Phase::Error, UNREADABLE.to_owned()).await?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        };
        if inputs.lock.is_none() {
            self.lock(id, inputs);
            return Ok(false);
        }
        self.carry(run, Some(inputs));
        Ok(true)
    }

    /// Makes the lock of a run that has none; the run stays in the queue meanwhile.
    fn lock(&mut self, run: RunId, inputs: RunInputs) {
        let parts = self.parts.clone();
        self.spawn(run, Work::Locking, async move {
            if let Err(error) = parts.lock(run, &inputs).await {
                tracing::warn!(run.id = %run, %error, "A run's lock could not be kept; trying again");
            }
        });
    }

    /// Starts a run (when its inputs are given) or picks it up again, and follows it to its end.
    fn carry(&mut self, run: &ActiveRun, inputs: Option<RunInputs>) {
        let (parts, id, step) = (self.parts.clone(), run.id, run.step);
        self.spawn(id, Work::Carrying, async move {
            match parts.carry(id, step, inputs).await {
                Ok(()) | Err(RecordError::NotOurs) => {}
                Err(error) => {
                    tracing::error!(run.id = %id, %error, "A run could not be recorded; trying again");
                    // Not at once: whatever is wrong with the disk or the database is not over in an instant.
                    tokio::time::sleep(TIMER).await;
                }
            }
        });
    }

    /// Lets go of what is kept of steps that have ended or were deleted.
    async fn clean(&self) -> Result<(), DatabaseError> {
        // In this order: a step staged after the first look is not in it, one staged before is active in the second.
        let kept = self.parts.engine.kept().await;
        let active: HashSet<StepId> =
            self.parts.database.read(runs::active).await?.into_iter().map(|run| run.step).collect();
        for step in kept.into_iter().filter(|step| !active.contains(step)) {
            self.parts.engine.forget(step).await;
        }
        Ok(())
    }
}

impl Parts {
    async fn lock(&self, run: RunId, inputs: &RunInputs) -> Result<(), DatabaseError> {
        match self.resolver.lock(&inputs.spec).await {
            Ok(lock) => {
                self.database.write(move |connection| runs::set_lock(connection, run, &lock)).await?;
                self.hints.changed(run);
                Ok(())
            }
            Err(ResolveError::NoSolution(words) | ResolveError::Unavailable(words)) => {
                self.finish(run, Phase::Failed, words).await
            }
        }
    }

    async fn carry(&self, run: RunId, step: StepId, inputs: Option<RunInputs>) -> Result<(), RecordError> {
        if let Some(inputs) = inputs {
            let inputs = StepInputs { step, spec: inputs.spec, lock: inputs.lock.unwrap_or_default() };
            // Staged before the move to Running: so a running step without its folder was lost, and is never run twice.
            if let Err(error) = self.engine.stage(&inputs).await {
                return Ok(self.finish(run, Phase::Error, error.to_string()).await?);
            }
            let at = self.clock.now();
            if !self.database.write(move |connection| runs::start(connection, run, at)).await? {
                return Ok(());
            }
            self.hints.changed(run);
        }
        if let Err(error) = self.engine.launch(step).await {
            self.finish(run, Phase::Error, error.to_string()).await?;
        } else if let Err(error) = self.recorder.follow(&*self.engine, step).await {
            if !error.is_lasting() {
                return Err(error);
            }
            tracing::error!(run.id = %run, %error, "A run cannot be recorded; ending it");
            self.engine.cancel(step, true).await;
            self.finish(run, Phase::Error, UNREADABLE.to_owned()).await?;
        }
        self.engine.forget(step).await;
        Ok(())
    }

    async fn finish(&self, run: RunId, phase: Phase, message: String) -> Result<(), DatabaseError> {
        let outcome = Outcome { phase, exit_code: None, message: Some(message), at: self.clock.now() };
        self.database.write(move |connection| runs::finish(connection, run, &outcome)).await?;
        self.hints.changed(run);
        Ok(())
    }
}
