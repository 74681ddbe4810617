//! A run with all that its page shows, but the log.

use std::collections::HashMap;

use app::model::{
    checkpoint::Checkpoint,
    flow::StepKey,
    identifiers::{RunId, RunNumber, StepId, TaskId},
    lock::Lock,
    log::RunState,
    phase::Phase,
    step_address::StepAddress,
    time::Timestamp,
    views::{Attempt, PreviousRun, RunDetail, RunSummary, StepDetail, StepSummary},
};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _, Selectable,
    SelectableHelper as _, SqliteConnection, dsl,
};

use super::{SummaryColumns, stored_number, task_list::task_title};
use crate::db::{
    DatabaseError, checkpoints, manifests,
    runs::is_active,
    schema::{attempts, checkpoints as checkpoints_table, runs, steps, tasks},
    values::{self, InFlow, StepSpecColumns},
};

/// The columns of a run that only its own page needs.
#[derive(Queryable, Selectable)]
#[diesel(table_name = runs, check_for_backend(diesel::sqlite::Sqlite))]
struct DetailColumns {
    id: i64,
    uid: String,
    engine: String,
    version: i64,
    cancel_requested_at: Option<i64>,
    origin: Option<String>,
}

/// The columns of a step that a page shows, but its spec.
#[derive(Queryable, Selectable)]
#[diesel(table_name = steps, check_for_backend(diesel::sqlite::Sqlite))]
struct StepColumns {
    id: i64,
    key: String,
    name: String,
    phase: String,
    message: Option<String>,
    line_count: i64,
    attempt: i32,
    exit_code: Option<i32>,
    waiting_for: Option<String>,
    place: Option<String>,
    cache_report: Option<String>,
    lock: Option<String>,
    target: Option<String>,
}

/// A run with all that its page shows, but the log.
///
/// # Errors
/// `NotFound` when there is no such task, run or step.
pub fn run(connection: &mut SqliteConnection, address: &StepAddress) -> Result<RunDetail, DatabaseError> {
    let (id, number) = (&address.task, address.number);
    let (summary, detail, name, latest): (SummaryColumns, DetailColumns, Option<String>, i32) = runs::table
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.eq(stored_number(number)))
        .select((SummaryColumns::as_select(), DetailColumns::as_select(), tasks::name, tasks::last_run_number))
        .get_result(connection)?;
    let step = shown_step(connection, RunId(detail.id), address.step.as_ref())?;
    let (spec, step): (StepSpecColumns, StepColumns) = steps::table
        .find(step.0)
        .select((StepSpecColumns::as_select(), StepColumns::as_select()))
        .get_result(connection)?;
    let summary = RunSummary::try_from(summary)?;
    let queue_place = queue_place(connection, RunId(detail.id), summary.phase)?;
    Ok(RunDetail {
        task_id: id.clone(),
        task_title: task_title(connection, id, name.as_deref())?,
        uid: values::parsed(&detail.uid)?,
        engine: detail.engine,
        queue_place,
        cancel_requested_at: values::timestamp(detail.cancel_requested_at),
        origin: detail.origin.as_deref().map(values::from_json).transpose()?,
        previous: previous_run(connection, id, number, &step.key)?,
        next: next_run(connection, id, number)?,
        latest: values::run_number(latest)?,
        state: RunState {
            phase: summary.phase,
            version: values::count(detail.version),
            queue_place,
            lines: values::count(step.line_count),
            started_at: summary.started_at,
        },
        manifest: manifests::shown(connection, RunId(detail.id))?,
        steps: step_summaries(connection, RunId(detail.id))?,
        step: step_detail(connection, spec, step)?,
        summary,
    })
}

/// The step of a run that is called so; without a name the one to look at first: the first that failed, else the first
/// that runs, else the first that ran, else the first.
pub(super) fn shown_step(
    connection: &mut SqliteConnection,
    run: RunId,
    key: Option<&StepKey>,
) -> Result<StepId, DatabaseError> {
    if let Some(key) = key {
        let id: i64 = steps::table
            .filter(steps::run_id.eq(run.0))
            .filter(steps::key.eq(key.as_str()))
            .select(steps::id)
            .get_result(connection)?;
        return Ok(StepId(id));
    }
    let all: Vec<(i64, String, Option<i64>)> = steps::table
        .filter(steps::run_id.eq(run.0))
        .order(steps::position)
        .select((steps::id, steps::phase, steps::started_at))
        .load(connection)?;
    let first = |phases: &[Phase]| all.iter().find(|(_, own, _)| phases.iter().any(|phase| phase.word() == own));
    // Kept steps and those left out have nothing of their own to show.
    let began = all.iter().find(|(_, _, started_at)| started_at.is_some());
    let shown = first(&[Phase::Failed, Phase::Error]).or_else(|| first(&[Phase::Running])).or(began).or(all.first());
    shown.map(|(id, ..)| StepId(*id)).ok_or(DatabaseError::NotFound)
}

fn step_detail(
    connection: &mut SqliteConnection,
    spec: StepSpecColumns,
    step: StepColumns,
) -> Result<StepDetail, DatabaseError> {
    let report = step.cache_report.map(|text| serde_json::from_str(&text)).transpose();
    Ok(StepDetail {
        id: StepId(step.id),
        key: values::parsed(&step.key)?,
        name: values::step_name(&step.name)?,
        phase: values::phase(&step.phase)?,
        spec: spec.try_into()?,
        lock: step.lock.map(Lock),
        python: step.target.as_deref().and_then(python_of).map(str::to_owned),
        cache: report.map_err(|error| values::damaged(&error))?,
        checkpoints: checkpoints::of_step(connection, StepId(step.id))?,
        exit_code: step.exit_code,
        message: step.message,
        attempts: attempts_of(connection, StepId(step.id))?,
        attempt: u32::try_from(step.attempt).unwrap_or(1),
        waiting_for: step.waiting_for,
        place: step.place,
    })
}

