//! Tasks over the API: submitted, listed, read, deleted.

use app::{
    backend::{Backend as _, Resolve, SaveTask},
    model::{
        fields::Field,
        fields::FieldErrors,
        identifiers::TaskId,
        python_packages::{PythonPackages, RequirementsFile},
        spec::{Code, TaskSpec, ValidTask},
        system_packages::SystemPackages,
    },
};
use axum::{Json, extract::State};
use serde_json::{Value, json};

use super::{
    body::{Fields, JsonBody, Path, must_be_object},
    error::ApiError,
    shapes::{TaskAnswer, TaskEntry},
};
use crate::http::state::AppState;

/// The program of a task that was submitted without one.
const DEFAULT_CODE: &str = "print('Processing task in Kind...')";

/// Saves a task; starts nothing.
pub async fn submit(State(state): State<AppState>, body: JsonBody) -> Result<Json<Value>, ApiError> {
    let submission = Submission::read(body)?;
    submission.check_lengths()?;
    let existing = match submission.task_id.as_deref() {
        None | Some("") => None,
        Some(id) => Some(existing_task(&state, id).await?),
    };
    let (id, previous) = existing.unzip();
    let task = submission.into_task(previous)?;
    let missing = format!("Task {} not found", id.as_ref().map(TaskId::as_str).unwrap_or_default());
    let save = SaveTask { id, expected_revision: None, task, resolve: Resolve::Later, run: false };
    let saved = state.service.save_task(save).await.map_err(|error| ApiError::of(error, || missing))?;
    let message = format!("Task saved successfully. Use /api/v1/tasks/{}/run to execute it.", saved.id);
    Ok(Json(json!({ "id": saved.id, "message": message })))
}

/// The task to overwrite: what the API cannot say of it stays as it is.
async fn existing_task(state: &AppState, id: &str) -> Result<(TaskId, ValidTask), ApiError> {
    let known: TaskId = id.parse().map_err(|_| ApiError::no_task(id))?;
    let task = state.service.task(&known, None).await;
    let task = task.map_err(|error| ApiError::of(error, || format!("Task {id} not found")))?;
    Ok((known, ValidTask { name: task.name, spec: task.spec }))
}

/// What was submitted.
struct Submission {
    code: Option<String>,
    dependencies: String,
    requirements: String,
    system_dependencies: String,
    use_cache: bool,
    task_id: Option<String>,
}

impl Submission {
    fn read(body: JsonBody) -> Result<Self, ApiError> {
        let mut fields = Fields::of(body)?;
        let submission = Self {
            code: fields.text("pythonCode"),
            dependencies: fields.optional_text("dependencies").unwrap_or_default(),
            requirements: fields.optional_text("requirementsFile").unwrap_or_default(),
            system_dependencies: fields.optional_text("systemDependencies").unwrap_or_default(),
            use_cache: fields.truth("useCache").unwrap_or(true),
            task_id: fields.optional_text("taskId"),
        };
        fields.finish()?;
        Ok(submission)
    }

    /// The checks whose words programs know.
    fn check_lengths(&self) -> Result<(), ApiError> {
        if self.dependencies.chars().count() > PythonPackages::MAX_BYTES {
            return Err(ApiError::Refused("Dependencies string is too long (max 10000 characters)".to_owned()));
        }
        let forbidden = [";", "&&", "||", "`", "$("].into_iter().find(|text| self.dependencies.contains(text));
        if let Some(text) = forbidden {
            return Err(ApiError::Refused(format!("Invalid character in dependencies: {text}")));
        }
        if self.requirements.chars().count() > RequirementsFile::MAX_BYTES {
            return Err(ApiError::Refused("Requirements file is too long (max 50000 characters)".to_owned()));
        }
        Ok(())
    }

    fn into_task(self, previous: Option<ValidTask>) -> Result<ValidTask, ApiError> {
        let mut errors = FieldErrors::default();
        let code = self.code.as_deref().unwrap_or(DEFAULT_CODE);
        let code = errors.take(Field::Code, Code::accept(code));
        let packages = errors.take(Field::Packages, PythonPackages::parse_new(&self.dependencies));
        let requirements = errors.take(Field::Requirements, RequirementsFile::parse_new(&self.requirements));
        let system = errors.take(Field::SystemPackages, SystemPackages::parse_new(&self.system_dependencies));
        let (Some(code), Some(packages), Some(requirements), Some(system_packages)) =
            (code, packages, requirements, system)
        else {
            return Err(ApiError::of(app::backend::BackendError::Invalid(errors), String::new));
        };
        let (name, environment, timeout) = match previous {
            Some(task) => (task.name, task.spec.environment, task.spec.timeout),
            None => Default::default(),
        };
        let use_cache = self.use_cache;
        let spec = TaskSpec { code, packages, requirements, system_packages, use_cache, environment, timeout };
        Ok(ValidTask { name, spec })
    }
}

/// All tasks, oldest first.
pub async fn list(State(state): State<AppState>) -> Result<Json<Value>, ApiError> {
    let tasks = state.service.all_tasks().await.map_err(|error| ApiError::of(error, String::new))?;
    let tasks: Vec<TaskEntry> = tasks.into_iter().map(TaskEntry::from).collect();
    Ok(Json(json!({ "tasks": tasks })))
}

/// A task with all its runs.
pub async fn detail(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<TaskAnswer>, ApiError> {
    let known: TaskId = id.parse().map_err(|_| ApiError::no_task(&id))?;
    let missing = || format!("Task {id} not found");
    let task = state.service.task(&known, None).await.map_err(|error| ApiError::of(error, missing))?;
    let runs = state.service.specified_runs(&known).await.map_err(|error| ApiError::of(error, missing))?;
    Ok(Json(TaskAnswer::new(task, runs)))
}

/// Deletes a task with its runs and logs.
pub async fn remove(State(state): State<AppState>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let known: TaskId = id.parse().map_err(|_| ApiError::no_task(&id))?;
    let deleted = state.service.delete_task(&known).await;
    let deleted = deleted.map_err(|error| ApiError::of(error, || format!("Task {id} not found")))?;
    Ok(Json(json!({
        "status": "deleted",
        "id": id,
        "runs_deleted": deleted.runs,
        "logs_deleted": deleted.logs,
        "workflows_deleted": deleted.stopped,
    })))
}

/// Takes what a workflow reports. Nothing is done with it.
pub async fn callback(body: JsonBody) -> Result<Json<Value>, ApiError> {
    must_be_object(body)?;
    Ok(Json(json!({ "status": "ok" })))
}
