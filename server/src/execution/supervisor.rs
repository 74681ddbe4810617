//! Moves runs forward: a reconciler. It takes no input: it reads the runs that have not ended, compares them with what
//! is under way, and moves each on by one step. Woken by a notification and by a timer, killed at any line and started
//! again, it ends in the same state. No engine is waited for here: whatever asks one is a job of its own.

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
        runs::{self, ActiveRun, RunInputs},
        steps::{self, Outcome, StepInputs},
        tasks,
    },
    engine::{Account, Cancel, Engine, EngineName, Engines, RunPlan, SharedEngine, StepPlan},
    execution::{
        hints::Hints,
        recorder::{Followed, RecordError, Recorder},
    },
    packages::resolver::Resolver,
};

/// How often to look without being woken.
const TIMER: Duration = Duration::from_secs(1);
/// How many passes lie between two searches for things of runs that nobody needs any more.
const PASSES_BETWEEN_CLEANING: u32 = 60;

/// What is said of a run whose rows hold something that cannot be.
const UNREADABLE: &str = "What is stored of this run cannot be read, so Stoker has ended it. The server's log says what \
                          is wrong. Run the task again; if that fails too, restore the database from a backup.";

/// What a supervisor works with.
#[derive(Clone)]
pub struct Driver {
    /// Where runs are kept.
    pub database: Database,
    pub engines: Engines,
    /// Writes down what steps do.
    pub recorder: Recorder,
    /// Makes locks for steps that have none.
    pub resolver: Arc<dyn Resolver>,
    pub clock: SharedClock,
    pub hints: Hints,
    /// Wakes the supervisor: notify it after a run was made or is to be cancelled, or a task was deleted.
    pub wake: Arc<Notify>,
}

/// What is under way in this process. Everything else is in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Job {
    /// Locks of a run are being made; it keeps its place in the queue.
    Lock(RunId),
    /// A run is being started, or followed; it takes one of its engine's places.
    Carry(RunId),
    /// An engine is being told to stop a run.
    Cancel(RunId),
    /// An engine lets go of what nobody needs any more.
    Clean(EngineName),
    /// The rows of deleted tasks go.
    Sweep,
}

