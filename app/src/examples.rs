//! The ready examples: what somebody runs who has nothing to run yet.

use crate::model::{
    flow::{FlowDraft, StepDraft},
    spec::TaskDraft,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// Its name in addresses and forms.
    pub key: &'static str,
    /// Its name for people, and the name of the task made from it.
    pub title: &'static str,
    pub sentence: &'static str,
    code: &'static str,
    packages: &'static str,
}

impl Example {
    /// The example as a form that is filled in.
    #[must_use]
    pub fn draft(&self) -> TaskDraft {
        TaskDraft {
            name: self.title.to_owned(),
            code: self.code.to_owned(),
            packages: self.packages.to_owned(),
            ..TaskDraft::default()
        }
    }
}

/// All examples, the simplest first.
pub const ALL: [Example; 3] = [
    Example {
        key: "plain",
        title: "Hello, Stoker",
        sentence: "A few coloured lines over three seconds. No packages.",
        code: include_str!("examples/plain.py"),
        packages: "",
    },
    Example {
        key: "science",
        title: "Sensor averages",
        sentence: "numpy and pandas. The second run starts warm.",
        code: include_str!("examples/science.py"),
        packages: "numpy\npandas",
    },
    Example {
        key: "failing",
        title: "A run that fails",
        sentence: "Ends with a traceback: see how a failure looks.",
        code: include_str!("examples/failing.py"),
        packages: "",
    },
];

/// An example of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowExample {
    /// Its name in addresses and forms.
    pub key: &'static str,
    /// Its name for people, and the name of the flow made from it.
    pub title: &'static str,
    pub sentence: &'static str,
    steps: &'static [ExampleStep],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ExampleStep {
    key: &'static str,
    name: &'static str,
    code: &'static str,
    runs_after: &'static [&'static str],
}

impl FlowExample {
    /// The example as a form that is filled in.
    #[must_use]
    pub fn draft(&self) -> FlowDraft {
        let step = |step: &ExampleStep| StepDraft {
            key: step.key.to_owned(),
            program: TaskDraft { name: step.name.to_owned(), code: step.code.to_owned(), ..TaskDraft::default() },
            runs_after: step.runs_after.iter().map(|key| (*key).to_owned()).collect(),
            ..StepDraft::default()
        };
        FlowDraft {
            name: self.title.to_owned(),
            description: self.sentence.to_owned(),
            steps: self.steps.iter().map(step).collect(),
            ..FlowDraft::default()
        }
    }
}

/// All examples of flows.
pub const FLOWS: [FlowExample; 1] = [FlowExample {
    key: "readings",
    title: "Sensor report",
    sentence: "Three steps: readings are loaded, their averages found, and a report made of both.",
    steps: &[
        ExampleStep {
            key: "load_readings",
            name: "Load readings",
            code: include_str!("examples/readings.py"),
            runs_after: &[],
        },
        ExampleStep {
            key: "find_averages",
            name: "Find averages",
            code: include_str!("examples/averages.py"),
            runs_after: &["load_readings"],
        },
        ExampleStep {
            key: "report",
            name: "Report",
            code: include_str!("examples/report.py"),
            runs_after: &["load_readings", "find_averages"],
        },
    ],
}];

/// The example of a flow with this key.
#[must_use]
pub fn find_flow(key: &str) -> Option<&'static FlowExample> {
    FLOWS.iter().find(|example| example.key == key)
}

/// The example with this key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Example> {
    ALL.iter().find(|example| example.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::flow::StepKey;

    #[test]
    fn every_example_can_be_saved() {
        for example in ALL {
            assert!(example.draft().parse().is_ok(), "{}", example.key);
            assert_eq!(find(example.key), Some(&example));
        }
        for example in FLOWS {
            let flow = example.draft().parse().unwrap();
            // Code reads by these keys, so they must be the ones that the names give.
            for step in flow.steps() {
                assert_eq!(step.key, StepKey::from_name(step.name.as_str(), |_| false));
            }
            assert_eq!(find_flow(example.key), Some(&example));
            assert_eq!(find(example.key), None, "one word for one example");
        }
    }
}
