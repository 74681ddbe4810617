//! Saving a task or a flow together with the run that is asked for: both or neither. What each writes is its own.

use app::{
    backend::{BackendError, SavedTask},
    model::{
        identifiers::{Kind, TaskId},
        time::Timestamp,
    },
};
use diesel::SqliteConnection;

use super::{Service, backend_error, missing_task};
use crate::{
    clock::{SharedRandom, random_id},
    db::DatabaseError,
};

/// What became of a save.
pub(super) enum Saved {
    Done(SavedTask),
    /// Somebody saved in between; their revision.
    Outdated(i64),
}

impl Service {
    /// Saves over what has this id, or anew, in one transaction.
    pub(super) async fn store(
        &self,
        id: Option<TaskId>,
        write: impl FnOnce(&mut SqliteConnection, &SharedRandom, Timestamp) -> Result<Saved, DatabaseError> + Send + 'static,
    ) -> Result<SavedTask, BackendError> {
        let (random, at) = (self.dependencies.random.clone(), self.dependencies.clock.now());
        let saved = self
            .dependencies
            .database
            .write(move |connection| write(connection, &random, at))
            .await
            .map_err(|error| backend_error(error, || id.map(|id| missing_task(&id)()).unwrap_or_default()))?;
        match saved {
            Saved::Outdated(revision) => Err(BackendError::EditConflict { revision }),
            Saved::Done(saved) => {
                if saved.run.is_some() {
                    self.dependencies.wake.notify_one();
                }
                Ok(saved)
            }
        }
    }
}

/// Adds something under an id that is not taken. `insert` says whether it could.
pub(super) fn insert_new(
    connection: &mut SqliteConnection,
    kind: Kind,
    random: &SharedRandom,
    mut insert: impl FnMut(&mut SqliteConnection, &TaskId) -> Result<bool, DatabaseError>,
) -> Result<TaskId, DatabaseError> {
    for _ in 0..8 {
        let id = random_id(kind, random.as_ref());
        if insert(connection, &id)? {
            return Ok(id);
        }
    }
    Err(DatabaseError::Other("no free id was found in eight attempts".to_owned()))
}
