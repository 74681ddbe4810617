//! A flow as typed: the values of the form's fields, before anything is checked. What the form's buttons do to it is in
//! `edit`.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{Description, Flow, FlowFault, FlowStep, Outline, Placement, Retries, RunsWhen, StepKey, StepName, faults};
use crate::model::{
    fields::{Field, FieldErrors, FlowErrors},
    spec::{Code, EngineChoice, TaskDraft, TaskName, ValueError},
};

/// A flow as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FlowDraft {
    /// The name.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Where it runs; may be empty.
    pub engine: String,
    /// Its steps.
    pub steps: Vec<StepDraft>,
}

/// A step as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StepDraft {
    /// Names it within the flow. One that begins with `-`, or none, is of a step that was never saved: saving makes one
    /// from its name.
    pub key: String,
    /// Its name, and what it runs. The engine is the flow's.
    pub program: TaskDraft,
    /// The keys of the steps that it waits for.
    pub runs_after: Vec<String>,
    /// The names of more such steps, separated by commas.
    pub also_after: String,
    /// The word of how those must have ended; empty when all must have succeeded.
    pub runs_when: String,
    /// How often it is tried again; may be empty, as those that follow.
    pub retries: String,
    /// Seconds before that.
    pub retries_wait: String,
    /// By what the wait grows.
    pub retries_factor: String,
    /// Where it was put on the drawing.
    pub placement: Option<Placement>,
}

/// What the key of a step that was never saved begins with: no saved one does.
const UNSAVED: char = '-';

impl StepDraft {
    /// The draft that shows a step again.
    #[must_use]
    pub fn of(step: &FlowStep) -> Self {
        let text = |number: u32, default: u32| if number == default { String::new() } else { number.to_string() };
        let default = Retries::default();
        Self {
            key: step.key.to_string(),
            program: TaskDraft {
                name: step.name.as_str().to_owned(),
                engine: String::new(),
                ..TaskDraft::of(None, &step.spec)
            },
            runs_after: step.runs_after.iter().map(ToString::to_string).collect(),
            also_after: String::new(),
            runs_when: step.runs_when.word().to_owned(),
            retries: text(step.retries.count(), default.count()),
            retries_wait: text(step.retries.wait(), default.wait()),
            retries_factor: text(step.retries.factor(), default.factor()),
            placement: step.placement,
        }
    }

    /// True when it was never saved, so that its key is made from its name.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.key.is_empty() || self.key.starts_with(UNSAVED)
    }

    /// How those before it must have ended.
    fn runs_when(&self) -> Result<RunsWhen, ValueError> {
        if self.runs_when.is_empty() { Ok(RunsWhen::default()) } else { self.runs_when.parse() }
    }
}

impl FlowDraft {
    /// The draft that shows a flow again.
    #[must_use]
    pub fn of(flow: &Flow) -> Self {
        Self {
            name: flow.name().as_str().to_owned(),
            description: flow.description().map(|description| description.as_str().to_owned()).unwrap_or_default(),
            engine: flow.engine().map(|engine| engine.as_str().to_owned()).unwrap_or_default(),
            steps: flow.steps().iter().map(StepDraft::of).collect(),
        }
    }

    /// What a step is called: by its name, else by its place.
    #[must_use]
    pub fn step_name(&self, step: usize) -> String {
        step_title(self.steps.get(step).map(|step| step.program.name.as_str()).unwrap_or_default(), step)
    }

    /// A key for a step that was never saved.
    #[must_use]
    pub fn unsaved_key(&self) -> String {
        let numbers = self.steps.iter().filter_map(|step| step.key.strip_prefix(UNSAVED)?.parse::<u32>().ok());
        format!("{UNSAVED}{}", numbers.max().unwrap_or(0).saturating_add(1))
    }

