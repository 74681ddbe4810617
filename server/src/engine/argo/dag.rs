//! The steps of a run as Argo's graph: what they are called there, when each runs, and how often it is tried.

use std::collections::{HashMap, HashSet};

use app::model::flow::{FlowStep, Retries, RunsWhen, StepKey};

use super::{
    names,
    workflow::{Backoff, Dag, DagTask, RetryStrategy},
};
use crate::engine::RunPlan;

/// Words of Argo's expressions, in which steps are named.
const RESERVED: [&str; 14] = [
    "and",
    "contains",
    "else",
    "endsWith",
    "false",
    "if",
    "in",
    "let",
    "matches",
    "nil",
    "not",
    "or",
    "startsWith",
    "true",
];
/// How a step may have ended, in Argo's words.
const ENDED: [&str; 5] = ["Succeeded", "Failed", "Errored", "Skipped", "Omitted"];
const FAILED: [&str; 2] = ["Failed", "Errored"];

/// The graph of a run.
#[must_use]
pub fn dag(plan: &RunPlan) -> Dag {
    let task_names = task_names(plan.steps.iter().map(|step| &step.definition.key));
    let by_key: HashMap<&StepKey, &str> =
        plan.steps.iter().map(|step| &step.definition.key).zip(task_names.iter().map(String::as_str)).collect();
    let task = |(step, name): (&crate::engine::StepPlan, &String)| DagTask {
        name: name.clone(),
        template: names::template(&step.step),
        depends: depends(&step.definition, &by_key),
    };
    Dag {
        tasks: plan.steps.iter().zip(&task_names).map(task).collect(),
        // Of all steps, and not only of the last ones, it depends whether the workflow failed.
        target: task_names.join(" "),
        fail_fast: false,
    }
}

/// What steps are called in Argo: by their keys. Argo allows letters, digits and `-`, a letter first, and reads `-` as `_`
/// when it compares; what does not fit is changed as little as can be.
fn task_names<'a>(keys: impl Iterator<Item = &'a StepKey>) -> Vec<String> {
    let mut taken = HashSet::new();
    keys.map(|key| {
        let mut base = key.as_str().replace('_', "-");
        if !base.starts_with(|first: char| first.is_ascii_alphabetic()) || RESERVED.contains(&base.as_str()) {
            base = format!("step-{}", base.trim_start_matches('-'));
        }
        let mut name = base.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base}-{number}");
            number += 1;
        }
        name
    })
    .collect()
}

/// When a step runs, as Argo's expression. It is looked at when all steps that are named in it have ended.
fn depends(step: &FlowStep, names: &HashMap<&StepKey, &str>) -> Option<String> {
    let any_of =
        |name: &str, ends: &[&str]| ends.iter().map(|end| format!("{name}.{end}")).collect::<Vec<_>>().join(" || ");
    let before = step.runs_after.iter().filter_map(|key| names.get(key));
    let (conditions, operator): (Vec<String>, _) = match step.runs_when {
        RunsWhen::AllSucceeded => (before.map(|name| any_of(name, &ENDED[..1])).collect(), " && "),
        RunsWhen::AllEnded => (before.map(|name| format!("({})", any_of(name, &ENDED))).collect(), " && "),
        RunsWhen::AnyFailed => (before.map(|name| any_of(name, &FAILED)).collect(), " || "),
    };
    (!conditions.is_empty()).then(|| conditions.join(operator))
}

/// How often a step is tried again: whatever made it fail, but never after a cancel, which Argo knows by itself.
#[must_use]
pub fn retry_strategy(retries: Retries) -> Option<RetryStrategy> {
    if retries.count() == 0 {
        return None;
    }
    let grows_too_long = || {
        let last = u64::from(retries.factor()).saturating_pow(retries.count() - 1);
        last.saturating_mul(retries.wait().into()) > Retries::MAX_WAIT.into()
    };
    let backoff = (retries.wait() > 0).then(|| Backoff {
        duration: retries.wait().to_string(),
        factor: retries.factor().to_string(),
        cap: grows_too_long().then(|| Retries::MAX_WAIT.to_string()),
    });
    Some(RetryStrategy { limit: retries.count().to_string(), retry_policy: "Always", backoff })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use app::model::{
        identifiers::{RunNumber, RunUid, TaskId},
        lock::Lock,
        spec::TaskDraft,
    };

    use super::*;
    use crate::engine::StepPlan;

    fn plan(steps: &[(&str, &[&str], RunsWhen)]) -> RunPlan {
        let run = RunUid::from_random([1; 10]);
        let spec = TaskDraft { code: "pass".to_owned(), ..TaskDraft::default() }.parse().unwrap().spec;
        let step = |(position, (key, runs_after, runs_when)): (u32, &(&str, &[&str], RunsWhen))| StepPlan {
            step: run.step(NonZeroU32::new(position).unwrap()),
            definition: FlowStep {
                key: key.parse().unwrap(),
                runs_after: runs_after.iter().map(|key| key.parse().unwrap()).collect(),
                runs_when: *runs_when,
                ..FlowStep::only(spec.clone())
            },
            lock: Lock::default(),
            readable: Vec::new(),
        };
        let steps = (1..).zip(steps).map(step).collect();
        RunPlan { run, task: TaskId::from_random([1; 6]), number: RunNumber::new(1).unwrap(), steps }
    }

    #[test]
    fn a_step_runs_as_its_condition_says() {
        use RunsWhen::{AllEnded, AllSucceeded, AnyFailed};
        let dag = dag(&plan(&[
            ("load_data", &[], AllSucceeded),
            ("check", &["load_data"], AllSucceeded),
            ("report", &["load_data", "check"], AllSucceeded),
            ("clean", &["check"], AllEnded),
            ("mend", &["load_data", "check"], AnyFailed),
        ]));
        let depends: Vec<_> = dag.tasks.iter().map(|task| task.depends.as_deref().unwrap_or_default()).collect();
        assert_eq!(
            depends,
            [
                "",
                "load-data.Succeeded",
                "load-data.Succeeded && check.Succeeded",
                "(check.Succeeded || check.Failed || check.Errored || check.Skipped || check.Omitted)",
                "load-data.Failed || load-data.Errored || check.Failed || check.Errored",
            ]
        );
        assert_eq!(
            (dag.target.as_str(), dag.tasks[2].template.as_str()),
            ("load-data check report clean mend", "step-3")
        );
    }

    #[test]
    fn names_are_those_of_the_steps_as_far_as_argo_allows() {
        let keys = ["load", "load_data", "load-data", "2nd", "_x", "in", "Load", "a-b-2", "a_b", "a-b"];
        let keys = keys.map(|key| key.parse::<StepKey>().unwrap());
        assert_eq!(
            task_names(keys.iter()),
            ["load", "load-data", "load-data-2", "step-2nd", "step-x", "step-in", "Load", "a-b-2", "a-b", "a-b-3"]
        );
    }

    #[test]
    fn steps_are_tried_again_as_they_say() {
        assert!(retry_strategy(Retries::default()).is_none());
        let said = |count, wait, factor| {
            let strategy = retry_strategy(Retries::new(count, wait, factor).unwrap()).unwrap();
            (strategy.limit, strategy.backoff.map(|backoff| (backoff.duration, backoff.factor, backoff.cap)))
        };
        let text = str::to_owned;
        assert_eq!(said(2, 0, 1), (text("2"), None));
        assert_eq!(said(3, 5, 2), (text("3"), Some((text("5"), text("2"), None))));
        assert_eq!(said(9, 60, 10), (text("9"), Some((text("60"), text("10"), Some(text("86400"))))));
    }
}
