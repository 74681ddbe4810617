//! The SQLite database: opening it, and the two ways in, [`Database::read`] and [`Database::write`].
//! Queries live beside, one module a noun. They ask for one row with `get_result`, not with `first`: that adds a
//! `LIMIT ?`, and since SQLite plans by the value of a limit, it prepares such a statement anew at every use.

use std::{path::Path, time::Duration};

use diesel::{
    Connection as _, RunQueryDsl as _, SqliteConnection,
    migration::{Migration, MigrationSource},
    result::DatabaseErrorKind,
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

pub mod checkpoints;
pub mod flows;
pub mod locks;
pub mod log_groups;
pub mod log_search;
pub mod logs;
pub mod manifests;
mod pool;
pub mod preparation;
pub mod queue;
pub mod retention;
pub mod run_list;
pub mod runs;
pub mod schema;
pub mod steps;
pub mod tasks;
pub mod values;
mod version;
pub mod views;

pub use version::DataVersion;

use self::{pool::Connections, version::VersionWatch};

/// All migrations, in the binary.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// How long a statement waits for another process that holds the database.
const BUSY_TIMEOUT_MILLIS: u32 = 5000;
/// Readers at once: a few more than cores, since a reader mostly waits for its turn on a core.
const READERS: usize = 4;
/// A write that holds the database longer than this is worth a warning.
const SLOW_WRITE: Duration = Duration::from_millis(250);

/// Why the database did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Another process holds it.
    #[error("The database is locked by another program. Close that program, or wait until it is done, and try again.")]
    Locked,
    /// It cannot be written.
    #[error("The database file cannot be written. Check the permissions of the data folder.")]
    ReadOnly,
    /// No room left.
    #[error("The disk that holds the database is full. Free some space and try again.")]
    Full,
    /// The file is not a database, or is damaged.
    #[error("The database file is damaged. Restore it from a backup.")]
    Damaged,
    /// It is not there and cannot be made, or cannot be read.
    #[error("The database file could not be opened: {0}. Check the permissions of the data folder.")]
    Unopened(String),
    /// A newer Stoker brought it up to date.
    #[error("A newer Stoker has changed the database. Start that Stoker, or restore a backup from before.")]
    Newer,
    /// A migration failed.
    #[error("The database could not be brought up to date: {0}.")]
    Migration(String),
    /// A row holds something that its type does not; what is wrong with it.
    #[error("A value in the database cannot be read: {0}")]
    Unreadable(String),
    /// Anything else.
    #[error("The database did not answer: {0}")]
    Other(String),
    /// The row asked for is not there.
    #[error("no such row")]
    NotFound,
}

impl From<diesel::result::Error> for DatabaseError {
    fn from(error: diesel::result::Error) -> Self {
        if matches!(error, diesel::result::Error::NotFound) {
            return Self::NotFound;
        }
        let text = error.to_string();
        Self::known(&text).unwrap_or(Self::Other(text))
    }
}

impl DatabaseError {
    /// Reads SQLite's own words (`sqlite3_errmsg`); diesel passes no result code on.
    fn known(text: &str) -> Option<Self> {
        if text.contains("database is locked") || text.contains("database table is locked") {
            Some(Self::Locked)
        } else if text.contains("readonly database") {
            Some(Self::ReadOnly)
        } else if text.contains("disk is full") {
            Some(Self::Full)
        } else if text.contains("malformed") || text.contains("not a database") {
            Some(Self::Damaged)
        } else {
            None
        }
    }
}

/// The version of SQLite, which is part of this binary.
///
/// # Errors
/// When the database does not answer.
pub fn sqlite_version(connection: &mut SqliteConnection) -> Result<String, DatabaseError> {
    let version = diesel::dsl::sql::<diesel::sql_types::Text>("sqlite_version()");
    Ok(diesel::select(version).get_result(connection)?)
}