/// Runs until the returned task is aborted, which harms nothing.
#[must_use]
pub fn start(driver: Driver) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut supervisor = Supervisor {
            driver,
            under_way: HashSet::new(),
            queue: Vec::new(),
            jobs: JoinSet::new(),
            strange: HashSet::new(),
        };
        let mut passes = 0_u32;
        loop {
            if passes.is_multiple_of(PASSES_BETWEEN_CLEANING) {
                supervisor.clean();
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
    driver: Driver,
    under_way: HashSet<Job>,
    /// The steps of the waiting runs as last seen, in order.
    queue: Vec<StepId>,
    jobs: JoinSet<Job>,
    /// Runs of engines that are not set up, of which that was said.
    strange: HashSet<RunId>,
}

impl Supervisor {
    /// Waits for a reason to look again.
    async fn wait(&mut self) {
        let wake = self.driver.wake.clone();
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep(TIMER) => {}
            Some(done) = self.jobs.join_next() => self.done(done),
        }
        while let Some(done) = self.jobs.try_join_next() {
            self.done(done);
        }
    }

    fn done(&mut self, job: Result<Job, tokio::task::JoinError>) {
        // Jobs give their name even when they panic, and nobody aborts one.
        if let Ok(job) = job {
            self.under_way.remove(&job);
        }
    }

    /// Does something beside everything else, unless it is under way.
    fn spawn(&mut self, job: Job, work: impl Future<Output = ()> + Send + 'static) {
        if !self.under_way.insert(job) {
            return;
        }
        self.jobs.spawn(async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(?job, "A job panicked; trying again");
                tokio::time::sleep(TIMER).await;
            }
            job
        });
    }

    async fn pass(&mut self) -> Result<(), DatabaseError> {
        let look = |connection: &mut _| Ok((runs::active(connection)?, tasks::to_sweep(connection)?));
        let (active, to_sweep) = self.driver.database.read(look).await?;
        if to_sweep {
            self.sweep();
        }
        self.tell_places(&active);
        let mut free = self.free_places(&active);
        let mut may_lock = free.values().sum::<usize>().max(1).saturating_sub(self.locking());
        for run in active {
            let Some(engine) = self.driver.engines.get(&run.engine).cloned() else {
                self.without_engine(&run).await?;
                continue;
            };
            let place = free.entry(engine.name()).or_default();
            match (run.phase, self.is_carried(run.id)) {
                // Whoever cancels a waiting run ends it; one that was only noted, as earlier versions did, ends here.
                (Phase::Pending, false) if run.cancel_requested => self.driver.cancel_waiting(&run).await?,
                // Before its turn comes, or a later run whose locks are found sooner would overtake it.
                (Phase::Pending, false) if !run.locked => may_lock -= usize::from(self.lock(&run, engine, may_lock)),
                (Phase::Pending, false) if *place > 0 => {
                    *place -= 1;
                    self.carry(&run, engine);
                }
                (Phase::Running, false) => self.carry(&run, engine),
                (Phase::Running, true) if run.cancel_requested => self.cancel(&run, engine),
                _ => {}
            }
        }
        Ok(())
    }

    /// Tells the viewers of waiting runs when the queue has moved.
    fn tell_places(&mut self, active: &[ActiveRun]) {
        let waiting = active.iter().filter(|run| run.phase == Phase::Pending);
        let queue: Vec<StepId> = waiting.flat_map(|run| run.steps.iter().copied()).collect();
        if queue != self.queue {
            for step in &queue {
                self.driver.hints.changed(*step);
            }
            self.queue = queue;
        }
    }

    fn is_carried(&self, run: RunId) -> bool {
        self.under_way.contains(&Job::Carry(run))
    }

    /// How many runs have their locks made.
    fn locking(&self) -> usize {
        self.under_way.iter().filter(|job| matches!(job, Job::Lock(_))).count()
    }

    /// How many more runs each engine takes: runs that run have a place, and those that are just being started.
    fn free_places(&self, active: &[ActiveRun]) -> HashMap<EngineName, usize> {
        let taken = |name: EngineName| {
            let own = active.iter().filter(|run| run.engine == name.0);
            own.filter(|run| run.phase == Phase::Running || self.is_carried(run.id)).count()
        };
        let engines = self.driver.engines.iter();
        engines.map(|engine| (engine.name(), engine.capacity().saturating_sub(taken(engine.name())))).collect()
    }

    /// A run of an engine that is not set up waits until it is again; it can be cancelled while it waits for its turn.
    async fn without_engine(&mut self, run: &ActiveRun) -> Result<(), DatabaseError> {
        if run.phase == Phase::Pending && run.cancel_requested {
            return self.driver.cancel_waiting(run).await;
        }
        if self.strange.insert(run.id) {
            tracing::warn!(run.id = %run.id, engine = run.engine, "A run cannot go on: its engine is not set up");
        }
        Ok(())
    }

    /// Makes the locks of a run that lacks some, if that may begin now; the run stays in the queue meanwhile. Says whether
    /// it began.
    fn lock(&mut self, run: &ActiveRun, engine: SharedEngine, may_lock: usize) -> bool {
        if may_lock == 0 || self.under_way.contains(&Job::Lock(run.id)) {
            return false;
        }
        let (driver, run) = (self.driver.clone(), run.clone());
        self.spawn(Job::Lock(run.id), async move {
            if let Err(error) = driver.lock(&run, &*engine).await {
                tracing::warn!(run.id = %run.id, %error, "A run's lock could not be kept; trying again");
                tokio::time::sleep(TIMER).await;
            }
        });
        true
    }

    /// Starts a run or picks it up again, and follows it to its end.
    fn carry(&mut self, run: &ActiveRun, engine: SharedEngine) {
        let (driver, run) = (self.driver.clone(), run.clone());
        self.spawn(Job::Carry(run.id), async move {
            match driver.carry(&run, &*engine).await {
                Ok(Followed::ToTheEnd) | Err(RecordError::NotOurs) => return,
                Ok(Followed::Interrupted) => {}
                Err(error) => tracing::error!(run.id = %run.id, %error, "A run could not be followed; trying again"),
            }
            // Not at once: whatever is wrong is not over in an instant.
            tokio::time::sleep(TIMER).await;
        });
    }

    /// Tells an engine to stop a run: again at each pass, until the run has ended.
    fn cancel(&mut self, run: &ActiveRun, engine: SharedEngine) {
        let uid = run.uid.clone();
        self.spawn(Job::Cancel(run.id), async move {
            if let Err(error) = engine.cancel(&uid, Cancel::WithGrace).await {
                tracing::warn!(run.uid = %uid, %error, "A run could not be told to stop; trying again");
            }
        });
    }

    /// Lets the engines go of what they keep of runs that have ended or were deleted.
    fn clean(&mut self) {
        for engine in self.driver.engines.clone().iter().cloned() {
            let database = self.driver.database.clone();
            self.spawn(Job::Clean(engine.name()), async move {
                if let Err(error) = clean(&*engine, &database).await {
                    tracing::warn!(engine = %engine.name(), error, "What ended runs left could not be looked for; trying again later");
                }
            });
        }
    }

    fn sweep(&mut self) {
        let database = self.driver.database.clone();
        self.spawn(Job::Sweep, async move {
            loop {
                match database.write(tasks::sweep).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => {
                        tracing::warn!(%error, "The rows of a deleted task could not be removed; trying again");
                        return tokio::time::sleep(TIMER).await;
                    }
                }
            }
        });
    }
}

