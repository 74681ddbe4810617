//! The fields that say what a program is and how it runs: those of a task's form, and of each step's part of a flow's.

use leptos::prelude::*;

use super::{field::FormPart, python_field::python_field, upload::upload_field};
use crate::{
    model::{
        fields::Field,
        python_packages::PythonPackages,
        script,
        spec::{TaskDraft, Timeout},
    },
    page_context::ServerFacts,
};

/// The Python code.
pub fn code_field(part: FormPart<'_>, code: &str, rows: u32) -> AnyView {
    part.block(
        Field::Code,
        "Python code",
        "Runs as main.py. What it prints appears in the log.".into_any(),
        view! { <div class="code-editor">{part.text_area(Field::Code, code, rows, "print(\"Hello\")")}</div> }
            .into_any(),
    )
}

/// A file in place of the code.
pub fn code_upload(part: FormPart<'_>) -> AnyView {
    let hint = "Replaces the code above. What it says of itself (# /// script) fills in packages and Python.";
    upload_field(part, Field::CODE_UPLOAD, "Or upload a script", hint, ".py,text/x-python")
}

/// Python packages, Python and system packages.
pub fn package_fields(part: FormPart<'_>, program: &TaskDraft) -> AnyView {
    let from_script = is_from_script(program).then_some(" Taken from the script's own block.");
    let packages_hint = view! { "Separated by spaces, commas or lines: " <code>"numpy pandas>=2"</code> {from_script} };
    let system_packages_hint = view! { "Programs and libraries by their Nix names: " <code>"ffmpeg git"</code> };
    view! {
        {part.block(
            Field::Packages,
            "Python packages",
            packages_hint.into_any(),
            part.text_area(Field::Packages, &program.packages, 3, ""),
        )}
        {python_field(part, &program.python)}
        {part.block(
            Field::SystemPackages,
            "System packages",
            system_packages_hint.into_any(),
            part.text_area(Field::SystemPackages, &program.system_packages, 3, ""),
        )}
    }
    .into_any()
}

/// Whether the packages are those that the code itself names, as saving took them.
fn is_from_script(program: &TaskDraft) -> bool {
    PythonPackages::parse(&program.packages).is_ok_and(|packages| script::names(&program.code, &packages))
}

/// A requirements file, pasted; `upload` is another way to give it.
pub fn requirements_fields(part: FormPart<'_>, text: &str, upload: AnyView) -> AnyView {
    let is_open = !text.is_empty() || part.has_error(&[Field::Requirements]);
    view! {
        <details open=is_open>
            <summary>"Requirements file"</summary>
            {part.block(
                Field::Requirements,
                "Content of requirements.txt",
                "Wins over the Python packages above.".into_any(),
                part.text_area(Field::Requirements, text, 6, ""),
            )}
            {upload}
        </details>
    }
    .into_any()
}

/// Environment variables, time limit and cache.
pub fn option_fields(part: FormPart<'_>, program: &TaskDraft) -> AnyView {
    let environment_hint =
        view! { "One " <code>"NAME=value"</code> " a line. They are stored as they are: no place for passwords." };
    view! {
        {part.block(
            Field::Environment,
            "Environment variables",
            environment_hint.into_any(),
            part.text_area(Field::Environment, &program.environment, 3, ""),
        )}
        <div>
            {part.block(
                Field::Timeout,
                "Timeout in seconds",
                format!("1 to {}. Empty: the server's limit.", Timeout::MAX_SECONDS).into_any(),
                part.text_input(Field::Timeout, program.timeout.clone(), 12, "numeric"),
            )}
            {part.check_box(
                "use_cache",
                "Use warm environments",
                "Off: packages are installed anew for each run, and removed after it.",
                program.use_cache,
            )}
        </div>
    }
    .into_any()
}

/// Processor and memory.
pub fn resource_fields(part: FormPart<'_>, program: &TaskDraft) -> AnyView {
    let fields = [
        (
            Field::CpuRequest,
            "Processors asked for",
            "Such as 0.5. Kept free for it on a cluster.",
            &program.cpu_request,
        ),
        (Field::CpuLimit, "Processors at most", "Such as 2. Kept to on a cluster.", &program.cpu_limit),
        (
            Field::MemoryRequest,
            "Memory asked for",
            "Such as 512Mi. Kept free for it on a cluster.",
            &program.memory_request,
        ),
        (Field::MemoryLimit, "Memory at most", "Such as 2Gi. Beyond it the program is stopped.", &program.memory_limit),
    ];
    let is_open = fields.iter().any(|(field, .., value)| !value.is_empty() || part.has_error(&[*field]));
    let fields = fields
        .into_iter()
        .map(|(field, label, hint, value)| {
            part.block(field, label, hint.into_any(), part.text_input(field, value.clone(), 20, "text"))
        })
        .collect_view();
    view! {
        <details class="form-details" open=is_open>
            <summary>"Processor and memory"</summary>
            <div class="field-columns">{fields}</div>
        </details>
    }
    .into_any()
}

/// Where to run, when there is a choice; a choice that is not offered any more is shown too.
pub fn engine_field(part: FormPart<'_>, chosen: &str) -> AnyView {
    let engines = use_context::<ServerFacts>().map(|facts| facts.engines).unwrap_or_default();
    if engines.len() < 2 && (chosen.is_empty() || engines.contains(&chosen)) {
        return view! { <input type="hidden" name=Field::Engine.name() value=chosen.to_owned() /> }.into_any();
    }
    let default = engines.first().map_or_else(|| "the server's".to_owned(), |engine| format!("the server's: {engine}"));
    let mut choices = vec![(String::new(), default)];
    choices.extend(engines.iter().map(|engine| ((*engine).to_owned(), (*engine).to_owned())));
    if !choices.iter().any(|(value, _)| value == chosen) {
        choices.push((chosen.to_owned(), format!("{chosen} (not set up now)")));
    }
    part.block(
        Field::Engine,
        "Runs on",
        "An engine of this Stoker.".into_any(),
        part.select(Field::Engine, chosen, choices),
    )
}
