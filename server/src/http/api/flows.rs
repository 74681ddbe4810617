//! Flows over the API: saved, listed, run as a whole or one step alone, and what came of it.

use std::sync::Arc;

use app::{
    backend::{Backend as _, BackendError, Resolve, SaveFlow, StartRun},
    model::{
        flow::{FlowDraft, StepKey},
        identifiers::{Kind, RunNumber, TaskId},
        phase::Phase,
        step_address::StepAddress,
        views::{FlowDetail, FlowPlace},
    },
};
use axum::{
    Json,
    extract::RawQuery,
    response::{IntoResponse as _, Response},
};
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{
    body::{Fields, JsonBody, Path, integer},
    error::{ApiError, known, known_run, missing, missing_run},
    flow_shapes::{FlowBody, FlowEntry, FlowRunBody, FlowRunEntry, OutputEntry, StepLogHead, cursor, place},
    paging::Paging,
    runs::{conflict, run_keys, template_of, until_ended},
    sent_flow::SentFlow,
    stream::{answer, items, log_text, open_object, quoted},
};
use crate::{
    http::{access::Access, outputs as output_files},
    service::{Page, Service, StepLog},
};

/// How often a change is tried anew when somebody else saves meanwhile.
const ATTEMPTS: usize = 5;
/// Flows that are read at once when all are listed.
const FLOWS_AT_ONCE: usize = 500;
/// Runs that are read at once when all of a flow are listed.
const RUNS_AT_ONCE: usize = 100;

