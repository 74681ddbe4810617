//! The life of a run in the database: made, started, ended. Every move is a conditional update whose row count tells
//! whether it happened, so two who try the same move cannot both succeed.

use std::collections::{HashMap, hash_map::Entry};

use app::model::{
    flow::FlowStep,
    identifiers::{RunId, RunNumber, RunUid, StepId, TaskId},
    lock::Lock,
    phase::Phase,
    spec::TaskSpec,
    time::Timestamp,
    views::RunOrigin,
};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection, dsl,
    expression::SqlLiteral,
    sql_types::{BigInt, Bool, Nullable},
};

use super::{
    DatabaseError, queue,
    schema::{runs, steps, tasks},
    steps::{self as step_rows, Beginning, NewStep, Outcome, StepInGraph, StepInputs},
    values,
};
use crate::engine::Account;

/// True for runs that have not ended. Spelled as the partial index `runs_active` is: SQLite then looks at those alone.
pub fn is_active() -> SqlLiteral<Bool> {
    dsl::sql("runs.phase IN ('Pending', 'Running')")
}

/// A run to be made.
#[derive(Debug, Clone)]
pub struct NewRun<'a> {
    /// Its name outside of the database.
    pub uid: &'a RunUid,
    /// The task or flow that it belongs to.
    pub task_id: &'a TaskId,
    /// Its steps, of which there is at least one.
    pub steps: Vec<NewStep>,
    /// The engine that will run it.
    pub engine: &'a str,
    /// What it takes from another run.
    pub origin: Option<RunOrigin>,
    pub at: Timestamp,
}

impl<'a> NewRun<'a> {
    /// A run of a task, which has one step. `lock` when that is already known.
    #[must_use]
    pub fn of_task(
        uid: &'a RunUid,
        task_id: &'a TaskId,
        spec: TaskSpec,
        lock: Option<Lock>,
        engine: &'a str,
        at: Timestamp,
    ) -> Self {
        let step = NewStep { step: FlowStep::only(spec), lock, begins_as: Beginning::Waiting };
        Self { uid, task_id, steps: vec![step], engine, origin: None, at }
    }
}

/// A run that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatedRun {
    pub id: RunId,
    /// Its number within the task.
    pub number: RunNumber,
    /// Its first step.
    pub step: StepId,
}

/// Makes a run, phase Pending, with its steps. The number is the task's next one.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn create(connection: &mut SqliteConnection, new: &NewRun<'_>) -> Result<CreatedRun, DatabaseError> {
    let number: i32 = diesel::update(tasks::table.find(new.task_id.as_str()))
        .filter(tasks::deleted_at.is_null())
        .set((tasks::last_run_number.eq(tasks::last_run_number + 1), tasks::activity_at.eq(new.at.0)))
        .returning(tasks::last_run_number)
        .get_result(connection)?;
    let id: i64 = diesel::insert_into(runs::table)
        .values((
            runs::uid.eq(new.uid.as_str()),
            runs::task_id.eq(new.task_id.as_str()),
            runs::number.eq(number),
            runs::phase.eq(Phase::Pending.word()),
            runs::created_at.eq(new.at.0),
            runs::engine.eq(new.engine),
            runs::origin.eq(new.origin.as_ref().map(values::json)),
        ))
        .returning(runs::id)
        .get_result(connection)?;
    let mut first = None;
    for (position, step) in (1..).zip(&new.steps) {
        let step = step_rows::create(connection, RunId(id), position, step, new.at)?;
        first = first.or(Some(step));
    }
    let step = first.ok_or_else(|| DatabaseError::Other("a run without steps was to be made".to_owned()))?;
    Ok(CreatedRun { id: RunId(id), number: values::run_number(number)?, step })
}

/// The numbers of the task's active runs, newest first: the order in which to cancel them, so that none starts in the
/// place of another.
///
/// # Errors
/// When the database does not answer.
pub fn active_numbers(connection: &mut SqliteConnection, task: &TaskId) -> Result<Vec<RunNumber>, DatabaseError> {
    let numbers: Vec<i32> = runs::table
        .filter(runs::task_id.eq(task.as_str()))
        .filter(is_active())
        .order(runs::number.desc())
        .select(runs::number)
        .load(connection)?;
    numbers.into_iter().map(values::run_number).collect()
}

/// What is said of a run that was cancelled while it waited.
pub const CANCELLED_WAITING: &str = "Cancelled before it started.";

/// What came of a request to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelRequest {
    /// A waiting run is cancelled; a running one the supervisor will stop.
    Accepted,
    /// The run has already ended.
    AlreadyEnded(Phase),
}

