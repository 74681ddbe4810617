//! An engine that does what a test wrote down: the real ones do not fail, hang and panic at the wish of a test.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard},
};

use app::model::{
    cache::Readiness,
    identifiers::{RunUid, StepUid},
    lock::Lock,
    python_version::PythonVersion,
    spec::TaskSpec,
    time::Timestamp,
};
use async_trait::async_trait;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use server::{
    engine::{
        Account, Cancel, Cursor, EndCause, Engine, EngineError, EngineName, Interpreter, Observation, Observed, Order,
        Positions, RunPlan, StepEnd, StepEvent, StepEvents, Target,
    },
    runner::SecretKey,
};

/// What the secrets of all steps are made from: with it the engine says, as the runner does, that the program started.
pub const SECRET_KEY: SecretKey = SecretKey::new([7; 32]);

/// How an engine answers what may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Done,
    Fails,
    FailsForGood,
    Hangs,
    Panics,
}

impl Answer {
    async fn give(self) -> Result<(), EngineError> {
        match self {
            Self::Done => Ok(()),
            Self::Fails => Err(EngineError::passing("The engine is away.")),
            Self::FailsForGood => Err(EngineError::lasting("The engine will not have it.")),
            Self::Hangs => std::future::pending().await,
            Self::Panics => panic!("as the test asked for"),
        }
    }
}

/// A piece of what the engine tells of a run. Each event of a step has a number of its own, its cursor.
#[derive(Debug, Clone)]
pub enum Told {
    /// An event of the step at a position.
    Event(u32, StepEvent),
    /// The stream breaks here, once: the next who observes hears on.
    Stops,
    /// The stream tells an error here, once.
    Breaks(Answer),
    /// Nothing comes until the test says so.
    Waits,
    /// The run has ended.
    Ended,
}

/// A line that a step prints.
pub fn line(position: u32, text: &str) -> Told {
    Told::Event(position, StepEvent::Output(format!("{text}\n").into_bytes()))
}

/// The end of a step.
pub fn end(position: u32, exit_code: i32) -> Told {
    Told::Event(position, StepEvent::Ended(StepEnd { exit_code: Some(exit_code), ..StepEnd::by(EndCause::Program) }))
}

#[derive(Default)]
struct State {
    tale: Vec<Told>,
    start: VecDeque<Answer>,
    cancel: VecDeque<Answer>,
    forget: VecDeque<Answer>,
    account: Option<Account>,
    manifest: Option<String>,
    kept: Vec<RunUid>,
    kept_hangs: bool,
    calls: HashMap<(RunUid, &'static str), u32>,
}

/// The engine. What it is told to do it does in order, and after that what is usual.
pub struct Scripted {
    name: &'static str,
    capacity: usize,
    state: Mutex<State>,
    go_on: tokio::sync::watch::Sender<bool>,
}

impl Scripted {
    /// An engine that tells this of each run.
    pub fn new(name: &'static str, capacity: usize, tale: Vec<Told>) -> Self {
        let state = State { tale, ..State::default() };
        Self { name, capacity, state: Mutex::new(state), go_on: tokio::sync::watch::Sender::new(false) }
    }

    pub fn starts(self, answers: &[Answer]) -> Self {
        self.state().start.extend(answers);
        self
    }

    pub fn cancels(self, answers: &[Answer]) -> Self {
        self.state().cancel.extend(answers);
        self
    }

    pub fn forgets(self, answers: &[Answer]) -> Self {
        self.state().forget.extend(answers);
        self
    }

    /// What its own books say of each run.
    pub fn accounts(self, account: Account) -> Self {
        self.state().account = Some(account);
        self
    }

    /// What it hands over for each run.
    pub fn hands_over(self, manifest: &str) -> Self {
        self.state().manifest = Some(manifest.to_owned());
        self
    }

    pub fn keeps(self, run: RunUid) -> Self {
        self.state().kept.push(run);
        self
    }

    pub fn never_tells_what_it_keeps(self) -> Self {
        self.state().kept_hangs = true;
        self
    }

    /// Lets whatever waits go on.
    pub fn go_on(&self) {
        self.go_on.send_replace(true);
    }

