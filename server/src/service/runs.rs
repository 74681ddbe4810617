//! Runs: started, repeated, cancelled, read.

use std::time::Duration;

use app::{
    backend::{BackendError, StartRun},
    model::{
        identifiers::{RunId, RunNumber, TaskId},
        views::RunDetail,
    },
};
use diesel::SqliteConnection;

use super::{Service, backend_error, missing_run, missing_task};
use crate::db::{
    DatabaseError,
    runs::{self, CancelRequest, NewRun},
    tasks,
    views::{self, RunKeys, SpecifiedRun},
};

/// What became of a wish to start a run.
enum Started {
    Done(RunNumber),
    Busy(RunNumber),
}

impl Service {
    pub(super) async fn start(&self, start: StartRun) -> Result<RunNumber, BackendError> {
        let (id, engine, at) = (start.id.clone(), self.parts.engine.name(), self.parts.clock.now());
        let started = self
            .parts
            .database
            .write(move |connection| {
                if start.only_when_idle
                    && let Some(number) = runs::active_numbers(connection, &start.id)?.first()
                {
                    return Ok(Started::Busy(*number));
                }
                let mut spec = tasks::spec(connection, &start.id)?;
                spec.system_packages = start.system_packages.unwrap_or(spec.system_packages);
                spec.use_cache = start.use_cache.unwrap_or(spec.use_cache);
                let new = NewRun { task_id: &start.id, spec: &spec, lock: None, engine, at };
                Ok(Started::Done(runs::create(connection, &new)?.number))
            })
            .await
            .map_err(|error| backend_error(error, missing_task(&id)))?;
        match started {
            Started::Done(number) => {
                self.parts.wake.notify_one();
                Ok(number)
            }
            Started::Busy(number) => Err(BackendError::Conflict(format!(
                "Task {id} already has a running workflow (run #{number}). Please wait for it to complete or cancel it \
                 first."
            ))),
        }
    }

    pub(super) async fn start_again(&self, id: &TaskId, number: RunNumber) -> Result<RunNumber, BackendError> {
        let (wanted, engine, at) = (id.clone(), self.parts.engine.name(), self.parts.clock.now());
        let created = self
            .parts
            .database
            .write(move |connection| {
                let keys = views::run_keys(connection, &wanted, Some(number))?;
                let old = runs::inputs(connection, keys.run)?;
                let new = NewRun { task_id: &wanted, spec: &old.spec, lock: old.lock.as_ref(), engine, at };
                runs::create(connection, &new)
            })
            .await
            .map_err(|error| backend_error(error, missing_run(id, number)))?;
        self.parts.wake.notify_one();
        Ok(created.number)
    }

    pub(super) async fn cancel(&self, id: &TaskId, number: RunNumber) -> Result<(), BackendError> {
        let (wanted, at) = (id.clone(), self.parts.clock.now());
        let (run, request) = self
            .parts
            .database
            .write(move |connection| {
                let keys = views::run_keys(connection, &wanted, Some(number))?;
                Ok((keys.run, runs::request_cancel(connection, &wanted, number, at)?))
            })
            .await
            .map_err(|error| backend_error(error, missing_run(id, number)))?;
        match request {
            CancelRequest::AlreadyEnded(phase) => {
                Err(BackendError::Conflict(format!("Run #{number} has already ended ({phase}).")))
            }
            CancelRequest::Accepted => {
                self.parts.wake.notify_one();
                self.parts.hints.changed(run);
                Ok(())
            }
        }
    }

    pub(super) async fn run_detail(&self, id: &TaskId, number: RunNumber) -> Result<RunDetail, BackendError> {
        let wanted = id.clone();
        let run = self.parts.database.read(move |connection| views::run(connection, &wanted, number)).await;
        run.map_err(|error| backend_error(error, missing_run(id, number)))
    }

    /// All runs of a task, newest first, each with its copy of the spec.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn specified_runs(&self, id: &TaskId) -> Result<Vec<SpecifiedRun>, BackendError> {
        let wanted = id.clone();
        let found = self.parts.database.read(move |connection| views::specified_runs(connection, &wanted)).await;
        found.map_err(|error| backend_error(error, missing_task(id)))
    }

    /// Waits until a run has ended, was deleted, or the time is up.
    pub async fn until_ended(&self, keys: RunKeys, limit: Duration) {
        let mut hints = self.parts.hints.subscribe(keys.run);
        let ended = async {
            loop {
                let state = self.parts.database.read(move |connection| views::run_state(connection, keys.step)).await;
                if state.map_or(true, |state| state.phase.is_final()) || hints.changed().await.is_err() {
                    return;
                }
            }
        };
        // Late is no error: the wish is noted, and the run ends when it ends.
        let _ = tokio::time::timeout(limit, ended).await;
    }

    /// The keys of a run.
    ///
    /// # Errors
    /// `NotFound` when there is no such task or run.
    pub async fn run_keys(&self, id: &TaskId, number: RunNumber) -> Result<RunKeys, BackendError> {
        let wanted = id.clone();
        let keys = self.parts.database.read(move |connection| views::run_keys(connection, &wanted, Some(number))).await;
        keys.map_err(|error| backend_error(error, missing_run(id, number)))
    }

    /// The active run of a task, by the task's id or by the run's own workflow id.
    ///
    /// # Errors
    /// `NotFound` when there is no such task or run, `Conflict` when a task has no active run.
    pub async fn active_runs(&self, target: CancelTarget) -> Result<(TaskId, Vec<RunNumber>), BackendError> {
        let wanted = target.clone();
        let found = self.parts.database.read(move |connection| active_runs_in(connection, &wanted)).await;
        match (found, target) {
            (Ok((id, numbers)), _) if numbers.is_empty() => {
                Err(BackendError::Conflict(format!("Task {id} has no active run, so there is nothing to cancel.")))
            }
            (Ok(found), _) => Ok(found),
            (Err(error), CancelTarget::Task(id)) => Err(backend_error(error, missing_task(&id))),
            (Err(error), CancelTarget::Run(run)) => Err(backend_error(error, || format!("There is no run {run}."))),
        }
    }

    /// What the engine executes for a run, as YAML.
    ///
    /// # Errors
    /// `NotFound` when there is no such run, `Internal` when the engine cannot tell.
    pub async fn manifest(&self, run: RunId) -> Result<String, BackendError> {
        self.parts.engine.manifest(run).await.map_err(|error| BackendError::Internal(error.to_string()))
    }
}

/// What a program may name to have a run cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CancelTarget {
    /// A task: all its active runs.
    Task(TaskId),
    /// A run.
    Run(RunId),
}

fn active_runs_in(
    connection: &mut SqliteConnection,
    target: &CancelTarget,
) -> Result<(TaskId, Vec<RunNumber>), DatabaseError> {
    match target {
        CancelTarget::Run(run) => {
            let (id, number) = views::run_by_key(connection, *run)?;
            Ok((id, vec![number]))
        }
        CancelTarget::Task(id) => {
            tasks::name(connection, id)?.ok_or(DatabaseError::NotFound)?;
            Ok((id.clone(), runs::active_numbers(connection, id)?))
        }
    }
}
