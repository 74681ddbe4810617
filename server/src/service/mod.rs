//! What pages, forms and programs may ask for, over the database: the implementation of [`app::backend::Backend`].
//! One file per concern; here they are put together.

use std::sync::Arc;

use app::{
    backend::{
        Backend, BackendError, CancelledRuns, DeletedCache, DeletedTask, SaveFlow, SaveTask, SavedTask, StartRun,
    },
    model::{
        cache::Readiness,
        caches::CacheName,
        diagnostics::Diagnostics,
        flow::{Flow, StepKey},
        identifiers::{Kind, RunNumber, RunUid, TaskId},
        log_search::{LogQuery, LogSearch, SearchFrom},
        python_version::OfferedPython,
        run_list::{ListedRun, RunPage, RunQuery},
        spec::{TaskName, TaskSpec},
        step_address::StepAddress,
        time::Timestamp,
        views::{FlowDetail, LogPage, LogWindow, RunDetail, RunTiming, StepOutput, TaskDetail, TaskPage, TaskQuery},
    },
};
use async_trait::async_trait;
use tokio::sync::Notify;

use crate::{
    clock::{SharedClock, SharedRandom},
    db::{Database, views},
    diagnostics::Sources,
    engine::Engines,
    execution::hints::Hints,
    packages::resolver::Resolver,
};

mod cache;
mod diagnostics;
mod errors;
mod flow_programs;
mod flows;
mod log_reader;
mod log_tallies;
mod logs;
mod outputs;
mod page;
mod principal;
mod pythons;
mod run_list;
mod runs;
mod saving;
mod script;
mod tasks;

pub use crate::db::steps::StepLog;
pub use log_reader::{LogReader, Reading};
pub use logs::TextPart;
pub use page::Page;
pub use principal::Principal;
pub use runs::{CancelTarget, Manifest};

use self::{
    cache::Cache,
    errors::{backend_error, missing_run, missing_step, missing_task},
    log_tallies::Tallies,
};

/// What a [`Service`] is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// Where everything is kept.
    pub database: Database,
    /// Finds exact package versions.
    pub resolver: Arc<dyn Resolver>,
    /// Where runs run.
    pub engines: Engines,
    /// Tells viewers that a step changed.
    pub hints: Hints,
    /// Wakes the supervisor.
    pub wake: Arc<Notify>,
    /// The clock.
    pub clock: SharedClock,
    /// The source of new ids.
    pub random: SharedRandom,
    /// How the server is doing.
    pub diagnostics: Sources,
}

/// The implementation of [`Backend`].
pub struct Service {
    dependencies: Dependencies,
    lists: Cache<(TaskQuery, Timestamp), TaskPage>,
    run_lists: Cache<(RunQuery, Timestamp), RunPage>,
    log_tallies: Tallies,
}

impl Service {
    /// Puts a service together.
    #[must_use]
    pub fn new(dependencies: Dependencies) -> Self {
        Self { dependencies, lists: Cache::default(), run_lists: Cache::default(), log_tallies: Tallies::default() }
    }

    /// What counts back from now is counted from the minute, so that a list can be remembered for as long.
    fn this_minute(&self) -> Timestamp {
        let now = self.dependencies.clock.now();
        Timestamp(now.0 - now.0.rem_euclid(60_000))
    }

    /// Looks whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn check_database(&self) -> Result<(), BackendError> {
        let answer = self.dependencies.database.read(|connection| views::has_tasks(connection, Kind::Task)).await;
        answer.map(drop).map_err(|error| backend_error(error, String::new))
    }

    /// Tells viewers that a step changed.
    #[must_use]
    pub fn hints(&self) -> &Hints {
        &self.dependencies.hints
    }
}

#[async_trait]
impl Backend for Service {
    async fn list_tasks(&self, query: &TaskQuery) -> Result<TaskPage, BackendError> {
        self.task_page(query).await
    }

    async fn task(&self, id: &TaskId, older_than: Option<RunNumber>) -> Result<TaskDetail, BackendError> {
        self.task_detail(id, older_than).await
    }

    async fn run_timings(&self, id: &TaskId, most: usize) -> Result<Vec<RunTiming>, BackendError> {
        self.timings(id, most).await
    }

