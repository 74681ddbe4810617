//! Steps: what each executes, how far the recorder has come with it, and how it ended. The only module that ends one.

use std::num::NonZeroU32;

use app::model::{
    cache::CacheReport,
    identifiers::{RunId, RunUid, StepId, StepUid},
    lock::Lock,
    phase::Phase,
    spec::TaskSpec,
    time::Timestamp,
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
    SqliteConnection, SqliteExpressionMethods as _,
};

use super::{
    DatabaseError, preparation,
    schema::{runs, steps},
    values::{self, SpecColumns, StepSpecColumns},
};
use crate::engine::Cursor;

/// A step to be made.
#[derive(Debug, Clone)]
pub struct NewStep<'a> {
    /// Its name within the run.
    pub name: &'a str,
    /// Its frozen copy of the spec.
    pub spec: &'a TaskSpec,
    /// Its lock, when that is already known.
    pub lock: Option<&'a Lock>,
}

/// Makes a step of a run, phase Pending.
///
/// # Errors
/// When the database does not answer.
pub fn create(
    connection: &mut SqliteConnection,
    run: RunId,
    position: i32,
    new: &NewStep<'_>,
    at: Timestamp,
) -> Result<StepId, DatabaseError> {
    // Without packages there is nothing to find out: the lock is known, and it is empty.
    let lock = new.lock.map_or_else(|| (!new.spec.needs_lock()).then_some(""), |lock| Some(lock.0.as_str()));
    let id: i64 = diesel::insert_into(steps::table)
        .values((
            steps::run_id.eq(run.0),
            steps::position.eq(position),
            steps::name.eq(new.name),
            steps::phase.eq(Phase::Pending.word()),
            steps::created_at.eq(at.0),
            steps::lock.eq(lock),
            StepSpecColumns::from(SpecColumns::from(new.spec)),
        ))
        .returning(steps::id)
        .get_result(connection)?;
    Ok(StepId(id))
}

/// The keys of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepKeys {
    /// Its own.
    pub id: StepId,
    /// Its run's.
    pub run: RunId,
    /// Its name outside of the database.
    pub uid: StepUid,
}

/// A step's name outside of the database.
///
/// # Errors
/// When what is stored is none.
pub fn uid(run: &str, position: i32) -> Result<StepUid, DatabaseError> {
    let run: RunUid = values::parsed(run)?;
    let position = u32::try_from(position).ok().and_then(NonZeroU32::new);
    Ok(run.step(position.ok_or_else(|| values::damaged(&"position of a step"))?))
}

/// How far the recorder has come with a step. Changes only together with the lines it led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedStep {
    /// Where the engine's tale was left; `None` before anything was recorded.
    pub cursor: Option<Cursor>,
    /// What the recorder keeps between two readings, in its own form; empty at first.
    pub recorder_state: String,
    /// How many lines are recorded.
    pub line_count: u64,
}

/// A step that is to be recorded.
#[derive(Debug, Clone)]
pub struct ActiveStep {
    pub keys: StepKeys,
    /// How far the recorder has come with it.
    pub recorded: RecordedStep,
    /// How many packages its lock has.
    pub requested: u32,
}

/// The steps of a run that have not ended.
///
/// # Errors
/// When the database does not answer.
pub fn active(connection: &mut SqliteConnection, run: RunId) -> Result<Vec<ActiveStep>, DatabaseError> {
    type Row = (i64, i32, String, Option<String>, String, i64, Option<String>);
    let rows: Vec<Row> = steps::table
        .inner_join(runs::table)
        .filter(steps::run_id.eq(run.0))
        .filter(is_active())
        .order(steps::position)
        .select((
            steps::id,
            steps::position,
            runs::uid,
            steps::cursor,
            steps::recorder_state,
            steps::line_count,
            steps::lock,
        ))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, position, run_uid, cursor, recorder_state, lines, lock)| {
            let requested = lock.map_or(0, |lock| Lock(lock).packages().len());
            Ok(ActiveStep {
                keys: StepKeys { id: StepId(id), run, uid: uid(&run_uid, position)? },
                recorded: RecordedStep { cursor: cursor.map(Cursor), recorder_state, line_count: values::count(lines) },
                requested: u32::try_from(requested).unwrap_or(u32::MAX),
            })
        })
        .collect()
}

