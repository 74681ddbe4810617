//! Moves runs forward: a reconciler. It takes no input: it reads the runs that have not ended, compares them with what
//! is under way, and moves each on by one step. Woken by a notification and by a timer, killed at any line and started
//! again, it ends in the same state. No engine is waited for here: whatever asks one is a job of its own.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use app::model::{
    identifiers::{RunId, StepId},
    phase::Phase,
    time::Timestamp,
};
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    clock::SharedClock,
    db::{
        Database, DatabaseError, manifests,
        queue::{self, ActiveRun, KnownSteps},
        runs::{self, RunInputs},
        steps::{self, Outcome, StepInputs, StepKeys},
        tasks,
    },
    engine::{Account, Cancel, Engine, EngineName, Engines, Order, RunPlan, SharedEngine, Target},
    execution::{
        hints::Hints,
        places::{Part, Places},
        plan::{Given, given},
        recorder::{Followed, RecordError, Recorder, outcome},
        turns::{self, Turns},
    },
    packages::resolver::{ResolveError, Resolver},
};

/// How often to look without being woken.
const TIMER: Duration = Duration::from_secs(1);
/// For so many runs locks are made at once, also when no place is free: one with many steps keeps nobody else waiting.
const LOCKS_AT_ONCE: usize = 4;
/// So many locks of one run are made at once.
const LOCKS_OF_A_RUN_AT_ONCE: usize = 4;
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
    /// A plan is being started, or followed; it takes one of its engine's places.
    Carry(RunId, Part),
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
            known: KnownSteps::new(),
            due: None,
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
    /// What never changes of the runs as last seen.
    known: KnownSteps,
    /// When the next step is due that waits for a time.
    due: Option<Timestamp>,
}