    /// Takes names of steps that were typed for the steps themselves, as far as there are such.
    pub fn settle_names(&mut self) {
        for step in 0..self.steps.len() {
            let (found, unknown) = self.named(step);
            let keys: Vec<String> = found.into_iter().map(|found| self.steps[found].key.clone()).collect();
            let draft = &mut self.steps[step];
            draft.also_after = unknown.join(", ");
            for key in keys {
                if !draft.runs_after.contains(&key) {
                    draft.runs_after.push(key);
                }
            }
        }
    }

    /// The steps that one names as those that it waits for, and the names that no step has.
    fn named(&self, step: usize) -> (Vec<usize>, Vec<String>) {
        let find = |name: &str| self.steps.iter().position(|step| step.program.name.trim() == name);
        named_steps(&self.steps[step].also_after, find)
    }

    /// Reads every field of what a person typed.
    ///
    /// # Errors
    /// A message for each field that cannot be read, and for what is wrong with the steps as a whole.
    pub fn parse(&self) -> Result<Flow, FlowErrors> {
        self.parse_around(Code::parse)
    }

    /// Reads every field of what a program sent, whose code may hold nothing.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_sent(&self) -> Result<Flow, FlowErrors> {
        self.parse_around(Code::accept)
    }

    fn parse_around(&self, read_code: fn(&str) -> Result<Code, ValueError>) -> Result<Flow, FlowErrors> {
        let mut errors = FlowErrors::default();
        let name = errors.flow.take(Field::Name, TaskName::parse_of_flow(&self.name));
        let description = errors.flow.take(Field::Description, Description::parse(&self.description));
        let engine = errors.flow.take(Field::Engine, EngineChoice::parse(&self.engine));
        let keys = self.keys(&mut errors);
        let runs_after = self.runs_after(&keys, &mut errors);

        let names: Vec<String> = (0..self.steps.len()).map(|step| self.step_name(step)).collect();
        let outlines = keys.iter().zip(&names).zip(&runs_after);
        let outlines = outlines.map(|((key, name), runs_after)| Outline { key, name, runs_after });
        note(&mut errors, faults(&outlines.collect::<Vec<_>>()), &names);

        let mut steps = Vec::new();
        for (index, ((draft, key), runs_after)) in self.steps.iter().zip(keys).zip(runs_after).enumerate() {
            let mut found = FieldErrors::default();
            let name = found.take(Field::StepName, StepName::parse(&draft.program.name));
            let spec = draft.program.parse_spec(read_code(&draft.program.code), &mut found);
            let runs_when = found.take(Field::RunsWhen, draft.runs_when());
            let retries = Retries::parse(&draft.retries, &draft.retries_wait, &draft.retries_factor);
            let retries = found.take(Field::Retries, retries);
            if let (Some(name), Some(mut spec), Some(runs_when), Some(retries)) = (name, spec, runs_when, retries) {
                spec.engine = engine.clone().flatten();
                let placement = draft.placement;
                steps.push(FlowStep { key, name, spec, runs_after, runs_when, retries, placement });
            }
            if !found.is_empty() {
                errors.of_step(index).0.extend(found.0);
            }
        }
        match (name, description, engine) {
            (Some(name), Some(description), Some(engine)) if errors.is_empty() => {
                Flow::new(name, description, engine, steps).map_err(|faults| {
                    note(&mut errors, faults, &names);
                    errors
                })
            }
            _ => Err(errors),
        }
    }

    /// The key of each step: its own, or for one that was never saved one made from its name.
    fn keys(&self, errors: &mut FlowErrors) -> Vec<StepKey> {
        let mut own = |(index, step): (usize, &StepDraft)| {
            if step.is_new() {
                return None;
            }
            let key = step.key.parse::<StepKey>();
            key.map_err(|error| errors.of_step(index).push(Field::StepName, format!("{error}."))).ok()
        };
        let own: Vec<Option<StepKey>> = self.steps.iter().enumerate().map(&mut own).collect();
        let mut taken: HashSet<StepKey> = own.iter().flatten().cloned().collect();
        let steps = self.steps.iter().zip(own);
        steps
            .map(|(step, own)| {
                own.unwrap_or_else(|| {
                    let key = StepKey::from_name(&step.program.name, |key| taken.contains(key));
                    taken.insert(key.clone());
                    key
                })
            })
            .collect()
    }

    /// The keys of those that each step waits for, in the order of the steps. A key of a saved step that is not there
    /// stays: that there is none is said with the other faults of the whole.
    fn runs_after(&self, keys: &[StepKey], errors: &mut FlowErrors) -> Vec<Vec<StepKey>> {
        let mut index_of = HashMap::new();
        for (index, step) in self.steps.iter().enumerate().filter(|(_, step)| !step.key.is_empty()) {
            index_of.entry(step.key.as_str()).or_insert(index);
        }
        let mut of_step = |(index, step): (usize, &StepDraft)| {
            let (mut before, unknown) = self.named(index);
            let mut gone = Vec::new();
            for key in &step.runs_after {
                match (index_of.get(key.as_str()), key.parse::<StepKey>()) {
                    (Some(found), _) => before.push(*found),
                    (None, Ok(key)) => gone.push(key),
                    (None, Err(_)) => errors
                        .of_step(index)
                        .push(Field::RunsAfter, "It runs after a step that is not there any more. Choose others."),
                }
            }
            for name in unknown {
                errors.of_step(index).push(
                    Field::RunsAfter,
                    format!("There is no step called `{name}`. Enter the name of a step of this flow."),
                );
            }
            before.sort_unstable();
            before.dedup();
            before.into_iter().map(|index| keys[index].clone()).chain(gone).collect()
        };
        self.steps.iter().enumerate().map(&mut of_step).collect()
    }
}

