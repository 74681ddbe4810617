//! Tasks over the API: submitted, listed, read, deleted.

use app::{
    backend::{Backend as _, BackendError, Resolve, SaveTask},
    model::{
        fields::FieldErrors,
        identifiers::{Kind, RunNumber, TaskId},
        spec::{TaskDraft, ValidTask},
        views::TaskPlace,
    },
};
use axum::{
    Json,
    extract::RawQuery,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{
    body::{Fields, JsonBody, Path, must_be_object},
    error::{ApiError, known},
    paging::Paging,
    program::SentProgram,
    shapes::{RunEntry, TaskEntry, TaskHead, cursor, place},
    stream,
};
use crate::{
    http::access::Access,
    service::{Page, Service},
};

/// Tasks that are read at once when all are listed.
const TASKS_AT_ONCE: usize = 500;
/// Runs that are read at once when all of a task are listed: each has its whole code.
const RUNS_AT_ONCE: usize = 20;

/// Saves a task; starts nothing.
pub async fn submit(Access(service): Access, body: JsonBody) -> Result<Json<Value>, ApiError> {
    let submission = Submission::read(body)?;
    let id = match submission.task_id.as_deref() {
        None | Some("") => save_new(&service, &submission).await?,
        Some(id) => overwrite(&service, id.to_owned(), submission).await?,
    };
    let message = format!("Task saved successfully. Use /api/v1/tasks/{id}/run to execute it.");
    Ok(Json(json!({ "id": id, "message": message })))
}

async fn save_new(service: &Service, submission: &Submission) -> Result<TaskId, ApiError> {
    let task = submission.over(TaskDraft::default()).map_err(BackendError::Invalid);
    let task = task.map_err(|error| ApiError::of(error, String::new))?;
    let save = SaveTask { id: None, expected_revision: None, task, resolve: Resolve::Later, run: false };
    Ok(service.save_task(save).await.map_err(|error| ApiError::of(error, String::new))?.id)
}

/// What the API cannot say of a task stays as it is.
async fn overwrite(service: &Service, id: String, submission: Submission) -> Result<TaskId, ApiError> {
    let known = known(Kind::Task, &id)?;
    let change = move |present: &ValidTask| submission.over(TaskDraft::of(present.name.as_ref(), &present.spec));
    let changed = service.change_task(&known, change).await;
    changed.map_err(|error| ApiError::of(error, || format!("Task {id} not found")))?;
    Ok(known)
}

/// What was submitted.
struct Submission {
    program: SentProgram,
    task_id: Option<String>,
}

impl Submission {
    fn read(body: JsonBody) -> Result<Self, ApiError> {
        let mut fields = Fields::of(body)?;
        let submission = Self { program: SentProgram::of_task(&mut fields), task_id: fields.optional_text("taskId") };
        fields.finish()?;
        submission.program.check()?;
        Ok(submission)
    }

    /// The task that this makes of another one.
    fn over(&self, draft: TaskDraft) -> Result<ValidTask, FieldErrors> {
        self.program.over(draft).parse_sent()
    }
}

/// Tasks, oldest first: all, or a page of them.
pub async fn list(Access(service): Access, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let paging = Paging::of(query.as_deref(), place)?;
    let limit = paging.as_ref().map_or(TASKS_AT_ONCE, |paging| paging.limit);
    let is_page = paging.is_some();
    let read = move |from: Option<TaskPlace>| {
        let service = service.clone();
        async move {
            let Page { items, next } = service.listed_tasks(from, limit).await?;
            Ok(Page { items: items.into_iter().map(TaskEntry::from).collect(), next })
        }
    };
    let first = read(paging.and_then(|paging| paging.from)).await;
    let first: Page<TaskEntry, TaskPlace> = first.map_err(|error| ApiError::of(error, String::new))?;
    if is_page {
        return Ok(Json(json!({ "tasks": first.items, "nextCursor": first.next.as_ref().map(cursor) })).into_response());
    }
    let items = stream::items(first, move |place| read(Some(place)));
    Ok(stream::answer(r#"{"tasks":["#.to_owned(), items, "]}".to_owned()))
}

/// A task with its runs, newest first: all, or a page of them.
pub async fn detail(
    Access(service): Access,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let known = known(Kind::Task, &id)?;
    let missing = || format!("Task {id} not found");
    let paging = Paging::of(query.as_deref(), |cursor| cursor.parse::<RunNumber>().ok())?;
    let limit = paging.as_ref().map_or(RUNS_AT_ONCE, |paging| paging.limit);
    let is_page = paging.is_some();
    let task = service.task(&known, None).await.map_err(|error| ApiError::of(error, missing))?;
    let read = move |from: Option<RunNumber>| {
        let (service, known) = (service.clone(), known.clone());
        async move {
            let Page { items, next } = service.specified_runs(&known, from, limit).await?;
            Ok(Page { items: items.into_iter().map(RunEntry::from).collect(), next })
        }
    };
    let first = read(paging.and_then(|paging| paging.from)).await;
    let first: Page<RunEntry, RunNumber> = first.map_err(|error| ApiError::of(error, missing))?;
    let head = stream::open_object(&TaskHead::from(task)).map_err(|error| ApiError::of(error, missing))?;
    let next = first.next.filter(|_| is_page);
    let after = match (is_page, next) {
        (false, _) => "]}".to_owned(),
        (true, None) => r#"],"nextCursor":null}"#.to_owned(),
        (true, Some(number)) => format!(r#"],"nextCursor":"{number}"}}"#),
    };
    let first = if is_page { Page { next: None, ..first } } else { first };
    let items = stream::items(first, move |number| read(Some(number)));
    Ok(stream::answer(format!(r#"{head},"runs":["#), items, after))
}

/// Deletes a task with its runs and logs.
pub async fn remove(Access(service): Access, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let known = known(Kind::Task, &id)?;
    let deleted = service.delete_task(&known).await;
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
