//! A program as a script that runs anywhere: with its packages and its Python in a block of its own (PEP 723).

use app::{
    backend::Backend as _,
    model::{
        identifiers::TaskId,
        python_version::PythonVersion,
        script::{self, ScriptMetadata},
        spec::TaskSpec,
    },
    page_context::ServerFacts,
};
use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{access::Access, state::AppState, step_path::StepPath};

/// That of a task as saved.
pub async fn of_task(State(state): State<AppState>, Access(service): Access, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<TaskId>() else {
        return (StatusCode::NOT_FOUND, "There is no such task.").into_response();
    };
    match service.task(&id, None).await {
        Ok(task) => answer(&task.spec, default_python(&state.facts), task.title().as_str(), id.as_str()),
        Err(error) => (error.status(), error.to_string()).into_response(),
    }
}

/// That of a step of a run, as it ran.
pub async fn of_run(State(state): State<AppState>, Access(service): Access, StepPath(step): StepPath) -> Response {
    let Some(address) = step else {
        return (StatusCode::NOT_FOUND, "There is no such run.").into_response();
    };
    match service.run(&address).await {
        Ok(run) => {
            let python = run.step.python.as_deref().and_then(PythonVersion::of_full);
            let name = if run.has_several_steps() { run.step.name.as_str() } else { run.task_title.as_str() };
            answer(&run.step.spec, python.or_else(|| default_python(&state.facts)), name, address.task.as_str())
        }
        Err(error) => (error.status(), error.to_string()).into_response(),
    }
}

fn default_python(facts: &ServerFacts) -> Option<PythonVersion> {
    PythonVersion::of_full(facts.python.as_deref()?)
}

/// `python` is the one that the program has when it asks for none.
fn answer(spec: &TaskSpec, python: Option<PythonVersion>, title: &str, id: &str) -> Response {
    let text = text(spec, spec.python.or(python));
    let file = file_name(title).unwrap_or_else(|| format!("{id}.py"));
    let headers = [
        (header::CONTENT_TYPE, "text/x-python; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, text).into_response()
}

/// The script. What its own block requires of Python stays when the version that it has meets it.
fn text(spec: &TaskSpec, python: Option<PythonVersion>) -> String {
    let code = spec.code.as_str();
    let packages: Vec<String> = match &spec.requirements {
        Some(file) => file.requirements(),
        None => spec.packages.iter().map(str::to_owned).collect(),
    };
    let own = script::read(code).ok().flatten().and_then(|ScriptMetadata { requires_python, .. }| requires_python);
    let own = own.filter(|own| spec.python.is_none_or(|wanted| own.allows(&wanted.to_string())));
    let requires = own.map_or_else(|| format!(">={}", python.unwrap_or(PythonVersion::OLDEST)), |own| own.to_string());
    script::with_metadata(code, &packages.iter().map(String::as_str).collect::<Vec<_>>(), &requires)
}

/// The longest name of a file, in characters.
const LONGEST_NAME: usize = 60;

/// A name for the file: the title's letters and digits in small, with `-` between words. One word alone could be the name
/// of a module, which Python would then import instead, so it gets a second one. `None` when nothing is left of the title.
fn file_name(title: &str) -> Option<String> {
    let words = title.to_lowercase();
    let words: Vec<&str> = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(LONGEST_NAME).collect();
    match (words.as_slice(), name.trim_end_matches('-')) {
        ([], _) => None,
        ([_], name) => Some(format!("{name}-script.py")),
        (_, name) => Some(format!("{name}.py")),
    }
}

#[cfg(test)]
mod tests {
    use app::model::spec::TaskDraft;

    use super::*;

    #[test]
    fn a_title_gives_a_name_that_is_safe_everywhere() {
        for (title, expected) in [
            ("Weekly report", Some("weekly-report.py")),
            ("numpy", Some("numpy-script.py")),
            ("../../etc/passwd \"x\"\r\n", Some("etc-passwd-x.py")),
            ("weekly_report", Some("weekly-report.py")),
            ("日本語 🚀", None),
            ("", None),
        ] {
            assert_eq!(file_name(title).as_deref(), expected, "{title}");
        }
        assert_eq!(file_name(&"long word ".repeat(40)).unwrap().len(), LONGEST_NAME + ".py".len() - 1);
    }

    #[test]
    fn a_script_says_the_python_that_it_is_for() {
        let spec = |code: &str, python: &str| {
            let draft = TaskDraft { code: code.to_owned(), python: python.to_owned(), ..TaskDraft::default() };
            draft.parse().unwrap().spec
        };
        let block = "# /// script\n# requires-python = \">=3.9,<4\"\n# dependencies = []\n# ///\n";
        let version = PythonVersion::parse("3.11").unwrap();
        assert!(text(&spec("1", ""), version).contains("# requires-python = \">=3.11\"\n"));
        assert!(text(&spec("1", ""), None).contains("# requires-python = \">=3.9\"\n"));
        assert_eq!(text(&spec(block, "3.12"), version), block);
        let newer = block.replace(">=3.9,<4", ">=3.13");
        assert!(text(&spec(&newer, "3.12"), PythonVersion::parse("3.12").unwrap()).contains("\">=3.12\""));
    }
}
