//! What every engine must do, whatever it runs on: the contract of `server::engine`, one function for each rule.
//! Whoever has an engine gives a [`Place`] for it, and calls them all.

use std::{collections::BTreeSet, future::Future, num::NonZeroU32, time::Duration};

use app::model::{
    flow::FlowStep,
    identifiers::{RunNumber, RunUid, StepUid, TaskId},
    lock::Lock,
    python_version::PythonVersion,
    spec::TaskDraft,
};
use futures::StreamExt as _;
use server::{
    clock::{Random as _, SystemRandom},
    engine::{
        Cancel, Cursor, EndCause, Observation, Positions, RunPlan, SharedEngine, StepEnd, StepEvent, StepEvents,
        StepPlan,
    },
};

/// How long anything may take here, also on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two attempts of what may pass.
const AGAIN: Duration = Duration::from_millis(200);

/// Where an engine runs in these tests.
pub trait Place {
    /// The engine.
    fn engine(&self) -> SharedEngine;

    /// Another engine for the same runs, as after the server was ended and started again.
    fn restarted(&self) -> SharedEngine;
}

/// A run that runs a program.
pub fn plan(code: &str) -> RunPlan {
    let draft = TaskDraft { code: code.to_owned(), ..TaskDraft::default() };
    let mut bytes = [0; 10];
    SystemRandom.fill(&mut bytes);
    let run = RunUid::from_random(bytes);
    let step = StepPlan {
        step: run.step(NonZeroU32::MIN),
        definition: FlowStep::only(draft.parse().unwrap().spec),
        lock: Lock::default(),
        readable: Vec::new(),
    };
    RunPlan { run, task: TaskId::from_random([7; 6]), number: RunNumber::new(1).unwrap(), steps: vec![step] }
}

/// The same with a time limit of its own, in seconds.
fn limited(code: &str, seconds: &str) -> RunPlan {
    let mut plan = plan(code);
    let draft = TaskDraft { code: code.to_owned(), timeout: seconds.to_owned(), ..TaskDraft::default() };
    plan.steps[0].definition.spec = draft.parse().unwrap().spec;
    plan
}

/// A run of two steps.
fn plan_of_two(first: &str, second: &str) -> RunPlan {
    let mut whole = plan(first);
    let mut step = plan(second).steps.remove(0);
    step.step = whole.run.step(NonZeroU32::new(2).unwrap());
    whole.steps.push(step);
    whole
}

/// What an engine told of a run.
#[derive(Debug, Default)]
pub struct Tale {
    told: Vec<StepEvents>,
    /// Whether the end of the run was told.
    ended: bool,
}

impl Tale {
    /// All events, in order.
    pub fn events(&self) -> impl Iterator<Item = &StepEvent> {
        self.told.iter().flat_map(|told| &told.events).map(|observed| &observed.event)
    }

    /// All bytes that a step printed, in order.
    fn bytes(&self, step: &StepUid) -> Vec<u8> {
        self.after(step, 0)
    }

    /// The bytes of a step's events from the n-th on.
    fn after(&self, step: &StepUid, skip: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for observed in self.of(step).skip(skip).flat_map(|told| &told.events) {
            if let StepEvent::Output(more) | StepEvent::Error(more) = &observed.event {
                bytes.extend_from_slice(more);
            }
        }
        bytes
    }

    fn of(&self, step: &StepUid) -> impl Iterator<Item = &StepEvents> {
        self.told.iter().filter(move |told| told.step == *step)
    }

    /// What programs printed on lines that begin with `> `: the rest is the preparation's.
    pub fn lines(&self, plan: &RunPlan) -> Vec<String> {
        let lines = |step: &StepPlan| {
            let text = String::from_utf8_lossy(&self.bytes(&step.step)).into_owned();
            text.lines().filter_map(|line| line.strip_prefix("> ").map(str::to_owned)).collect::<Vec<_>>()
        };
        plan.steps.iter().flat_map(lines).collect()
    }

    fn ends(&self, step: &StepUid) -> Vec<&StepEnd> {
        let events = self.of(step).flat_map(|told| &told.events);
        events
            .filter_map(|observed| if let StepEvent::Ended(end) = &observed.event { Some(end) } else { None })
            .collect()
    }

    /// How the first step ended. Each step has just one end, as its last event.
    pub fn end(&self, plan: &RunPlan) -> StepEnd {
        assert!(self.ended, "the end of the run was not told: {self:?}");
        for step in &plan.steps {
            assert_eq!(self.ends(&step.step).len(), 1, "each step has one end: {self:?}");
            let last = self.of(&step.step).last().and_then(|told| told.events.last());
            assert!(matches!(last.map(|last| &last.event), Some(StepEvent::Ended(_))), "the end comes last: {self:?}");
        }
        assert!(self.told.iter().all(|told| !told.events.is_empty()), "nothing was told of nothing: {self:?}");
        self.ends(&plan.steps[0].step)[0].clone()
    }