/// True when a unique index refused the row.
#[must_use]
pub fn is_unique_violation(error: &diesel::result::Error) -> bool {
    matches!(error, diesel::result::Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}

/// The database: a pool of readers, and one writer that takes its turns.
#[derive(Clone)]
pub struct Database {
    readers: Connections,
    writer: Connections,
    version: VersionWatch,
}

impl Database {
    /// Opens the file, making it when it is not there, and runs the migrations that it lacks.
    ///
    /// # Errors
    /// When the file cannot be opened, written or brought up to date.
    pub async fn open(path: &Path) -> Result<Self, DatabaseError> {
        let (readers, writer) = (Connections::new(path, READERS)?, Connections::new(path, 1)?);
        let path = path.to_owned();
        let opening = tokio::task::spawn_blocking(move || {
            migrate(&path)?;
            VersionWatch::open(&path)
        });
        let version = opening.await.map_err(|error| DatabaseError::Other(error.to_string()))??;
        Ok(Self { readers, writer, version })
    }

    /// The version of the data now; a later one is the same only if nothing was committed in between. Does not block.
    ///
    /// # Errors
    /// When the database does not answer at once.
    pub fn version(&self) -> Result<DataVersion, DatabaseError> {
        self.version.now()
    }

    /// Reads, beside other readers and the writer, in one transaction (so all of it sees one state).
    ///
    /// # Errors
    /// As the closure, or when the database does not answer.
    pub async fn read<T, F>(&self, query: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DatabaseError> + Send + 'static,
    {
        self.readers.interact(move |connection| connection.transaction(query)).await
    }

    /// Writes in one immediate transaction, one writer after the other. The closure runs to its end even when the
    /// caller goes away.
    ///
    /// # Errors
    /// As the closure, which then has changed nothing; or when the database does not answer.
    pub async fn write<T, F>(&self, change: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DatabaseError> + Send + 'static,
    {
        self.writer
            .interact(move |connection| {
                let started = std::time::Instant::now();
                let outcome = connection.immediate_transaction(change);
                if started.elapsed() > SLOW_WRITE {
                    tracing::warn!(duration_ms = started.elapsed().as_millis(), "A write held the database for long");
                }
                outcome
            })
            .await
    }

    /// Brings the write-ahead log home, so that the file alone holds everything. Called at shutdown.
    pub async fn checkpoint(&self) {
        let outcome = self
            .writer
            .interact(|connection| {
                diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").execute(connection)?;
                Ok(())
            })
            .await;
        if let Err(error) = outcome {
            tracing::warn!(%error, "The database's write-ahead log was not brought home");
        }
    }
}

/// One statement each, and the timeout first, so that the others wait too (diesel's own advice on concurrency).
fn set_up(connection: &mut SqliteConnection) -> Result<(), diesel::result::Error> {
    diesel::sql_query(format!("PRAGMA busy_timeout = {BUSY_TIMEOUT_MILLIS}")).execute(connection)?;
    for pragma in ["journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "cache_size = -16000"] {
        diesel::sql_query(format!("PRAGMA {pragma}")).execute(connection)?;
    }
    Ok(())
}

fn migrate(path: &Path) -> Result<(), DatabaseError> {
    let mut connection = pool::open(&path.to_string_lossy())?;
    pending(&mut connection)?;
    connection.run_pending_migrations(MIGRATIONS).map_err(|error| migration_error(&*error))?;
    Ok(())
}

/// How many migrations an existing file lacks. It is only read, whatever is in it, and may be in use.
///
/// # Errors
/// When it cannot be opened, is no database of Stoker's, or that of a newer one.
pub fn pending_migrations(path: &Path) -> Result<usize, DatabaseError> {
    let text = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let mut connection = SqliteConnection::establish(&format!("file:{text}?mode=ro"))
        .map_err(|error| DatabaseError::Unopened(error.to_string()))?;
    let busy_timeout = format!("PRAGMA busy_timeout = {BUSY_TIMEOUT_MILLIS}");
    diesel::sql_query(busy_timeout).execute(&mut connection)?;
    // An empty file is a database without tables: all migrations are pending, and asking for them would make a table.
    let tables = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>("(SELECT count(*) FROM sqlite_schema)"));
    if tables.get_result::<i64>(&mut connection)? == 0 {
        let known: Vec<Box<dyn Migration<Sqlite>>> =
            MIGRATIONS.migrations().map_err(|error| migration_error(&*error))?;
        return Ok(known.len());
    }
    pending(&mut connection)
}

/// How many migrations the database lacks. Diesel itself does not mind those that it does not know.
fn pending(connection: &mut SqliteConnection) -> Result<usize, DatabaseError> {
    let known: Vec<Box<dyn Migration<Sqlite>>> = MIGRATIONS.migrations().map_err(|error| migration_error(&*error))?;
    let applied = connection.applied_migrations().map_err(|error| migration_error(&*error))?;
    if applied.iter().any(|version| !known.iter().any(|migration| migration.name().version() == *version)) {
        return Err(DatabaseError::Newer);
    }
    Ok(known.len().saturating_sub(applied.len()))
}

fn migration_error(error: &(dyn std::error::Error + Send + Sync)) -> DatabaseError {
    let text = error.to_string();
    DatabaseError::known(&text).unwrap_or(DatabaseError::Migration(text))
}
