//! Tasks, written: made, saved, deleted. What pages read of them is in `views`.

use app::model::{
    identifiers::{RunId, StepId, TaskId},
    spec::{TaskName, TaskSpec, ValidTask},
    time::Timestamp,
};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
    SqliteConnection,
};

use super::{
    DatabaseError,
    schema::{log_chunks, runs, steps, tasks},
    values::{self, SpecColumns},
};

/// How many rows of logs go in one transaction: some 16 MiB.
const LOG_SLICE: i64 = 256;

/// Adds a task. False when there is one with this id, and then nothing changes.
///
/// # Errors
/// When the database does not answer.
pub fn insert(
    connection: &mut SqliteConnection,
    id: &TaskId,
    task: &ValidTask,
    at: Timestamp,
) -> Result<bool, DatabaseError> {
    let added = diesel::insert_or_ignore_into(tasks::table)
        .values((
            tasks::id.eq(id.as_str()),
            tasks::name.eq(task.name.as_ref().map(TaskName::as_str)),
            SpecColumns::from(&task.spec),
            tasks::created_at.eq(at.0),
            tasks::updated_at.eq(at.0),
            tasks::activity_at.eq(at.0),
        ))
        .execute(connection)?;
    Ok(added == 1)
}

/// What became of a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Saved.
    Done,
    /// Somebody saved in between; nothing was changed. Their revision.
    Outdated(i64),
}

/// Overwrites a task, if it still has the expected revision (`None`: whatever it has).
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn update(
    connection: &mut SqliteConnection,
    id: &TaskId,
    expected_revision: Option<i64>,
    task: &ValidTask,
    at: Timestamp,
) -> Result<Update, DatabaseError> {
    let present = i64::from(tasks::table.find(id.as_str()).select(tasks::revision).get_result::<i32>(connection)?);
    if expected_revision.is_some_and(|expected| expected != present) {
        return Ok(Update::Outdated(present));
    }
    diesel::update(tasks::table.find(id.as_str()))
        .set((
            tasks::name.eq(task.name.as_ref().map(TaskName::as_str)),
            SpecColumns::from(&task.spec),
            tasks::revision.eq(tasks::revision + 1),
            tasks::updated_at.eq(at.0),
            tasks::activity_at.eq(at.0),
        ))
        .execute(connection)?;
    Ok(Update::Done)
}

/// A task's spec as saved.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn spec(connection: &mut SqliteConnection, id: &TaskId) -> Result<TaskSpec, DatabaseError> {
    tasks::table.find(id.as_str()).select(SpecColumns::as_select()).get_result(connection)?.try_into()
}

/// A task's name; `None` when there is no such task.
///
/// # Errors
/// When the database does not answer.
pub fn name(connection: &mut SqliteConnection, id: &TaskId) -> Result<Option<Option<String>>, DatabaseError> {
    Ok(tasks::table.find(id.as_str()).select(tasks::name).get_result(connection).optional()?)
}

/// Asks for all active runs of a task to be stopped, so that none starts any more.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn request_cancel_all(
    connection: &mut SqliteConnection,
    id: &TaskId,
    at: Timestamp,
) -> Result<Vec<(RunId, StepId)>, DatabaseError> {
    tasks::table.find(id.as_str()).select(tasks::id).get_result::<String>(connection)?;
    let active: Vec<(i64, i64, String)> = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(super::runs::is_active())
        .order(runs::id)
        .select((runs::id, steps::id, runs::phase))
        .load(connection)?;
    active
        .into_iter()
        .map(|(run, step, phase)| {
            super::runs::cancel_active(connection, RunId(run), values::phase(&phase)?, at)?;
            Ok((RunId(run), StepId(step)))
        })
        .collect()
}

/// Deletes a slice of the logs of a task whose active runs are all among the stopped ones. False when no more than
/// a slice was left, or another run was started meanwhile. A task's logs go slice by slice before the task: all at once they would keep
/// every other writer waiting.
///
/// # Errors
/// When the database does not answer.
pub fn delete_log_slice(
    connection: &mut SqliteConnection,
    id: &TaskId,
    stopped: &[(RunId, StepId)],
) -> Result<bool, DatabaseError> {
    if has_other_active(connection, id, stopped)? {
        return Ok(false);
    }
    let steps = steps::table.inner_join(runs::table).filter(runs::task_id.eq(id.as_str())).select(steps::id);
    let slice: Vec<(i64, i64)> = log_chunks::table
        .filter(log_chunks::step_id.eq_any(steps))
        .select((log_chunks::step_id, log_chunks::first_line))
        .limit(LOG_SLICE)
        .load(connection)?;
    for (step, first_line) in &slice {
        diesel::delete(log_chunks::table.find((step, first_line))).execute(connection)?;
    }
    Ok(i64::try_from(slice.len()) == Ok(LOG_SLICE))
}

fn has_other_active(
    connection: &mut SqliteConnection,
    id: &TaskId,
    stopped: &[(RunId, StepId)],
) -> Result<bool, DatabaseError> {
    let active: Vec<i64> = runs::table
        .filter(runs::task_id.eq(id.as_str()))
        .filter(super::runs::is_active())
        .select(runs::id)
        .load(connection)?;
    Ok(active.iter().any(|active| !stopped.iter().any(|(run, _)| run.0 == *active)))
}

/// What went with a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// Number of runs.
    pub runs: u64,
    /// Number of runs that had a log.
    pub logs: u64,
}

/// Deletes a task with its runs and logs, if all its active runs are among the stopped ones; `None` when another run
/// was started meanwhile, and then nothing changes.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn delete(
    connection: &mut SqliteConnection,
    id: &TaskId,
    stopped: &[(RunId, StepId)],
) -> Result<Option<Deletion>, DatabaseError> {
    if has_other_active(connection, id, stopped)? {
        return Ok(None);
    }
    let runs: i64 = runs::table.filter(runs::task_id.eq(id.as_str())).count().get_result(connection)?;
    let logs: i64 = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(steps::line_count.gt(0))
        .count()
        .get_result(connection)?;
    match diesel::delete(tasks::table.find(id.as_str())).execute(connection)? {
        0 => Err(DatabaseError::NotFound),
        _ => Ok(Some(Deletion { runs: values::count(runs), logs: values::count(logs) })),
    }
}