fn is_active()
-> diesel::dsl::Or<diesel::dsl::Eq<steps::phase, &'static str>, diesel::dsl::Eq<steps::phase, &'static str>> {
    steps::phase.eq(Phase::Pending.word()).or(steps::phase.eq(Phase::Running.word()))
}

/// Notes how far the recorder has come, if it is still where `before` says. False otherwise: then somebody else
/// records this step, or it was deleted, and the caller's transaction must not stand.
///
/// # Errors
/// When the database does not answer.
pub fn advance(
    connection: &mut SqliteConnection,
    id: StepId,
    before: &RecordedStep,
    after: &RecordedStep,
) -> Result<bool, DatabaseError> {
    let cursor = before.cursor.as_ref().map(|cursor| cursor.0.as_str());
    let moved = diesel::update(steps::table.find(id.0))
        .filter(steps::cursor.is(cursor))
        .filter(steps::line_count.eq(stored(before.line_count)))
        .set((
            steps::cursor.eq(after.cursor.as_ref().map(|cursor| cursor.0.as_str())),
            steps::recorder_state.eq(&after.recorder_state),
            steps::line_count.eq(stored(after.line_count)),
        ))
        .execute(connection)?;
    Ok(moved == 1)
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The frozen spec of a step, and its lock if that is known.
#[derive(Debug, Clone)]
pub struct StepInputs {
    pub id: StepId,
    /// Its name outside of the database.
    pub uid: StepUid,
    /// Its name within the run.
    pub name: String,
    /// Its copy of the spec.
    pub spec: TaskSpec,
    /// Its lock, if already made.
    pub lock: Option<Lock>,
}

/// What each step of a run executes, in order.
///
/// # Errors
/// When a row cannot be read.
pub fn inputs(connection: &mut SqliteConnection, run: RunId) -> Result<Vec<StepInputs>, DatabaseError> {
    type Row = (i64, i32, String, String, StepSpecColumns, Option<String>);
    let rows: Vec<Row> = steps::table
        .inner_join(runs::table)
        .filter(steps::run_id.eq(run.0))
        .order(steps::position)
        .select((steps::id, steps::position, runs::uid, steps::name, StepSpecColumns::as_select(), steps::lock))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, position, run_uid, name, spec, lock)| {
            Ok(StepInputs {
                id: StepId(id),
                uid: uid(&run_uid, position)?,
                name,
                spec: SpecColumns::from(spec).try_into()?,
                lock: lock.map(Lock),
            })
        })
        .collect()
}

/// Keeps the lock of a step that was made without, and what it was made for.
///
/// # Errors
/// When the database does not answer.
pub fn set_lock(connection: &mut SqliteConnection, id: StepId, lock: &Lock, target: &str) -> Result<(), DatabaseError> {
    diesel::update(steps::table.find(id.0))
        .set((steps::lock.eq(&lock.0), steps::target.eq(target)))
        .execute(connection)?;
    Ok(())
}

/// Moves the waiting steps of a run to Running.
///
/// # Errors
/// When the database does not answer.
pub(super) fn start_all(connection: &mut SqliteConnection, run: RunId, at: Timestamp) -> Result<(), DatabaseError> {
    diesel::update(steps::table.filter(steps::run_id.eq(run.0)))
        .filter(steps::phase.eq(Phase::Pending.word()))
        .set((steps::phase.eq(Phase::Running.word()), steps::started_at.eq(at.0)))
        .execute(connection)?;
    Ok(())
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// A final phase.
    pub phase: Phase,
    /// The program's exit code.
    pub exit_code: Option<i32>,
    /// Why it ended so, in a sentence; `None` when it simply succeeded.
    pub message: Option<String>,
    pub at: Timestamp,
}

