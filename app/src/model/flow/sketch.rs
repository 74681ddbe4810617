//! A flow as its editor has it: what of the form decides how the graph looks, and what a gesture does to it. The form
//! stays the truth: a sketch is read from its fields, and what has changed is written back to them by the editor.

use std::collections::HashMap;

use super::{
    FlowFault, Placement, RunsWhen, cycle,
    draft::{named_steps, step_title},
};
use crate::model::fields::{Field, parse_step_control};

/// The controls of a step that the graph shows, and that gestures change.
const KEY: &str = "key";
const X: &str = "x";
const Y: &str = "y";
/// Names of more steps to run after.
pub const ALSO_AFTER: &str = "also_after";

/// A field as a form sends it: its name and its value.
pub type FormField = (String, String);

/// A flow as its editor has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sketch {
    /// Its steps.
    pub steps: Vec<SketchStep>,
}

/// A step of a sketch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SketchStep {
    /// Names it within the form.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// The keys of the steps that it waits for.
    pub runs_after: Vec<String>,
    /// How those must have ended.
    pub runs_when: RunsWhen,
    /// Where it was put.
    pub placement: Option<Placement>,
}

/// Whether a field of a form has to do with its sketch.
#[must_use]
pub fn is_sketched(name: &str) -> bool {
    let controls = [KEY, X, Y, Field::StepName.name(), Field::RunsAfter.name(), Field::RunsWhen.name()];
    parse_step_control(name).is_some_and(|(_, control)| controls.contains(&control))
}

impl Sketch {
    /// Reads the fields of a form; those that have nothing to do with it may be missing.
    #[must_use]
    pub fn of_fields(fields: &[FormField]) -> Self {
        let mut steps: Vec<SketchStep> = Vec::new();
        let mut coordinates: Vec<[Option<i32>; 2]> = Vec::new();
        for (name, value) in fields {
            let Some((index, control)) = parse_step_control(name) else {
                continue;
            };
            if control == KEY && index == steps.len() {
                steps.push(SketchStep { key: value.clone(), ..SketchStep::default() });
                coordinates.push([None; 2]);
            }
            // A step's key is the first of its fields.
            let (Some(step), Some([x, y])) = (steps.get_mut(index), coordinates.get_mut(index)) else {
                continue;
            };
            match control {
                X => *x = value.parse().ok(),
                Y => *y = value.parse().ok(),
                _ if control == Field::StepName.name() => step.name = step_title(value, index),
                _ if control == Field::RunsAfter.name() => step.runs_after.push(value.clone()),
                _ if control == Field::RunsWhen.name() => step.runs_when = value.parse().unwrap_or_default(),
                _ => {}
            }
        }
        for (step, coordinates) in steps.iter_mut().zip(coordinates) {
            if let [Some(x), Some(y)] = coordinates {
                step.placement = Some(Placement { x, y });
            }
        }
        Self { steps }
    }