    /// Where each step's tale was left.
    pub fn positions(&self) -> Positions {
        self.told.iter().map(|told| (told.step.clone(), told.next.clone())).collect()
    }
}

async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("{what} takes too long"))
}

/// Listens until enough was told, or the run has ended. A stream that stops without the end is asked for again.
pub async fn listen(engine: &SharedEngine, plan: &RunPlan, from: Positions, enough: impl Fn(&Tale) -> bool) -> Tale {
    let mut tale = Tale::default();
    patiently("listening to a run", async {
        while !tale.ended && !enough(&tale) {
            let mut positions = from.clone();
            positions.extend(tale.positions());
            let mut left = plan.clone();
            left.steps.retain(|step| tale.ends(&step.step).is_empty());
            let mut observations = engine.observe(&left, positions);
            while let Some(observation) = observations.next().await {
                match observation {
                    Ok(Observation::Step(told)) => tale.told.push(told),
                    Ok(Observation::Ended) => {
                        assert!(!tale.ended);
                        tale.ended = true;
                    }
                    Err(error) => {
                        assert!(error.may_pass, "{error}");
                        tokio::time::sleep(AGAIN).await;
                        break;
                    }
                }
                if enough(&tale) {
                    break;
                }
            }
        }
    })
    .await;
    tale
}

/// Listens to the end.
pub async fn hear_out(engine: &SharedEngine, plan: &RunPlan, from: Positions) -> Tale {
    listen(engine, plan, from, |_| false).await
}

/// Lets go of a run, as whoever moves runs does: again, until nothing is left.
pub async fn forget(engine: &SharedEngine, run: &RunUid) {
    patiently("forgetting a run", async {
        while let Err(error) = engine.forget(run).await {
            assert!(error.may_pass, "{error}");
            tokio::time::sleep(AGAIN).await;
        }
    })
    .await;
}

/// Prints `> begun`, and then waits to be stopped.
pub const UNTIL_STOPPED: &str = "import time\nprint('> begun', flush=True)\ntime.sleep(600)\nprint('> never')";

/// Waits until a program that prints has begun.
pub async fn begun(engine: &SharedEngine, plan: &RunPlan) -> Tale {
    listen(engine, plan, Positions::new(), |tale| !tale.lines(plan).is_empty()).await
}

pub async fn a_run_that_is_started_twice_runs_once(place: &impl Place) {
    let engine = place.engine();
    let plan = plan("print('> once')");
    engine.start(&plan).await.unwrap();
    engine.start(&plan).await.unwrap();
    place.restarted().start(&plan).await.unwrap();
    let tale = hear_out(&engine, &plan, Positions::new()).await;
    assert_eq!(tale.end(&plan), StepEnd { exit_code: Some(0), ..StepEnd::by(EndCause::Program) });
    assert_eq!(tale.lines(&plan), ["once"]);
    // Nor when it has ended.
    engine.start(&plan).await.unwrap();
    assert_eq!(hear_out(&engine, &plan, Positions::new()).await.lines(&plan), ["once"]);
    forget(&engine, &plan.run).await;
}

pub async fn what_comes_after_a_cursor_is_told_from_there(place: &impl Place) {
    let engine = place.engine();
    let plan = plan("import time\nfor n in range(200):\n    print('>', n, flush=True)\n    time.sleep(0.005)");
    let step = &plan.steps[0].step;
    engine.start(&plan).await.unwrap();
    let whole = hear_out(&engine, &plan, Positions::new()).await;
    let numbers: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    assert_eq!(whole.lines(&plan), numbers);
    let count = whole.of(step).count();
    let places = BTreeSet::from([1, count / 4, count / 2, count - 1]);
    for told in places.into_iter().filter(|told| (1..count).contains(told)) {
        let cursor = whole.of(step).nth(told - 1).unwrap().next.clone();
        for engine in [engine.clone(), place.restarted()] {
            let rest = hear_out(&engine, &plan, Positions::from([(step.clone(), cursor.clone())])).await;
            let expected = String::from_utf8_lossy(&whole.after(step, told)).into_owned();
            assert_eq!(String::from_utf8_lossy(&rest.bytes(step)), expected, "after {cursor:?}, {told} of {count}");
            assert_eq!(rest.end(&plan), whole.end(&plan));
        }
    }
    forget(&engine, &plan.run).await;
}

