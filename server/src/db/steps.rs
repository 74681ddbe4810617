//! How far the recorder has come with a step.

use app::model::identifiers::{RunId, StepId};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection};

use super::{DatabaseError, schema::steps, values};

/// How far the recorder has come with a step. Changes only together with the lines it led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordedStep {
    /// How many bytes of the step's events are recorded.
    pub recorded_bytes: u64,
    /// What the recorder keeps between two readings, in its own form; empty at first.
    pub recorder_state: String,
    /// How many lines are recorded.
    pub line_count: u64,
}

/// How far the recorder has come with a step, and the run it belongs to.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn recorded(connection: &mut SqliteConnection, id: StepId) -> Result<(RunId, RecordedStep), DatabaseError> {
    let (run, bytes, recorder_state, lines): (i64, i64, String, i64) = steps::table
        .find(id.0)
        .select((steps::run_id, steps::recorded_bytes, steps::recorder_state, steps::line_count))
        .get_result(connection)?;
    let recorded =
        RecordedStep { recorded_bytes: values::count(bytes), recorder_state, line_count: values::count(lines) };
    Ok((RunId(run), recorded))
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
    let moved = diesel::update(steps::table.find(id.0))
        .filter(steps::recorded_bytes.eq(stored(before.recorded_bytes)))
        .filter(steps::line_count.eq(stored(before.line_count)))
        .set((
            steps::recorded_bytes.eq(stored(after.recorded_bytes)),
            steps::recorder_state.eq(&after.recorder_state),
            steps::line_count.eq(stored(after.line_count)),
        ))
        .execute(connection)?;
    Ok(moved == 1)
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
