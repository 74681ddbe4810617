//! The task form: for a new task, to change one, and to change and run again from a run.

use leptos::prelude::*;

use super::{
    load, query,
    saving::{Origin, SaveForm},
    task_id,
};
use crate::{
    actions::backend,
    components::{
        field::FormPart,
        program_fields::{
            code_field, code_upload, engine_field, option_fields, package_fields, requirements_fields, resource_fields,
        },
        spec::ReadinessBadges,
        upload::upload_field,
    },
    examples,
    islands::TaskFormWatch,
    model::{
        cache::Readiness,
        fields::Field,
        identifiers::RunNumber,
        spec::{TaskDraft, TaskName},
        step_address::StepAddress,
        views::{RunDetail, TaskDetail},
    },
    page_context::TaskFormState,
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
        origin: Origin::New,
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
        None => {
            (format!("Edit {name}"), routes::edit_task(&task.id, None), routes::task(&task.id), Origin::Saved(task.id))
        }
    };
    form_page(FormPage { title, action, back, state, origin, readiness: Some(readiness) })
}

/// One showing of the form.
struct FormPage {
    title: String,
    action: String,
    back: String,
    state: TaskFormState,
    origin: Origin,
    /// What a run of the spec as saved would find in the cache.
    readiness: Option<Readiness>,
}

fn form_page(page: FormPage) -> AnyView {
    let FormPage { title, action, back, state, origin, readiness } = page;
    let TaskFormState { draft, errors, unresolved, revision } = state;
    let part = FormPart::whole(&errors);
    SaveForm {
        title,
        action,
        back,
        origin,
        problems: part.problems(None),
        // That is the only message about the form of a task as a whole.
        is_outdated: part.has_error(&[Field::Form]),
        unresolved,
        revision,
        introduction: readiness.map(|readiness| view! { <ReadinessBadges readiness /> }).into_any(),
        fields: view! {
            {fields(&draft, part)}
            <TaskFormWatch />
        }
        .into_any(),
    }
    .page()
}

/// All fields of the form.
fn fields(draft: &TaskDraft, part: FormPart<'_>) -> AnyView {
    view! {
        <div class="form-columns">
            <div class="form-code">
                {part.block(
                    Field::Name,
                    "Name",
                    "Optional. Without one, the first comment or docstring of the code names the task.".into_any(),
                    part.text_input(Field::Name, draft.name.clone(), TaskName::MAX_CHARACTERS, "text"),
                )}
                {code_field(part, &draft.code, 18)}
                {code_upload(part)}
            </div>
            <div class="form-options">
                {package_fields(part, draft)}
                {requirements_fields(part, &draft.requirements, requirements_upload(part))}
                {option_fields(part, draft)}
                {engine_field(part, &draft.engine)}
                {resource_fields(part, draft)}
            </div>
        </div>
    }
    .into_any()
}

fn requirements_upload(part: FormPart<'_>) -> AnyView {
    let accept = ".txt,.in,text/plain";
    upload_field(part, Field::REQUIREMENTS_UPLOAD, "Or upload one", "Replaces the text above.", accept)
}