pub async fn a_run_goes_on_where_another_engine_left_it(place: &impl Place) {
    let code = "import time\nfor n in range(40):\n    print('>', n, flush=True)\n    time.sleep(0.05)";
    let plan = plan(code);
    let first = place.engine();
    first.start(&plan).await.unwrap();
    let begun = begun(&first, &plan).await;
    drop(first);
    let second = place.restarted();
    // Whoever moves runs may not know that it was started.
    second.start(&plan).await.unwrap();
    let rest = hear_out(&second, &plan, begun.positions()).await;
    rest.end(&plan);
    let step = &plan.steps[0].step;
    let told = [begun.bytes(step), rest.bytes(step)].concat();
    let text = String::from_utf8(told).unwrap();
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("> ")).collect();
    assert_eq!(lines, (0..40).map(|number| number.to_string()).collect::<Vec<_>>());
    forget(&second, &plan.run).await;
}

pub async fn how_a_program_ends_is_told(place: &impl Place) {
    let engine = place.engine();
    for (code, exit_code, signal) in [
        ("raise SystemExit(3)", Some(3), None),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", None, Some(11)),
    ] {
        let plan = plan(code);
        engine.start(&plan).await.unwrap();
        let end = hear_out(&engine, &plan, Positions::new()).await.end(&plan);
        assert_eq!((end.cause, end.exit_code, end.signal), (EndCause::Program, exit_code, signal), "{code}");
        forget(&engine, &plan.run).await;
    }
}

pub async fn the_time_limit_of_a_program_is_kept(place: &impl Place) {
    let engine = place.engine();
    let plan = limited(UNTIL_STOPPED, "1");
    engine.start(&plan).await.unwrap();
    let tale = hear_out(&engine, &plan, Positions::new()).await;
    assert_eq!(tale.end(&plan).cause, EndCause::Timeout(1));
    assert_eq!(tale.lines(&plan), ["begun"]);
    forget(&engine, &plan.run).await;
}

pub async fn output_is_told_as_it_came(place: &impl Place) {
    let engine = place.engine();
    let code = "import os, sys
print('> ' + 'x' * 100_000, flush=True)
os.write(1, b'> \\xff\\x00\\r\\\\n\\r\\n\\x1b[1m')
os.write(1, b'\\n')
os.system('echo \"> from a child\" >&2')
os.write(1, b'> unended')";
    let plan = plan(code);
    engine.start(&plan).await.unwrap();
    let tale = hear_out(&engine, &plan, Positions::new()).await;
    tale.end(&plan);
    // Between the two streams there is no order that could be known.
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    for event in tale.events() {
        match event {
            StepEvent::Output(more) => output.extend_from_slice(more),
            StepEvent::Error(more) => errors.extend_from_slice(more),
            _ => {}
        }
    }
    let has = |part: &[u8]| output.windows(part.len()).any(|window| window == part);
    assert!(has(&[b"> ".to_vec(), vec![b'x'; 100_000], b"\n".to_vec()].concat()));
    assert!(has(b"> \xff\x00\r\\n\r\n\x1b[1m\n"));
    assert!(output.ends_with(b"> unended"));
    assert_eq!(String::from_utf8_lossy(&errors), "> from a child\n");
    forget(&engine, &plan.run).await;
}

pub async fn a_run_can_be_cancelled_and_again(place: &impl Place) {
    for how in [Cancel::WithGrace, Cancel::AtOnce] {
        let engine = place.engine();
        let plan = plan(UNTIL_STOPPED);
        engine.start(&plan).await.unwrap();
        let begun = begun(&engine, &plan).await;
        engine.cancel(&plan.run, how).await.unwrap();
        engine.cancel(&plan.run, how).await.unwrap();
        let rest = hear_out(&engine, &plan, begun.positions()).await;
        assert_eq!(rest.end(&plan).cause, EndCause::Cancelled);
        assert!(rest.lines(&plan).is_empty());
        // One that has ended is left alone.
        engine.cancel(&plan.run, how).await.unwrap();
        forget(&engine, &plan.run).await;
        engine.cancel(&plan.run, how).await.unwrap();
    }
}

pub async fn a_run_that_is_forgotten_while_it_runs_is_stopped(place: &impl Place) {
    let engine = place.engine();
    let plan = plan(UNTIL_STOPPED);
    engine.start(&plan).await.unwrap();
    let begun = begun(&engine, &plan).await;
    assert!(engine.kept().await.unwrap().contains(&plan.run));
    forget(&engine, &plan.run).await;
    assert!(!engine.kept().await.unwrap().contains(&plan.run));
    let rest = hear_out(&engine, &plan, begun.positions()).await;
    assert_ne!(rest.end(&plan).cause, EndCause::Program);
    assert!(rest.lines(&plan).is_empty());
    forget(&engine, &plan.run).await;
}

