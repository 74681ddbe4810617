//! The task form: for a new task, to change one, and to change and run again from a run.

use leptos::prelude::*;

use super::{load, query, task_id};
use crate::{
    actions::backend,
    components::{
        field::{ErrorSummary, field_block, select, text_area, text_input},
        message::message,
        page::Page,
        spec::ReadinessBadges,
    },
    examples,
    islands::TaskFormWatch,
    model::{
        cache::Readiness,
        fields::{Field, FieldErrors},
        identifiers::{RunNumber, TaskId},
        spec::{TaskDraft, TaskName, Timeout},
        step_address::StepAddress,
        views::{RunDetail, TaskDetail},
    },
    page_context::{ServerFacts, TaskFormState},
    routes,
};

/// The form for a new task, empty or filled in with an example.
#[component]
pub fn NewTaskPage() -> impl IntoView {
    let example = query("example").and_then(|key| examples::find(&key));
    let state = use_context::<TaskFormState>().unwrap_or_else(|| TaskFormState {
        draft: example.map(examples::Example::draft).unwrap_or_default(),
        ..TaskFormState::default()
    });
    form_page(FormPage {
        title: "New task".to_owned(),
        action: routes::new_task(),
        back: routes::tasks(),
        state,
        origin: Origin::Nothing,
        readiness: None,
    })
}

/// The form to change a task.
#[component]
pub fn EditTaskPage() -> impl IntoView {
    let id = task_id();
    let number: Option<RunNumber> = query("run").and_then(|number| number.parse().ok());
    let state = use_context::<TaskFormState>();
    let data = async move {
        let (backend, id) = (backend()?, id?);
        let task = backend.task(&id, None).await?;
        let run = match number {
            Some(number) => Some(backend.run(&StepAddress::first(id.clone(), number)).await?),
            None => None,
        };
        let readiness = backend.readiness(run.as_ref().map_or(&task.spec, |run| &run.step.spec)).await;
        Ok((task, run, readiness))
    };
    load(data, move |(task, run, readiness)| edit_page(task, run, readiness, state))
}

fn edit_page(task: TaskDetail, run: Option<RunDetail>, readiness: Readiness, state: Option<TaskFormState>) -> AnyView {
    let spec = run.as_ref().map_or(&task.spec, |run| &run.step.spec);
    let mut state = state.unwrap_or_else(|| TaskFormState {
        draft: TaskDraft::of(task.name.as_ref(), spec),
        ..TaskFormState::default()
    });
    state.revision = state.revision.or(Some(task.revision));
    let name = task.title();
    let (title, action, back, origin) = match run {
        Some(run) => {
            let number = run.summary.number;
            (
                format!("Edit & rerun {name} #{number}"),
                routes::edit_task(&task.id, Some(number)),
                routes::run(&task.id, number),
                Origin::Run { id: task.id, number, has_changed: run.step.spec != task.spec },
            )
        }
        None => (
            format!("Edit {name}"),
            routes::edit_task(&task.id, None),
            routes::task(&task.id),
            Origin::Task { id: task.id },
        ),
    };
    form_page(FormPage { title, action, back, state, origin, readiness: Some(readiness) })
}

/// Where the form's content comes from.
enum Origin {
    Nothing,
    Task { id: TaskId },
    Run { id: TaskId, number: RunNumber, has_changed: bool },
}

/// One showing of the form.
struct FormPage {
    title: String,
    /// Where the form is sent: the page's own address.
    action: String,
    /// Where "Cancel" leads.
    back: String,
    state: TaskFormState,
    origin: Origin,
    /// What a run of the spec as saved would find in the cache.
    readiness: Option<Readiness>,
}

