//! Random flows on an engine that runs nothing: every step ends as a simple model says, after those before it, and once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use app::model::{
    cache::Readiness,
    flow::{FlowStep, RunsWhen},
    identifiers::{RunUid, StepUid},
    lock::Lock,
    phase::Phase,
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
        Cancel, Cursor, EndCause, Engine, EngineError, EngineName, Interpreter, Observation, Observed, Positions,
        RunPlan, StepEnd, StepEvent, StepEvents, Target,
    },
    runner::SecretKey,
};

use crate::place::{Place, Step, step};

/// A fake engine: a step ends at once, with the exit code that is its code.
#[derive(Default)]
struct Immediate {
    started: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Engine for Immediate {
    fn name(&self) -> EngineName {
        EngineName("local")
    }

    fn capacity(&self) -> usize {
        4
    }

    async fn target(&self, _: Option<PythonVersion>) -> Result<Target, EngineError> {
        let interpreter = Interpreter::Elsewhere("linux".to_owned());
        Ok(Target { python: "3.12.4".to_owned(), platform: "a test".to_owned(), interpreter })
    }

    async fn start(&self, plan: &RunPlan) -> Result<Option<String>, EngineError> {
        let keys = plan.steps.iter().map(|step| step.definition.key.to_string());
        self.started.lock().unwrap().extend(keys);
        Ok(None)
    }

    fn observe(&self, plan: &RunPlan, _: Positions) -> BoxStream<'static, Result<Observation, EngineError>> {
        let ends: Vec<_> = plan
            .steps
            .iter()
            .map(|step| {
                let exit_code = step.definition.spec.code.as_str().parse().ok();
                let end = StepEnd { exit_code, ..StepEnd::by(EndCause::Program) };
                let events = [began(&step.step), StepEvent::Ended(end)];
                let events = events.map(|event| Observed { at: Timestamp(1), event }).to_vec();
                Ok(Observation::Step(StepEvents { step: step.step.clone(), events, next: Cursor("end".to_owned()) }))
            })
            .collect();
        stream::iter(ends).chain(stream::iter([Ok(Observation::Ended)])).boxed()
    }

    async fn cancel(&self, _: &RunUid, _: Cancel) -> Result<(), EngineError> {
        Ok(())
    }

    async fn forget(&self, _: &RunUid) -> Result<(), EngineError> {
        Ok(())
    }

    async fn forget_step(&self, _: &StepUid) -> Result<(), EngineError> {
        Ok(())
    }

    async fn kept(&self) -> Result<Vec<RunUid>, EngineError> {
        Ok(Vec::new())
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

/// What secrets are made from.
const SECRET_KEY: SecretKey = SecretKey::new([1; 32]);

/// That preparing is over, in the runner's words.
fn began(step: &StepUid) -> StepEvent {
    let secrets = SECRET_KEY.of_step(step).markers.input();
    let secret = secrets.split(' ').next().unwrap_or_default();
    StepEvent::Output(format!("\x1e{secret} [{{\"program\":true}}]\n").into_bytes())
}

/// The same numbers each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A flow of up to 30 steps. Steps wait for earlier ones of a random order that is not that of the definition.
fn flow(numbers: &mut Numbers) -> Vec<Step> {
    let count = usize::try_from(numbers.below(30)).unwrap() + 1;
    let mut steps: Vec<Step> = Vec::new();
    for place in 0..count {
        let runs_after: Vec<String> =
            (0..place).filter(|_| numbers.below(4) == 0).map(|earlier| format!("s{earlier}")).collect();
        let runs_after: Vec<&str> = runs_after.iter().map(String::as_str).collect();
        let exit_code = if numbers.below(3) == 0 { "1" } else { "0" };
        let when = RunsWhen::ALL[usize::try_from(numbers.below(6)).unwrap().saturating_sub(3)];
        steps.push(step(&format!("s{place}"), exit_code, &runs_after).when(when));
    }
    for place in (1..count).rev() {
        let other = usize::try_from(numbers.below(place as u64 + 1)).unwrap();
        steps.swap(place, other);
    }
    steps
}

/// How each step ends: written down from what the words mean, one step after the other.
fn model(steps: &[Step]) -> BTreeMap<String, Phase> {
    let mut ends: BTreeMap<String, Phase> = BTreeMap::new();
    while ends.len() < steps.len() {
        for Step(FlowStep { key, runs_after, runs_when, spec, .. }) in steps {
            let before: Option<Vec<Phase>> = runs_after.iter().map(|key| ends.get(key.as_str()).copied()).collect();
            let Some(before) = before.filter(|_| !ends.contains_key(key.as_str())) else { continue };
            let runs = match runs_when {
                RunsWhen::AllSucceeded => before.iter().all(|phase| *phase == Phase::Succeeded),
                RunsWhen::AllEnded => true,
                RunsWhen::AnyFailed => before.contains(&Phase::Failed),
            };
            let end = match (runs, spec.code.as_str()) {
                (false, _) => Phase::Skipped,
                (true, "0") => Phase::Succeeded,
                (true, _) => Phase::Failed,
            };
            ends.insert(key.to_string(), end);
        }
    }
    ends
}

#[tokio::test(flavor = "multi_thread")]
async fn random_flows_end_as_a_simple_model_says() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let folder = tempfile::tempdir().unwrap();
    let engine = Immediate::default();
    let started = engine.started.clone();
    let place = Place::with_engine(folder.path().to_owned(), Arc::new(engine), SECRET_KEY).await;
    for round in 0..60 {
        let steps = flow(&mut numbers);
        started.lock().unwrap().clear();
        let (_, run) = place.finished(&steps).await;
        let ends: BTreeMap<String, Phase> = run.steps.iter().map(|step| (step.key.to_string(), step.phase)).collect();
        let model = model(&steps);
        assert_eq!(ends, model, "round {round}");
        let started = started.lock().unwrap().clone();
        let ran = model.values().filter(|phase| **phase != Phase::Skipped).count();
        assert_eq!(started.len(), ran, "round {round}: each step runs once, and no other: {started:?}");
        for Step(step) in &steps {
            let Some(own) = started.iter().position(|key| key == step.key.as_str()) else { continue };
            for before in &step.runs_after {
                let earlier = started.iter().position(|key| key == before.as_str());
                assert!(earlier.is_none_or(|earlier| earlier < own), "round {round}: {before} is before {}", step.key);
            }
        }
    }
}
