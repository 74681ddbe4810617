//! A flow: several steps that run in an order. What a user types is in `draft`; when each step may begin in `order`; where
//! each stands on the drawing in `layout`; how the editor has it in `sketch`.

mod draft;
mod edit;
pub mod history;
pub mod layout;
pub mod order;
pub mod output_view;
mod retries;
pub mod sketch;
mod step;
pub mod timing;

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

pub use draft::{FlowDraft, StepDraft};
pub use edit::{FlowEdit, Focus, KEPT};
pub use retries::Retries;
pub use step::{FlowStep, Placement, RunsWhen, StepKey, StepName};

use super::{
    spec::{EngineChoice, TaskName, TaskSpec, ValueError},
    words::is_invisible,
};

/// A flow that may be saved: it has steps, each with a key and a name of its own, and they wait for each other in no
/// circle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    name: TaskName,
    description: Option<Description>,
    engine: Option<EngineChoice>,
    steps: Vec<FlowStep>,
}

impl Flow {
    /// The most steps that a flow may have.
    pub const MAX_STEPS: usize = 1000;

    /// Puts a flow together.
    ///
    /// # Errors
    /// Everything that is wrong with its steps as a whole.
    pub fn new(
        name: TaskName,
        description: Option<Description>,
        engine: Option<EngineChoice>,
        steps: Vec<FlowStep>,
    ) -> Result<Self, Vec<FlowFault>> {
        let faults = faults(&steps.iter().map(Outline::of).collect::<Vec<_>>());
        if faults.is_empty() { Ok(Self { name, description, engine, steps }) } else { Err(faults) }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &TaskName {
        &self.name
    }

    /// What it is for, in its author's words.
    #[must_use]
    pub const fn description(&self) -> Option<&Description> {
        self.description.as_ref()
    }

    /// Where it runs; `None` leaves it to the server.
    #[must_use]
    pub const fn engine(&self) -> Option<&EngineChoice> {
        self.engine.as_ref()
    }

    /// Its steps, of which there is at least one.
    #[must_use]
    pub fn steps(&self) -> &[FlowStep] {
        &self.steps
    }

    /// Changes what each step executes. What else a step is stays.
    pub fn change_specs(&mut self, mut change: impl FnMut(usize, &StepKey, &mut TaskSpec)) {
        for (index, step) in self.steps.iter_mut().enumerate() {
            change(index, &step.key, &mut step.spec);
        }
    }
}

/// What is wrong with the steps of a flow as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowFault {
    /// There is none.
    NoSteps,
    /// There are too many; how many.
    TooMany(usize),
    /// Two steps have the same name or key. The later one's index.
    Twice(usize),
    /// A step runs after one that is not there. Its index, and the key that names nothing.
    Dangling(usize, StepKey),
    /// These steps wait for each other in a circle; their indices, the first also at the end.
    Cycle(Vec<usize>),
}

impl FlowFault {
    /// The step at which to say it; `None` when it is the flow's.
    #[must_use]
    pub fn step(&self) -> Option<usize> {
        match self {
            Self::NoSteps | Self::TooMany(_) => None,
            Self::Twice(step) | Self::Dangling(step, _) => Some(*step),
            Self::Cycle(circle) => circle.first().copied(),
        }
    }

    /// What is wrong and what to do, in the user's words. `names` are those of the flow's steps.
    #[must_use]
    pub fn message(&self, names: &[String]) -> String {
        let name = |step: &usize| names.get(*step).cloned().unwrap_or_default();
        match self {
            Self::NoSteps => "A flow needs at least one step. Add one.".to_owned(),
            Self::TooMany(count) => {
                format!(
                    "The flow has {count} steps; at most {} are allowed. Split it into several flows.",
                    Flow::MAX_STEPS
                )
            }
            Self::Twice(step) => {
                format!("Another step is called `{}` already. Give each its own name.", name(step))
            }
            Self::Dangling(_, key) => {
                format!("It runs after `{key}`, and there is no such step any more. Choose others.")
            }
            Self::Cycle(circle) => format!(
                "These steps wait for each other in a circle: {}. Remove one of these connections.",
                circle.iter().map(name).collect::<Vec<_>>().join(" → ")
            ),
        }
    }
}

/// What of a step decides whether steps go together.
struct Outline<'a> {
    key: &'a StepKey,
    name: &'a str,
    runs_after: &'a [StepKey],
}

impl<'a> Outline<'a> {
    fn of(step: &'a FlowStep) -> Self {
        Self { key: &step.key, name: step.name.as_str(), runs_after: &step.runs_after }
    }
}

