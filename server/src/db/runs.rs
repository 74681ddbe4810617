//! The life of a run in the database: made, started, ended. Every move is a conditional update whose row count tells
//! whether it happened, so two who try the same move cannot both succeed.

use app::model::{
    identifiers::{RunId, RunNumber, RunUid, StepId, TaskId},
    lock::Lock,
    phase::Phase,
    spec::TaskSpec,
    time::Timestamp,
};
use diesel::{
    ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection, dsl, expression::SqlLiteral,
    sql_types::Bool,
};

use super::{
    DatabaseError,
    schema::{runs, steps, tasks},
    steps::{self as step_rows, NewStep, Outcome, StepInputs},
    values,
};
use crate::engine::Account;

/// The name of the one step that a task's run has.
pub const ONLY_STEP: &str = "main";

/// True for runs that have not ended. Spelled as the partial index `runs_active` is: SQLite then looks at those alone.
pub fn is_active() -> SqlLiteral<Bool> {
    dsl::sql("runs.phase IN ('Pending', 'Running')")
}

/// A run to be made, of one step.
#[derive(Debug, Clone)]
pub struct NewRun<'a> {
    /// Its name outside of the database.
    pub uid: &'a RunUid,
    /// The task it belongs to.
    pub task_id: &'a TaskId,
    /// Its step's frozen copy of the spec.
    pub spec: &'a TaskSpec,
    /// Its step's lock, when that is already known.
    pub lock: Option<&'a Lock>,
    /// The engine that will run it.
    pub engine: &'a str,
    pub at: Timestamp,
}

/// A run that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatedRun {
    pub id: RunId,
    /// Its number within the task.
    pub number: RunNumber,
    pub step: StepId,
}

/// Makes a run, phase Pending, with its step. The number is the task's next one.
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
        ))
        .returning(runs::id)
        .get_result(connection)?;
    let step = NewStep { name: ONLY_STEP, spec: new.spec, lock: new.lock };
    let step = step_rows::create(connection, RunId(id), 1, &step, new.at)?;
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
        finish(connection, id, &Outcome { phase: Phase::Cancelled, exit_code: None, message, at })?;
    }
    Ok(())
}

/// A run that has not ended, as the supervisor sees it.
#[derive(Debug, Clone)]
pub struct ActiveRun {
    pub id: RunId,
    /// Its name outside of the database.
    pub uid: RunUid,
    /// Its steps, in order.
    pub steps: Vec<StepId>,
    /// The engine that it was started on.
    pub engine: String,
    /// Pending or Running.
    pub phase: Phase,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
    /// Whether the locks of all its steps are known.
    pub locked: bool,
}

/// All runs that have not ended, oldest first: the queue, and what is running.
///
/// # Errors
/// When the database does not answer.
pub fn active(connection: &mut SqliteConnection) -> Result<Vec<ActiveRun>, DatabaseError> {
    type Row = (i64, String, String, String, Option<i64>, i64, bool);
    let rows: Vec<Row> = runs::table
        .inner_join(steps::table)
        .filter(is_active())
        .order((runs::id, steps::position))
        .select((
            runs::id,
            runs::uid,
            runs::engine,
            runs::phase,
            runs::cancel_requested_at,
            steps::id,
            steps::lock.is_not_null(),
        ))
        .load(connection)?;
    let mut active: Vec<ActiveRun> = Vec::new();
    for (id, uid, engine, phase, cancel_requested_at, step, locked) in rows {
        match active.last_mut().filter(|run| run.id.0 == id) {
            Some(run) => {
                run.steps.push(StepId(step));
                run.locked &= locked;
            }
            None => active.push(ActiveRun {
                id: RunId(id),
                uid: values::parsed(&uid)?,
                steps: vec![StepId(step)],
                engine,
                phase: values::phase(&phase)?,
                cancel_requested: cancel_requested_at.is_some(),
                locked,
            }),
        }
    }
    Ok(active)
}

/// What starting a run needs of it.
#[derive(Debug, Clone)]
pub struct RunInputs {
    /// Its name outside of the database.
    pub uid: RunUid,
    /// The task it belongs to.
    pub task_id: TaskId,
    pub number: RunNumber,
    /// What each of its steps executes.
    pub steps: Vec<StepInputs>,
}

/// What starting a run needs of it.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn inputs(connection: &mut SqliteConnection, id: RunId) -> Result<RunInputs, DatabaseError> {
    let (uid, task_id, number): (String, String, i32) =
        runs::table.find(id.0).select((runs::uid, runs::task_id, runs::number)).get_result(connection)?;
    Ok(RunInputs {
        uid: values::parsed(&uid)?,
        task_id: values::task_id(&task_id)?,
        number: values::run_number(number)?,
        steps: step_rows::inputs(connection, id)?,
    })
}

/// The name of the engine that a run is on.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn engine(connection: &mut SqliteConnection, id: RunId) -> Result<String, DatabaseError> {
    Ok(runs::table.find(id.0).select(runs::engine).get_result(connection)?)
}

/// Moves a run from Pending to Running. False when it is not Pending any more, or is to be cancelled.
///
/// # Errors
/// When the database does not answer.
pub fn start(connection: &mut SqliteConnection, id: RunId, at: Timestamp) -> Result<bool, DatabaseError> {
    let moved = diesel::update(runs::table.find(id.0))
        .filter(runs::phase.eq(Phase::Pending.word()))
        .filter(runs::cancel_requested_at.is_null())
        .set((runs::phase.eq(Phase::Running.word()), runs::started_at.eq(at.0), runs::version.eq(runs::version + 1)))
        .execute(connection)?;
    if moved == 1 {
        step_rows::start_all(connection, id, at)?;
    }
    Ok(moved == 1)
}

/// Ends a run with all its steps that have not ended. A run that had ended before stays as it is.
///
/// # Errors
/// When the database does not answer.
pub fn finish(connection: &mut SqliteConnection, id: RunId, outcome: &Outcome) -> Result<(), DatabaseError> {
    step_rows::finish_all(connection, id, outcome)?;
    derive(connection, id, outcome.at)
}

/// Brings what is kept of a run up to date with its steps: where it stands, why, and when it ended.
///
/// # Errors
/// When the database does not answer.
pub(super) fn derive(connection: &mut SqliteConnection, id: RunId, at: Timestamp) -> Result<(), DatabaseError> {
    let rows: Vec<(String, String, Option<String>)> = steps::table
        .filter(steps::run_id.eq(id.0))
        .order(steps::position)
        .select((steps::name, steps::phase, steps::message))
        .load(connection)?;
    let phases = rows.iter().map(|(_, phase, _)| values::phase(phase)).collect::<Result<Vec<_>, _>>()?;
    let phase = Phase::of_run(&phases);
    let message = rows.iter().find(|(_, own, _)| *own == phase.word()).and_then(|(name, _, message)| {
        let message = message.as_deref()?;
        Some(if rows.len() == 1 { message.to_owned() } else { format!("{name}: {message}") })
    });
    let ended_at = phase.is_final().then_some(at.0);
    diesel::update(runs::table.find(id.0))
        .filter(is_active())
        .set((
            runs::phase.eq(phase.word()),
            runs::finished_at.eq(ended_at),
            runs::message.eq(message.filter(|_| phase.is_final())),
            runs::version.eq(runs::version + 1),
        ))
        .execute(connection)?;
    Ok(())
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