pub async fn a_run_that_was_never_there_ends(place: &impl Place) {
    let engine = place.engine();
    let plan = plan("print('> never')");
    let somewhere = Positions::from([(plan.steps[0].step.clone(), Cursor("17".to_owned()))]);
    for from in [Positions::new(), somewhere] {
        let tale = hear_out(&engine, &plan, from).await;
        assert_ne!(tale.end(&plan).cause, EndCause::Program);
        assert!(tale.bytes(&plan.steps[0].step).is_empty());
    }
    engine.cancel(&plan.run, Cancel::WithGrace).await.unwrap();
    engine.forget(&plan.run).await.unwrap();
}

pub async fn the_steps_of_a_run_are_told_apart(place: &impl Place) {
    let engine = place.engine();
    let plan = plan_of_two("print('> first')", "print('> second')\nraise SystemExit(4)");
    engine.start(&plan).await.unwrap();
    let tale = hear_out(&engine, &plan, Positions::new()).await;
    assert_eq!(tale.end(&plan).exit_code, Some(0));
    assert_eq!(tale.ends(&plan.steps[1].step)[0].exit_code, Some(4));
    assert_eq!(tale.lines(&plan), ["first", "second"]);
    // Who knows one step's end is told of the other alone.
    let mut second = plan.clone();
    second.steps.remove(0);
    let tale = hear_out(&engine, &second, Positions::new()).await;
    assert!(tale.of(&plan.steps[0].step).next().is_none());
    assert_eq!(tale.lines(&second), ["second"]);
    forget(&engine, &plan.run).await;
}

pub async fn a_step_runs_on_the_python_that_it_asks_for(place: &impl Place) {
    let engine = place.engine();
    let targets = engine.targets().await;
    assert!(targets.contains(&engine.target(None).await.unwrap()), "{targets:?}");
    for target in targets {
        let version = PythonVersion::of_full(&target.python).unwrap();
        assert_eq!(engine.target(Some(version)).await.unwrap(), target);
        let mut plan = plan("import sys\nprint('>', '%d.%d' % sys.version_info[:2])");
        plan.steps[0].definition.spec.python = Some(version);
        engine.start(&plan).await.unwrap();
        let tale = hear_out(&engine, &plan, Positions::new()).await;
        assert_eq!(tale.end(&plan).exit_code, Some(0), "{target}");
        assert_eq!(tale.lines(&plan), [version.to_string()]);
        forget(&engine, &plan.run).await;
    }
}

pub async fn a_python_that_is_not_there_is_refused_before_anything_starts(place: &impl Place) {
    let engine = place.engine();
    let mut plan = plan("print('> never')");
    let wanted = PythonVersion::of_full("9.9").unwrap();
    plan.steps[0].definition.spec.python = Some(wanted);
    for error in [engine.start(&plan).await.unwrap_err(), engine.target(Some(wanted)).await.unwrap_err()] {
        let there = engine.targets().await.remove(0);
        let there = PythonVersion::of_full(&there.python).unwrap().to_string();
        assert!(!error.may_pass && error.message.contains("There is no Python 9.9"), "{error}");
        assert!(error.message.contains(&there), "{error}");
    }
    assert!(!engine.kept().await.unwrap().contains(&plan.run));
}

/// A test for each rule, at a place that an expression gives.
macro_rules! tests_of_all_rules {
    ($place:expr; $($rule:ident),* $(,)?) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $rule() {
            let place = $place;
            $crate::rules::$rule(&place).await;
        }
    )* };
    ($place:expr) => {
        $crate::rules::tests_of_all_rules!(
            $place;
            a_run_that_is_started_twice_runs_once,
            what_comes_after_a_cursor_is_told_from_there,
            a_run_goes_on_where_another_engine_left_it,
            how_a_program_ends_is_told,
            the_time_limit_of_a_program_is_kept,
            output_is_told_as_it_came,
            a_run_can_be_cancelled_and_again,
            a_run_that_is_forgotten_while_it_runs_is_stopped,
            a_run_that_was_never_there_ends,
            the_steps_of_a_run_are_told_apart,
            a_step_runs_on_the_python_that_it_asks_for,
            a_python_that_is_not_there_is_refused_before_anything_starts,
        );
    };
}

pub(crate) use tests_of_all_rules;
