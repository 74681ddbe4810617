//! Tasks: listed, read, saved, deleted.

use std::collections::{HashMap, HashSet};

use app::{
    backend::{BackendError, DeletedTask, Resolve, SaveTask, SavedTask},
    model::{
        fields::{Field, FieldErrors},
        identifiers::{Kind, RunId, RunNumber, TaskId},
        lock::Lock,
        spec::{TaskName, TaskSpec, ValidTask},
        time::Timestamp,
        views::{ListedTask, RunTiming, TaskDetail, TaskPage, TaskPlace, TaskQuery},
    },
};
use diesel::SqliteConnection;

use super::{
    Page, Service, backend_error, missing_task,
    saving::{Saved, insert_new},
    script,
};
use crate::{
    clock::{SharedRandom, random_run_uid},
    db::{
        DatabaseError,
        runs::{self, NewRun},
        tasks::{self, Deletion, Update},
        views,
    },
    engine::{Engines, SharedEngine},
    packages::resolver::ResolveError,
};

impl Service {
    pub(super) async fn task_page(&self, query: &TaskQuery) -> Result<TaskPage, BackendError> {
        let read = |connection: &mut _, (query, now): &(TaskQuery, _)| views::task_page(connection, query, *now);
        let page = self.lists.get_or_read(&self.dependencies.database, (query.clone(), self.this_minute()), read).await;
        page.map_err(|error| backend_error(error, || "There are no tasks.".to_owned()))
    }

    pub(super) async fn task_detail(
        &self,
        id: &TaskId,
        older_than: Option<RunNumber>,
    ) -> Result<TaskDetail, BackendError> {
        let wanted = id.clone();
        let task =
            self.dependencies.database.read(move |connection| views::task(connection, &wanted, older_than)).await;
        task.map_err(|error| backend_error(error, missing_task(id)))
    }

    pub(super) async fn timings(&self, id: &TaskId, most: usize) -> Result<Vec<RunTiming>, BackendError> {
        let wanted = id.clone();
        let timings =
            self.dependencies.database.read(move |connection| views::run_timings(connection, &wanted, most)).await;
        timings.map_err(|error| backend_error(error, missing_task(id)))
    }

