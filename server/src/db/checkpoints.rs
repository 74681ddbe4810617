//! Checkpoints of a step.

use app::model::{
    checkpoint::{Checkpoint, CheckpointStatus},
    identifiers::StepId,
    time::Timestamp,
};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection};

use super::{DatabaseError, schema::checkpoints, values};

/// The stored status of a checkpoint that is under way.
pub(super) const UNDER_WAY: &str = "running";

/// Adds a checkpoint, or replaces the one with its number.
///
/// # Errors
/// When the database does not answer.
pub fn put(connection: &mut SqliteConnection, step: StepId, checkpoint: &Checkpoint) -> Result<(), DatabaseError> {
    diesel::replace_into(checkpoints::table)
        .values((
            checkpoints::step_id.eq(step.0),
            checkpoints::number.eq(i32::from(checkpoint.number)),
            checkpoints::name.eq(&checkpoint.name),
            checkpoints::status.eq(checkpoint.status.map_or(UNDER_WAY, word)),
            checkpoints::detail.eq(&checkpoint.detail),
            checkpoints::advice.eq(&checkpoint.advice),
            checkpoints::at.eq(checkpoint.at.0),
            checkpoints::millis.eq(i64::try_from(checkpoint.millis).unwrap_or(i64::MAX)),
            checkpoints::code.eq(&checkpoint.code),
            checkpoints::tail.eq(&checkpoint.tail),
        ))
        .execute(connection)?;
    Ok(())
}

/// All checkpoints of a step, in order.
///
/// # Errors
/// When the database does not answer.
pub fn of_step(connection: &mut SqliteConnection, step: StepId) -> Result<Vec<Checkpoint>, DatabaseError> {
    type Row = (i32, String, String, String, Option<String>, i64, i64, Option<String>, Option<String>);
    let rows: Vec<Row> = checkpoints::table
        .filter(checkpoints::step_id.eq(step.0))
        .order(checkpoints::number)
        .select((
            checkpoints::number,
            checkpoints::name,
            checkpoints::status,
            checkpoints::detail,
            checkpoints::advice,
            checkpoints::at,
            checkpoints::millis,
            checkpoints::code,
            checkpoints::tail,
        ))
        .load(connection)?;
    rows.into_iter()
        .map(|(number, name, status, detail, advice, at, millis, code, tail)| {
            Ok(Checkpoint {
                number: u8::try_from(number).map_err(|error| values::damaged(&error))?,
                name,
                status: status_of(&status)?,
                detail,
                advice,
                code,
                tail,
                at: Timestamp(at),
                millis: values::count(millis),
            })
        })
        .collect()
}

const fn word(status: CheckpointStatus) -> &'static str {
    match status {
        CheckpointStatus::Ok => "ok",
        CheckpointStatus::Skipped => "skipped",
        CheckpointStatus::Warning => "warning",
        CheckpointStatus::Failed => "failed",
    }
}

fn status_of(text: &str) -> Result<Option<CheckpointStatus>, DatabaseError> {
    if text == UNDER_WAY {
        return Ok(None);
    }
    [CheckpointStatus::Ok, CheckpointStatus::Skipped, CheckpointStatus::Warning, CheckpointStatus::Failed]
        .into_iter()
        .find(|status| word(*status) == text)
        .map(Some)
        .ok_or_else(|| values::damaged(&format!("`{text}` is no status of a checkpoint")))
}
