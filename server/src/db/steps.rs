//! Steps: what each executes, how far the recorder has come with it, and how it ended. The only module that ends one.

use std::num::NonZeroU32;

use app::model::{
    cache::CacheReport,
    flow::{FlowStep, Retries, StepKey, StepName},
    identifiers::{RunId, RunNumber, RunUid, StepId, StepUid},
    lock::Lock,
    phase::Phase,
    time::Timestamp,
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _, SqliteConnection, SqliteExpressionMethods as _,
};

use super::{
    DatabaseError, preparation,
    schema::{attempts, checkpoints, runs, steps},
    values::{self, InFlow, StepSpecColumns},
};
use crate::engine::Cursor;

/// A step to be made.
#[derive(Debug, Clone)]
pub struct NewStep {
    /// Its frozen copy of the definition.
    pub step: FlowStep,
    /// Its lock, when that is already known.
    pub lock: Option<Lock>,
    /// Where it stands from the beginning.
    pub begins_as: Beginning,
}

/// Where a step stands from the beginning of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// It waits for its turn.
    Waiting,
    /// It is not run again: it has the result that it had in this run of the same flow.
    Kept(RunNumber),
    /// It is not run: another step was asked for alone.
    LeftOut,
}

/// What is said of a step that is not run since another one was asked for alone.
const LEFT_OUT: &str = "Not run: another step was run alone.";

/// Makes a step of a run.
///
/// # Errors
/// When the database does not answer.
pub fn create(
    connection: &mut SqliteConnection,
    run: RunId,
    position: i32,
    new: &NewStep,
    at: Timestamp,
) -> Result<StepId, DatabaseError> {
    // Without packages there is nothing to find out: the lock is known, and it is empty.
    let spec = &new.step.spec;
    let lock = new.lock.as_ref().map_or_else(|| (!spec.needs_lock()).then_some(""), |lock| Some(lock.0.as_str()));
    let (phase, kept_from, message) = match new.begins_as {
        Beginning::Waiting => (Phase::Pending, None, None),
        Beginning::Kept(number) => (Phase::Succeeded, Some(number), None),
        Beginning::LeftOut => (Phase::Skipped, None, Some(LEFT_OUT)),
    };
    let id: i64 = diesel::insert_into(steps::table)
        .values((
            steps::run_id.eq(run.0),
            steps::position.eq(position),
            steps::phase.eq(phase.word()),
            steps::created_at.eq(at.0),
            steps::finished_at.eq(phase.is_final().then_some(at.0)),
            steps::message.eq(message),
            steps::lock.eq(lock),
            steps::key.eq(new.step.key.as_str()),
            steps::name.eq(new.step.name.as_str()),
            steps::in_flow.eq(values::json(&InFlow::of(&new.step, kept_from))),
            StepSpecColumns::from(spec),
        ))
        .returning(steps::id)
        .get_result(connection)?;
    Ok(StepId(id))
}

/// The keys of the steps of a run, in order.
///
/// # Errors
/// When the database does not answer.
pub fn of_run(connection: &mut SqliteConnection, run: RunId) -> Result<Vec<StepId>, DatabaseError> {
    let ids: Vec<i64> =
        steps::table.filter(steps::run_id.eq(run.0)).order(steps::position).select(steps::id).load(connection)?;
    Ok(ids.into_iter().map(StepId).collect())
}

/// Where the log of a step is, and how much there is of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepLog {
    /// The step's key in the database.
    pub id: StepId,
    /// Its name outside of it.
    pub uid: StepUid,
    /// Names it within its run.
    pub key: StepKey,
    /// Where it stands.
    pub phase: Phase,
    /// How many lines its log has so far.
    pub lines: u64,
    /// Why it ended as it did, or why it was not run.
    pub message: Option<String>,
}

