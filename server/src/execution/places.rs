//! Who gets the free places of the engines. A run with many steps that could begin gets no more than its turn: runs are
//! served in the order in which they were served last, or were asked for.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use app::model::{
    identifiers::{RunId, StepId},
    phase::Phase,
    time::Timestamp,
};

use crate::{
    db::queue::ActiveRun,
    engine::{EngineName, Engines, Order, SharedEngine},
};

/// How much of a run an engine is given at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// All of it.
    Whole,
    /// A step whose turn has come.
    Step(StepId),
}

impl Part {
    /// The step, unless it is the whole run.
    #[must_use]
    pub const fn step(self) -> Option<StepId> {
        match self {
            Self::Whole => None,
            Self::Step(step) => Some(step),
        }
    }

    /// Whether a step has ended. A whole run that has is not active any more.
    fn has_ended(self, run: &ActiveRun) -> bool {
        let ended = |step| run.steps.iter().zip(&run.phases).any(|(own, phase)| own.id == step && phase.is_final());
        self.step().is_some_and(ended)
    }

    /// The parts of a run that run.
    #[must_use]
    pub fn running(run: &ActiveRun, order: Order) -> Vec<Self> {
        match order {
            Order::Engine if run.phase == Phase::Running => vec![Self::Whole],
            Order::Engine => Vec::new(),
            Order::Stoker => run.steps_in(Phase::Running).map(Self::Step).collect(),
        }
    }
}

/// A run some of which would begin if its engine had a place for it.
struct Candidate {
    run: Arc<ActiveRun>,
    engine: SharedEngine,
    parts: VecDeque<Part>,
}

/// When a run was served last: within this look in the order of serving.
type Served = (Timestamp, u64);

/// The places that are free, and who would have them.
pub struct Places {
    free: HashMap<EngineName, usize>,
    waiting: BTreeMap<(Served, RunId), Candidate>,
}

impl Places {
    /// The places that these runs leave free. `carried` are the parts that are under way: of those, the rows do not show
    /// yet that some have begun, and some have ended and are only tidied up after.
    #[must_use]
    pub fn beside<'a>(
        engines: &Engines,
        active: &[Arc<ActiveRun>],
        carried: impl Fn(&ActiveRun) -> &'a [Part],
    ) -> Self {
        let mut free: HashMap<_, _> = engines.iter().map(|engine| (engine.name(), engine.capacity())).collect();
        for run in active {
            let Some(engine) = engines.get(&run.engine) else { continue };
            let running = Part::running(run, engine.order());
            let unseen = carried(run).iter().filter(|part| !running.contains(part) && !part.has_ended(run)).count();
            if let Some(free) = free.get_mut(&engine.name()) {
                *free = free.saturating_sub(running.len() + unseen);
            }
        }
        Self { free, waiting: BTreeMap::new() }
    }

    /// How many places are free in all.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free.values().sum()
    }

    /// Asks for places for these parts of a run, the first of them first.
    pub fn ask(&mut self, run: &Arc<ActiveRun>, engine: &SharedEngine, parts: VecDeque<Part>) {
        let since = run.served_at.map_or(run.created_at, |served| served.max(run.created_at));
        let candidate = Candidate { run: run.clone(), engine: engine.clone(), parts };
        self.waiting.insert(((since, 0), run.id), candidate);
    }

    /// Gives the free places away.
    #[must_use]
    pub fn give(mut self, now: Timestamp) -> Vec<(Arc<ActiveRun>, Part, SharedEngine)> {
        let mut given = Vec::new();
        let mut served = 0;
        while let Some((key, mut candidate)) = self.waiting.pop_first() {
            let Some(free) = self.free.get_mut(&candidate.engine.name()).filter(|free| **free > 0) else { continue };
            let Some(part) = candidate.parts.pop_front() else { continue };
            *free -= 1;
            given.push((candidate.run.clone(), part, candidate.engine.clone()));
            if !candidate.parts.is_empty() {
                served += 1;
                self.waiting.insert(((now, served), key.1), candidate);
            }
        }
        given
    }
}
