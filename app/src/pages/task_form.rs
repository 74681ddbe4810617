//! The task form: the left side of a task's page, for a new task, to change one, and to change and run again from a run.

use leptos::prelude::*;

use super::saving::{Origin, SaveForm};
use crate::{
    components::{
        field::FormPart,
        program_fields::{
            code_field, code_upload, engine_field, option_fields, package_fields, requirements_fields, resource_fields,
        },
        upload::upload_field,
    },
    islands::TaskFormWatch,
    model::{
        fields::Field,
        spec::{TaskDraft, TaskName},
    },
    page_context::TaskFormState,
};

/// The form in a state, sent to this address.
pub fn form(state: TaskFormState, origin: Origin, action: String, back: Option<String>, is_locked: bool) -> SaveForm {
    let TaskFormState { draft, errors, unresolved, revision } = state;
    let part = FormPart::whole(&errors);
    SaveForm {
        action,
        back,
        origin,
        problems: part.problems(None),
        // That is the only message about the form of a task as a whole.
        is_outdated: part.has_error(&[Field::Form]),
        unresolved,
        revision,
        is_locked,
        fields: view! {
            {fields(&draft, part)}
            <TaskFormWatch />
        }
        .into_any(),
    }
}

/// All fields of the form.
fn fields(draft: &TaskDraft, part: FormPart<'_>) -> AnyView {
    view! {
        <div class="task-fields">
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