/// Flows, the last saved first: all, or a page of them.
pub async fn list(Access(service): Access, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let paging = Paging::of(query.as_deref(), place)?;
    let limit = paging.as_ref().map_or(FLOWS_AT_ONCE, |paging| paging.limit);
    let is_page = paging.is_some();
    let read = move |from: Option<FlowPlace>| {
        let service = service.clone();
        async move {
            let Page { items, next } = service.listed_flows(from, limit).await?;
            Ok(Page { items: items.into_iter().map(FlowEntry::from).collect(), next })
        }
    };
    let first = read(paging.and_then(|paging| paging.from)).await;
    let first: Page<FlowEntry, FlowPlace> = first.map_err(|error| ApiError::of(error, String::new))?;
    if is_page {
        return Ok(Json(json!({ "flows": first.items, "nextCursor": first.next.as_ref().map(cursor) })).into_response());
    }
    let flows = items(first, move |place| read(Some(place)));
    Ok(answer(r#"{"flows":["#.to_owned(), flows, "]}".to_owned()))
}

/// Saves a new flow; starts nothing.
pub async fn create(Access(service): Access, body: JsonBody) -> Result<Json<FlowBody>, ApiError> {
    let flow = SentFlow::whole(body)?.over(&FlowDraft::default())?;
    let save = SaveFlow { id: None, expected_revision: None, flow, resolve: Resolve::Later, run: false };
    let saved = service.save_flow(save).await.map_err(|error| ApiError::of(error, String::new))?;
    Ok(Json(detail_of(&service, &saved.id).await?.into()))
}

/// A flow with its definition.
pub async fn detail(Access(service): Access, Path(id): Path<String>) -> Result<Json<FlowBody>, ApiError> {
    let known = known(Kind::Flow, &id)?;
    Ok(Json(detail_of(&service, &known).await?.into()))
}

/// Changes a flow: what is not sent stays as it is.
pub async fn change(
    Access(service): Access,
    Path(id): Path<String>,
    body: JsonBody,
) -> Result<Json<FlowBody>, ApiError> {
    let known = known(Kind::Flow, &id)?;
    let sent = SentFlow::change(body)?;
    let mut outcome = Ok(());
    for _ in 0..ATTEMPTS {
        let present = detail_of(&service, &known).await?;
        let flow = sent.over(&FlowDraft::of(&present.flow))?;
        let expected_revision = Some(present.revision);
        let save = SaveFlow { id: Some(known.clone()), expected_revision, flow, resolve: Resolve::Later, run: false };
        outcome = service.save_flow(save).await.map(drop);
        if !matches!(outcome, Err(BackendError::EditConflict { .. })) {
            break;
        }
    }
    outcome.map_err(|error| ApiError::of(error, || missing(Kind::Flow, &id)))?;
    Ok(Json(detail_of(&service, &known).await?.into()))
}

async fn detail_of(service: &Service, id: &TaskId) -> Result<FlowDetail, ApiError> {
    let flow = service.flow(id, None).await;
    flow.map_err(|error| ApiError::of(error, || missing(Kind::Flow, id.as_str())))
}

/// Deletes a flow with its runs; what runs is stopped.
pub async fn remove(Access(service): Access, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let known = known(Kind::Flow, &id)?;
    service.delete_task(&known).await.map_err(|error| ApiError::of(error, || missing(Kind::Flow, &id)))?;
    Ok(Json(json!({ "message": format!("Flow {id} deleted successfully") })))
}

/// What an engine would execute for a flow, which is not saved.
pub async fn preview(Access(service): Access, body: JsonBody) -> Result<Json<Value>, ApiError> {
    let flow = SentFlow::whole(body)?.over(&FlowDraft::default())?;
    let yaml = service.preview(&flow).await.map_err(|error| ApiError::of(error, String::new))?;
    Ok(Json(json!({ "yaml": yaml })))
}

/// Starts a run of a flow.
pub async fn start(Access(service): Access, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let known = known(Kind::Flow, &id)?;
    let start = StartRun { id: known.clone(), system_packages: None, use_cache: None, only_when_idle: true };
    let number = service.start_run(start).await;
    let number = number.map_err(|error| ApiError::of(error, || missing(Kind::Flow, &id)))?;
    started(&service, &known, number).await
}

/// Starts a run that goes on where an ended one failed.
pub async fn restart(
    Access(service): Access,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let wanted = integer("path", "run_number", &number)?;
    let (known, number) = known_run(Kind::Flow, &id, wanted)?;
    let again = service.restart(&known, number).await;
    let again = again.map_err(|error| conflict(error, || missing_run(Kind::Flow, &id, wanted)))?;
    started(&service, &known, again).await
}

/// A run that was just started.
async fn started(service: &Service, id: &TaskId, number: RunNumber) -> Result<Json<Value>, ApiError> {
    let gone = || missing_run(Kind::Flow, id.as_str(), number.get().into());
    let address = StepAddress::first(id.clone(), number);
    let keys = service.step_keys(&address).await.map_err(|error| ApiError::of(error, gone))?;
    let run = service.run(&address).await.map_err(|error| ApiError::of(error, gone))?;
    Ok(Json(json!({
        "id": keys.run.0,
        "flowId": id,
        "workflowId": run.uid,
        "runNumber": number,
        "phase": Phase::Pending.word(),
        "message": format!("Flow {id} started successfully (run #{number})"),
    })))
}

/// Starts a run of one step alone, with the outputs of the run `inputsOf` if it is named.
pub async fn start_step(
    Access(service): Access,
    Path((id, step)): Path<(String, String)>,
    body: JsonBody,
) -> Result<Json<Value>, ApiError> {
    let mut fields = Fields::of(body)?;
    let inputs_of = fields.optional_integer("inputsOf");
    fields.finish()?;
    let known = known(Kind::Flow, &id)?;
    let flow = detail_of(&service, &known).await?.flow;
    let no_step = || ApiError::NotFound(format!("Step {step} not found in flow {id}"));
    let key: StepKey = step.parse().map_err(|_| no_step())?;
    if flow.steps().iter().all(|step| step.key != key) {
        return Err(no_step());
    }
    let inputs = inputs_of.map(|number| known_run(Kind::Flow, &id, number)).transpose()?;
    let number = service.run_step(&known, &key, inputs.map(|(_, number)| number)).await;
    // Flow and step are there.
    let gone = || inputs_of.map(|number| missing_run(Kind::Flow, &id, number)).unwrap_or_default();
    let number = number.map_err(|error| ApiError::of(error, gone))?;
    let run = service.run(&StepAddress::first(known, number)).await.map_err(|error| ApiError::of(error, gone))?;
    Ok(Json(json!({
        "workflowId": run.uid,
        "stepId": key,
        "runNumber": number,
        "message": format!("Step {key} of flow {id} started successfully (run #{number})"),
    })))
}

/// The runs of a flow, newest first: all, or a page of them.
pub async fn runs(
    Access(service): Access,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let known = known(Kind::Flow, &id)?;
    detail_of(&service, &known).await?;
    let paging = Paging::of(query.as_deref(), |cursor| cursor.parse::<RunNumber>().ok())?;
    let limit = paging.as_ref().map_or(RUNS_AT_ONCE, |paging| paging.limit);
    let is_page = paging.is_some();
    let read = move |from: Option<RunNumber>| {
        let (service, known) = (service.clone(), known.clone());
        async move {
            let Page { items, next } = service.specified_runs(&known, from, limit).await?;
            Ok(Page { items: items.into_iter().map(FlowRunEntry::from).collect(), next })
        }
    };
    let first = read(paging.and_then(|paging| paging.from)).await;
    let first: Page<FlowRunEntry, RunNumber> =
        first.map_err(|error| ApiError::of(error, || missing(Kind::Flow, &id)))?;
    if is_page {
        let next = first.next.map(|number| number.to_string());
        return Ok(Json(json!({ "runs": first.items, "nextCursor": next })).into_response());
    }
    let items = items(first, move |number| read(Some(number)));
    Ok(answer(r#"{"runs":["#.to_owned(), items, "]}".to_owned()))
}

/// A run with its steps.
pub async fn run(
    Access(service): Access,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<FlowRunBody>, ApiError> {
    let keys = run_keys(&service, Kind::Flow, &id, &number).await?;
    let gone = || missing_run(Kind::Flow, &id, keys.number.get().into());
    let address = StepAddress::first(known(Kind::Flow, &id)?, keys.number);
    let detail = service.run(&address).await.map_err(|error| ApiError::of(error, gone))?;
    let logs = service.step_logs(keys.run).await.map_err(|error| ApiError::of(error, gone))?;
    Ok(Json(FlowRunBody::new(keys.run.0, detail, logs)))
}

/// Cancels a run.
pub async fn cancel(
    Access(service): Access,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let wanted = integer("path", "run_number", &number)?;
    let (known, number) = known_run(Kind::Flow, &id, wanted)?;
    let cancelled = service.cancel_run(&known, number).await;
    cancelled.map_err(|error| conflict(error, || missing_run(Kind::Flow, &id, wanted)))?;
    until_ended(&service, &known, number).await;
    Ok(Json(json!({ "status": "cancelled", "id": id, "runNumber": number })))
}

/// The logs of a run's steps, of those that there is something to say of.
pub async fn logs(Access(service): Access, Path((id, number)): Path<(String, String)>) -> Result<Response, ApiError> {
    let keys = run_keys(&service, Kind::Flow, &id, &number).await?;
    let gone = || missing_run(Kind::Flow, &id, keys.number.get().into());
    let logs = service.step_logs(keys.run).await.map_err(|error| ApiError::of(error, gone))?;
    let told = logs.into_iter().filter(|log| log.lines > 0 || log.message.is_some());
    let entries = stream::iter(told.enumerate()).flat_map(move |(index, log)| {
        let separator = if index == 0 { "" } else { "," };
        let head = open_object(&StepLogHead::from(&log)).map(|head| format!(r#"{separator}{head},"logs":""#));
        let end = stream::once(async { Ok(r#""}"#.to_owned()) });
        stream::once(async { head }).chain(text_of(service.clone(), log)).chain(end)
    });
    Ok(answer(r#"{"logs":["#.to_owned(), entries, "]}".to_owned()))
}

/// The text of a step's log, or why it has none, as the inside of a JSON string.
fn text_of(
    service: Arc<Service>,
    log: StepLog,
) -> impl futures::Stream<Item = Result<String, BackendError>> + Send + 'static {
    if log.lines > 0 {
        return log_text(service, log.id, log.lines).left_stream();
    }
    stream::once(async move { quoted(&log.message.unwrap_or_default()) }).right_stream()
}

/// What the engine executes for a run.
pub async fn template(
    Access(service): Access,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let keys = run_keys(&service, Kind::Flow, &id, &number).await?;
    template_of(&service, keys).await
}

/// What a step of a run has put out.
pub async fn outputs(
    Access(service): Access,
    Path((id, number, step)): Path<(String, String, String)>,
) -> Result<Json<Value>, ApiError> {
    let address = step_address(&id, &number, &step)?;
    let outputs = service.outputs(&address).await;
    let outputs = outputs.map_err(|error| ApiError::of(error, || no_step_run(&id, &number, &step)))?;
    let outputs: Vec<OutputEntry> = outputs.into_iter().map(OutputEntry::from).collect();
    Ok(Json(json!({ "outputs": outputs })))
}

/// An output of a step of a run, as it is.
pub async fn output(
    Access(service): Access,
    Path((id, number, step, name)): Path<(String, String, String, String)>,
) -> Result<Response, ApiError> {
    let address = step_address(&id, &number, &step)?;
    match service.open_output(&address, &name).await {
        Ok(file) => Ok(output_files::answer(file, &name)),
        Err(error) => {
            let gone = error.to_string();
            Err(ApiError::of(error, || gone))
        }
    }
}

/// The step of a run that an address names.
fn step_address(id: &str, number: &str, step: &str) -> Result<StepAddress, ApiError> {
    let (task, run) = known_run(Kind::Flow, id, integer("path", "run_number", number)?)?;
    let key = step.parse().map_err(|_| ApiError::NotFound(no_step_run(id, number, step)))?;
    Ok(StepAddress { task, number: run, step: Some(key) })
}

fn no_step_run(id: &str, number: &str, step: &str) -> String {
    format!("Step {step} not found in run {number} of flow {id}")
}
