//! What a program says of itself (inline script metadata, PEP 723), taken when it is saved: the packages and the version of
//! Python of its spec. Reading it is the model's.

use app::model::{
    fields::{Field, FieldErrors},
    python_version::PythonVersion,
    script::{self, ScriptMetadata, are_same},
    spec::TaskSpec,
};

use crate::engine::{Target, no_such_python, versions_in_words};

/// The spec as it is to be saved, for an engine that has these targets. `before` is what was saved before: what was taken
/// from its script, and not touched since, follows the script.
///
/// # Errors
/// When what was entered and what the script says do not go together, or there is no such Python.
pub(super) fn settle(
    mut spec: TaskSpec,
    before: Option<&TaskSpec>,
    targets: &[Target],
) -> Result<TaskSpec, FieldErrors> {
    let mut errors = FieldErrors::default();
    match script::read(spec.code.as_str()) {
        Ok(None) => {}
        Ok(Some(own)) => {
            let before = before.and_then(|before| Some((before, script::read(before.code.as_str()).ok()??)));
            let before = before.as_ref().map(|(spec, own)| (*spec, own));
            take_packages(&mut spec, &own, before, &mut errors);
            take_python(&mut spec, &own, before, targets, &mut errors);
        }
        Err(error) => errors.push(Field::Code, error.to_string()),
    }
    if let Some(wanted) = spec.python
        && !targets.is_empty()
        && target_of(targets, wanted).is_none()
        && errors.is_empty()
    {
        errors.push(Field::Python, no_such_python(wanted, targets));
    }
    if errors.is_empty() { Ok(spec) } else { Err(errors) }
}

fn take_packages(
    spec: &mut TaskSpec,
    own: &ScriptMetadata,
    before: Option<(&TaskSpec, &ScriptMetadata)>,
    errors: &mut FieldErrors,
) {
    let Some(named) = &own.packages else { return };
    // The file wins over both.
    if spec.requirements.is_some() || are_same(&spec.packages, named) {
        return;
    }
    let was_taken = before.is_some_and(|(before, said)| {
        before.packages == spec.packages && said.packages.as_ref().is_some_and(|said| are_same(said, &before.packages))
    });
    if spec.packages.is_empty() || was_taken {
        spec.packages = named.clone();
    } else if !named.is_empty() {
        let packages = named.iter().collect::<Vec<_>>().join(", ");
        errors.push(
            Field::Packages,
            format!(
                "The code's own block (`# /// script`) names other packages: {packages}. Empty this field to take those; or \
                 change the block, or remove it, to take what is here."
            ),
        );
    }
}

fn take_python(
    spec: &mut TaskSpec,
    own: &ScriptMetadata,
    before: Option<(&TaskSpec, &ScriptMetadata)>,
    targets: &[Target],
    errors: &mut FieldErrors,
) {
    let Some(required) = &own.requires_python else { return };
    if targets.is_empty() {
        // It cannot be told now; the run says it.
        return;
    }
    if let Some(wanted) = spec.python {
        // One that is not there is told of anyway.
        if target_of(targets, wanted).is_none_or(|target| required.allows(&target.python)) {
            return;
        }
        let was_taken = before.is_some_and(|(before, said)| {
            before.python == Some(wanted) && said.requires_python.as_ref().is_some_and(|said| said != required)
        });
        if !was_taken {
            errors.push(
                Field::Python,
                format!(
                    "Python {wanted} does not fit the code's own block (`# /// script`), which requires `{required}`. \
                     Choose another version, or change the block."
                ),
            );
            return;
        }
    }
    match targets.iter().find(|target| required.allows(&target.python)) {
        // Without a choice there is nothing to hold on to when it is replaced by a newer one.
        Some(_) if targets.len() == 1 => spec.python = None,
        Some(target) => spec.python = PythonVersion::of_full(&target.python),
        None => errors.push(
            Field::Python,
            format!(
                "The code's own block (`# /// script`) requires Python `{required}`, and there is {}. Change the block, or \
                 have another Python set up.",
                versions_in_words(targets)
            ),
        ),
    }
}