fn form_page(page: FormPage) -> AnyView {
    let FormPage { title, action, back, state, origin, readiness } = page;
    let TaskFormState { draft, errors, unresolved, revision } = state;
    let has_problem = !errors.is_empty() || unresolved.is_some();
    let tab_title = if has_problem { format!("Error: {title}") } else { title.clone() };
    let revision =
        revision.map(|revision| view! { <input type="hidden" name="revision" value=revision.to_string() /> });
    view! {
        <Page title=tab_title wide=true>
            {problems(&errors, unresolved.as_deref(), &origin)}
            <h1 dir="auto">{title}</h1>
            {origin_words(&origin)}
            {readiness.map(|readiness| view! { <ReadinessBadges readiness /> })}
            <form class="task-form" method="post" action=action enctype="multipart/form-data">
                {revision}
                // The first button of a form is pressed by Enter: let that be the harmless one.
                <button class="visually-hidden" name="intent" value="save" tabindex="-1" aria-hidden="true">"Save"</button>
                {fields(draft, &errors)}
                <TaskFormWatch />
                <div class="form-buttons">
                    {buttons(&origin, unresolved.is_some())}
                    <a class="button is-quiet" href=back>"Cancel"</a>
                </div>
            </form>
        </Page>
    }
    .into_any()
}

/// What was wrong with the last submission.
fn problems(errors: &FieldErrors, unresolved: Option<&str>, origin: &Origin) -> AnyView {
    if let Some(explanation) = unresolved {
        return view! {
            <section class="error-summary" role="alert" tabindex="-1" autofocus aria-labelledby="error-summary-title">
                <h2 id="error-summary-title">"There is a problem"</h2>
                <p>"The exact package versions could not be looked up, so nothing has been saved yet."</p>
                {message("field-message", explanation)}
                <p>"Try again, or save without checking: the run then looks them up itself, and fails if it cannot."</p>
            </section>
        }
        .into_any();
    }
    if errors.is_empty() {
        return ().into_any();
    }
    // The only message about the form as a whole on this page is that somebody else saved in between.
    let other_version = match (errors.at(Field::Form), origin) {
        (Some(_), Origin::Task { id } | Origin::Run { id, .. }) => Some(view! {
            <p>
                "What you typed is kept below. Saving again replaces the other version. "
                <a href=routes::task(id) target="_blank">"Show the other version in a new tab"</a>
            </p>
        }),
        _ => None,
    };
    view! { <ErrorSummary errors=errors.clone()>{other_version}</ErrorSummary> }.into_any()
}

fn origin_words(origin: &Origin) -> AnyView {
    let Origin::Run { id, number, has_changed } = origin else {
        return ().into_any();
    };
    let warning = has_changed.then(|| {
        view! {
            <p class="banner is-warning">
                "The task has changed since this run. Saving replaces "
                <a href=routes::task(id)>"the task as it is now"</a> " with what is below."
            </p>
        }
    });
    view! {
        <p>"Filled in from " <a href=routes::run(id, *number)>{format!("run #{number}")}</a> "."</p>
        {warning}
    }
    .into_any()
}

fn buttons(origin: &Origin, is_unresolved: bool) -> AnyView {
    let without_checking = is_unresolved.then(|| {
        view! {
            <button name="intent" value="run_unresolved">"Save & run without checking"</button>
            <button name="intent" value="save_unresolved">"Save without checking"</button>
        }
    });
    let run_word = if matches!(origin, Origin::Run { .. }) { "Save & Run again" } else { "Save & Run" };
    view! {
        <button class="is-primary" name="intent" value="save_and_run">{run_word}</button>
        <button name="intent" value="save">"Save"</button>
        {without_checking}
    }
    .into_any()
}

/// All fields of the form.
fn fields(draft: TaskDraft, errors: &FieldErrors) -> AnyView {
    let resources = resource_fields(&draft, errors);
    let engine = engine_field(&draft.engine, errors);
    let TaskDraft { name, code, packages, requirements, system_packages, use_cache, environment, timeout, .. } = draft;
    let packages_hint = view! { "Separated by spaces, commas or lines: " <code>"numpy pandas>=2"</code> };
    let system_packages_hint = view! { "Programs and libraries by their Nix names: " <code>"ffmpeg git"</code> };
    view! {
        <div class="form-columns">
            <div class="form-code">
                {field_block(
                    Field::Name,
                    "Name",
                    "Optional. Without one, the first comment or docstring of the code names the task.".into_any(),
                    errors,
                    text_input(Field::Name, name, errors, TaskName::MAX_CHARACTERS, "text"),
                )}
                {field_block(
                    Field::Code,
                    "Python code",
                    "Runs as main.py. What it prints appears in the log.".into_any(),
                    errors,
                    text_area(Field::Code, &code, errors, 18, "print(\"Hello\")"),
                )}
            </div>
            <div class="form-options">
                {field_block(
                    Field::Packages,
                    "Python packages",
                    packages_hint.into_any(),
                    errors,
                    text_area(Field::Packages, &packages, errors, 3, ""),
                )}
                {field_block(
                    Field::SystemPackages,
                    "System packages",
                    system_packages_hint.into_any(),
                    errors,
                    text_area(Field::SystemPackages, &system_packages, errors, 3, ""),
                )}
                {requirements_fields(&requirements, errors)}
                {options(use_cache, &environment, timeout, errors)}
                {engine}
                {resources}
            </div>
        </div>
    }
    .into_any()
}

