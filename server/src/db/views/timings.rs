//! How long the last runs of a task took, and of that how long preparing did.

use std::collections::HashMap;

use app::model::{checkpoint::Checkpoint, identifiers::TaskId, views::RunTiming};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection};

use super::{stored_number, tasks::runs_below};
use crate::db::{
    DatabaseError, checkpoints,
    schema::{checkpoints as checkpoints_table, runs, steps},
    values,
};

/// The last runs of a task, so many at most, oldest first.
///
/// # Errors
/// When the database does not answer.
pub fn run_timings(
    connection: &mut SqliteConnection,
    id: &TaskId,
    most: usize,
) -> Result<Vec<RunTiming>, DatabaseError> {
    let mut summaries = runs_below(connection, id, None, most)?;
    summaries.reverse();
    let Some(first) = summaries.first() else { return Ok(Vec::new()) };
    let steps: Vec<(i64, i32)> = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.ge(stored_number(first.number)))
        .filter(steps::position.eq(1))
        .select((steps::id, runs::number))
        .load(connection)?;
    let ids: Vec<i64> = steps.iter().map(|(step, _)| *step).collect();
    let prepared: Vec<(i64, i64)> = checkpoints_table::table
        .filter(checkpoints_table::step_id.eq_any(ids))
        // Preparing is over with the last of them.
        .filter(checkpoints_table::number.eq(i32::from(Checkpoint::COUNT)))
        .filter(checkpoints_table::status.ne(checkpoints::UNDER_WAY))
        .select((checkpoints_table::step_id, checkpoints_table::at))
        .load(connection)?;
    let prepared: HashMap<i64, i64> = prepared.into_iter().collect();
    let prepared: HashMap<i32, i64> =
        steps.into_iter().filter_map(|(step, number)| Some((number, *prepared.get(&step)?))).collect();
    let timing = |run: app::model::views::RunSummary| {
        let prepared_at = values::timestamp(prepared.get(&stored_number(run.number)).copied());
        RunTiming { run, prepared_at }
    };
    Ok(summaries.into_iter().map(timing).collect())
}