/// What is wrong with these steps as a whole.
fn faults(steps: &[Outline<'_>]) -> Vec<FlowFault> {
    if steps.is_empty() {
        return vec![FlowFault::NoSteps];
    }
    if steps.len() > Flow::MAX_STEPS {
        return vec![FlowFault::TooMany(steps.len())];
    }
    let mut faults = Vec::new();
    let (mut keys, mut names) = (HashMap::new(), HashSet::new());
    for (index, step) in steps.iter().enumerate() {
        let is_new_name = names.insert(step.name);
        if keys.contains_key(step.key) || !is_new_name {
            faults.push(FlowFault::Twice(index));
        }
        keys.entry(step.key).or_insert(index);
    }
    for (index, step) in steps.iter().enumerate() {
        let unknown = step.runs_after.iter().filter(|key| !keys.contains_key(key));
        faults.extend(unknown.map(|key| FlowFault::Dangling(index, key.clone())));
    }
    let before: Vec<Vec<usize>> =
        steps.iter().map(|step| step.runs_after.iter().filter_map(|key| keys.get(key).copied()).collect()).collect();
    faults.extend(cycle(&before).map(FlowFault::Cycle));
    faults
}

/// A circle in a graph, its first node also at the end, along the way in which things run; `None` when there is none.
/// `before` has, for each node, those that it waits for.
fn cycle(before: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut left: Vec<usize> = before.iter().map(Vec::len).collect();
    let mut after = vec![Vec::new(); before.len()];
    for (node, before) in before.iter().enumerate() {
        for earlier in before {
            after[*earlier].push(node);
        }
    }
    let mut ready: Vec<usize> = (0..before.len()).filter(|node| left[*node] == 0).collect();
    while let Some(node) = ready.pop() {
        for later in &after[node] {
            left[*later] -= 1;
            if left[*later] == 0 {
                ready.push(*later);
            }
        }
    }
    // Each node that is left waits for another that is left: going back from one ends up in a circle.
    let mut node = left.iter().position(|count| *count > 0)?;
    let mut way = Vec::new();
    loop {
        way.push(node);
        node = *before[node].iter().find(|earlier| left[**earlier] > 0)?;
        if let Some(start) = way.iter().position(|visited| *visited == node) {
            let mut circle = way.split_off(start);
            circle.reverse();
            // Begins with the one that stands first, so that the same circle is always told in the same way.
            let first = circle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(index, _)| index);
            circle.rotate_left(first);
            circle.push(circle[0]);
            return Some(circle);
        }
    }
}

/// What a flow is for, in its author's words: at most 2000 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description(String);

impl Description {
    /// The longest description, in characters.
    pub const MAX_CHARACTERS: usize = 2000;

    /// Reads a description; `None` when it is empty.
    ///
    /// # Errors
    /// When it is too long, or has control characters.
    pub fn parse(text: &str) -> Result<Option<Self>, ValueError> {
        let text = text.replace("\r\n", "\n");
        let text = text.trim();
        if text.chars().count() > Self::MAX_CHARACTERS {
            return Err(ValueError(format!(
                "The description is longer than {} characters. Shorten it.",
                Self::MAX_CHARACTERS
            )));
        }
        if text.chars().any(|character| character.is_control() && character != '\n' && character != '\t') {
            return Err(ValueError("The description has a control character. Remove it.".to_owned()));
        }
        let is_seen = text.chars().any(|character| !character.is_whitespace() && !is_invisible(character));
        Ok(is_seen.then(|| Self(text.to_owned())))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(key: &str, runs_after: &[&str]) -> FlowStep {
        FlowStep::example(key, runs_after)
    }

    fn faults(steps: &[FlowStep]) -> Vec<FlowFault> {
        super::faults(&steps.iter().map(Outline::of).collect::<Vec<_>>())
    }

    fn words(steps: Vec<FlowStep>) -> Vec<String> {
        let names: Vec<String> = steps.iter().map(|step| step.name.as_str().to_owned()).collect();
        faults(&steps).iter().map(|fault| fault.message(&names)).collect()
    }

    #[test]
    fn a_diamond_is_a_flow() {
        let steps = vec![step("d", &["b", "c"]), step("a", &[]), step("b", &["a"]), step("c", &["a"])];
        assert_eq!(faults(&steps), []);
    }

    #[test]
    fn a_circle_is_told_by_its_steps() {
        let steps = vec![step("A", &["C"]), step("B", &["A"]), step("C", &["B"]), step("D", &["C"])];
        assert_eq!(
            words(steps),
            ["These steps wait for each other in a circle: A → B → C → A. Remove one of these connections."]
        );
        assert_eq!(faults(&[step("A", &["A"])]), [FlowFault::Cycle(vec![0, 0])]);
    }

    #[test]
    fn each_fault_of_the_whole_is_told_at_its_step() {
        assert_eq!(faults(&[]), [FlowFault::NoSteps]);
        let steps = vec![step("a", &["gone"]), step("a", &[])];
        let found = faults(&steps);
        assert_eq!(found.iter().map(FlowFault::step).collect::<Vec<_>>(), [Some(1), Some(0)]);
        assert!(words(steps)[1].contains("`gone`"));
        let many = (0..=Flow::MAX_STEPS).map(|number| step(&format!("s{number}"), &[])).collect::<Vec<_>>();
        assert_eq!(faults(&many), [FlowFault::TooMany(Flow::MAX_STEPS + 1)]);
    }

    #[test]
    fn a_long_row_has_no_circle() {
        let mut steps = vec![step("s0", &[])];
        steps.extend((1..Flow::MAX_STEPS).map(|number| step(&format!("s{number}"), &[&format!("s{}", number - 1)])));
        assert_eq!(faults(&steps), []);
    }
}