async fn clean(engine: &dyn Engine, database: &Database) -> Result<(), String> {
    // In this order: a run started after the first look is not in it, one started before is active in the second.
    let kept = engine.kept().await.map_err(|error| error.to_string())?;
    let active = database.read(runs::active).await.map_err(|error| error.to_string())?;
    let active: HashSet<_> = active.into_iter().map(|run| run.uid).collect();
    for run in kept.iter().filter(|run| !active.contains(run)) {
        if let Err(error) = engine.forget(run).await {
            tracing::warn!(run.uid = %run, %error, "What is left of a run could not be removed; trying again later");
        }
    }
    Ok(())
}

impl Driver {
    async fn lock(&self, run: &ActiveRun, engine: &dyn Engine) -> Result<(), DatabaseError> {
        let Some(inputs) = self.inputs(run).await? else { return Ok(()) };
        let target = match engine.target().await {
            Ok(target) => target,
            Err(error) if error.may_pass => {
                tracing::warn!(run.id = %run.id, %error, "A run's lock must wait; trying again");
                tokio::time::sleep(TIMER).await;
                return Ok(());
            }
            Err(error) => return self.finish(run, Phase::Error, error.message).await,
        };
        for step in inputs.steps.into_iter().filter(|step| step.lock.is_none()) {
            match self.resolver.lock(&step.spec, &target).await {
                Ok(lock) => {
                    let (id, run, words) = (step.id, run.id, target.to_string());
                    let keep = move |connection: &mut _| {
                        steps::set_lock(connection, id, &lock, &words)?;
                        runs::touch(connection, run)
                    };
                    self.database.write(keep).await?;
                    self.hints.changed(id);
                }
                Err(error) => return self.finish(run, Phase::Failed, error.to_string()).await,
            }
        }
        Ok(())
    }

