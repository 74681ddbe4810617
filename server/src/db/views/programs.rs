//! What programs read by the REST API: all tasks, and all runs of one.

use app::model::{
    identifiers::{RunId, RunNumber, TaskId},
    time::Timestamp,
    views::{ListedTask, SpecifiedRun, TaskPlace},
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _, NullableExpressionMethods as _, QueryDsl as _,
    RunQueryDsl as _, SelectableHelper as _, SqliteConnection, TextExpressionMethods as _,
};

use super::{SummaryColumns, stored_number};
use crate::db::{
    DatabaseError,
    schema::{runs, steps, tasks},
    values::{self, StepSpecColumns},
};

/// Tasks with their latest runs, oldest first, from a place on: what the REST API lists. So many at most.
///
/// # Errors
/// When the database does not answer.
pub fn listed_tasks(
    connection: &mut SqliteConnection,
    after: Option<&TaskPlace>,
    limit: usize,
) -> Result<Vec<ListedTask>, DatabaseError> {
    type Row = (String, i64, Option<(String, Option<i64>, Option<i64>)>);
    let (created_at, id) = after.map_or((i64::MIN, ""), |place| (place.created_at.0, place.id.as_str()));
    let rows: Vec<Row> = tasks::table
        .left_join(runs::table.on(runs::task_id.eq(tasks::id).and(runs::number.eq(tasks::last_run_number))))
        .filter(tasks::deleted_at.is_null())
        // Not as `is_of` says it: that would have SQLite look in the other index, and sort.
        .filter(tasks::id.not_like("flow-%"))
        // The first comparison is what the index serves; the rest only breaks ties.
        .filter(tasks::created_at.ge(created_at))
        .filter(tasks::created_at.gt(created_at).or(tasks::id.gt(id)))
        .order((tasks::created_at, tasks::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((tasks::id, tasks::created_at, (runs::phase, runs::started_at, runs::finished_at).nullable()))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, created_at, latest)| {
            let latest = latest.map(|(phase, started_at, finished_at)| {
                Ok::<_, DatabaseError>((
                    values::phase(&phase)?,
                    values::timestamp(started_at),
                    values::timestamp(finished_at),
                ))
            });
            Ok(ListedTask { id: values::task_id(&id)?, created_at: Timestamp(created_at), latest: latest.transpose()? })
        })
        .collect()
}

/// The runs of a task numbered below `older_than`, newest first, each with its copy of the spec. So many at most.
///
/// # Errors
/// When the database does not answer.
pub fn specified_runs(
    connection: &mut SqliteConnection,
    id: &TaskId,
    older_than: Option<RunNumber>,
    limit: usize,
) -> Result<Vec<SpecifiedRun>, DatabaseError> {
    let rows: Vec<(i64, String, SummaryColumns, StepSpecColumns)> = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.lt(older_than.map_or(i32::MAX, stored_number)))
        .filter(steps::position.eq(1))
        .order(runs::number.desc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((runs::id, runs::uid, SummaryColumns::as_select(), StepSpecColumns::as_select()))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, uid, summary, spec)| {
            Ok(SpecifiedRun {
                id: RunId(id),
                uid: values::parsed(&uid)?,
                summary: summary.try_into()?,
                spec: spec.try_into()?,
            })
        })
        .collect()
}