/// The full version of Python of a target as it is kept, such as `Python 3.12.4 (cpython-312 …)`.
fn python_of(target: &str) -> Option<&str> {
    target.strip_prefix("Python ")?.split(' ').next()
}

/// The attempts of a step before the present one.
fn attempts_of(connection: &mut SqliteConnection, step: StepId) -> Result<Vec<Attempt>, DatabaseError> {
    type Row = (i32, String, i64, Option<i64>, i64, Option<String>, Option<i32>);
    let rows: Vec<Row> = attempts::table
        .filter(attempts::step_id.eq(step.0))
        .order(attempts::number)
        .select((
            attempts::number,
            attempts::phase,
            attempts::last_line,
            attempts::started_at,
            attempts::finished_at,
            attempts::message,
            attempts::exit_code,
        ))
        .load(connection)?;
    let mut first_line = 1;
    rows.into_iter()
        .map(|(number, phase, last_line, started_at, finished_at, message, exit_code)| {
            Ok(Attempt {
                number: u32::try_from(number).unwrap_or(1),
                phase: values::phase(&phase)?,
                first_line: std::mem::replace(&mut first_line, values::count(last_line) + 1),
                started_at: values::timestamp(started_at),
                finished_at: Timestamp(finished_at),
                message,
                exit_code,
            })
        })
        .collect()
}

/// The columns of a step that a list of them shows.
#[derive(Queryable, Selectable)]
#[diesel(table_name = steps, check_for_backend(diesel::sqlite::Sqlite))]
struct StepSummaryColumns {
    id: i64,
    key: String,
    name: String,
    phase: String,
    in_flow: String,
    attempt: i32,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    message: Option<String>,
    waiting_for: Option<String>,
}

/// The steps of a run, in order.
fn step_summaries(connection: &mut SqliteConnection, run: RunId) -> Result<Vec<StepSummary>, DatabaseError> {
    let rows: Vec<StepSummaryColumns> = steps::table
        .filter(steps::run_id.eq(run.0))
        .order(steps::position)
        .select(StepSummaryColumns::as_select())
        .load(connection)?;
    let prepared: Vec<(i64, Option<i64>)> = checkpoints_table::table
        .inner_join(steps::table)
        .filter(steps::run_id.eq(run.0))
        // Preparing is over with the last of them.
        .filter(checkpoints_table::number.eq(i32::from(Checkpoint::COUNT)))
        .filter(checkpoints_table::status.ne(checkpoints::UNDER_WAY))
        .group_by(checkpoints_table::step_id)
        .select((checkpoints_table::step_id, dsl::max(checkpoints_table::at)))
        .load(connection)?;
    let prepared: HashMap<i64, Option<i64>> = prepared.into_iter().collect();
    let indices: HashMap<StepKey, usize> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| Ok((values::parsed(&row.key)?, index)))
        .collect::<Result<_, DatabaseError>>()?;
    rows.into_iter()
        .map(|row| {
            let in_flow: InFlow = values::from_json(&row.in_flow)?;
            Ok(StepSummary {
                key: values::parsed(&row.key)?,
                name: values::step_name(&row.name)?,
                phase: values::phase(&row.phase)?,
                runs_after: in_flow.runs_after.iter().filter_map(|key| indices.get(key).copied()).collect(),
                runs_when: in_flow.runs_when,
                placement: in_flow.placement,
                attempt: u32::try_from(row.attempt).unwrap_or(1),
                started_at: values::timestamp(row.started_at),
                prepared_at: prepared.get(&row.id).copied().flatten().map(Timestamp),
                finished_at: values::timestamp(row.finished_at),
                message: row.message.or(row.waiting_for),
                kept_from: in_flow.kept_from,
            })
        })
        .collect()
}

/// How many runs wait up to and with this one, while it waits.
pub(super) fn queue_place(
    connection: &mut SqliteConnection,
    id: RunId,
    phase: Phase,
) -> Result<Option<u32>, DatabaseError> {
    if phase != Phase::Pending {
        return Ok(None);
    }
    let place: i64 = runs::table
        .filter(is_active())
        .filter(runs::phase.eq(Phase::Pending.word()))
        .filter(runs::id.le(id.0))
        .count()
        .get_result(connection)?;
    Ok(u32::try_from(place).ok())
}

fn previous_run(
    connection: &mut SqliteConnection,
    id: &TaskId,
    number: RunNumber,
    step: &str,
) -> Result<Option<PreviousRun>, DatabaseError> {
    let row: Option<(i32, StepSpecColumns, Option<String>)> = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.lt(stored_number(number)))
        .filter(steps::key.eq(step))
        .order(runs::number.desc())
        .select((runs::number, StepSpecColumns::as_select(), steps::lock))
        .get_result(connection)
        .optional()?;
    row.map(|(number, spec, lock)| {
        Ok(PreviousRun { number: values::run_number(number)?, spec: spec.try_into()?, lock: lock.map(Lock) })
    })
    .transpose()
}

fn next_run(
    connection: &mut SqliteConnection,
    id: &TaskId,
    number: RunNumber,
) -> Result<Option<RunNumber>, DatabaseError> {
    let next: Option<i32> = runs::table
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.gt(stored_number(number)))
        .select(dsl::min(runs::number))
        .get_result(connection)?;
    next.map(values::run_number).transpose()
}
