//! Connections that are kept open, and lent to work that blocks. What is asked on them is no concern of this module.

use std::{path::Path, sync::TryLockError};

use deadpool::{
    Runtime,
    managed::{Manager, Metrics, Pool, PoolError, QueueMode, RecycleError, RecycleResult},
};
use deadpool_sync::SyncWrapper;
use diesel::{
    Connection as _, SqliteConnection,
    connection::{AnsiTransactionManager, TransactionManager as _},
};

use super::{DatabaseError, set_up};

/// A fixed number of connections to one file.
#[derive(Clone)]
pub struct Connections(Pool<Opener>);

impl Connections {
    /// At most so many connections, each opened when it is first needed.
    pub fn new(path: &Path, most: usize) -> Result<Self, DatabaseError> {
        let opener = Opener { path: path.to_string_lossy().into_owned() };
        // The one used last knows most: its statements are prepared, and its cache holds what is asked for. The others
        // are for work at the same time, and need no memory until there is any.
        let pool = Pool::builder(opener).max_size(most).queue_mode(QueueMode::Lifo).build();
        Ok(Self(pool.map_err(|error| DatabaseError::Other(error.to_string()))?))
    }

    /// Does work that blocks with a connection, on a thread where it may; waits until a connection is free.
    /// The work is done to its end even when the caller goes away.
    pub async fn interact<T, F>(&self, work: F) -> Result<T, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, DatabaseError> + Send + 'static,
    {
        let connection = self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            other => DatabaseError::Other(other.to_string()),
        })?;
        connection.interact(work).await.map_err(|error| DatabaseError::Other(error.to_string()))?
    }
}

/// Opens connections, and says which of them can be used again.
struct Opener {
    path: String,
}

impl Manager for Opener {
    type Type = SyncWrapper<SqliteConnection>;
    type Error = DatabaseError;

    async fn create(&self) -> Result<Self::Type, DatabaseError> {
        let path = self.path.clone();
        SyncWrapper::new(Runtime::Tokio1, move || open(&path)).await
    }

    /// Looks only at what this process knows. A test query, as pools commonly make it, would be one more way to another
    /// thread and back for every read; and a file does not go away between two of them as a server may.
    async fn recycle(&self, connection: &mut Self::Type, _: &Metrics) -> RecycleResult<DatabaseError> {
        let is_usable = match connection.try_lock() {
            Ok(mut connection) => !AnsiTransactionManager::is_broken_transaction_manager(&mut *connection),
            // Still at work for a caller who went away: the next one's work comes after it.
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Poisoned(_)) => false,
        };
        if is_usable { Ok(()) } else { Err(RecycleError::message("a panic or a failed rollback left it unusable")) }
    }
}

pub fn open(path: &str) -> Result<SqliteConnection, DatabaseError> {
    let mut connection =
        SqliteConnection::establish(path).map_err(|error| DatabaseError::Unopened(error.to_string()))?;
    set_up(&mut connection)?;
    Ok(connection)
}