/// Ends a step, and with the last one its run. False when it had ended before, and then nothing changes.
///
/// # Errors
/// When the database does not answer.
pub fn finish(connection: &mut SqliteConnection, keys: &StepKeys, outcome: &Outcome) -> Result<bool, DatabaseError> {
    let moved = diesel::update(steps::table.find(keys.id.0))
        .filter(is_active())
        .set(columns_of(outcome))
        .execute(connection)?;
    if moved == 1 {
        super::runs::derive(connection, keys.run, outcome.at)?;
    }
    Ok(moved == 1)
}

/// Ends all steps of a run that have not ended.
///
/// # Errors
/// When the database does not answer.
pub(super) fn finish_all(
    connection: &mut SqliteConnection,
    run: RunId,
    outcome: &Outcome,
) -> Result<(), DatabaseError> {
    diesel::update(steps::table.filter(steps::run_id.eq(run.0)))
        .filter(is_active())
        .set(columns_of(outcome))
        .execute(connection)?;
    Ok(())
}

#[derive(diesel::AsChangeset)]
#[diesel(table_name = steps, treat_none_as_null = true)]
struct OutcomeColumns {
    phase: &'static str,
    exit_code: Option<i32>,
    message: Option<String>,
    finished_at: Option<i64>,
    waiting_for: Option<String>,
}

fn columns_of(outcome: &Outcome) -> OutcomeColumns {
    OutcomeColumns {
        phase: outcome.phase.word(),
        exit_code: outcome.exit_code,
        message: outcome.message.clone(),
        finished_at: Some(outcome.at.0),
        waiting_for: None,
    }
}

/// Keeps what preparing a step cost.
///
/// # Errors
/// When the database does not answer.
pub fn set_cache_report(
    connection: &mut SqliteConnection,
    id: StepId,
    report: &CacheReport,
) -> Result<(), DatabaseError> {
    let text = serde_json::to_string(report).map_err(|error| values::damaged(&error))?;
    diesel::update(steps::table.find(id.0))
        .set((steps::cache_report.eq(text), steps::environment_use.eq(preparation::word(report.environment))))
        .execute(connection)?;
    Ok(())
}

/// Keeps what a step waits for outside of Stoker, or that it waits no longer.
///
/// # Errors
/// When the database does not answer.
pub fn set_waiting(connection: &mut SqliteConnection, id: StepId, reason: Option<&str>) -> Result<(), DatabaseError> {
    diesel::update(steps::table.find(id.0)).set(steps::waiting_for.eq(reason)).execute(connection)?;
    Ok(())
}

/// Keeps what all steps of a run wait for that have not ended. False when that is known already.
///
/// # Errors
/// When the database does not answer.
pub fn set_all_waiting(
    connection: &mut SqliteConnection,
    run: RunId,
    reason: Option<&str>,
) -> Result<bool, DatabaseError> {
    let changed = diesel::update(steps::table.filter(steps::run_id.eq(run.0)))
        .filter(is_active())
        .filter(steps::waiting_for.is_not(reason))
        .set(steps::waiting_for.eq(reason))
        .execute(connection)?;
    Ok(changed > 0)
}

/// Keeps where a step was placed.
///
/// # Errors
/// When the database does not answer.
pub fn set_place(connection: &mut SqliteConnection, id: StepId, place: &str) -> Result<(), DatabaseError> {
    diesel::update(steps::table.find(id.0)).set(steps::place.eq(place)).execute(connection)?;
    Ok(())
}

/// Keeps which attempt a step is at, from 1.
///
/// # Errors
/// When the database does not answer.
pub fn set_attempt(connection: &mut SqliteConnection, id: StepId, attempt: u32) -> Result<(), DatabaseError> {
    diesel::update(steps::table.find(id.0))
        .set(steps::attempt.eq(i32::try_from(attempt).unwrap_or(i32::MAX)))
        .execute(connection)?;
    Ok(())
}
