//! A run, or a part of it, as its engine gets it: made from what is stored of it.

use std::collections::{HashMap, HashSet};

use app::model::flow::{FlowStep, StepKey};

use crate::{
    db::{runs::RunInputs, steps::StepInGraph},
    engine::{Readable, RunPlan, StepPlan},
};

/// A run, or a part of it, as its engine gets it. All its locks are known.
#[must_use]
pub fn plan(inputs: RunInputs) -> RunPlan {
    let RunInputs { uid, task_id, number, steps, graph, kept } = inputs;
    let readable = |own: &FlowStep| {
        let readable = |step: &StepInGraph| Readable {
            key: step.key.clone(),
            name: step.name.clone(),
            kept_from: step.kept_from.and_then(|number| kept.get(&number).cloned()),
        };
        before(&graph, own).into_iter().map(readable).collect()
    };
    let steps = steps.into_iter().map(|inputs| StepPlan {
        step: inputs.uid,
        readable: readable(&inputs.step),
        definition: inputs.step,
        lock: inputs.lock.unwrap_or_default(),
    });
    RunPlan { run: uid, task: task_id, number, steps: steps.collect() }
}

/// All steps that come before one, however far, in the order of the run.
fn before<'a>(graph: &'a [StepInGraph], step: &FlowStep) -> Vec<&'a StepInGraph> {
    if step.runs_after.is_empty() {
        return Vec::new();
    }
    let steps: HashMap<&StepKey, &StepInGraph> = graph.iter().map(|step| (&step.key, step)).collect();
    let mut found: HashSet<&StepKey> = HashSet::new();
    let mut left: Vec<&StepKey> = step.runs_after.iter().collect();
    while let Some(key) = left.pop() {
        if let Some(step) = steps.get(key)
            && found.insert(&step.key)
        {
            left.extend(&step.runs_after);
        }
    }
    graph.iter().filter(|step| found.contains(&step.key)).collect()
}