/// The steps that are named in a text, separated by commas, and the names that no step has.
pub(super) fn named_steps(typed: &str, find: impl Fn(&str) -> Option<usize>) -> (Vec<usize>, Vec<String>) {
    let typed = typed.trim();
    if typed.is_empty() {
        return (Vec::new(), Vec::new());
    }
    // A name may itself have a comma.
    if let Some(found) = find(typed) {
        return (vec![found], Vec::new());
    }
    let (mut steps, mut unknown) = (Vec::new(), Vec::new());
    for name in typed.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        match find(name) {
            Some(found) => steps.push(found),
            None => unknown.push(name.to_owned()),
        }
    }
    (steps, unknown)
}

/// What a step is called that has this name and this place.
pub(super) fn step_title(name: &str, step: usize) -> String {
    let name = name.trim();
    if name.is_empty() { format!("Step {}", step + 1) } else { name.to_owned() }
}

/// Puts what is wrong with the steps as a whole at their fields.
fn note(errors: &mut FlowErrors, faults: Vec<FlowFault>, names: &[String]) {
    for fault in faults {
        let message = fault.message(names);
        match fault.step() {
            None => errors.flow.push(Field::Form, message),
            Some(step) => {
                let field = if matches!(fault, FlowFault::Twice(_)) { Field::StepName } else { Field::RunsAfter };
                errors.of_step(step).push(field, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(key: &str, name: &str, runs_after: &[&str]) -> StepDraft {
        StepDraft {
            key: key.to_owned(),
            program: TaskDraft { name: name.to_owned(), code: "pass".to_owned(), ..TaskDraft::default() },
            runs_after: runs_after.iter().map(|key| (*key).to_owned()).collect(),
            ..StepDraft::default()
        }
    }

    fn flow(steps: Vec<StepDraft>) -> FlowDraft {
        FlowDraft { name: "Nightly".to_owned(), steps, ..FlowDraft::default() }
    }

    fn edges(flow: &Flow) -> Vec<(String, Vec<String>)> {
        let keys = |keys: &[StepKey]| keys.iter().map(ToString::to_string).collect();
        flow.steps().iter().map(|step| (step.key.to_string(), keys(&step.runs_after))).collect()
    }

    fn at(errors: &FlowErrors, step: usize, field: Field) -> Option<&str> {
        errors.steps.get(&step).and_then(|errors| errors.at(field))
    }

    #[test]
    fn steps_that_were_never_saved_get_keys_and_edges_follow() {
        let draft = flow(vec![
            step("-2", "Load data", &[]),
            step("load_data", "Load data, old", &[]),
            step("-1", "Report", &["load_data", "-2"]),
        ]);
        let flow = draft.parse().unwrap();
        let expected = [("load_data_2", vec![]), ("load_data", vec![]), ("report", vec!["load_data_2", "load_data"])];
        let expected = expected.map(|(key, after)| (key.to_owned(), after.into_iter().map(str::to_owned).collect()));
        assert_eq!(edges(&flow), expected);
    }

    #[test]
    fn a_flow_is_shown_again_as_it_was() {
        let mut draft = flow(vec![step("a", "A", &[]), step("b", "B", &["a"])]);
        draft.description = "Each night.\nMore.".to_owned();
        draft.engine = "argo".to_owned();
        draft.steps[1].runs_when = "any_failed".to_owned();
        draft.steps[1].retries = "3".to_owned();
        draft.steps[1].retries_wait = "10".to_owned();
        draft.steps[1].program.timeout = "60".to_owned();
        draft.steps[1].placement = Some(Placement { x: -5, y: 7 });
        let flow = draft.parse().unwrap();
        draft.steps[0].runs_when = "all_succeeded".to_owned();
        assert_eq!(FlowDraft::of(&flow), draft);
        assert!(flow.steps().iter().all(|step| step.spec.engine.as_ref() == flow.engine()));
        assert_eq!(FlowDraft::of(&flow).parse().unwrap(), flow);
    }

    #[test]
    fn each_fault_is_told_at_its_place() {
        let mut draft = flow(vec![
            step("a", "A", &["c"]),
            step("b", "A", &["a", "gone", "-9"]),
            step("c", "", &["a"]),
            step("x y", "D", &[]),
        ]);
        draft.name = String::new();
        draft.steps[1].retries = "many".to_owned();
        draft.steps[3].program.code = String::new();
        draft.steps[3].runs_when = "never".to_owned();
        let errors = draft.parse().unwrap_err();
        assert_eq!(errors.flow.at(Field::Name), Some("Give the flow a name."));
        assert!(at(&errors, 0, Field::RunsAfter).unwrap().contains("A → Step 3 → A"));
        assert!(at(&errors, 1, Field::StepName).unwrap().contains("is called `A` already"));
        assert!(errors.steps[&1].0.iter().filter(|error| error.field == Field::RunsAfter).count() == 2);
        assert!(at(&errors, 1, Field::Retries).is_some());
        assert_eq!(at(&errors, 2, Field::StepName), Some("Give the step a name."));
        assert!(at(&errors, 3, Field::StepName).unwrap().contains("`x y` cannot name a step"));
        assert!(at(&errors, 3, Field::Code).is_some() && at(&errors, 3, Field::RunsWhen).is_some());
        assert!(flow(Vec::new()).parse().unwrap_err().flow.at(Field::Form).unwrap().contains("at least one step"));
    }

    #[test]
    fn steps_can_be_named_where_there_are_too_many_to_tick() {
        let mut draft = flow(vec![step("a", "A, first", &[]), step("b", "B", &[]), step("c", "C", &["b"])]);
        draft.steps[2].also_after = "A, first".to_owned();
        assert_eq!(edges(&draft.parse().unwrap())[2].1, ["a", "b"]);
        draft.steps[2].also_after = "B, Z".to_owned();
        let errors = draft.parse().unwrap_err();
        assert!(at(&errors, 2, Field::RunsAfter).unwrap().contains("no step called `Z`"));
        draft.settle_names();
        assert_eq!(
            (draft.steps[2].runs_after.as_slice(), draft.steps[2].also_after.as_str()),
            (["b".to_owned()].as_slice(), "Z")
        );
    }
}