/// The logs of the steps of a run, in order.
///
/// # Errors
/// When the database does not answer.
pub fn logs_of_run(connection: &mut SqliteConnection, run: RunId) -> Result<Vec<StepLog>, DatabaseError> {
    type Row = (i64, (i32, i32), String, String, String, i64, Option<String>);
    let rows: Vec<Row> = steps::table
        .inner_join(runs::table)
        .filter(steps::run_id.eq(run.0))
        .order(steps::position)
        .select((
            steps::id,
            (steps::position, steps::attempt),
            runs::uid,
            steps::key,
            steps::phase,
            steps::line_count,
            steps::message,
        ))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, (position, attempt), run_uid, key, phase, lines, message)| {
            Ok(StepLog {
                id: StepId(id),
                uid: uid(&run_uid, position, attempt)?,
                key: values::parsed(&key)?,
                phase: values::phase(&phase)?,
                lines: values::count(lines),
                message,
            })
        })
        .collect()
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
pub fn uid(run: &str, position: i32, attempt: i32) -> Result<StepUid, DatabaseError> {
    let run: RunUid = values::parsed(run)?;
    let position = u32::try_from(position).ok().and_then(NonZeroU32::new);
    let step = run.step(position.ok_or_else(|| values::damaged(&"position of a step"))?);
    Ok(step.attempt(u32::try_from(attempt).unwrap_or(1)))
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
    /// Where it stands.
    pub phase: Phase,
    /// Which attempt it is at, from 1.
    pub attempt: u32,
    /// Whether there is another attempt when this one fails.
    pub retries: Retries,
}

