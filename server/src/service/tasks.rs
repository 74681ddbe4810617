//! Tasks: listed, read, saved, deleted.

use app::{
    backend::{BackendError, DeletedTask, Resolve, SaveTask, SavedTask},
    model::{
        fields::{Field, FieldErrors},
        identifiers::{RunId, RunNumber, StepId, TaskId},
        lock::Lock,
        spec::TaskSpec,
        time::Timestamp,
        views::{TaskDetail, TaskPage, TaskQuery},
    },
};
use diesel::SqliteConnection;

use super::{Service, backend_error, missing_task};
use crate::{
    clock::{SharedRandom, random_task_id},
    db::{
        DatabaseError,
        runs::{self, NewRun},
        tasks::{self, Deletion, Update},
        views::{self, ListedTask},
    },
    resolver::ResolveError,
};

/// How often a deletion tries again because somebody started a new run meanwhile.
const DELETION_ATTEMPTS: u32 = 5;

/// What became of a save.
enum Saved {
    Done(SavedTask),
    Outdated(i64),
}

impl Service {
    pub(super) async fn task_page(&self, query: &TaskQuery) -> Result<TaskPage, BackendError> {
        // A version that cannot be told costs a read, no more.
        let version = self.parts.database.version().ok();
        if let Some(page) = version.and_then(|version| self.lists.get(version, query)) {
            return Ok(page);
        }
        let wanted = query.clone();
        let page = self.parts.database.read(move |connection| views::task_page(connection, &wanted)).await;
        let page = page.map_err(|error| backend_error(error, || "There are no tasks.".to_owned()))?;
        if let Some(version) = version {
            self.lists.put(version, query.clone(), page.clone());
        }
        Ok(page)
    }

    pub(super) async fn task_detail(
        &self,
        id: &TaskId,
        older_than: Option<RunNumber>,
    ) -> Result<TaskDetail, BackendError> {
        let wanted = id.clone();
        let task = self.parts.database.read(move |connection| views::task(connection, &wanted, older_than)).await;
        task.map_err(|error| backend_error(error, missing_task(id)))
    }

    /// All tasks, oldest first, with their latest runs.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn all_tasks(&self) -> Result<Vec<ListedTask>, BackendError> {
        let tasks = self.parts.database.read(views::all_tasks).await;
        tasks.map_err(|error| backend_error(error, || "There are no tasks.".to_owned()))
    }

    pub(super) async fn save(&self, save: SaveTask) -> Result<SavedTask, BackendError> {
        let lock = match save.resolve {
            Resolve::Now => self.lock_of(&save.task.spec).await?,
            Resolve::Later => None,
        };
        let missing = save.id.clone();
        let (random, at, engine) = (self.parts.random.clone(), self.parts.clock.now(), self.parts.engine.name());
        let saved = self
            .parts
            .database
            .write(move |connection| save_in(connection, &save, lock.as_ref(), &random, engine, at))
            .await
            .map_err(|error| backend_error(error, || missing.map(|id| missing_task(&id)()).unwrap_or_default()))?;
        match saved {
            Saved::Outdated(revision) => Err(BackendError::EditConflict { revision }),
            Saved::Done(saved) => {
                if saved.run.is_some() {
                    self.parts.wake.notify_one();
                }
                Ok(saved)
            }
        }
    }

    /// The exact versions of a spec's Python packages; `None` when it names none.
    async fn lock_of(&self, spec: &TaskSpec) -> Result<Option<Lock>, BackendError> {
        let field = match (&spec.requirements, spec.packages.is_empty()) {
            (Some(_), _) => Field::Requirements,
            (None, false) => Field::Packages,
            (None, true) => return Ok(None),
        };
        match self.parts.resolver.lock(spec).await {
            Ok(lock) => Ok(Some(lock)),
            Err(ResolveError::NoSolution(text)) => Err(BackendError::Invalid(FieldErrors::one(field, text))),
            Err(ResolveError::Unavailable(text)) => Err(BackendError::Unresolved(text)),
        }
    }

    pub(super) async fn delete(&self, id: &TaskId) -> Result<DeletedTask, BackendError> {
        let mut stopped: Vec<(RunId, StepId)> = Vec::new();
        for _ in 0..DELETION_ATTEMPTS {
            self.stop_active(id, &mut stopped).await?;
            while self.delete_log_slice(id, stopped.clone()).await? {}
            if let Some(Deletion { runs, logs }) = self.delete_rows(id, stopped.clone()).await? {
                for (run, _) in &stopped {
                    self.parts.hints.changed(*run);
                }
                return Ok(DeletedTask { runs, logs, stopped: stopped.len() as u64 });
            }
        }
        Err(BackendError::Conflict(
            "The task was not deleted: new runs of it kept being started meanwhile. Stop whatever starts them, then \
             delete it again."
                .to_owned(),
        ))
    }

    async fn stop_active(&self, id: &TaskId, stopped: &mut Vec<(RunId, StepId)>) -> Result<(), BackendError> {
        let (wanted, at) = (id.clone(), self.parts.clock.now());
        let active = self
            .parts
            .database
            .write(move |connection| tasks::request_cancel_all(connection, &wanted, at))
            .await
            .map_err(|error| backend_error(error, missing_task(id)))?;
        if !active.is_empty() {
            self.parts.engine.stop(active.clone()).await;
        }
        stopped.extend(active.into_iter().filter(|run| !stopped.contains(run)).collect::<Vec<_>>());
        Ok(())
    }

    async fn delete_log_slice(&self, id: &TaskId, stopped: Vec<(RunId, StepId)>) -> Result<bool, BackendError> {
        let wanted = id.clone();
        let deletion =
            self.parts.database.write(move |connection| tasks::delete_log_slice(connection, &wanted, &stopped)).await;
        deletion.map_err(|error| backend_error(error, missing_task(id)))
    }

    async fn delete_rows(&self, id: &TaskId, stopped: Vec<(RunId, StepId)>) -> Result<Option<Deletion>, BackendError> {
        let wanted = id.clone();
        let deletion = self.parts.database.write(move |connection| tasks::delete(connection, &wanted, &stopped)).await;
        deletion.map_err(|error| backend_error(error, missing_task(id)))
    }
}

/// Saves and, when asked, makes the run, in the caller's transaction.
fn save_in(
    connection: &mut SqliteConnection,
    save: &SaveTask,
    lock: Option<&Lock>,
    random: &SharedRandom,
    engine: &str,
    at: Timestamp,
) -> Result<Saved, DatabaseError> {
    let id = match &save.id {
        Some(id) => match tasks::update(connection, id, save.expected_revision, &save.task, at)? {
            Update::Outdated(revision) => return Ok(Saved::Outdated(revision)),
            Update::Done => id.clone(),
        },
        None => insert_new(connection, save, random, at)?,
    };
    let run = if save.run {
        let new = NewRun { task_id: &id, spec: &save.task.spec, lock, engine, at };
        Some(runs::create(connection, &new)?.number)
    } else {
        None
    };
    Ok(Saved::Done(SavedTask { id, run }))
}

/// Adds the task under an id that is not taken.
fn insert_new(
    connection: &mut SqliteConnection,
    save: &SaveTask,
    random: &SharedRandom,
    at: Timestamp,
) -> Result<TaskId, DatabaseError> {
    for _ in 0..8 {
        let id = random_task_id(random.as_ref());
        if tasks::insert(connection, &id, &save.task, at)? {
            return Ok(id);
        }
    }
    Err(DatabaseError::Other("no free task id was found in eight attempts".to_owned()))
}
