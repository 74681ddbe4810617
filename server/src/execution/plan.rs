//! A run, or a part of it, as its engine gets it: made from what is stored of it.

use std::collections::{HashMap, HashSet};

use app::model::{
    flow::{FlowStep, RunsWhen, StepKey},
    identifiers::StepId,
    phase::Phase,
};

use super::places::Part;
use crate::{
    db::{
        runs::RunInputs,
        steps::{StepInGraph, StepInputs},
    },
    engine::{Order, Readable, RunPlan, StepPlan},
};

/// What an engine gets of a run.
pub struct Given {
    /// What it is to do.
    pub plan: RunPlan,
    /// The steps that begin as soon as it has it, as far as they wait.
    pub first: Vec<StepId>,
}

/// What an engine gets of a run, or of a part of it. All locks are known.
#[must_use]
pub fn given(inputs: RunInputs, part: Part) -> Given {
    let inputs = if part == Part::Whole { left(inputs) } else { inputs };
    let begins = |inputs: &&StepInputs| {
        inputs.phase == Phase::Pending && (part != Part::Whole || inputs.step.runs_after.is_empty())
    };
    Given { first: inputs.steps.iter().filter(begins).map(|inputs| inputs.id).collect(), plan: plan(inputs) }
}

/// What an engine was given for a run, for people.
#[must_use]
pub fn shown(inputs: RunInputs, order: Order) -> RunPlan {
    let given = match order {
        Order::Engine => left(inputs.clone()),
        Order::Stoker => inputs.clone(),
    };
    // A run that ended before its engine got it is shown as it would have been.
    plan(if given.steps.is_empty() { inputs } else { given })
}

fn plan(inputs: RunInputs) -> RunPlan {
    let RunInputs { uid, task_id, number, steps, graph, kept, started_at: _ } = inputs;
    let readable = |own: &FlowStep| {
        let readable = |step: &StepInGraph| Readable {
            key: step.key.clone(),
            name: step.name.clone(),
            kept_from: step.kept_from.and_then(|number| kept.get(&number).cloned()),
        };
        before(&graph, &own.key).into_iter().map(readable).collect()
    };
    let steps = steps.into_iter().map(|inputs| StepPlan {
        step: inputs.uid,
        readable: readable(&inputs.step),
        definition: inputs.step,
        lock: inputs.lock.unwrap_or_default(),
    });
    RunPlan { run: uid, task: task_id, number, steps: steps.collect() }
}

/// A run without the steps that were settled before its engine got it, such as those that are kept of an earlier run. What
/// the others waited of them for is decided; an engine that orders the steps also counts their attempts itself.
fn left(mut inputs: RunInputs) -> RunInputs {
    let started_at = inputs.started_at;
    let was_settled = |step: &StepInputs| match (step.finished_at, started_at) {
        (Some(finished_at), Some(started_at)) => finished_at <= started_at,
        (finished_at, _) => finished_at.is_some(),
    };
    let (settled, mut left): (Vec<_>, Vec<_>) = inputs.steps.into_iter().partition(was_settled);
    let settled: HashMap<StepKey, Phase> = settled.into_iter().map(|step| (step.step.key, step.phase)).collect();
    for inputs in &mut left {
        inputs.uid = inputs.uid.first_attempt();
        let step = &mut inputs.step;
        let has_failed = |key| matches!(settled.get(key), Some(Phase::Failed | Phase::Error));
        if step.runs_when == RunsWhen::AnyFailed && step.runs_after.iter().any(has_failed) {
            step.runs_when = RunsWhen::AllEnded;
        }
        step.runs_after.retain(|key| !settled.contains_key(key));
    }
    inputs.steps = left;
    inputs
}

/// All steps that come before one, however far, in the order of the run.
fn before<'a>(graph: &'a [StepInGraph], step: &StepKey) -> Vec<&'a StepInGraph> {
    let steps: HashMap<&StepKey, &StepInGraph> = graph.iter().map(|step| (&step.key, step)).collect();
    let mut found: HashSet<&StepKey> = HashSet::new();
    let waits_for = |key: &StepKey| steps.get(key).into_iter().flat_map(|step| &step.runs_after);
    let mut left: Vec<&StepKey> = waits_for(step).collect();
    while let Some(key) = left.pop() {
        if found.insert(key) {
            left.extend(waits_for(key));
        }
    }
    graph.iter().filter(|step| found.contains(&step.key)).collect()
}