    /// How often something was asked for a run.
    pub fn calls(&self, run: &RunUid, what: &'static str) -> u32 {
        self.state().calls.get(&(run.clone(), what)).copied().unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn count(&self, run: &RunUid, what: &'static str) {
        *self.state().calls.entry((run.clone(), what)).or_default() += 1;
    }
}

#[async_trait]
impl Engine for Scripted {
    fn name(&self) -> EngineName {
        EngineName(self.name)
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    /// So that runs of several steps come as they are; those of one step are the same for every engine.
    fn order(&self) -> Order {
        Order::Engine
    }

    async fn target(&self, _: Option<PythonVersion>) -> Result<Target, EngineError> {
        let interpreter = Interpreter::Elsewhere("linux".to_owned());
        Ok(Target { python: "3.12.4".to_owned(), platform: "a test".to_owned(), interpreter })
    }

    async fn start(&self, plan: &RunPlan) -> Result<Option<String>, EngineError> {
        self.count(&plan.run, "start");
        let answer = self.state().start.pop_front().unwrap_or(Answer::Done);
        answer.give().await?;
        self.state().kept.push(plan.run.clone());
        Ok(self.state().manifest.clone())
    }

    fn observe(&self, plan: &RunPlan, from: Positions) -> BoxStream<'static, Result<Observation, EngineError>> {
        self.count(&plan.run, "observe");
        let mut tale = Vec::new();
        // What breaks once is told once: the next who observes hears what comes after it.
        let mut breaks = None;
        for (index, told) in self.state().tale.iter().enumerate() {
            if matches!(told, Told::Stops | Told::Breaks(_)) {
                breaks = Some(index);
                tale.push((index, told.clone()));
                break;
            }
            tale.push((index, told.clone()));
        }
        if let Some(index) = breaks {
            self.state().tale.remove(index);
        }
        let (plan, go_on) = (plan.clone(), self.go_on.subscribe());
        let tells = |position| move |told: &Told| matches!(told, Told::Event(of, _) if *of == position);
        let whole = self.state().tale.clone();
        let is_first = move |index: usize, position| match whole[..index].iter().rfind(|told| tells(position)(told)) {
            Some(Told::Event(_, event)) => matches!(event, StepEvent::AttemptEnded(_)),
            _ => true,
        };
        let step = move |position: u32| -> Option<StepUid> {
            let uid = plan.run.step(std::num::NonZeroU32::new(position)?);
            plan.step(&uid).map(|plan| plan.step.clone())
        };
        let observations = stream::iter(tale).then(move |(index, told)| {
            let (step, from, is_first) = (step.clone(), from.clone(), is_first.clone());
            let mut go_on = go_on.clone();
            async move {
                match told {
                    Told::Event(position, event) => {
                        let step = step(position)?;
                        let seen = from.get(&step).is_some_and(|cursor| cursor.0.parse::<usize>().unwrap() > index);
                        let mut events = vec![Observed { at: Timestamp(1), event }];
                        if is_first(index, position) {
                            let secrets = SECRET_KEY.of_step(&step).markers.input();
                            let secret = secrets.split(' ').next().unwrap_or_default();
                            let started = format!("\x1e{secret} [{{\"program\":true}}]\n");
                            let event = StepEvent::Output(started.into_bytes());
                            events.insert(0, Observed { at: Timestamp(1), event });
                        }
                        let next = Cursor((index + 1).to_string());
                        (!seen).then_some(Ok(Observation::Step(StepEvents { step, events, next })))
                    }
                    Told::Stops => None,
                    Told::Breaks(answer) => answer.give().await.err().map(Err),
                    Told::Waits => {
                        go_on.wait_for(|go| *go).await.unwrap();
                        None
                    }
                    Told::Ended => Some(Ok(Observation::Ended)),
                }
            }
        });
        observations.filter_map(std::future::ready).boxed()
    }

    async fn cancel(&self, run: &RunUid, _: Cancel) -> Result<(), EngineError> {
        self.count(run, "cancel");
        let answer = self.state().cancel.pop_front().unwrap_or(Answer::Done);
        answer.give().await
    }

    async fn account(&self, _: &RunUid) -> Option<Account> {
        self.state().account.clone()
    }

    async fn forget(&self, run: &RunUid) -> Result<(), EngineError> {
        self.count(run, "forget");
        let answer = self.state().forget.pop_front().unwrap_or(Answer::Done);
        answer.give().await?;
        self.state().kept.retain(|kept| kept != run);
        Ok(())
    }

    async fn kept(&self) -> Result<Vec<RunUid>, EngineError> {
        if self.state().kept_hangs {
            std::future::pending::<()>().await;
        }
        Ok(self.state().kept.clone())
    }

    async fn readiness(&self, spec: &TaskSpec, _: Option<&Lock>) -> Readiness {
        Readiness::unknown(spec)
    }

    async fn manifest(&self, _: &RunPlan) -> Result<String, EngineError> {
        Ok(String::new())
    }

    async fn diagnose(&self) -> Result<(), EngineError> {
        Ok(())
    }
}
