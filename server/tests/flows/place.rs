//! A Stoker with a local engine, on a folder of its own, and flows to run on it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use app::{
    backend::{Backend as _, Resolve, SaveFlow, StartRun},
    model::{
        flow::{Flow, FlowStep, Retries, RunsWhen, StepName},
        identifiers::{RunNumber, TaskId},
        phase::Phase,
        spec::{TaskDraft, TaskName},
        step_address::StepAddress,
        views::{LogWindow, RunDetail, StepSummary},
    },
};
use server::{
    clock::{SystemClock, SystemRandom},
    db::Database,
    engine::{Engines, SharedEngine},
    packages::{
        pythons::Pythons,
        resolver::{
            Resolver,
            uv::{AT_ONCE, UvResolver},
        },
    },
    runner::SecretKey,
    service::{Principal, Service},
};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::{
    assembled,
    local_engine::{local_engine, uv},
    waiting::until,
};

/// A step of a flow.
#[derive(Clone)]
pub struct Step(pub FlowStep);

/// A step that runs this code after those.
pub fn step(key: &str, code: &str, runs_after: &[&str]) -> Step {
    let draft = TaskDraft { code: code.to_owned(), ..TaskDraft::default() };
    Step(FlowStep {
        key: key.parse().unwrap(),
        name: StepName::parse(&format!("Step {key}")).unwrap(),
        runs_after: runs_after.iter().map(|key| key.parse().unwrap()).collect(),
        ..FlowStep::only(draft.parse().unwrap().spec)
    })
}

impl Step {
    pub fn when(mut self, when: RunsWhen) -> Self {
        self.0.runs_when = when;
        self
    }

    pub fn retries(mut self, count: u32, wait: u32) -> Self {
        self.0.retries = Retries::new(count, wait, 1).unwrap();
        self
    }
}

/// A running Stoker.
pub struct Place {
    pub service: Arc<Service>,
    pub database: Database,
    pub supervisor: JoinHandle<()>,
    pub folder: PathBuf,
    /// Kept until the end of the test.
    kept: Option<tempfile::TempDir>,
}

impl Place {
    /// On a folder of its own, with so many steps at once.
    pub async fn new(at_once: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Self::within(folder.path().to_owned(), at_once).await;
        Self { kept: Some(folder), ..place }
    }

    /// On this folder.
    pub async fn within(folder: PathBuf, at_once: usize) -> Self {
        let (engine, secret_key) = engine_in(&folder, at_once).await;
        Self::with_engine(folder, engine, secret_key).await
    }

    /// With a resolver of the test's own.
    pub async fn with_resolver(at_once: usize, resolver: Arc<dyn Resolver>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (engine, secret_key) = engine_in(folder.path(), at_once).await;
        let database = database_in(folder.path()).await;
        let place = Self::of(folder.path().to_owned(), database, engine, secret_key, resolver).await;
        Self { kept: Some(folder), ..place }
    }

    /// With an engine of the test's own.
    pub async fn with_engine(folder: PathBuf, engine: SharedEngine, secret_key: SecretKey) -> Self {
        let database = database_in(&folder).await;
        let resolver: Arc<dyn Resolver> = Arc::new(UvResolver {
            uv: uv(),
            cache: folder.join("cache/uv"),
            index_url: None,
            database: database.clone(),
            clock: Arc::new(SystemClock),
            turns: Semaphore::new(AT_ONCE),
        });
        Self::of(folder, database, engine, secret_key, resolver).await
    }

    async fn of(
        folder: PathBuf,
        database: Database,
        engine: SharedEngine,
        secret_key: SecretKey,
        resolver: Arc<dyn Resolver>,
    ) -> Self {
        let stoker = assembled::assemble(database.clone(), Engines::of(engine), resolver, secret_key).await;
        let service = stoker.state.service_for(Principal::Local);
        Self { service, database, supervisor: stoker.move_runs(), folder, kept: None }
    }

    /// Ends it without a word, and begins again on the same folder.
    pub async fn killed_and_started(self, at_once: usize) -> Self {
        self.supervisor.abort();
        let _ = self.supervisor.await;
        drop((self.service, self.database));
        let place = Self::within(self.folder, at_once).await;
        Self { kept: self.kept, ..place }
    }