/// The steps of a run that have not ended, or this one of them.
///
/// # Errors
/// When the database does not answer.
pub fn active(
    connection: &mut SqliteConnection,
    run: RunId,
    only: Option<StepId>,
) -> Result<Vec<ActiveStep>, DatabaseError> {
    type Row = (i64, (i32, i32, String), String, Option<String>, String, i64, Option<String>, String);
    let mut statement = steps::table
        .inner_join(runs::table)
        .filter(steps::run_id.eq(run.0))
        .filter(is_active())
        .order(steps::position)
        .select((
            steps::id,
            (steps::position, steps::attempt, steps::phase),
            runs::uid,
            steps::cursor,
            steps::recorder_state,
            steps::line_count,
            steps::lock,
            steps::in_flow,
        ))
        .into_boxed();
    if let Some(only) = only {
        statement = statement.filter(steps::id.eq(only.0));
    }
    let rows: Vec<Row> = statement.load(connection)?;
    rows.into_iter()
        .map(|(id, (position, attempt, phase), run_uid, cursor, recorder_state, lines, lock, in_flow)| {
            let in_flow: InFlow = values::from_json(&in_flow)?;
            let requested = lock.map_or(0, |lock| Lock(lock).packages().len());
            Ok(ActiveStep {
                keys: StepKeys { id: StepId(id), run, uid: uid(&run_uid, position, attempt)? },
                recorded: RecordedStep { cursor: cursor.map(Cursor), recorder_state, line_count: values::count(lines) },
                requested: u32::try_from(requested).unwrap_or(u32::MAX),
                phase: values::phase(&phase)?,
                attempt: u32::try_from(attempt).unwrap_or(1),
                retries: in_flow.retries,
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

/// What a step executes, and its lock if that is known.
#[derive(Debug, Clone)]
pub struct StepInputs {
    pub id: StepId,
    /// Its name outside of the database.
    pub uid: StepUid,
    /// Which attempt it is at, from 1.
    pub attempt: u32,
    /// Its copy of the definition.
    pub step: FlowStep,
    /// Its lock, if already made.
    pub lock: Option<Lock>,
    /// Where it stands.
    pub phase: Phase,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The run whose result it has, when it was not run again.
    pub kept_from: Option<RunNumber>,
    /// Whether anything was recorded of this attempt.
    pub is_recorded: bool,
}

/// What each step of a run executes, or this one of them, in order.
///
/// # Errors
/// When a row cannot be read.
pub fn inputs(
    connection: &mut SqliteConnection,
    run: RunId,
    only: Option<StepId>,
) -> Result<Vec<StepInputs>, DatabaseError> {
    type Row = (
        i64,
        (i32, i32),
        String,
        (String, String, String),
        StepSpecColumns,
        Option<String>,
        (String, Option<i64>, bool),
    );
    let mut statement = steps::table
        .inner_join(runs::table)
        .filter(steps::run_id.eq(run.0))
        .order(steps::position)
        .select((
            steps::id,
            (steps::position, steps::attempt),
            runs::uid,
            (steps::key, steps::name, steps::in_flow),
            StepSpecColumns::as_select(),
            steps::lock,
            (steps::phase, steps::finished_at, steps::cursor.is_not_null()),
        ))
        .into_boxed();
    if let Some(only) = only {
        statement = statement.filter(steps::id.eq(only.0));
    }
    let rows: Vec<Row> = statement.load(connection)?;
    rows.into_iter()
        .map(
            |(
                id,
                (position, attempt),
                run_uid,
                (key, name, in_flow),
                spec,
                lock,
                (phase, finished_at, is_recorded),
            )| {
                let in_flow: InFlow = values::from_json(&in_flow)?;
                let kept_from = in_flow.kept_from;
                Ok(StepInputs {
                    id: StepId(id),
                    uid: uid(&run_uid, position, attempt)?,
                    attempt: u32::try_from(attempt).unwrap_or(1),
                    step: in_flow.step(&key, &name, spec.try_into()?)?,
                    lock: lock.map(Lock),
                    phase: values::phase(&phase)?,
                    finished_at: values::timestamp(finished_at),
                    kept_from,
                    is_recorded,
                })
            },
        )
        .collect()
}

/// A step among those of its run: what it waits for, and whose result it has.
#[derive(Debug, Clone)]
pub struct StepInGraph {
    pub key: StepKey,
    pub name: StepName,
    /// The steps that it waits for.
    pub runs_after: Vec<StepKey>,
    /// The run whose result it has.
    pub kept_from: Option<RunNumber>,
}

/// How the steps of a run wait for each other, in order.
///
/// # Errors
/// When a row cannot be read.
pub fn graph(connection: &mut SqliteConnection, run: RunId) -> Result<Vec<StepInGraph>, DatabaseError> {
    type Row = (String, String, String);
    let rows: Vec<Row> = steps::table
        .filter(steps::run_id.eq(run.0))
        .order(steps::position)
        .select((steps::key, steps::name, steps::in_flow))
        .load(connection)?;
    rows.into_iter()
        .map(|(key, name, in_flow)| {
            let in_flow: InFlow = values::from_json(&in_flow)?;
            Ok(StepInGraph {
                key: values::parsed(&key)?,
                name: values::step_name(&name)?,
                runs_after: in_flow.runs_after,
                kept_from: in_flow.kept_from,
            })
        })
        .collect()
}

/// Keeps the lock of a step that was made without, and what it was made for. It waits for that no longer.
///
/// # Errors
/// When the database does not answer.
pub fn set_lock(connection: &mut SqliteConnection, id: StepId, lock: &Lock, target: &str) -> Result<(), DatabaseError> {
    diesel::update(steps::table.find(id.0))
        .set((steps::lock.eq(&lock.0), steps::target.eq(target), steps::waiting_for.eq(None::<String>)))
        .execute(connection)?;
    Ok(())
}

/// Keeps what a step is given to run with.
///
/// # Errors
/// When the database does not answer.
pub fn set_target(connection: &mut SqliteConnection, id: StepId, target: &str) -> Result<(), DatabaseError> {
    diesel::update(steps::table.find(id.0)).set(steps::target.eq(target)).execute(connection)?;
    Ok(())
}

/// Moves those of these steps that wait to Running. Tells how many did.
///
/// # Errors
/// When the database does not answer.
pub(super) fn start(
    connection: &mut SqliteConnection,
    steps: &[StepId],
    at: Timestamp,
) -> Result<usize, DatabaseError> {
    let mut moved = 0;
    for step in steps {
        moved += diesel::update(steps::table.find(step.0))
            .filter(steps::phase.eq(Phase::Pending.word()))
            .set((
                steps::phase.eq(Phase::Running.word()),
                steps::started_at.eq(at.0),
                steps::not_before.eq(None::<i64>),
            ))
            .execute(connection)?;
    }
    Ok(moved)
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

/// Ends a step of a run, or all its steps, as far as they have not ended.
///
/// # Errors
/// When the database does not answer.
pub(super) fn finish_active(
    connection: &mut SqliteConnection,
    run: RunId,
    only: Option<StepId>,
    outcome: &Outcome,
) -> Result<(), DatabaseError> {
    let active = steps::table.filter(steps::run_id.eq(run.0)).filter(is_active());
    match only {
        Some(step) => {
            diesel::update(active.filter(steps::id.eq(step.0))).set(columns_of(outcome)).execute(connection)?;
        }
        None => {
            diesel::update(active).set(columns_of(outcome)).execute(connection)?;
        }
    }
    Ok(())
}

/// Ends the steps of a run that wait, and nothing else of it.
///
/// # Errors
/// When the database does not answer.
pub fn finish_waiting(
    connection: &mut SqliteConnection,
    run: RunId,
    waiting: &[(StepId, Outcome)],
) -> Result<(), DatabaseError> {
    let Some((_, last)) = waiting.last() else { return Ok(()) };
    for (step, outcome) in waiting {
        diesel::update(steps::table.find(step.0))
            .filter(steps::phase.eq(Phase::Pending.word()))
            .set(columns_of(outcome))
            .execute(connection)?;
    }
    super::runs::derive(connection, run, last.at)
}

/// Ends an attempt of a step, which then waits for the next one. `cursor` is where the engine's tale of the next one
/// begins; `None` when that is another tale. False when there is to be no next one, since its run is to be cancelled or
/// the step has ended; then nothing changes.
///
/// # Errors
/// When the database does not answer.
pub fn try_again(
    connection: &mut SqliteConnection,
    keys: &StepKeys,
    outcome: &Outcome,
    not_before: Timestamp,
    cursor: Option<&Cursor>,
) -> Result<bool, DatabaseError> {
    type Row = (i32, i64, Option<i64>);
    let row: Option<Row> = steps::table
        .inner_join(runs::table)
        .filter(steps::id.eq(keys.id.0))
        .filter(is_active())
        .filter(runs::cancel_requested_at.is_null())
        .select((steps::attempt, steps::line_count, steps::started_at))
        .get_result(connection)
        .optional()?;
    let Some((attempt, line_count, started_at)) = row else { return Ok(false) };
    diesel::insert_into(attempts::table)
        .values((
            attempts::step_id.eq(keys.id.0),
            attempts::number.eq(attempt),
            attempts::phase.eq(outcome.phase.word()),
            attempts::last_line.eq(line_count),
            attempts::started_at.eq(started_at),
            attempts::finished_at.eq(outcome.at.0),
            attempts::message.eq(&outcome.message),
            attempts::exit_code.eq(outcome.exit_code),
        ))
        .execute(connection)?;
    diesel::delete(checkpoints::table.filter(checkpoints::step_id.eq(keys.id.0))).execute(connection)?;
    diesel::update(steps::table.find(keys.id.0))
        .set((
            steps::phase.eq(Phase::Pending.word()),
            steps::attempt.eq(attempt + 1),
            steps::not_before.eq(not_before.0),
            steps::started_at.eq(None::<i64>),
            steps::cursor.eq(cursor.map(|cursor| cursor.0.as_str())),
            steps::recorder_state.eq(""),
            steps::cache_report.eq(None::<String>),
            steps::waiting_for.eq(None::<String>),
            steps::place.eq(None::<String>),
        ))
        .execute(connection)?;
    super::runs::touch(connection, keys.run)?;
    Ok(true)
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

/// Keeps what a step of a run waits for, or all its steps, as far as they have not ended. False when that is known already.
///
/// # Errors
/// When the database does not answer.
pub fn set_all_waiting(
    connection: &mut SqliteConnection,
    run: RunId,
    only: Option<StepId>,
    reason: Option<&str>,
) -> Result<bool, DatabaseError> {
    let mut changed = 0;
    for step in only.map_or_else(|| of_run(connection, run), |step| Ok(vec![step]))? {
        changed += diesel::update(steps::table.find(step.0))
            .filter(is_active())
            .filter(steps::waiting_for.is_not(reason))
            .set(steps::waiting_for.eq(reason))
            .execute(connection)?;
    }
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
