//! Locks already made, by what they were made from.

use app::model::{lock::Lock, time::Timestamp};
use diesel::{ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection};

use super::{DatabaseError, schema::locks};

/// The lock with this key, if it was made before.
///
/// # Errors
/// When the database does not answer.
pub fn find(connection: &mut SqliteConnection, key: &str) -> Result<Option<Lock>, DatabaseError> {
    Ok(locks::table.find(key).select(locks::body).get_result(connection).optional()?.map(Lock))
}

/// Keeps a lock. The first one made for a key stays.
///
/// # Errors
/// When the database does not answer.
pub fn keep(connection: &mut SqliteConnection, key: &str, lock: &Lock, at: Timestamp) -> Result<(), DatabaseError> {
    diesel::insert_or_ignore_into(locks::table)
        .values((locks::key.eq(key), locks::body.eq(&lock.0), locks::created_at.eq(at.0)))
        .execute(connection)?;
    Ok(())
}
