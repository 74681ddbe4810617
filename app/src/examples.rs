//! The ready examples: what somebody runs who has nothing to run yet.

use crate::model::spec::TaskDraft;

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

/// The example with this key.
#[must_use]
pub fn find(key: &str) -> Option<&'static Example> {
    ALL.iter().find(|example| example.key == key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_can_be_saved() {
        for example in ALL {
            assert!(example.draft().parse().is_ok(), "{}", example.key);
            assert_eq!(find(example.key), Some(&example));
        }
    }
}
