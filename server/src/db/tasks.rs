//! Tasks, written: made, saved, deleted. What pages read of them is in `views`.

use app::model::{
    identifiers::{RunId, StepId, TaskId},
    spec::{TaskName, TaskSpec, ValidTask},
    time::Timestamp,
};
use diesel::{
    AggregateExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _, SqliteConnection, connection::DefaultLoadingMode, dsl,
};

use super::{
    DatabaseError, retention,
    schema::{runs, steps, tasks},
    values::{self, SpecColumns},
    views,
};

/// How many runs of a deleted task go in one transaction at most.
const RUNS_AT_ONCE: usize = 50;

/// A task that was not deleted.
type Present<'a> = dsl::Filter<dsl::Find<tasks::table, &'a str>, dsl::IsNull<tasks::deleted_at>>;

/// A task by its id, for everybody who asks for it.
pub(super) fn present(id: &TaskId) -> Present<'_> {
    tasks::table.find(id.as_str()).filter(tasks::deleted_at.is_null())
}

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
    if let Some(present) = newer_revision(connection, id, expected_revision)? {
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

/// Gives a task or a flow this name, whatever revision it has. Whoever is editing it is told when saving, so that the new
/// name is not lost to the one that their form has.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn rename(
    connection: &mut SqliteConnection,
    id: &TaskId,
    name: Option<&TaskName>,
    at: Timestamp,
) -> Result<(), DatabaseError> {
    let renamed = diesel::update(tasks::table.find(id.as_str()))
        .filter(tasks::deleted_at.is_null())
        .set((
            tasks::name.eq(name.map(TaskName::as_str)),
            tasks::revision.eq(tasks::revision + 1),
            tasks::updated_at.eq(at.0),
            tasks::activity_at.eq(at.0),
        ))
        .execute(connection)?;
    if renamed == 0 { Err(DatabaseError::NotFound) } else { Ok(()) }
}

/// The revision of a task, if another one is expected than it has.
///
/// # Errors
/// `NotFound` when there is no such task.
pub(super) fn newer_revision(
    connection: &mut SqliteConnection,
    id: &TaskId,
    expected: Option<i64>,
) -> Result<Option<i64>, DatabaseError> {
    let present = i64::from(present(id).select(tasks::revision).get_result::<i32>(connection)?);
    Ok(expected.filter(|expected| *expected != present).map(|_| present))
}

/// A task's spec as saved.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn spec(connection: &mut SqliteConnection, id: &TaskId) -> Result<TaskSpec, DatabaseError> {
    present(id).select(SpecColumns::as_select()).get_result(connection)?.try_into()
}

/// A task as saved.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn saved(connection: &mut SqliteConnection, id: &TaskId) -> Result<ValidTask, DatabaseError> {
    let (name, spec): (Option<String>, SpecColumns) =
        present(id).select((tasks::name, SpecColumns::as_select())).get_result(connection)?;
    Ok(ValidTask { name: views::task_name(name.as_deref()), spec: spec.try_into()? })
}

/// A task's name; `None` when there is no such task.
///
/// # Errors
/// When the database does not answer.
pub fn name(connection: &mut SqliteConnection, id: &TaskId) -> Result<Option<Option<String>>, DatabaseError> {
    Ok(present(id).select(tasks::name).get_result(connection).optional()?)
}

/// What went with a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// Number of runs.
    pub runs: u64,
    /// Number of runs that had a log.
    pub logs: u64,
    /// The steps of runs that had not ended: they are being stopped.
    pub stopped: Vec<(RunId, StepId)>,
}

/// Deletes a task for everybody who asks, and notes that its active runs are to be stopped. Its rows go later: see
/// [`sweep`].
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn delete(connection: &mut SqliteConnection, id: &TaskId, at: Timestamp) -> Result<Deletion, DatabaseError> {
    let deleted = diesel::update(tasks::table.find(id.as_str()))
        .filter(tasks::deleted_at.is_null())
        .set(tasks::deleted_at.eq(at.0))
        .execute(connection)?;
    if deleted == 0 {
        return Err(DatabaseError::NotFound);
    }
    let runs: i64 = runs::table.filter(runs::task_id.eq(id.as_str())).count().get_result(connection)?;
    let logs: i64 = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(steps::line_count.gt(0))
        .select(dsl::count(runs::id).aggregate_distinct())
        .get_result(connection)?;
    let active: Vec<(i64, i64, String)> = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(super::runs::is_active())
        .order((runs::id, steps::position))
        .select((runs::id, steps::id, runs::phase))
        .load(connection)?;
    let mut stopped = Vec::new();
    for (run, step, phase) in active {
        let is_new = stopped.last().is_none_or(|(last, _)| *last != RunId(run));
        if is_new {
            super::runs::cancel_active(connection, RunId(run), values::phase(&phase)?, at)?;
        }
        stopped.push((RunId(run), StepId(step)));
    }
    Ok(Deletion { runs: values::count(runs), logs: values::count(logs), stopped })
}

/// Whether a deleted task has left something that [`sweep`] would remove.
///
/// # Errors
/// When the database does not answer.
pub fn to_sweep(connection: &mut SqliteConnection) -> Result<bool, DatabaseError> {
    Ok(next_to_sweep(connection)?.is_some())
}

/// A deleted task whose runs have all ended.
fn next_to_sweep(connection: &mut SqliteConnection) -> Result<Option<String>, DatabaseError> {
    let active = runs::table.filter(super::runs::is_active()).select(runs::task_id);
    let task = tasks::table.filter(tasks::deleted_at.is_not_null()).filter(tasks::id.ne_all(active));
    Ok(task.select(tasks::id).get_result(connection).optional()?)
}

/// Removes a slice of what deleted tasks have left, of those whose runs have all ended. True when there may be more to
/// do at once. Slice by slice, since a long log in one transaction would keep every other writer waiting.
///
/// # Errors
/// When the database does not answer.
pub fn sweep(connection: &mut SqliteConnection) -> Result<bool, DatabaseError> {
    let Some(task) = next_to_sweep(connection)? else { return Ok(false) };
    let left = runs::table
        .filter(runs::task_id.eq(&task))
        .select(runs::id)
        .load_iter::<i64, DefaultLoadingMode>(connection)?
        .take(RUNS_AT_ONCE)
        .map(|id| id.map(RunId))
        .collect::<Result<Vec<_>, _>>()?;
    if left.is_empty() {
        diesel::delete(tasks::table.find(&task)).execute(connection)?;
    } else {
        retention::remove(connection, &left)?;
    }
    Ok(true)
}