    /// Saves a flow.
    pub async fn save(&self, steps: &[Step]) -> TaskId {
        self.save_over(None, steps).await
    }

    /// Saves a flow over another one.
    pub async fn save_over(&self, id: Option<&TaskId>, steps: &[Step]) -> TaskId {
        self.save_with(id, steps, Resolve::Now).await
    }

    /// Saves a flow without looking up its packages.
    pub async fn save_unresolved(&self, steps: &[Step]) -> TaskId {
        self.save_with(None, steps, Resolve::Later).await
    }

    async fn save_with(&self, id: Option<&TaskId>, steps: &[Step], resolve: Resolve) -> TaskId {
        let steps = steps.iter().map(|step| step.0.clone()).collect();
        let name = TaskName::parse("A flow").unwrap().unwrap();
        let flow = Flow::new(name, None, None, steps).unwrap();
        let save = SaveFlow { id: id.cloned(), expected_revision: None, flow, resolve, run: false };
        self.service.save_flow(save).await.unwrap().id
    }

    /// Starts a run of it.
    pub async fn start(&self, id: &TaskId) -> RunNumber {
        let start = StartRun { id: id.clone(), system_packages: None, use_cache: None, only_when_idle: false };
        self.service.start_run(start).await.unwrap()
    }

    /// Saves a flow, and runs it to its end.
    pub async fn finished(&self, steps: &[Step]) -> (TaskId, RunDetail) {
        let id = self.save(steps).await;
        let number = self.start(&id).await;
        let run = self.ended(&id, number).await;
        (id, run)
    }

    pub async fn look(&self, id: &TaskId, number: RunNumber) -> RunDetail {
        self.service.run(&StepAddress::first(id.clone(), number)).await.unwrap()
    }

    /// The run as soon as it has ended.
    pub async fn ended(&self, id: &TaskId, number: RunNumber) -> RunDetail {
        self.until(id, number, |run| run.summary.phase.is_final()).await
    }

    pub async fn until(&self, id: &TaskId, number: RunNumber, condition: impl Fn(&RunDetail) -> bool) -> RunDetail {
        let wait = async {
            loop {
                let run = self.look(id, number).await;
                if condition(&run) {
                    return run;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if let Ok(run) = tokio::time::timeout(Duration::from_secs(180), wait).await {
            return run;
        }
        panic!("not in time: {:#?}", self.look(id, number).await)
    }

    pub async fn until_there_is_no(&self, file: &Path) {
        until(&format!("{} to go", file.display()), || !file.exists()).await;
    }

    /// What a step's program printed, and what Stoker said of its attempts.
    pub async fn log(&self, id: &TaskId, number: RunNumber, step: &str) -> Vec<String> {
        let address = StepAddress { step: Some(step.parse().unwrap()), ..StepAddress::first(id.clone(), number) };
        let lines = self.service.log(&address, LogWindow::Last(5000)).await.unwrap().lines.lines;
        lines.into_iter().map(|line| line.2).collect()
    }
}

/// A local engine in this folder.
async fn engine_in(folder: &Path, at_once: usize) -> (SharedEngine, SecretKey) {
    let secret_key = SecretKey::keep_in(&folder.join("secret.key"), &SystemRandom).unwrap();
    let pythons = Pythons::find(&uv(), &[]).await;
    let shim = env!("CARGO_BIN_EXE_stoker").into();
    (Arc::new(local_engine(folder.to_owned(), shim, pythons, at_once, secret_key.clone())), secret_key)
}

async fn database_in(folder: &Path) -> Database {
    Database::open(&folder.join("stoker.sqlite")).await.unwrap()
}

/// How a step of a run stands.
pub fn of<'a>(run: &'a RunDetail, key: &str) -> &'a StepSummary {
    run.steps.iter().find(|step| step.key.as_str() == key).unwrap()
}

/// How each step of a run stands, in order.
pub fn phases(run: &RunDetail) -> Vec<Phase> {
    run.steps.iter().map(|step| step.phase).collect()
}
