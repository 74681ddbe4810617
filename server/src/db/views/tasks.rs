//! A task or a flow, with a page of its runs.

use app::model::{
    identifiers::{RunNumber, TaskId},
    time::Timestamp,
    views::{FlowDetail, RunSummary, TaskDetail},
};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _, SqliteConnection};

use super::{RUNS_PER_PAGE, SummaryColumns, stored_number, task_list::task_name};
use crate::db::{
    DatabaseError, flows,
    schema::{runs, tasks},
    tasks::present,
    values::SpecColumns,
};

/// A task with the newest runs, or with those numbered below `older_than`.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn task(
    connection: &mut SqliteConnection,
    id: &TaskId,
    older_than: Option<RunNumber>,
) -> Result<TaskDetail, DatabaseError> {
    let (name, revision, created_at, updated_at, spec): (Option<String>, i32, i64, i64, SpecColumns) = present(id)
        .select((tasks::name, tasks::revision, tasks::created_at, tasks::updated_at, SpecColumns::as_select()))
        .get_result(connection)?;
    let history = history(connection, id, older_than)?;
    Ok(TaskDetail {
        id: id.clone(),
        name: task_name(name.as_deref()),
        spec: spec.try_into()?,
        revision: revision.into(),
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        run_count: history.count,
        older_than: history.older_than,
        runs: history.runs,
    })
}

/// A flow with the newest runs, or with those numbered below `older_than`.
///
/// # Errors
/// `NotFound` when there is no such flow.
pub fn flow(
    connection: &mut SqliteConnection,
    id: &TaskId,
    older_than: Option<RunNumber>,
) -> Result<FlowDetail, DatabaseError> {
    let (revision, created_at, updated_at): (i32, i64, i64) =
        present(id).select((tasks::revision, tasks::created_at, tasks::updated_at)).get_result(connection)?;
    let history = history(connection, id, older_than)?;
    Ok(FlowDetail {
        id: id.clone(),
        flow: flows::saved(connection, id)?,
        revision: revision.into(),
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        run_count: history.count,
        older_than: history.older_than,
        runs: history.runs,
    })
}

/// A page of the runs of a task or flow.
struct History {
    /// How many there are in all.
    count: u32,
    runs: Vec<RunSummary>,
    older_than: Option<RunNumber>,
}

fn history(
    connection: &mut SqliteConnection,
    id: &TaskId,
    older_than: Option<RunNumber>,
) -> Result<History, DatabaseError> {
    let count: i64 = runs::table.filter(runs::task_id.eq(id.as_str())).count().get_result(connection)?;
    let mut runs = runs_below(connection, id, older_than, RUNS_PER_PAGE + 1)?;
    let more = runs.len() > RUNS_PER_PAGE;
    runs.truncate(RUNS_PER_PAGE);
    Ok(History {
        count: u32::try_from(count).unwrap_or(u32::MAX),
        older_than: runs.last().filter(|_| more).map(|run| run.number),
        runs,
    })
}

/// The runs of a task numbered below `older_than`, newest first, so many at most.
pub(super) fn runs_below(
    connection: &mut SqliteConnection,
    id: &TaskId,
    older_than: Option<RunNumber>,
    limit: usize,
) -> Result<Vec<RunSummary>, DatabaseError> {
    let rows: Vec<SummaryColumns> = runs::table
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.lt(older_than.map_or(i32::MAX, stored_number)))
        .order(runs::number.desc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(SummaryColumns::as_select())
        .load(connection)?;
    rows.into_iter().map(TryInto::try_into).collect()
}
