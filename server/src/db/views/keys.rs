//! The keys of runs and steps by their addresses, and what of a run changes while somebody looks at it.

use app::model::{
    flow::StepKey,
    identifiers::{RunId, RunNumber, RunUid, StepId, TaskId},
    log::RunState,
    step_address::StepAddress,
    views::RunKeys,
};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection};

use super::{
    run::{queue_place, shown_step},
    stored_number,
};
use crate::db::{
    DatabaseError,
    schema::{runs, steps, tasks},
    values,
};

/// The keys of a run and of a step of it.
///
/// # Errors
/// `NotFound` when there is no such task, run or step.
pub fn step_keys(connection: &mut SqliteConnection, address: &StepAddress) -> Result<RunKeys, DatabaseError> {
    let run = runs::table
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::task_id.eq(address.task.as_str()))
        .filter(runs::number.eq(stored_number(address.number)))
        .select(runs::id)
        .get_result(connection)?;
    let step = shown_step(connection, RunId(run), address.step.as_ref())?;
    Ok(RunKeys { run: RunId(run), step, number: address.number })
}

/// The engine of a step's run, and by which names its outputs are kept.
///
/// # Errors
/// `NotFound` when there is no such task, run or step.
pub fn output_place(
    connection: &mut SqliteConnection,
    address: &StepAddress,
) -> Result<(String, RunUid, StepKey), DatabaseError> {
    let step = step_keys(connection, address)?.step;
    let (engine, uid, key): (String, String, String) = steps::table
        .inner_join(runs::table)
        .filter(steps::id.eq(step.0))
        .select((runs::engine, runs::uid, steps::key))
        .get_result(connection)?;
    Ok((engine, values::parsed(&uid)?, values::parsed(&key)?))
}

/// The keys of a task's latest run.
///
/// # Errors
/// `NotFound` when there is no such task, or it has no run.
pub fn latest_run_keys(connection: &mut SqliteConnection, id: &TaskId) -> Result<RunKeys, DatabaseError> {
    let (run, number): (i64, i32) = runs::table
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::task_id.eq(id.as_str()))
        .order(runs::number.desc())
        .select((runs::id, runs::number))
        .get_result(connection)?;
    let step = shown_step(connection, RunId(run), None)?;
    Ok(RunKeys { run: RunId(run), step, number: values::run_number(number)? })
}

/// The part of a run that changes while somebody looks at it.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn run_state(connection: &mut SqliteConnection, step: StepId) -> Result<RunState, DatabaseError> {
    let (run, phase, version, lines, started_at): (i64, String, i64, i64, Option<i64>) = steps::table
        .inner_join(runs::table.inner_join(tasks::table))
        .filter(steps::id.eq(step.0))
        .filter(tasks::deleted_at.is_null())
        .select((runs::id, runs::phase, runs::version, steps::line_count, runs::started_at))
        .get_result(connection)?;
    let phase = values::phase(&phase)?;
    let queue_place = queue_place(connection, RunId(run), phase)?;
    let (version, lines) = (values::count(version), values::count(lines));
    Ok(RunState { phase, version, queue_place, lines, started_at: values::timestamp(started_at) })
}

/// The task and number of a run by its name outside of the database.
///
/// # Errors
/// `NotFound` when there is no such run.
pub fn run_by_uid(connection: &mut SqliteConnection, uid: &RunUid) -> Result<(TaskId, RunNumber), DatabaseError> {
    let (task, number): (String, i32) = runs::table
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::uid.eq(uid.as_str()))
        .select((runs::task_id, runs::number))
        .get_result(connection)?;
    Ok((values::task_id(&task)?, values::run_number(number)?))
}
