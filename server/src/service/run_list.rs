//! The list of all runs, and cancelling several of them at once.

use app::{
    backend::{BackendError, CancelledRuns},
    model::{
        identifiers::{RunUid, StepId},
        run_list::{ListedRun, RunPage, RunQuery},
        step_address::StepAddress,
        time::Timestamp,
    },
};
use diesel::SqliteConnection;

use super::{Service, backend_error, missing_task};
use crate::db::{
    DatabaseError, run_list,
    runs::{self, CancelRequest},
    views,
};

impl Service {
    pub(super) async fn listed_runs(&self, query: &RunQuery) -> Result<RunPage, BackendError> {
        let read = |connection: &mut _, (query, now): &(RunQuery, _)| run_list::page(connection, query, *now);
        let asked = (query.clone(), self.this_minute());
        let page = self.run_lists.get_or_read(&self.dependencies.database, asked, read).await;
        page.map_err(|error| {
            backend_error(error, || query.task.as_ref().map(|task| missing_task(task)()).unwrap_or_default())
        })
    }

    pub(super) async fn find_runs(&self, runs: &[RunUid]) -> Result<Vec<ListedRun>, BackendError> {
        let wanted = runs.to_vec();
        let runs = self.dependencies.database.read(move |connection| run_list::named(connection, &wanted)).await;
        runs.map_err(|error| backend_error(error, String::new))
    }

    /// All in one transaction, so that none of them starts in the place of another.
    pub(super) async fn cancel_several(&self, runs: &[RunUid]) -> Result<CancelledRuns, BackendError> {
        if runs.is_empty() {
            return Err(BackendError::Conflict(
                "No run was chosen. Go back to the list, tick the runs to cancel, and try again.".to_owned(),
            ));
        }
        let (wanted, at) = (runs.to_vec(), self.dependencies.clock.now());
        let stopped = self.dependencies.database.write(move |connection| {
            let stopped = wanted.iter().map(|run| stop(connection, run, at)).collect::<Result<Vec<_>, _>>()?;
            Ok(stopped.into_iter().flatten().collect::<Vec<StepId>>())
        });
        let stopped = stopped.await.map_err(|error| backend_error(error, String::new))?;
        if stopped.is_empty() {
            return Err(BackendError::Conflict(
                "These runs have ended meanwhile, so there was nothing to cancel.".to_owned(),
            ));
        }
        self.dependencies.wake.notify_one();
        for step in &stopped {
            self.dependencies.hints.changed(*step);
        }
        let stopping = u32::try_from(stopped.len()).unwrap_or(u32::MAX);
        Ok(CancelledRuns { stopping, ended: u32::try_from(runs.len()).unwrap_or(u32::MAX) - stopping })
    }
}

/// Notes that a run is to be stopped; `None` when it has ended or is not there.
fn stop(connection: &mut SqliteConnection, run: &RunUid, at: Timestamp) -> Result<Option<StepId>, DatabaseError> {
    let (task, number) = match views::run_by_uid(connection, run) {
        Err(DatabaseError::NotFound) => return Ok(None),
        found => found?,
    };
    match runs::request_cancel(connection, &task, number, at)? {
        CancelRequest::AlreadyEnded(_) => Ok(None),
        CancelRequest::Accepted => Ok(Some(views::step_keys(connection, &StepAddress::first(task, number))?.step)),
    }
}