    async fn save_task(&self, save: SaveTask) -> Result<SavedTask, BackendError> {
        self.save(save).await
    }

    async fn rename(&self, id: &TaskId, name: Option<TaskName>) -> Result<(), BackendError> {
        self.set_name(id, name).await
    }

    async fn delete_task(&self, id: &TaskId) -> Result<DeletedTask, BackendError> {
        self.delete(id).await
    }

    async fn start_run(&self, start: StartRun) -> Result<RunNumber, BackendError> {
        self.start(start).await
    }

    async fn rerun(&self, id: &TaskId, number: RunNumber) -> Result<RunNumber, BackendError> {
        self.start_again(id, number).await
    }

    async fn cancel_run(&self, id: &TaskId, number: RunNumber) -> Result<(), BackendError> {
        self.cancel(id, number).await
    }

    async fn list_runs(&self, query: &RunQuery) -> Result<RunPage, BackendError> {
        self.listed_runs(query).await
    }

    async fn runs_named(&self, runs: &[RunUid]) -> Result<Vec<ListedRun>, BackendError> {
        self.find_runs(runs).await
    }

    async fn cancel_runs(&self, runs: &[RunUid]) -> Result<CancelledRuns, BackendError> {
        self.cancel_several(runs).await
    }

    async fn readiness(&self, spec: &TaskSpec) -> Readiness {
        self.readiness_of(spec).await
    }

    fn pythons(&self) -> Vec<OfferedPython> {
        self.offered_pythons()
    }

    async fn run(&self, step: &StepAddress) -> Result<RunDetail, BackendError> {
        self.run_detail(step).await
    }

    async fn run_with_log(&self, step: &StepAddress, window: LogWindow) -> Result<(RunDetail, LogPage), BackendError> {
        self.run_page(step, window).await
    }

    async fn log(&self, step: &StepAddress, window: LogWindow) -> Result<LogPage, BackendError> {
        self.log_page(step, window).await
    }

    async fn search_log(
        &self,
        step: &StepAddress,
        query: &LogQuery,
        from: SearchFrom,
    ) -> Result<LogSearch, BackendError> {
        self.log_search(step, query, from).await
    }

    async fn flow(&self, id: &TaskId, older_than: Option<RunNumber>) -> Result<FlowDetail, BackendError> {
        self.flow_detail(id, older_than).await
    }

    async fn flow_of_run(&self, id: &TaskId, number: RunNumber) -> Result<Flow, BackendError> {
        self.frozen_flow(id, number).await
    }

    async fn save_flow(&self, save: SaveFlow) -> Result<SavedTask, BackendError> {
        self.store_flow(save).await
    }

    async fn restart(&self, id: &TaskId, number: RunNumber) -> Result<RunNumber, BackendError> {
        self.go_on(id, number).await
    }

    async fn run_step(
        &self,
        id: &TaskId,
        step: &StepKey,
        inputs_of: Option<RunNumber>,
    ) -> Result<RunNumber, BackendError> {
        self.start_step(id, step, inputs_of).await
    }

    async fn outputs(&self, step: &StepAddress) -> Result<Vec<StepOutput>, BackendError> {
        self.list_outputs(step).await
    }

    async fn output(&self, step: &StepAddress, name: &str, most: usize) -> Result<Vec<u8>, BackendError> {
        self.beginning_of_output(step, name, most).await
    }

    async fn diagnostics(&self) -> Result<Diagnostics, BackendError> {
        self.collect_diagnostics().await
    }

    async fn check_again(&self) {
        self.make_checks_again().await;
    }

    async fn delete_cache(&self, name: &CacheName) -> Result<DeletedCache, BackendError> {
        self.remove_cache(name).await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    fn sources(folder: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let of_entry = |path: PathBuf| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![(path.display().to_string(), fs::read_to_string(&path).unwrap())]
            }
        };
        entries.flat_map(of_entry).collect()
    }

    /// So that whatever a request may see or change goes through what is decided here.
    #[test]
    fn http_reaches_the_database_through_the_service_only() {
        let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"));
        assert!(sources.len() > 20, "{}", sources.len());
        for (file, text) in sources {
            for forbidden in ["db::", "db,", "diesel", "DatabaseError"] {
                assert!(!text.contains(forbidden), "{file} knows the database: `{forbidden}`");
            }
        }
    }
}
