//! Which runs are kept no longer, and removing them piece by piece. When that is done is decided elsewhere.

use app::model::{identifiers::RunId, retention::Retention, time::Timestamp};
use diesel::{
    ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection, connection::DefaultLoadingMode, dsl,
    sql_types::BigInt,
};

use super::{
    DatabaseError,
    schema::{log_chunks, runs, steps, tasks},
    values,
};

const DAY_MILLIS: i64 = 86_400_000;
/// How many rows of logs are removed in one transaction: some 16 MiB. More would keep other writers waiting.
const LOG_ROWS: usize = 256;

/// Runs that these settings do not keep, at most so many. None of them is active, or the latest of its task.
///
/// # Errors
/// When the database does not answer.
pub fn outdated(
    connection: &mut SqliteConnection,
    retention: &Retention,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<RunId>, DatabaseError> {
    let mut found = Vec::new();
    if let Some(most) = retention.runs {
        found = beyond_count(connection, most, limit)?;
    }
    if let Some(days) = retention.days.filter(|_| found.is_empty()) {
        found = ended_before(connection, Timestamp(now.0 - i64::from(days) * DAY_MILLIS), limit)?;
    }
    if let Some(most) = retention.log_bytes.filter(|_| found.is_empty()) {
        found = beyond_bytes(connection, most, limit)?;
    }
    Ok(found)
}

/// Runs that are not among the last so many of their tasks. What was removed before counts: a task's numbers go on.
fn beyond_count(connection: &mut SqliteConnection, most: u32, limit: usize) -> Result<Vec<RunId>, DatabaseError> {
    let most = i32::try_from(most.max(1)).unwrap_or(i32::MAX);
    let found = tasks::table
        .inner_join(runs::table)
        .filter(tasks::last_run_number.gt(most))
        .filter(runs::number.le(tasks::last_run_number - most))
        .filter(runs::finished_at.is_not_null())
        .select(runs::id)
        .load_iter::<i64, DefaultLoadingMode>(connection)?;
    found.take(limit).map(|id| Ok(RunId(id?))).collect()
}

/// Runs that ended before this time.
fn ended_before(connection: &mut SqliteConnection, time: Timestamp, limit: usize) -> Result<Vec<RunId>, DatabaseError> {
    let found = runs::table
        .inner_join(tasks::table)
        .filter(runs::finished_at.lt(time.0))
        .filter(runs::number.lt(tasks::last_run_number))
        .order(runs::finished_at)
        .select(runs::id)
        .load_iter::<i64, DefaultLoadingMode>(connection)?;
    found.take(limit).map(|id| Ok(RunId(id?))).collect()
}

/// The runs that ended first, without whose logs all logs together have no more than so many bytes.
fn beyond_bytes(connection: &mut SqliteConnection, most: u64, limit: usize) -> Result<Vec<RunId>, DatabaseError> {
    let mut excess = log_bytes(connection)?.saturating_sub(most);
    if excess == 0 {
        return Ok(Vec::new());
    }
    let ended = runs::table
        .inner_join(tasks::table)
        .filter(runs::finished_at.is_not_null())
        .filter(runs::log_bytes.gt(0))
        .filter(runs::number.lt(tasks::last_run_number))
        .order(runs::finished_at)
        .select((runs::id, runs::log_bytes))
        .load_iter::<(i64, i64), DefaultLoadingMode>(connection)?;
    let mut found = Vec::new();
    for run in ended.take(limit) {
        let (id, bytes) = run?;
        found.push(RunId(id));
        excess = excess.saturating_sub(values::count(bytes));
        if excess == 0 {
            break;
        }
    }
    Ok(found)
}

/// How many bytes the logs of all runs have that have ended.
///
/// # Errors
/// When the database does not answer.
pub fn log_bytes(connection: &mut SqliteConnection) -> Result<u64, DatabaseError> {
    let sum = dsl::sql::<BigInt>("coalesce(sum(runs.log_bytes), 0)");
    let bytes: i64 = runs::table.filter(runs::finished_at.is_not_null()).select(sum).get_result(connection)?;
    Ok(values::count(bytes))
}

/// How many runs there are.
///
/// # Errors
/// When the database does not answer.
pub fn run_count(connection: &mut SqliteConnection) -> Result<u64, DatabaseError> {
    Ok(values::count(runs::table.count().get_result(connection)?))
}

/// Removes runs in order, with their steps and logs, as far as goes in one transaction. Tells how many of them are gone;
/// of the next one a part of the log may be gone. The room is used again by what is written later.
///
/// # Errors
/// When the database does not answer.
pub fn remove(connection: &mut SqliteConnection, runs: &[RunId]) -> Result<usize, DatabaseError> {
    let mut rows = LOG_ROWS;
    for (gone, run) in runs.iter().enumerate() {
        let steps = steps::table.filter(steps::run_id.eq(run.0)).select(steps::id);
        let slice = log_chunks::table
            .filter(log_chunks::step_id.eq_any(steps))
            .select((log_chunks::step_id, log_chunks::first_line))
            // Not with a limit, whose value would have the statement prepared anew.
            .load_iter::<(i64, i64), DefaultLoadingMode>(connection)?
            .take(rows)
            .collect::<Result<Vec<_>, _>>()?;
        if slice.len() == rows {
            for (step, first_line) in &slice {
                diesel::delete(log_chunks::table.find((step, first_line))).execute(connection)?;
            }
            return Ok(gone);
        }
        rows -= slice.len();
        diesel::delete(runs::table.find(run.0)).execute(connection)?;
    }
    Ok(runs.len())
}
