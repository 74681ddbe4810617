//! Tells whether anything was committed, by this process or another. What to make of it is up to who asks.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use diesel::{QueryableByName, RunQueryDsl as _, SqliteConnection, sql_types::BigInt};

use super::{DatabaseError, pool};

/// The state of the database: the same as before only if nothing was committed in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataVersion(i64);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

/// Looks at the version, always on the same connection: SQLite's number means something there only, and it counts what
/// all other connections commit (<https://sqlite.org/pragma.html#pragma_data_version>).
#[derive(Clone)]
pub struct VersionWatch(Arc<Mutex<SqliteConnection>>);

impl VersionWatch {
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let mut connection = pool::open(&path.to_string_lossy())?;
        // It is asked where nothing may block.
        diesel::sql_query("PRAGMA busy_timeout = 0").execute(&mut connection)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// The version now. Takes some microseconds and waits for nobody, so it needs no thread of its own: with a
    /// write-ahead log it is a look at memory that is shared with those who write.
    pub fn now(&self) -> Result<DataVersion, DatabaseError> {
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row: Row = diesel::sql_query("PRAGMA data_version").get_result(&mut *connection)?;
        Ok(DataVersion(row.data_version))
    }
}