    /// The step with this key.
    #[must_use]
    pub fn index_of(&self, key: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.key == key)
    }

    /// What each step waits for, by indices. A key that no step has is left out.
    #[must_use]
    pub fn before(&self) -> Vec<Vec<usize>> {
        let index_of: HashMap<&str, usize> =
            self.steps.iter().enumerate().map(|(index, step)| (step.key.as_str(), index)).collect();
        let before =
            |step: &SketchStep| step.runs_after.iter().filter_map(|key| index_of.get(key.as_str()).copied()).collect();
        self.steps.iter().map(before).collect()
    }

    /// The steps that are named in a text, and what of it names none.
    #[must_use]
    pub fn named(&self, typed: &str) -> (Vec<usize>, String) {
        let (found, unknown) = named_steps(typed, |name| self.steps.iter().position(|step| step.name == name));
        (found, unknown.join(", "))
    }

    /// Whether it has the same steps in the same order as another one.
    #[must_use]
    pub fn has_steps_of(&self, other: &Self) -> bool {
        let keys = |sketch: &Self| sketch.steps.iter().map(|step| step.key.clone()).collect::<Vec<_>>();
        keys(self) == keys(other)
    }

    /// Lets a step run after another one, and tells so.
    ///
    /// # Errors
    /// When it does already, or when they would wait for each other in a circle: in the words that saving has for it.
    pub fn connect(&mut self, from: usize, into: usize) -> Result<String, String> {
        let (Some(earlier), Some(later)) = (self.steps.get(from), self.steps.get(into)) else {
            return Err("One of the steps is not there any more.".to_owned());
        };
        let told = format!("{} runs after {}", later.name, earlier.name);
        if later.runs_after.contains(&earlier.key) {
            return Err(format!("{told} already."));
        }
        let key = earlier.key.clone();
        let mut before = self.before();
        before[into].push(from);
        if let Some(circle) = cycle(&before) {
            let names: Vec<String> = self.steps.iter().map(|step| step.name.clone()).collect();
            return Err(FlowFault::Cycle(circle).message(&names));
        }
        self.steps[into].runs_after.push(key);
        Ok(format!("Connected: {told}."))
    }

    /// Takes a connection away, and tells so.
    pub fn disconnect(&mut self, from: usize, into: usize) -> String {
        let key = self.steps[from].key.clone();
        self.steps[into].runs_after.retain(|earlier| *earlier != key);
        format!("Removed: {} no longer runs after {}.", self.steps[into].name, self.steps[from].name)
    }

    /// The connections of a step, those into it first: from which step, and into which.
    #[must_use]
    pub fn connections_of(&self, step: usize) -> Vec<(usize, usize)> {
        let before = self.before();
        let into = before[step].iter().map(|from| (*from, step));
        let out = before.iter().enumerate().filter(|(_, before)| before.contains(&step)).map(|(into, _)| (step, into));
        into.chain(out).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fields::step_control;

    fn field(step: usize, control: &str, value: &str) -> FormField {
        (step_control(step, control), value.to_owned())
    }

    fn sketch(steps: &[(&str, &[&str])]) -> Sketch {
        let step = |(name, runs_after): &(&str, &[&str])| SketchStep {
            key: name.to_lowercase(),
            name: (*name).to_owned(),
            runs_after: runs_after.iter().map(|key| (*key).to_owned()).collect(),
            ..SketchStep::default()
        };
        Sketch { steps: steps.iter().map(step).collect() }
    }

    #[test]
    fn a_form_is_read() {
        let fields = [
            ("name".to_owned(), "Nightly".to_owned()),
            field(0, "key", "load"),
            field(0, "x", ""),
            field(0, "y", ""),
            field(0, "name", "  "),
            field(0, "code", "print(1)"),
            field(1, "key", "-1"),
            field(1, "x", "-40"),
            field(1, "y", "7"),
            field(1, "name", "Sum"),
            field(1, "runs_after", "load"),
            field(1, "runs_after", "gone"),
            field(1, "runs_when", "any_failed"),
            field(7, "name", "no step"),
        ];
        let sketch = Sketch::of_fields(&fields);
        let expected = SketchStep {
            key: "-1".to_owned(),
            name: "Sum".to_owned(),
            runs_after: vec!["load".to_owned(), "gone".to_owned()],
            runs_when: RunsWhen::AnyFailed,
            placement: Some(Placement { x: -40, y: 7 }),
        };
        assert_eq!((sketch.steps.len(), &sketch.steps[0].name, &sketch.steps[1]), (2, &"Step 1".to_owned(), &expected));
        assert_eq!(sketch.steps[0].placement, None);
        assert_eq!(sketch.before(), [vec![], vec![0]]);
        let sketched: Vec<_> = fields.iter().filter(|(name, _)| is_sketched(name)).cloned().collect();
        assert_eq!(Sketch::of_fields(&sketched), sketch);
        // A half placement is none.
        let half = [field(0, "key", "a"), field(0, "x", "5"), field(0, "y", "five")];
        assert_eq!(Sketch::of_fields(&half).steps[0].placement, None);
    }

    #[test]
    fn a_circle_is_refused_in_the_words_of_saving() {
        let mut sketch = sketch(&[("A", &[]), ("B", &["a"]), ("C", &["a"])]);
        assert_eq!(sketch.connect(1, 2).unwrap(), "Connected: C runs after B.");
        let refused = sketch.connect(2, 0).unwrap_err();
        assert!(refused.contains("circle: A → B → C → A.") || refused.contains("circle: A → C → A."), "{refused}");
        assert!(sketch.connect(1, 1).unwrap_err().contains("B → B"));
        assert_eq!(sketch.connect(0, 1).unwrap_err(), "B runs after A already.");
        assert!(sketch.connect(0, 9).is_err());
        assert_eq!(sketch.before(), [vec![], vec![0], vec![0, 1]], "what is refused changes nothing");
        assert_eq!(sketch.connections_of(1), [(0, 1), (1, 2)]);
        assert_eq!(sketch.named("C, Z, A"), (vec![2, 0], "Z".to_owned()));
        assert_eq!(sketch.disconnect(0, 2), "Removed: C no longer runs after A.");
        assert_eq!(sketch.before(), [vec![], vec![0], vec![1]]);
    }
}