/// A requirements file, pasted or uploaded.
fn requirements_fields(text: &str, errors: &FieldErrors) -> AnyView {
    let is_open = !text.is_empty() || errors.at(Field::Requirements).is_some();
    view! {
        <details open=is_open>
            <summary>"Requirements file"</summary>
            {field_block(
                Field::Requirements,
                "Content of requirements.txt",
                "Wins over the Python packages above.".into_any(),
                errors,
                text_area(Field::Requirements, text, errors, 6, ""),
            )}
            <div class="field">
                <label for="requirements_upload">"Or upload one"</label>
                <div class="hint" id="requirements_upload-hint">"Replaces the text above."</div>
                <input
                    type="file"
                    id="requirements_upload"
                    name="requirements_upload"
                    accept=".txt,.in,text/plain"
                    aria-describedby="requirements_upload-hint"
                />
            </div>
        </details>
    }
    .into_any()
}

/// Where to run, when there is a choice; a choice that is not offered any more is shown too.
fn engine_field(chosen: &str, errors: &FieldErrors) -> AnyView {
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
    field_block(
        Field::Engine,
        "Runs on",
        "An engine of this Stoker.".into_any(),
        errors,
        select(Field::Engine, chosen, choices, errors),
    )
}

/// Processor and memory.
fn resource_fields(draft: &TaskDraft, errors: &FieldErrors) -> AnyView {
    let fields = [
        (Field::CpuRequest, "Processors asked for", "Such as 0.5. Kept free for it on a cluster.", &draft.cpu_request),
        (Field::CpuLimit, "Processors at most", "Such as 2. Kept to on a cluster.", &draft.cpu_limit),
        (
            Field::MemoryRequest,
            "Memory asked for",
            "Such as 512Mi. Kept free for it on a cluster.",
            &draft.memory_request,
        ),
        (Field::MemoryLimit, "Memory at most", "Such as 2Gi. Beyond it the program is stopped.", &draft.memory_limit),
    ];
    let is_open = fields.iter().any(|(field, .., value)| !value.is_empty() || errors.at(*field).is_some());
    let fields = fields
        .into_iter()
        .map(|(field, label, hint, value)| {
            field_block(field, label, hint.into_any(), errors, text_input(field, value.clone(), errors, 20, "text"))
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

/// Cache, time limit and environment variables.
fn options(use_cache: bool, environment: &str, timeout: String, errors: &FieldErrors) -> AnyView {
    let environment_hint =
        view! { "One " <code>"NAME=value"</code> " a line. They are stored as they are: no place for passwords." };
    view! {
        {field_block(
            Field::Environment,
            "Environment variables",
            environment_hint.into_any(),
            errors,
            text_area(Field::Environment, environment, errors, 3, ""),
        )}
        <div>
            {field_block(
                Field::Timeout,
                "Timeout in seconds",
                format!("1 to {}. Empty: the server's limit.", Timeout::MAX_SECONDS).into_any(),
                errors,
                text_input(Field::Timeout, timeout, errors, 12, "numeric"),
            )}
            <div class="field is-choice">
                <input
                    type="checkbox"
                    id="use_cache"
                    name="use_cache"
                    value="on"
                    checked=use_cache
                    aria-describedby="use_cache-hint"
                />
                <label for="use_cache">"Use warm environments"</label>
                <div class="hint" id="use_cache-hint">
                    "Off: packages are installed anew for each run, and removed after it."
                </div>
            </div>
        </div>
    }
    .into_any()
}
