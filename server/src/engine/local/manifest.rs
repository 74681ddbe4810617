//! What the local engine runs, as a YAML document: for people, and exact for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    engine::StepPlan,
    runner::{PARTS, SCRIPT},
};

/// The document.
#[derive(Serialize)]
struct Manifest<'a> {
    steps: Vec<Step<'a>>,
    /// The runner's files, by their names.
    runner: BTreeMap<&'static str, &'static str>,
}

/// A step, by the files that it is given.
#[derive(Serialize)]
struct Step<'a> {
    name: &'a str,
    command: String,
    #[serde(rename = "main.py")]
    code: &'a str,
    #[serde(rename = "requirements.txt")]
    lock: &'a str,
    #[serde(rename = "system.txt")]
    system_packages: String,
}

/// Writes the document of these steps, each of which is started by its command.
///
/// # Errors
/// When a text cannot be written as YAML.
pub fn write(steps: &[(StepPlan, String)]) -> Result<String, serde_saphyr::ser::Error> {
    let steps = steps.iter().map(|(plan, command)| Step {
        name: plan.definition.key.as_str(),
        command: command.clone(),
        code: plan.definition.spec.code.as_str(),
        lock: &plan.lock.0,
        system_packages: plan.definition.spec.system_packages.to_string(),
    });
    let runner = PARTS.into_iter().chain([("runner.sh", SCRIPT)]).collect();
    serde_saphyr::to_string(&Manifest { steps: steps.collect(), runner })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use app::model::{flow::FlowStep, identifiers::RunUid, lock::Lock, spec::TaskDraft};
    use serde_json::Value;

    use super::*;

    fn step(code: &str) -> StepPlan {
        let step = RunUid::from_random([7; 10]).step(NonZeroU32::MIN);
        let draft = TaskDraft { code: code.to_owned(), ..TaskDraft::default() };
        StepPlan {
            step,
            definition: FlowStep::only(draft.parse().unwrap().spec),
            lock: Lock::default(),
            readable: Vec::new(),
        }
    }

    #[test]
    fn texts_are_read_back_as_they_are() {
        for code in [
            "print(1)\n",
            "print(1)",
            "  a\n\n b\n\n",
            "\n\ta: \"b\" # c\n",
            "\n\n#!x\n",
            "a\r\n\"\\\u{1b}[1m\u{7f}\u{85}\u{2028}\u{feff}\t🚀\n",
            "x = 'a: b' # - {}\n---\n...\n",
            &"long ".repeat(100),
        ] {
            let step = step(code);
            let text = write(&[(step.clone(), "/bin/sh /runner.sh".to_owned())]).unwrap();
            let read: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{text}{error}"));
            assert_eq!(read["steps"][0]["main.py"], step.definition.spec.code.as_str(), "{text}");
            assert_eq!(read["runner"]["runner.sh"], SCRIPT);
        }
    }

    #[test]
    fn a_program_can_be_read_as_it_is() {
        let text = write(&[(step("import six\n\nprint('a: b')\n"), "/bin/sh /runner.sh".to_owned())]).unwrap();
        assert!(text.contains("main.py: |\n    import six\n\n    print('a: b')\n"), "{text}");
    }
}