impl Supervisor {
    /// Waits for a reason to look again.
    async fn wait(&mut self) {
        let wake = self.driver.wake.clone();
        let until_due = self.due.map_or(TIMER, |due| {
            let millis = due.0.saturating_sub(self.driver.clock.now().0);
            TIMER.min(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
        });
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep(until_due) => {}
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
            // What a deleted task's runs have put out is nobody's any more.
            if job == Job::Sweep {
                self.clean();
            }
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
        let known = std::mem::take(&mut self.known);
        let look = move |connection: &mut _| Ok((queue::active(connection, &known)?, tasks::to_sweep(connection)?));
        let (active, to_sweep) = self.driver.database.read(look).await?;
        for (run, what) in active.damaged {
            self.driver.end_damaged(run, &what).await?;
        }
        let active: Vec<Arc<ActiveRun>> = active.runs.into_iter().map(Arc::new).collect();
        self.known = queue::remember(&active);
        // What is due already waits for a place, and not for a time.
        let now = self.driver.clock.now();
        self.due = active.iter().flat_map(|run| run.not_before.values().copied()).filter(|time| *time > now).min();
        if to_sweep {
            self.sweep();
        }
        self.tell_places(&active);
        let all_carried = self.carried();
        let carried = |run: &ActiveRun| all_carried.get(&run.id).map_or(&[][..], Vec::as_slice);
        let mut places = Places::beside(&self.driver.engines, &active, carried);
        let mut may_lock = places.free().max(LOCKS_AT_ONCE).saturating_sub(self.locking());
        for run in &active {
            let Some(engine) = self.driver.engines.get(&run.engine).cloned() else {
                self.without_engine(run).await?;
                continue;
            };
            let carried = carried(run);
            // Whoever cancels a waiting run ends it; one that was only noted, as earlier versions did, ends here.
            if run.phase == Phase::Pending && run.cancel_requested && carried.is_empty() {
                self.driver.cancel_waiting(run).await?;
                continue;
            }
            if run.phase == Phase::Running && run.cancel_requested && !carried.is_empty() {
                self.cancel(run, engine.clone());
            }
            if run.lacks_lock(now) && !run.cancel_requested {
                may_lock -= usize::from(self.lock(run, engine.clone(), may_lock));
                // Before its turn comes, or a later run whose locks are found sooner would overtake it. One that has
                // begun goes on beside: only a step whose lock could not be made is without one then.
                if run.phase == Phase::Pending {
                    continue;
                }
            }
            // What runs has its place, whether or not this server has given it.
            for part in Part::running(run, engine.order()) {
                self.carry(run, part, &engine);
            }
            let ready: VecDeque<Part> = match engine.order() {
                Order::Engine if run.phase == Phase::Pending && !self.driver.settle(run).await?.is_empty() => {
                    VecDeque::from([Part::Whole])
                }
                Order::Engine => VecDeque::new(),
                Order::Stoker => self.driver.settle(run).await?.into_iter().map(Part::Step).collect(),
            };
            let ready: VecDeque<Part> = ready.into_iter().filter(|part| !carried.contains(part)).collect();
            places.ask(run, &engine, ready);
        }
        for (run, part, engine) in places.give(self.driver.clock.now()) {
            self.carry(&run, part, &engine);
        }
        Ok(())
    }

    /// Tells the viewers of waiting runs when the queue has moved.
    fn tell_places(&mut self, active: &[Arc<ActiveRun>]) {
        let waiting = active.iter().filter(|run| run.phase == Phase::Pending);
        let queue: Vec<StepId> = waiting.flat_map(|run| run.steps.iter().map(|step| step.id)).collect();
        if queue != self.queue {
            self.driver.hints.changed_all(queue.iter().copied());
            self.queue = queue;
        }
    }

    /// The parts of runs that are under way.
    fn carried(&self) -> HashMap<RunId, Vec<Part>> {
        let mut carried: HashMap<RunId, Vec<Part>> = HashMap::new();
        for job in &self.under_way {
            if let Job::Carry(run, part) = job {
                carried.entry(*run).or_default().push(*part);
            }
        }
        carried
    }

    /// How many runs have their locks made.
    fn locking(&self) -> usize {
        self.under_way.iter().filter(|job| matches!(job, Job::Lock(_))).count()
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

    /// Starts a part of a run or picks it up again, and follows it to its end.
    fn carry(&mut self, run: &Arc<ActiveRun>, part: Part, engine: &SharedEngine) {
        let (driver, run, engine) = (self.driver.clone(), run.clone(), engine.clone());
        self.spawn(Job::Carry(run.id, part), async move {
            match driver.carry(&run, part, &*engine).await {
                Ok(Followed::ToTheEnd) | Err(RecordError::NotOurs) => return driver.tell(&run),
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
            // Not again at once: it needs its time to stop.
            tokio::time::sleep(TIMER).await;
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
    let with_outputs = match engine.outputs().cloned() {
        Some(outputs) => {
            let runs = tokio::task::spawn_blocking(move || outputs.runs()).await.map_err(|error| error.to_string())?;
            runs.map_err(|error| error.to_string())?
        }
        None => Vec::new(),
    };
    let active = database.read(queue::active_uids).await.map_err(|error| error.to_string())?;
    for run in kept.iter().filter(|run| !active.contains(run)) {
        if let Err(error) = engine.forget(run).await {
            tracing::warn!(run.uid = %run, %error, "What is left of a run could not be removed; trying again later");
        }
    }
    let Some(outputs) = engine.outputs() else { return Ok(()) };
    for run in database
        .read(move |connection| runs::gone(connection, with_outputs))
        .await
        .map_err(|error| error.to_string())?
    {
        let (outputs, gone) = (outputs.clone(), run.clone());
        match tokio::task::spawn_blocking(move || outputs.remove(&gone)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(run.uid = %run, %error, "The outputs of a deleted run could not be removed; trying again later");
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// What steps are given to run with, as far as it can be told; a step for which there is nothing is refused when it is to
/// start.
async fn targets(inputs: &RunInputs, engine: &dyn Engine) -> Vec<(StepId, String)> {
    let mut targets = Vec::new();
    for step in inputs.steps.iter().filter(|step| step.phase == Phase::Pending) {
        if let Ok(target) = engine.target(step.step.spec.python).await {
            targets.push((step.id, target.to_string()));
        }
    }
    targets
}

impl Driver {
    /// Makes the locks that a run lacks, some beside each other.
    async fn lock(&self, run: &ActiveRun, engine: &dyn Engine) -> Result<(), DatabaseError> {
        let Some(inputs) = self.inputs(run, Part::Whole).await? else { return Ok(()) };
        let now = self.clock.now();
        let is_wanted =
            |step: &StepInputs| step.lock.is_none() && step.phase == Phase::Pending && run.is_due(step.id, now);
        let mut locking = Vec::new();
        for step in inputs.steps.into_iter().filter(is_wanted) {
            let python = step.step.spec.python;
            match engine.target(python).await {
                Ok(target) => locking.push(self.lock_step(run, step, target, engine.order()).boxed()),
                Err(error) if error.may_pass => {
                    tracing::warn!(run.id = %run.id, %error, "A run's lock must wait; trying again");
                    tokio::time::sleep(TIMER).await;
                    return Ok(());
                }
                // Without the one that all others use, nothing of the run can begin.
                Err(error) if python.is_none() => {
                    return self.finish(run, Part::Whole, Phase::Error, error.message).await;
                }
                Err(error) => self.finish(run, Part::Step(step.id), Phase::Error, error.message).await?,
            }
        }
        stream::iter(locking).buffer_unordered(LOCKS_OF_A_RUN_AT_ONCE).try_collect().await
    }

    /// Makes the lock of a step. One for whose packages there are no versions has failed; where they could only not be
    /// looked up, it is tried again as it says.
    async fn lock_step(
        &self,
        run: &ActiveRun,
        step: StepInputs,
        target: Target,
        order: Order,
    ) -> Result<(), DatabaseError> {
        let (id, run_id) = (step.id, run.id);
        let error = match self.resolver.lock(&step.step.spec, &target).await {
            Ok(lock) => {
                let keep = move |connection: &mut _| {
                    steps::set_lock(connection, id, &lock, &target.to_string())?;
                    runs::touch(connection, run_id)
                };
                self.database.write(keep).await?;
                self.hints.changed(id);
                return Ok(());
            }
            Err(error) => error,
        };
        let wait = match (&error, order) {
            (ResolveError::Unavailable(_), Order::Stoker) => step.step.retries.wait_after(step.attempt),
            // An engine that orders the steps counts their attempts itself, and none is made before it has the run.
            (ResolveError::NoSolution(_), _) | (_, Order::Engine) => None,
        };
        let message = error.to_string();
        if let Some(wait) = wait {
            let again = outcome::again_words(step.attempt, step.step.retries, wait);
            let words = format!("{} {again}", message.lines().next().unwrap_or_default());
            let keys = StepKeys { id, run: run_id, uid: step.uid };
            let at = self.clock.now();
            let outcome = Outcome { phase: Phase::Failed, exit_code: None, message: Some(message.clone()), at };
            let try_again = move |connection: &mut _| {
                let goes_on = steps::try_again(connection, &keys, &outcome, Timestamp(at.0 + wait), None)?;
                if goes_on {
                    steps::set_waiting(connection, id, Some(&words))?;
                }
                Ok(goes_on)
            };
            if self.database.write(try_again).await? {
                self.tell(run);
                return Ok(());
            }
        }
        self.finish(run, Part::Step(id), Phase::Failed, message).await
    }

    /// What a part of a run executes; `None` when it was deleted, or cannot be read and has therefore ended.
    async fn inputs(&self, run: &ActiveRun, part: Part) -> Result<Option<RunInputs>, DatabaseError> {
        let id = run.id;
        match self.database.read(move |connection| runs::inputs(connection, id, part.step())).await {
            Ok(inputs) => Ok(Some(inputs)),
            Err(DatabaseError::NotFound) => Ok(None),
            Err(DatabaseError::Unreadable(what)) => {
                tracing::error!(run.id = %id, error = what, "A run cannot be read; ending it");
                self.finish(run, part, Phase::Error, UNREADABLE.to_owned()).await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a run that cannot be read at all.
    async fn end_damaged(&self, id: RunId, what: &str) -> Result<(), DatabaseError> {
        tracing::error!(run.id = %id, error = what, "A run cannot be read; ending it");
        let message = Some(UNREADABLE.to_owned());
        let outcome = Outcome { phase: Phase::Error, exit_code: None, message, at: self.clock.now() };
        self.database.write(move |connection| runs::finish(connection, id, None, &outcome)).await
    }

    /// Ends the steps of a run that will never run, and gives those that may begin.
    async fn settle(&self, run: &ActiveRun) -> Result<Vec<StepId>, DatabaseError> {
        let Turns { ready, never } = turns::settle(&self.database, run, self.clock.now()).await?;
        if !never.is_empty() {
            self.tell(run);
        }
        Ok(ready)
    }

    /// Running in the database before the engine has it: so what a killed server left in between is started at the next
    /// start, and starting it twice is starting it once. Something of which anything is recorded is not started again:
    /// were everything gone that its engine kept of it, it would run a second time.
    async fn carry(&self, run: &ActiveRun, part: Part, engine: &dyn Engine) -> Result<Followed, RecordError> {
        let Some(inputs) = self.inputs(run, part).await? else { return Ok(Followed::ToTheEnd) };
        // Somebody was faster, such as one who cancelled it.
        if inputs.steps.iter().all(|step| step.phase.is_final()) {
            return Ok(Followed::ToTheEnd);
        }
        let (id, at) = (run.id, self.clock.now());
        let is_recorded = inputs.steps.iter().any(|step| step.is_recorded);
        let targets = if is_recorded { Vec::new() } else { targets(&inputs, engine).await };
        let Given { plan, first } = given(inputs, part);
        let is_first_try = !first.is_empty();
        if !is_recorded && is_first_try {
            let start = move |connection: &mut _| {
                for (step, target) in &targets {
                    steps::set_target(connection, *step, target)?;
                }
                runs::start(connection, id, &first, at)
            };
            if !self.database.write(start).await? {
                // Somebody was faster, such as one who cancels it.
                let look = move |connection: &mut _| queue::active_run(connection, id, &KnownSteps::new());
                if let Some(run) = self.database.read(look).await? {
                    self.settle(&run).await?;
                }
                return Ok(Followed::ToTheEnd);
            }
            self.tell(run);
        }
        if !is_recorded {
            match engine.start(&plan).await {
                Ok(manifest) => {
                    self.keep_manifest(run, manifest).await?;
                    // Only an earlier try can have said something.
                    if !is_first_try {
                        self.say_waiting(run, part, None).await?;
                    }
                }
                Err(error) if error.may_pass && !run.cancel_requested => {
                    self.say_waiting(run, part, Some(error.message)).await?;
                    return Ok(Followed::Interrupted);
                }
                Err(error) => {
                    let (phase, message) = if run.cancel_requested {
                        (Phase::Cancelled, runs::CANCELLED_WAITING.to_owned())
                    } else {
                        (Phase::Error, error.message)
                    };
                    self.finish(run, part, phase, message).await?;
                    return self.let_go(run, &plan, engine).await;
                }
            }
        }
        match self.recorder.follow(engine, id, part.step(), &plan).await {
            Ok(Followed::ToTheEnd) => {
                // Others may begin, also before everything of this one is gone.
                self.wake.notify_one();
                self.tell(run);
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
                self.finish(run, part, Phase::Error, message).await?;
            }
            interrupted => return interrupted,
        }
        self.let_go(run, &plan, engine).await
    }

    /// Keeps what an engine handed over for a run. A server that ends before that starts the run again, and hears it again.
    async fn keep_manifest(&self, run: &ActiveRun, manifest: Option<String>) -> Result<(), DatabaseError> {
        let (id, Some(manifest)) = (run.id, manifest) else { return Ok(()) };
        let keep = move |connection: &mut _| {
            manifests::keep(connection, id, &manifest)?;
            runs::touch(connection, id)
        };
        self.database.write(keep).await?;
        self.tell(run);
        Ok(())
    }

    /// Says at the page of a run what holds it up, or that nothing does any more.
    async fn say_waiting(&self, run: &ActiveRun, part: Part, reason: Option<String>) -> Result<(), DatabaseError> {
        let id = run.id;
        let words = reason.clone();
        let is_news = self.database.write(move |connection| {
            let is_news = steps::set_all_waiting(connection, id, part.step(), words.as_deref())?;
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

    /// Only for what has ended in the database. What is left is tried again when the engines are cleaned.
    async fn let_go(&self, run: &ActiveRun, plan: &RunPlan, engine: &dyn Engine) -> Result<Followed, RecordError> {
        let id = run.id;
        let has_ended = self.database.read(move |connection| runs::has_ended(connection, id)).await?;
        let forgotten = if has_ended {
            engine.forget(&run.uid).await
        } else {
            let mut forgotten = Ok(());
            for step in &plan.steps {
                forgotten = forgotten.and(engine.forget_step(&step.step).await);
            }
            forgotten
        };
        if let Err(error) = forgotten {
            tracing::warn!(run.uid = %run.uid, %error, "What is left of a run could not be removed; trying again later");
        }
        Ok(Followed::ToTheEnd)
    }

    async fn cancel_waiting(&self, run: &ActiveRun) -> Result<(), DatabaseError> {
        self.finish(run, Part::Whole, Phase::Cancelled, runs::CANCELLED_WAITING.to_owned()).await
    }

    async fn finish(&self, run: &ActiveRun, part: Part, phase: Phase, message: String) -> Result<(), DatabaseError> {
        let id = run.id;
        let outcome = Outcome { phase, exit_code: None, message: Some(message), at: self.clock.now() };
        self.database.write(move |connection| runs::finish(connection, id, part.step(), &outcome)).await?;
        self.tell(run);
        Ok(())
    }

    /// Whoever looks at a step sees its whole run.
    fn tell(&self, run: &ActiveRun) {
        self.hints.changed_all(run.steps.iter().map(|step| step.id));
    }
}