#[cfg(test)]
mod tests {
    use app::model::{
        flow::Retries,
        identifiers::{RunNumber, RunUid, TaskId},
        spec::TaskDraft,
        time::Timestamp,
    };
    use std::num::NonZeroU32;

    use super::*;

    /// A step, what it waits for and when it runs, where it stands, and when it ended.
    type Row = (&'static str, &'static [&'static str], RunsWhen, Phase, Option<i64>);

    fn inputs(rows: &[Row]) -> RunInputs {
        let uid = RunUid::from_random([1; 10]);
        let spec = TaskDraft { code: "pass".to_owned(), ..TaskDraft::default() }.parse().unwrap().spec;
        let step = |(position, (key, runs_after, runs_when, phase, finished_at)): (i64, &Row)| {
            let step = FlowStep {
                key: key.parse().unwrap(),
                runs_after: runs_after.iter().map(|key| key.parse().unwrap()).collect(),
                runs_when: *runs_when,
                retries: Retries::default(),
                ..FlowStep::only(spec.clone())
            };
            let number = NonZeroU32::new(u32::try_from(position).unwrap()).unwrap();
            StepInputs {
                id: StepId(position),
                uid: uid.step(number).attempt(2),
                attempt: 2,
                step,
                lock: None,
                phase: *phase,
                finished_at: finished_at.map(Timestamp),
                kept_from: None,
                is_recorded: false,
            }
        };
        let steps: Vec<StepInputs> = (1..).zip(rows).map(step).collect();
        let graph = steps.iter().map(|inputs| StepInGraph {
            key: inputs.step.key.clone(),
            name: inputs.step.name.clone(),
            runs_after: inputs.step.runs_after.clone(),
            kept_from: None,
        });
        RunInputs {
            graph: graph.collect(),
            uid,
            task_id: TaskId::from_random([1; 6]),
            number: RunNumber::new(1).unwrap(),
            started_at: Some(Timestamp(10)),
            steps,
            kept: HashMap::new(),
        }
    }

    #[test]
    fn an_engine_that_orders_the_steps_gets_what_is_left_of_a_run() {
        use Phase::{Failed, Pending, Skipped, Succeeded};
        use RunsWhen::{AllEnded, AllSucceeded, AnyFailed};
        let rows: [Row; 6] = [
            ("kept", &[], AllSucceeded, Succeeded, Some(10)),
            ("unlocked", &[], AllSucceeded, Failed, Some(9)),
            ("mends", &["kept", "unlocked", "next"], AnyFailed, Pending, None),
            ("next", &["kept"], AllSucceeded, Pending, None),
            ("last", &["next"], AnyFailed, Skipped, Some(11)),
            ("always", &["unlocked"], AllEnded, Pending, None),
        ];
        let Given { plan, first } = given(inputs(&rows), Part::Whole);
        assert_eq!(first, [StepId(4), StepId(6)]);
        let steps: Vec<_> = plan.steps.iter().map(|step| &step.definition).collect();
        let waits: Vec<_> = steps
            .iter()
            .map(|step| {
                (step.key.as_str(), step.runs_after.iter().map(StepKey::as_str).collect::<Vec<_>>(), step.runs_when)
            })
            .collect();
        assert_eq!(
            waits,
            [
                ("mends", vec!["next"], AllEnded),
                ("next", vec![], AllSucceeded),
                ("last", vec!["next"], AnyFailed),
                ("always", vec![], AllEnded)
            ]
        );
        // It reads what it came after all the same, and is one step however often it is tried.
        let readable: Vec<_> = plan.steps[0].readable.iter().map(|step| step.key.as_str()).collect();
        assert_eq!(readable, ["kept", "unlocked", "next"]);
        assert_eq!(plan.steps[0].step, plan.run.step(NonZeroU32::new(3).unwrap()));
    }
}