    /// Tasks with their latest runs, oldest first, from a place on. So many at most.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn listed_tasks(
        &self,
        after: Option<TaskPlace>,
        limit: usize,
    ) -> Result<Page<ListedTask, TaskPlace>, BackendError> {
        let database = &self.dependencies.database;
        let tasks = database.read(move |connection| views::listed_tasks(connection, after.as_ref(), limit + 1)).await;
        let tasks = tasks.map_err(|error| backend_error(error, || "There are no tasks.".to_owned()))?;
        Ok(Page::of(tasks, limit, |task| TaskPlace { created_at: task.created_at, id: task.id.clone() }))
    }

    /// Saves a task as changed by a function, which gets it as it is: whatever somebody else saves comes before that or
    /// after it, and is not undone.
    ///
    /// # Errors
    /// `NotFound` when there is no such task, `Invalid` when it cannot be changed so.
    pub async fn change_task(
        &self,
        id: &TaskId,
        change: impl FnOnce(&ValidTask) -> Result<ValidTask, FieldErrors> + Send + 'static,
    ) -> Result<(), BackendError> {
        let (wanted, at) = (id.clone(), self.dependencies.clock.now());
        let engines = self.dependencies.engines.clone();
        let mut targets = HashMap::new();
        for engine in engines.iter() {
            targets.insert(engine.name(), engine.targets().await);
        }
        let changed = self
            .dependencies
            .database
            .write(move |connection| {
                let present = tasks::saved(connection, &wanted)?;
                let changed = change(&present).and_then(|task| {
                    let engine = engine_of(&engines, &task.spec)?.name();
                    let targets = targets.get(&engine).map(Vec::as_slice).unwrap_or_default();
                    Ok(ValidTask { spec: script::settle(task.spec, Some(&present.spec), targets)?, ..task })
                });
                Ok(match changed {
                    Ok(task) => tasks::update(connection, &wanted, None, &task, at).map(|_| Ok(()))?,
                    Err(errors) => Err(errors),
                })
            })
            .await;
        changed.map_err(|error| backend_error(error, missing_task(id)))?.map_err(BackendError::Invalid)
    }

    pub(super) async fn save(&self, mut save: SaveTask) -> Result<SavedTask, BackendError> {
        let engine = engine_of(&self.dependencies.engines, &save.task.spec).map_err(BackendError::Invalid)?;
        let before = match &save.id {
            Some(id) => Some(self.saved_spec(id).await?),
            None => None,
        };
        save.task.spec =
            script::settle(save.task.spec, before.as_ref(), &engine.targets().await).map_err(BackendError::Invalid)?;
        let lock = match save.resolve {
            Resolve::Now => self.lock_of(&save.task.spec, engine).await?,
            Resolve::Later => None,
        };
        let (id, engine) = (save.id.clone(), engine.name().0);
        self.store(id, move |connection, random, at| save_in(connection, &save, lock.as_ref(), random, engine, at))
            .await
    }

    async fn saved_spec(&self, id: &TaskId) -> Result<TaskSpec, BackendError> {
        let wanted = id.clone();
        let spec = self.dependencies.database.read(move |connection| tasks::spec(connection, &wanted)).await;
        spec.map_err(|error| backend_error(error, missing_task(id)))
    }

    /// The exact versions of a spec's Python packages; `None` when it names none.
    pub(super) async fn lock_of(&self, spec: &TaskSpec, engine: &SharedEngine) -> Result<Option<Lock>, BackendError> {
        let field = match (&spec.requirements, spec.packages.is_empty()) {
            (Some(_), _) => Field::Requirements,
            (None, false) => Field::Packages,
            (None, true) => return Ok(None),
        };
        let target = engine.target(spec.python).await.map_err(|error| BackendError::Unresolved(error.message))?;
        match self.dependencies.resolver.lock(spec, &target).await {
            Ok(lock) => Ok(Some(lock)),
            Err(ResolveError::NoSolution(text)) => Err(BackendError::Invalid(FieldErrors::one(field, text))),
            Err(ResolveError::Unavailable(text)) => Err(BackendError::Unresolved(text)),
        }
    }

    pub(super) async fn set_name(&self, id: &TaskId, name: Option<TaskName>) -> Result<(), BackendError> {
        let (wanted, at) = (id.clone(), self.dependencies.clock.now());
        let renamed = self
            .dependencies
            .database
            .write(move |connection| tasks::rename(connection, &wanted, name.as_ref(), at))
            .await;
        renamed.map_err(|error| backend_error(error, missing_task(id)))
    }

    /// Gone at once for everybody; what is left of it the supervisor removes.
    pub(super) async fn delete(&self, id: &TaskId) -> Result<DeletedTask, BackendError> {
        let (wanted, at) = (id.clone(), self.dependencies.clock.now());
        let deletion = self.dependencies.database.write(move |connection| tasks::delete(connection, &wanted, at)).await;
        let Deletion { runs, logs, stopped } = deletion.map_err(|error| backend_error(error, missing_task(id)))?;
        self.dependencies.wake.notify_one();
        for (_, step) in &stopped {
            self.dependencies.hints.changed(*step);
        }
        let stopped: HashSet<RunId> = stopped.into_iter().map(|(run, _)| run).collect();
        Ok(DeletedTask { runs, logs, stopped: stopped.len() as u64 })
    }
}

/// The engine that a spec is to run on.
fn engine_of<'a>(engines: &'a Engines, spec: &TaskSpec) -> Result<&'a SharedEngine, FieldErrors> {
    engines.chosen(spec.engine.as_ref()).map_err(|error| FieldErrors::one(Field::Engine, error.message))
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
        None => {
            insert_new(connection, Kind::Task, random, |connection, id| tasks::insert(connection, id, &save.task, at))?
        }
    };
    let run = if save.run {
        let uid = random_run_uid(random.as_ref());
        let new = NewRun::of_task(&uid, &id, save.task.spec.clone(), lock.cloned(), engine, at);
        Some(runs::create(connection, &new)?.number)
    } else {
        None
    };
    Ok(Saved::Done(SavedTask { id, run }))
}
