//! The life of a run in the database: made, started, ended. Every move is a conditional update whose row count tells
//! whether it happened, so two who try the same move cannot both succeed.

use app::model::{
    cache::CacheReport,
    identifiers::{RunId, RunNumber, StepId, TaskId},
    lock::Lock,
    phase::Phase,
    spec::TaskSpec,
    time::Timestamp,
};
use diesel::{
    ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _, SqliteConnection, dsl,
    expression::SqlLiteral, sql_types::Bool,
};

use super::{
    DatabaseError, preparation,
    schema::{runs, steps, tasks},
    values::{self, RunSpecColumns, SpecColumns},
};

/// The name of the one step that a task's run has.
pub const ONLY_STEP: &str = "main";

/// True for runs that have not ended. Spelled as the partial index `runs_active` is: SQLite then looks at those alone.
pub fn is_active() -> SqlLiteral<Bool> {
    dsl::sql("runs.phase IN ('Pending', 'Running')")
}

/// A run to be made.
#[derive(Debug, Clone)]
pub struct NewRun<'a> {
    /// The task it belongs to.
    pub task_id: &'a TaskId,
    /// Its frozen copy of the spec.
    pub spec: &'a TaskSpec,
    /// Its lock, when that is already known.
    pub lock: Option<&'a Lock>,
    /// The engine that will run it.
    pub engine: &'a str,
    /// Now.
    pub at: Timestamp,
}

/// A run that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatedRun {
    /// Its key.
    pub id: RunId,
    /// Its number within the task.
    pub number: RunNumber,
    /// Its step's key.
    pub step: StepId,
}

/// Makes a run, phase Pending, with its step. The number is the task's next one.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn create(connection: &mut SqliteConnection, new: &NewRun<'_>) -> Result<CreatedRun, DatabaseError> {
    let number: i32 = diesel::update(tasks::table.find(new.task_id.as_str()))
        .set((tasks::last_run_number.eq(tasks::last_run_number + 1), tasks::activity_at.eq(new.at.0)))
        .returning(tasks::last_run_number)
        .get_result(connection)?;
    // Without packages there is nothing to find out: the lock is known, and it is empty.
    let lock = new.lock.map_or_else(|| (!new.spec.needs_lock()).then_some(""), |lock| Some(lock.0.as_str()));
    let id: i64 = diesel::insert_into(runs::table)
        .values((
            runs::task_id.eq(new.task_id.as_str()),
            runs::number.eq(number),
            runs::phase.eq(Phase::Pending.word()),
            runs::created_at.eq(new.at.0),
            runs::engine.eq(new.engine),
            runs::lock.eq(lock),
            RunSpecColumns::from(SpecColumns::from(new.spec)),
        ))
        .returning(runs::id)
        .get_result(connection)?;
    let step: i64 = diesel::insert_into(steps::table)
        .values((steps::run_id.eq(id), steps::name.eq(ONLY_STEP), steps::phase.eq(Phase::Pending.word())))
        .returning(steps::id)
        .get_result(connection)?;
    Ok(CreatedRun { id: RunId(id), number: values::run_number(number)?, step: StepId(step) })
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

/// What became of a wish to cancel.
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
    /// Its key.
    pub id: RunId,
    /// Its step.
    pub step: StepId,
    /// Pending or Running.
    pub phase: Phase,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
    /// Whether its lock is known.
    pub locked: bool,
}

/// All runs that have not ended, oldest first: the queue, and what is running.
///
/// # Errors
/// When the database does not answer.
pub fn active(connection: &mut SqliteConnection) -> Result<Vec<ActiveRun>, DatabaseError> {
    let rows: Vec<(i64, i64, String, Option<i64>, bool)> = runs::table
        .inner_join(steps::table)
        .filter(is_active())
        .order(runs::id)
        .select((runs::id, steps::id, runs::phase, runs::cancel_requested_at, runs::lock.is_not_null()))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, step, phase, cancel_requested_at, locked)| {
            Ok(ActiveRun {
                id: RunId(id),
                step: StepId(step),
                phase: values::phase(&phase)?,
                cancel_requested: cancel_requested_at.is_some(),
                locked,
            })
        })
        .collect()
}

