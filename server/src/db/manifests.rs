//! What engines handed over for runs, kept as it was then. What it says is the engine's.

use app::model::{identifiers::RunId, views::KeptManifest};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection, dsl,
    sql_types::BigInt,
};

use super::{DatabaseError, schema::manifests, values};

/// A longer one is not shown on the run's page, whose parts are fetched again and again. In bytes.
const SHOWN_BYTES: i64 = 32 * 1024;

/// Keeps what was handed over for a run. The first that was kept stays.
///
/// # Errors
/// When there is no such run, or the database does not answer.
pub fn keep(connection: &mut SqliteConnection, run: RunId, manifest: &str) -> Result<(), DatabaseError> {
    diesel::insert_or_ignore_into(manifests::table)
        .values((manifests::run_id.eq(run.0), manifests::body.eq(manifest)))
        .execute(connection)?;
    Ok(())
}

/// What was handed over for a run, if that is kept.
///
/// # Errors
/// When the database does not answer.
pub fn of_run(connection: &mut SqliteConnection, run: RunId) -> Result<Option<String>, DatabaseError> {
    Ok(manifests::table.find(run.0).select(manifests::body).get_result(connection).optional()?)
}

/// The same for the run's page.
///
/// # Errors
/// When the database does not answer.
pub fn shown(connection: &mut SqliteConnection, run: RunId) -> Result<Option<KeptManifest>, DatabaseError> {
    let length = dsl::sql::<BigInt>("octet_length(body)");
    let bytes: Option<i64> = manifests::table.find(run.0).select(length).get_result(connection).optional()?;
    let Some(bytes) = bytes else { return Ok(None) };
    let text = if bytes > SHOWN_BYTES { None } else { of_run(connection, run)? };
    Ok(Some(KeptManifest { bytes: values::count(bytes), text }))
}