/// Cancels a run that waits; notes that somebody wants it stopped when it runs. Asking twice is the same as asking once.
///
/// # Errors
/// `NotFound` when there is no such run.
pub fn request_cancel(
    connection: &mut SqliteConnection,
    task: &TaskId,
    number: RunNumber,
    at: Timestamp,
) -> Result<CancelRequest, DatabaseError> {
    let (id, phase): (i64, String) = runs::table
        .filter(runs::task_id.eq(task.as_str()))
        .filter(runs::number.eq(i32::try_from(number.get()).unwrap_or(i32::MAX)))
        .select((runs::id, runs::phase))
        .get_result(connection)?;
    let phase = values::phase(&phase)?;
    if phase.is_final() {
        return Ok(CancelRequest::AlreadyEnded(phase));
    }
    cancel_active(connection, RunId(id), phase, at)?;
    Ok(CancelRequest::Accepted)
}

/// Notes that an active run is to be stopped, once; one that waits has thereby ended.
///
/// # Errors
/// When the database does not answer.
pub fn cancel_active(
    connection: &mut SqliteConnection,
    id: RunId,
    phase: Phase,
    at: Timestamp,
) -> Result<(), DatabaseError> {
    diesel::update(runs::table.find(id.0))
        .filter(runs::cancel_requested_at.is_null())
        .set((runs::cancel_requested_at.eq(at.0), runs::version.eq(runs::version + 1)))
        .execute(connection)?;
    if phase == Phase::Pending {
        let message = Some(CANCELLED_WAITING.to_owned());
        finish(connection, id, None, &Outcome { phase: Phase::Cancelled, exit_code: None, message, at })?;
    }
    Ok(())
}

/// What starting a run, or a step of it, needs of it.
#[derive(Debug, Clone)]
pub struct RunInputs {
    /// Its name outside of the database.
    pub uid: RunUid,
    /// The task it belongs to.
    pub task_id: TaskId,
    pub number: RunNumber,
    /// When its engine got it.
    pub started_at: Option<Timestamp>,
    /// What each of its steps executes, or the one that was asked for.
    pub steps: Vec<StepInputs>,
    /// How all its steps wait for each other.
    pub graph: Vec<StepInGraph>,
    /// The runs whose results it has, by their numbers.
    pub kept: HashMap<RunNumber, RunUid>,
}

/// What starting a run, or this step of it, needs of it.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn inputs(connection: &mut SqliteConnection, id: RunId, only: Option<StepId>) -> Result<RunInputs, DatabaseError> {
    let (uid, task_id, number, started_at): (String, String, i32, Option<i64>) = runs::table
        .find(id.0)
        .select((runs::uid, runs::task_id, runs::number, runs::started_at))
        .get_result(connection)?;
    let steps = step_rows::inputs(connection, id, only)?;
    // Of a step that waits for nobody nothing has to be known of the others.
    let is_alone = steps.iter().all(|step| step.step.runs_after.is_empty());
    let graph = if is_alone { Vec::new() } else { step_rows::graph(connection, id)? };
    let mut kept = HashMap::new();
    for from in graph.iter().filter_map(|step| step.kept_from) {
        let Entry::Vacant(entry) = kept.entry(from) else { continue };
        let uid: Option<String> = runs::table
            .filter(runs::task_id.eq(&task_id))
            .filter(runs::number.eq(i32::try_from(from.get()).unwrap_or(i32::MAX)))
            .select(runs::uid)
            .get_result(connection)
            .optional()?;
        // That run may have been deleted since; then nothing is left of what its steps put out.
        if let Some(uid) = uid {
            entry.insert(values::parsed(&uid)?);
        }
    }
    Ok(RunInputs {
        uid: values::parsed(&uid)?,
        task_id: values::task_id(&task_id)?,
        number: values::run_number(number)?,
        started_at: values::timestamp(started_at),
        steps,
        graph,
        kept,
    })
}

/// The name of a run outside of the database, and what it took from another one.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn origin(connection: &mut SqliteConnection, id: RunId) -> Result<(RunUid, Option<RunOrigin>), DatabaseError> {
    let (uid, origin): (String, Option<String>) =
        runs::table.find(id.0).select((runs::uid, runs::origin)).get_result(connection)?;
    Ok((values::parsed(&uid)?, origin.as_deref().map(values::from_json).transpose()?))
}

/// The name of the engine that a run is on.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn engine(connection: &mut SqliteConnection, id: RunId) -> Result<String, DatabaseError> {
    Ok(runs::table.find(id.0).select(runs::engine).get_result(connection)?)
}

/// Moves steps of a run from Pending to Running, and with the first of them the run. False when none of them is Pending
/// any more, or the run is to be cancelled.
///
/// # Errors
/// When the database does not answer.
pub fn start(
    connection: &mut SqliteConnection,
    id: RunId,
    steps: &[StepId],
    at: Timestamp,
) -> Result<bool, DatabaseError> {
    let started_at = dsl::sql::<Nullable<BigInt>>("coalesce(started_at, ").bind::<BigInt, _>(at.0).sql(")");
    let may_start = diesel::update(runs::table.find(id.0))
        .filter(is_active())
        .filter(runs::cancel_requested_at.is_null())
        .set((
            runs::phase.eq(Phase::Running.word()),
            runs::started_at.eq(started_at),
            runs::version.eq(runs::version + 1),
        ))
        .execute(connection)?;
    Ok(may_start == 1 && step_rows::start(connection, steps, at)? > 0)
}