    /// What a run executes; `None` when it was deleted, or cannot be read and has therefore ended.
    async fn inputs(&self, run: &ActiveRun) -> Result<Option<RunInputs>, DatabaseError> {
        let id = run.id;
        match self.database.read(move |connection| runs::inputs(connection, id)).await {
            Ok(inputs) => Ok(Some(inputs)),
            Err(DatabaseError::NotFound) => Ok(None),
            Err(DatabaseError::Unreadable(what)) => {
                tracing::error!(run.id = %id, error = what, "A run cannot be read; ending it");
                self.finish(run, Phase::Error, UNREADABLE.to_owned()).await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Running in the database before the engine has it: so a run that a killed server left in between is started at the
    /// next start, and starting it twice is starting it once. One of which something is recorded is not started again:
    /// were everything gone that its engine kept of it, it would run a second time.
    async fn carry(&self, run: &ActiveRun, engine: &dyn Engine) -> Result<Followed, RecordError> {
        let Some(inputs) = self.inputs(run).await? else { return Ok(Followed::ToTheEnd) };
        let (id, at) = (run.id, self.clock.now());
        if run.phase == Phase::Pending {
            if !self.database.write(move |connection| runs::start(connection, id, at)).await? {
                return Ok(Followed::ToTheEnd);
            }
            self.tell(run);
        }
        let plan = plan(inputs);
        let recorded = self.database.read(move |connection| steps::active(connection, id)).await?;
        if recorded.iter().all(|step| step.recorded.cursor.is_none()) {
            match engine.start(&plan).await {
                // Only an earlier attempt can have said something.
                Ok(()) if run.phase == Phase::Running => self.say_waiting(run, None).await?,
                Ok(()) => {}
                Err(error) if error.may_pass && !run.cancel_requested => {
                    self.say_waiting(run, Some(error.message)).await?;
                    return Ok(Followed::Interrupted);
                }
                Err(error) => {
                    if run.cancel_requested {
                        self.cancel_waiting(run).await?;
                    } else {
                        self.finish(run, Phase::Error, error.message).await?;
                    }
                    return self.let_go(run, engine).await;
                }
            }
        }
        match self.recorder.follow(engine, id, &plan).await {
            Ok(Followed::ToTheEnd) => {
                if let Some(account) = engine.account(&run.uid).await {
                    self.compare(run, account).await;
                }
            }
            Err(error) if error.is_lasting() => {
                tracing::error!(run.id = %id, %error, "A run cannot be recorded; ending it");
                let message = match &error {
                    RecordError::Engine(error) => error.to_string(),
                    _ => UNREADABLE.to_owned(),
                };
                self.finish(run, Phase::Error, message).await?;
            }
            interrupted => return interrupted,
        }
        self.let_go(run, engine).await
    }

    /// Says at the page of a run what holds it up, or that nothing does any more.
    async fn say_waiting(&self, run: &ActiveRun, reason: Option<String>) -> Result<(), DatabaseError> {
        let id = run.id;
        let words = reason.clone();
        let is_news = self.database.write(move |connection| {
            let is_news = steps::set_all_waiting(connection, id, words.as_deref())?;
            if is_news {
                runs::touch(connection, id)?;
            }
            Ok(is_news)
        });
        if is_news.await? {
            if let Some(reason) = reason {
                tracing::warn!(run.id = %id, reason, "A run cannot be started now; trying again");
            }
            self.tell(run);
        }
        Ok(())
    }

    /// Says at the page of a run when its engine's own books differ from what was told.
    async fn compare(&self, run: &ActiveRun, account: Account) {
        let (id, words) = (run.id, account.words.clone());
        match self.database.write(move |connection| runs::compare(connection, id, &account)).await {
            Ok(false) | Err(DatabaseError::NotFound) => {}
            Ok(true) => {
                tracing::warn!(run.id = %id, account = words, "The engine's own books differ from how a run ended");
                self.tell(run);
            }
            Err(error) => tracing::warn!(run.id = %id, %error, "An engine's own account of a run could not be kept"),
        }
    }

    /// Only for a run that has ended in the database. What is left is tried again when the engines are cleaned.
    async fn let_go(&self, run: &ActiveRun, engine: &dyn Engine) -> Result<Followed, RecordError> {
        if let Err(error) = engine.forget(&run.uid).await {
            tracing::warn!(run.uid = %run.uid, %error, "What is left of a run could not be removed; trying again later");
        }
        Ok(Followed::ToTheEnd)
    }

    async fn cancel_waiting(&self, run: &ActiveRun) -> Result<(), DatabaseError> {
        self.finish(run, Phase::Cancelled, runs::CANCELLED_WAITING.to_owned()).await
    }

    async fn finish(&self, run: &ActiveRun, phase: Phase, message: String) -> Result<(), DatabaseError> {
        let id = run.id;
        let outcome = Outcome { phase, exit_code: None, message: Some(message), at: self.clock.now() };
        self.database.write(move |connection| runs::finish(connection, id, &outcome)).await?;
        self.tell(run);
        Ok(())
    }

    fn tell(&self, run: &ActiveRun) {
        for step in &run.steps {
            self.hints.changed(*step);
        }
    }
}

/// A run as its engine gets it. All its locks are known.
pub fn plan(inputs: RunInputs) -> RunPlan {
    let step = |step: StepInputs| StepPlan {
        step: step.uid,
        name: step.name,
        spec: step.spec,
        lock: step.lock.unwrap_or_default(),
    };
    RunPlan {
        run: inputs.uid,
        task: inputs.task_id,
        number: inputs.number,
        steps: inputs.steps.into_iter().map(step).collect(),
    }
}
