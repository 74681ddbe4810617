//! The flow form: for a new flow, to change one, and to change and run again from a run. What of it is about one step is
//! in `step_form`.

use leptos::prelude::*;

use super::{
    load, query,
    saving::{Origin, SaveForm},
    step_form::StepForms,
    task_id,
};
use crate::{
    actions::backend,
    backend::{Backend, BackendError},
    components::{
        field::{FormPart, Problem},
        flow_tools::{flow_keys, flow_tools},
        program_fields::engine_field,
    },
    examples,
    islands::{FlowEditor, TaskFormWatch},
    model::{
        fields::{Field, FlowErrors},
        flow::{Flow, FlowDraft, FlowEdit, Focus},
        identifiers::RunNumber,
        spec::TaskName,
        views::{FlowDetail, TaskQuery, TaskSummary},
    },
    page_context::FlowFormState,
    routes,
};

/// How many saved tasks are offered to be put in as steps.
const OFFERED_TASKS: usize = 100;

/// The form for a new flow, with one empty step, or filled in with an example.
#[component]
pub fn NewFlowPage() -> impl IntoView {
    let example = query("example").and_then(|key| examples::find_flow(&key));
    let state = use_context::<FlowFormState>().unwrap_or_else(|| FlowFormState {
        draft: example.map_or_else(FlowDraft::begun, examples::FlowExample::draft),
        ..FlowFormState::default()
    });
    load(async move { newest_tasks(&*backend()?).await }, move |tasks| {
        form_page(FormPage {
            title: "New flow".to_owned(),
            action: routes::new_flow(),
            back: routes::flows(),
            state,
            origin: Origin::New,
            tasks,
        })
    })
}

/// The form to change a flow.
#[component]
pub fn EditFlowPage() -> impl IntoView {
    let id = task_id();
    let number: Option<RunNumber> = query("run").and_then(|number| number.parse().ok());
    let state = use_context::<FlowFormState>();
    let data = async move {
        let (backend, id) = (backend()?, id?);
        let flow = backend.flow(&id, None).await?;
        let run = match number {
            Some(number) => Some((number, backend.flow_of_run(&id, number).await?)),
            None => None,
        };
        let tasks = newest_tasks(&*backend).await?;
        Ok((flow, run, tasks))
    };
    load(data, move |(flow, run, tasks)| edit_page(flow, run, tasks, state))
}

/// The tasks that were used last.
async fn newest_tasks(backend: &dyn Backend) -> Result<Vec<TaskSummary>, BackendError> {
    let mut query = TaskQuery::default();
    let mut tasks = Vec::new();
    loop {
        let page = backend.list_tasks(&query).await?;
        tasks.extend(page.tasks);
        if page.older.is_none() || tasks.len() >= OFFERED_TASKS {
            return Ok(tasks);
        }
        query.from = page.older;
    }
}

fn edit_page(
    flow: FlowDetail,
    run: Option<(RunNumber, Flow)>,
    tasks: Vec<TaskSummary>,
    state: Option<FlowFormState>,
) -> AnyView {
    let shown = run.as_ref().map_or(&flow.flow, |(_, flow)| flow);
    let mut state = state.unwrap_or_else(|| FlowFormState { draft: FlowDraft::of(shown), ..FlowFormState::default() });
    state.revision = state.revision.or(Some(flow.revision));
    let name = flow.flow.name().as_str();
    let (title, action, back, origin) = match run {
        Some((number, of_run)) => (
            format!("Edit & rerun {name} #{number}"),
            routes::edit_task(&flow.id, Some(number)),
            routes::run(&flow.id, number),
            Origin::Run { id: flow.id, number, has_changed: of_run != flow.flow },
        ),
        None => {
            (format!("Edit {name}"), routes::edit_task(&flow.id, None), routes::task(&flow.id), Origin::Saved(flow.id))
        }
    };
    form_page(FormPage { title, action, back, state, origin, tasks })
}

/// One showing of the form.
struct FormPage {
    title: String,
    action: String,
    back: String,
    state: FlowFormState,
    origin: Origin,
    /// Tasks that are offered to be put in as steps.
    tasks: Vec<TaskSummary>,
}

fn form_page(page: FormPage) -> AnyView {
    let FormPage { title, action, back, state, origin, tasks } = page;
    let FlowFormState { draft, errors, unresolved, revision, is_outdated, focus, kept } = state;
    SaveForm {
        action,
        back: Some(back),
        origin,
        problems: problems(&draft, &errors),
        is_outdated,
        unresolved,
        revision,
        is_locked: false,
        fields: view! {
            {flow_fields(&draft, FormPart::whole(&errors.flow))}
            {steps(&StepForms::new(&draft, &errors, focus, &kept), focus, &tasks)}
            <TaskFormWatch />
        }
        .into_any(),
    }
    .page(title)
}

/// What was wrong: with the flow itself, then with each step.
fn problems(draft: &FlowDraft, errors: &FlowErrors) -> Vec<Problem> {
    let of_steps = errors
        .steps
        .iter()
        .flat_map(|(step, errors)| FormPart::of_step(*step, errors).problems(Some(&draft.step_name(*step))));
    FormPart::whole(&errors.flow).problems(None).into_iter().chain(of_steps).collect()
}

fn flow_fields(draft: &FlowDraft, part: FormPart<'_>) -> AnyView {
    view! {
        <div class="flow-fields">
            {part.block(
                Field::Name,
                "Name",
                "What people call the flow.".into_any(),
                part.text_input(Field::Name, draft.name.clone(), TaskName::MAX_CHARACTERS, "text"),
            )}
            {part.block(
                Field::Description,
                "Description",
                "Optional: what it is for.".into_any(),
                part.text_area(Field::Description, &draft.description, 2, ""),
            )}
            {engine_field(part, &draft.engine)}
        </div>
    }
    .into_any()
}

fn steps(forms: &StepForms<'_>, focus: Option<Focus>, tasks: &[TaskSummary]) -> AnyView {
    view! {
        <section class="flow-editor" id="flow-editor" aria-labelledby="steps">
            <h2 id="steps">"Steps"</h2>
            <p>
                "A step begins when those it runs after have ended, beside others that can. "
                <code>"write_step_output(data)"</code> " leaves data for later steps, "
                <code>"read_step_output(\"key\")"</code> " reads what an earlier one left."
            </p>
            <div class="flow-sheet">
                {flow_tools(focus == Some(Focus::Graph))}
                {forms.graph()}
                <p class="flow-words" id="flow-words" role="status"></p>
                {flow_keys()}
            </div>
            <div class="flow-parts" id="flow-parts">
                {forms.view()}
                {adding(tasks, focus == Some(Focus::Add))}
            </div>
            <FlowEditor />
        </section>
    }
    .into_any()
}

/// What adds a step.
fn adding(tasks: &[TaskSummary], has_focus: bool) -> AnyView {
    let saved = (!tasks.is_empty()).then(|| {
        let options = tasks
            .iter()
            .map(|task| view! { <option value=task.id.to_string()>{task.title.to_string()}</option> })
            .collect_view();
        view! {
            <div class="step-adding-task">
                <label for="task">"Saved task"</label>
                <select id="task" name="task">{options}</select>
                <button name="intent" value="insert">"Insert as a step"</button>
            </div>
        }
    });
    view! {
        <div class="step-adding">
            <button name="intent" value=FlowEdit::Add.word() autofocus=has_focus>"Add a step"</button>
            {saved}
        </div>
    }
    .into_any()
}