/// Moves a step to Running whose engine says that its turn has come. One that does not wait any more stays as it is.
///
/// # Errors
/// When the database does not answer.
pub fn begin_step(
    connection: &mut SqliteConnection,
    id: RunId,
    step: StepId,
    at: Timestamp,
) -> Result<(), DatabaseError> {
    if step_rows::start(connection, &[step], at)? > 0 {
        touch(connection, id)?;
    }
    Ok(())
}

/// Ends a step of a run, or all its steps, as far as they have not ended. What had ended before stays as it is.
///
/// # Errors
/// When the database does not answer.
pub fn finish(
    connection: &mut SqliteConnection,
    id: RunId,
    only: Option<StepId>,
    outcome: &Outcome,
) -> Result<(), DatabaseError> {
    step_rows::finish_active(connection, id, only, outcome)?;
    derive(connection, id, outcome.at)
}

/// Whether a run has ended; also when there is none any more.
///
/// # Errors
/// When the database does not answer.
pub fn has_ended(connection: &mut SqliteConnection, id: RunId) -> Result<bool, DatabaseError> {
    let active = runs::table.find(id.0).filter(is_active()).select(runs::id);
    Ok(active.get_result::<i64>(connection).optional()?.is_none())
}

/// Those of these runs that are not there any more.
///
/// # Errors
/// When the database does not answer.
pub fn gone(connection: &mut SqliteConnection, uids: Vec<RunUid>) -> Result<Vec<RunUid>, DatabaseError> {
    let mut gone = Vec::new();
    for uid in uids {
        let run = runs::table.filter(runs::uid.eq(uid.as_str())).select(runs::id);
        if run.get_result::<i64>(connection).optional()?.is_none() {
            gone.push(uid);
        }
    }
    Ok(gone)
}

/// Brings what is kept of a run up to date with its steps: where it stands, why, and when it ended.
///
/// # Errors
/// When the database does not answer.
pub(super) fn derive(connection: &mut SqliteConnection, id: RunId, at: Timestamp) -> Result<(), DatabaseError> {
    let phases = queue::phases(connection, id)?;
    let phase = Phase::of_run(&phases);
    let message = if phase.is_final() { message(connection, id, phase, phases.len() == 1)? } else { None };
    let ended_at = phase.is_final().then_some(at.0);
    diesel::update(runs::table.find(id.0))
        .filter(is_active())
        .set((
            runs::phase.eq(phase.word()),
            runs::finished_at.eq(ended_at),
            runs::message.eq(message),
            runs::version.eq(runs::version + 1),
        ))
        .execute(connection)?;
    Ok(())
}

/// Why a run ended so: what is said of the first of its steps that ended so.
fn message(
    connection: &mut SqliteConnection,
    id: RunId,
    phase: Phase,
    is_alone: bool,
) -> Result<Option<String>, DatabaseError> {
    let step: Option<(String, Option<String>)> = steps::table
        .filter(steps::run_id.eq(id.0))
        .filter(steps::phase.eq(phase.word()))
        .order(steps::position)
        .select((steps::name, steps::message))
        .limit(1)
        .get_result(connection)
        .optional()?;
    let Some((name, Some(message))) = step else { return Ok(None) };
    Ok(Some(if is_alone { message } else { format!("{name}: {message}") }))
}

/// Adds the engine's own account to a run that has ended, if the two differ. False when they agree, or when the run was
/// stopped: engines have their own words for that.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn compare(connection: &mut SqliteConnection, id: RunId, account: &Account) -> Result<bool, DatabaseError> {
    let (phase, message): (String, Option<String>) =
        runs::table.find(id.0).select((runs::phase, runs::message)).get_result(connection)?;
    let differs = match values::phase(&phase)? {
        Phase::Succeeded => !account.succeeded,
        Phase::Failed => account.succeeded,
        _ => false,
    };
    if differs {
        let message = [message.as_deref().unwrap_or_default(), account.words.as_str()].join(" ");
        diesel::update(runs::table.find(id.0))
            .set((runs::message.eq(message.trim()), runs::version.eq(runs::version + 1)))
            .execute(connection)?;
    }
    Ok(differs)
}

/// Counts a change of the run that viewers should see.
///
/// # Errors
/// When the database does not answer.
pub fn touch(connection: &mut SqliteConnection, id: RunId) -> Result<(), DatabaseError> {
    diesel::update(runs::table.find(id.0)).set(runs::version.eq(runs::version + 1)).execute(connection)?;
    Ok(())
}