fn target_of(targets: &[Target], wanted: PythonVersion) -> Option<&Target> {
    targets.iter().find(|target| PythonVersion::of_full(&target.python) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use app::model::spec::TaskDraft;

    use super::*;
    use crate::engine::Interpreter;

    fn targets(versions: &[&str]) -> Vec<Target> {
        let target = |version: &&str| Target {
            python: (*version).to_owned(),
            platform: "test".to_owned(),
            interpreter: Interpreter::Elsewhere("linux".to_owned()),
        };
        versions.iter().map(target).collect()
    }

    fn spec(block: &str, packages: &str, python: &str) -> TaskSpec {
        let lines: String = block.lines().flat_map(|line| ["# ", line, "\n"]).collect();
        let draft = TaskDraft {
            code: format!("# /// script\n{lines}# ///\nprint(1)\n"),
            packages: packages.to_owned(),
            python: python.to_owned(),
            ..TaskDraft::default()
        };
        draft.parse().unwrap().spec
    }

    /// Packages and Python as they would be saved; or the field at which something is wrong, and the words.
    fn settled(
        block: &str,
        (packages, python): (&str, &str),
        before: Option<&TaskSpec>,
    ) -> Result<String, (Field, String)> {
        match settle(spec(block, packages, python), before, &targets(&["3.11.2", "3.12.1", "3.13.0"])) {
            Ok(spec) => Ok(format!(
                "{} {}",
                spec.packages.iter().collect::<Vec<_>>().join(","),
                spec.python.map(|python| python.to_string()).unwrap_or_default()
            )),
            Err(errors) => {
                let error = &errors.0[0];
                Err((error.field, error.message.clone()))
            }
        }
    }

    const SIX: &str = "dependencies = ['six']";

    #[test]
    fn packages_are_taken_when_none_are_entered_or_the_same() {
        for packages in ["", "six"] {
            assert_eq!(settled(SIX, (packages, ""), None).as_deref(), Ok("six "));
        }
        assert_eq!(settled("dependencies = ['b', 'a']", ("a b", ""), None).as_deref(), Ok("a,b "));
        assert_eq!(settled("dependencies = []", ("rich", ""), None).as_deref(), Ok("rich "));
        assert_eq!(settled("[tool.x]", ("rich", ""), None).as_deref(), Ok("rich "));
        let (field, words) = settled(SIX, ("rich", ""), None).unwrap_err();
        assert_eq!(field, Field::Packages);
        assert!(words.contains("names other packages: six. Empty this field to take those"), "{words}");
    }

    #[test]
    fn what_was_taken_and_not_touched_follows_the_script() {
        let before = spec(SIX, "six", "3.12");
        assert_eq!(settled("dependencies = ['rich']", ("six", ""), Some(&before)).as_deref(), Ok("rich "));
        assert_eq!(settled("dependencies = []", ("six", ""), Some(&before)).as_deref(), Ok(" "));
        // Somebody changed it.
        assert!(settled("dependencies = ['rich']", ("six idna", ""), Some(&before)).is_err());
        // It was never the script's.
        assert!(settled("dependencies = ['rich']", ("idna", ""), Some(&spec(SIX, "idna", ""))).is_err());
        let before = spec("requires-python = '>=3.12'", "", "3.12");
        assert_eq!(settled("requires-python = '>=3.13'", ("", "3.12"), Some(&before)).as_deref(), Ok(" 3.13"));
    }

    #[test]
    fn the_lowest_version_that_fits_is_chosen() {
        for (required, wanted, expected) in [
            (">=3.9", "", " 3.11"),
            (">=3.11.5", "", " 3.12"),
            (">3.12,<3.13", "", " 3.12"),
            (">=3.11", "3.13", " 3.13"),
        ] {
            let block = format!("requires-python = '{required}'");
            assert_eq!(settled(&block, ("", wanted), None).as_deref(), Ok(expected), "{required}");
        }
        for (required, wanted, words) in [
            (">=3.14", "", "requires Python `>=3.14`, and there is 3.11, 3.12 and 3.13."),
            (
                ">=3.12",
                "3.11",
                "Python 3.11 does not fit the code's own block (`# /// script`), which requires `>=3.12`.",
            ),
            (">=3.12", "3.10", "There is no Python 3.10"),
        ] {
            let (field, said) = settled(&format!("requires-python = '{required}'"), ("", wanted), None).unwrap_err();
            assert!(field == Field::Python && said.contains(words), "{said}");
        }
    }

    #[test]
    fn one_python_that_fits_is_no_choice() {
        let only = targets(&["3.11.2"]);
        let settled = |required: &str| settle(spec(&format!("requires-python = '{required}'"), "", ""), None, &only);
        assert_eq!(settled(">=3.9").unwrap().python, None);
        assert!(settled(">=3.12").unwrap_err().at(Field::Python).unwrap().contains("and there is 3.11."));
    }

    #[test]
    fn a_requirements_file_wins_over_the_script() {
        let mut spec = spec(SIX, "", "");
        spec.requirements = app::model::python_packages::RequirementsFile::parse("rich").unwrap();
        assert!(settle(spec, None, &[]).unwrap().packages.is_empty());
    }
}