/// What starting a run needs of it.
#[derive(Debug, Clone)]
pub struct RunInputs {
    /// Its copy of the spec.
    pub spec: TaskSpec,
    /// Its lock, if already made.
    pub lock: Option<Lock>,
    /// The task it belongs to.
    pub task_id: TaskId,
    /// Its number.
    pub number: RunNumber,
}

/// What starting a run needs of it.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn inputs(connection: &mut SqliteConnection, id: RunId) -> Result<RunInputs, DatabaseError> {
    let (spec, lock, task_id, number): (RunSpecColumns, Option<String>, String, i32) = runs::table
        .find(id.0)
        .select((RunSpecColumns::as_select(), runs::lock, runs::task_id, runs::number))
        .get_result(connection)?;
    Ok(RunInputs {
        spec: SpecColumns::from(spec).try_into()?,
        lock: lock.map(Lock),
        task_id: values::task_id(&task_id)?,
        number: values::run_number(number)?,
    })
}

/// The lock of a run, if it is known.
///
/// # Errors
/// `NotFound` when the run was deleted.
pub fn lock(connection: &mut SqliteConnection, id: RunId) -> Result<Option<Lock>, DatabaseError> {
    Ok(runs::table.find(id.0).select(runs::lock).get_result::<Option<String>>(connection)?.map(Lock))
}

/// Keeps the lock with a run that was made without.
///
/// # Errors
/// When the database does not answer.
pub fn set_lock(connection: &mut SqliteConnection, id: RunId, lock: &Lock) -> Result<(), DatabaseError> {
    diesel::update(runs::table.find(id.0))
        .set((runs::lock.eq(&lock.0), runs::version.eq(runs::version + 1)))
        .execute(connection)?;
    Ok(())
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
        diesel::update(steps::table.filter(steps::run_id.eq(id.0)))
            .set(steps::phase.eq(Phase::Running.word()))
            .execute(connection)?;
    }
    Ok(moved == 1)
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// A final phase.
    pub phase: Phase,
    /// The program's exit code.
    pub exit_code: Option<i32>,
    /// Why it ended so, in a sentence; `None` when it simply succeeded.
    pub message: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Ends a run. False when it had ended before, and then nothing changes.
///
/// # Errors
/// When the database does not answer.
pub fn finish(connection: &mut SqliteConnection, id: RunId, outcome: &Outcome) -> Result<bool, DatabaseError> {
    let moved = diesel::update(runs::table.find(id.0))
        .filter(is_active())
        .set((
            runs::phase.eq(outcome.phase.word()),
            runs::finished_at.eq(outcome.at.0),
            runs::exit_code.eq(outcome.exit_code),
            runs::message.eq(outcome.message.as_deref()),
            runs::version.eq(runs::version + 1),
        ))
        .execute(connection)?;
    if moved == 1 {
        diesel::update(steps::table.filter(steps::run_id.eq(id.0)))
            .set(steps::phase.eq(outcome.phase.word()))
            .execute(connection)?;
    }
    Ok(moved == 1)
}

/// Keeps what preparing a run cost. Viewers learn of it by [`touch`].
///
/// # Errors
/// When the database does not answer.
pub fn set_cache_report(
    connection: &mut SqliteConnection,
    id: RunId,
    report: &CacheReport,
) -> Result<(), DatabaseError> {
    let text = serde_json::to_string(report).map_err(|error| values::damaged(&error))?;
    diesel::update(runs::table.find(id.0))
        .set((runs::cache_report.eq(text), runs::environment_use.eq(preparation::word(report.environment))))
        .execute(connection)?;
    Ok(())
}

/// Counts a change of the run that viewers should see.
///
/// # Errors
/// When the database does not answer.
pub fn touch(connection: &mut SqliteConnection, id: RunId) -> Result<(), DatabaseError> {
    diesel::update(runs::table.find(id.0)).set(runs::version.eq(runs::version + 1)).execute(connection)?;
    Ok(())
}
