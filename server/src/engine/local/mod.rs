//! The local engine: steps are processes on this machine, each under a shim of its own that outlives the server.
//! The server and the shim share nothing but the step's folder.

use std::{
    collections::HashMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::model::{
    cache::{Readiness, Ready},
    identifiers::{RunUid, StepUid},
    lock::Lock,
    python_version::PythonVersion,
    resources::Memory,
    spec::TaskSpec,
};
use async_trait::async_trait;
use futures::{StreamExt as _, stream::BoxStream};
use tokio::{io::AsyncReadExt as _, net::unix::pipe, process::Child};

use self::{folder::StepFolder, outputs::Outputs, shim::Orders, standby::Standby};
use super::{
    Cancel, Cursor, EndCause, Engine, EngineError, EngineName, Interpreter, Observation, Observed, Positions, RunPlan,
    StepEnd, StepEvent, StepEvents, StepPlan, Target, no_such_python,
    workplace::{self, Workplace},
};
use crate::{
    clock::SharedClock,
    engine::local::caches::{Caches, hold},
    packages::{
        conda::{self, CondaInstaller},
        environments::Python,
        nix::{self, NixSettings, provider::Provider},
        preparation,
        pythons::Pythons,
    },
    remove_tree::remove_tree,
    runner::{self, SecretKey, Secrets},
};

pub mod caches;
pub mod events;
pub mod folder;
mod manifest;
pub mod outputs;
mod processes;
pub mod shim;
mod standby;
mod warm;

pub use warm::WarmError;

/// The engine's name, as kept with each run.
pub const NAME: EngineName = EngineName("local");

/// How the name of a folder begins that is not complete.
const UNFINISHED: &str = ".unfinished-";

/// How much of an events file is read at once, in bytes.
const READ_BYTES: usize = 1024 * 1024;
/// How often to look whether the shim still lives, when the doorbell is silent.
const LIVENESS: Duration = Duration::from_millis(500);
/// How long a shim has to go after it has written the end, and how often to look whether it has.
const SHIM_FAREWELL: Duration = Duration::from_secs(1);
const SHIM_LOOK: Duration = Duration::from_millis(5);

/// How the local engine is set up.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// The folder of the steps' folders, and of the runner.
    pub data: PathBuf,
    /// The folder of environments and of uv's cache.
    pub cache: PathBuf,
    /// The stoker program itself, to be started as the shim.
    pub stoker: PathBuf,
    /// uv.
    pub uv: PathBuf,
    /// The Pythons that runs use.
    pub pythons: Pythons,
    /// The package index, when it is not uv's own default.
    pub index_url: Option<String>,
    /// Seconds for programs that set no time limit themselves.
    pub default_timeout: Option<u32>,
    /// Seconds for preparing.
    pub preparation_timeout: u32,
    /// Seconds between asking processes to end and killing them.
    pub grace: u32,
    /// Bytes of output that are kept of a step.
    pub log_limit: u64,
    /// Bytes of memory (address space) that each process of a program may have.
    pub memory_limit: Option<u64>,
    /// Seconds for each stage of preparing.
    pub stage_timeout: u32,
    /// Bytes that must be free where something is to be built.
    pub minimum_free: u64,
    /// Where system packages come from.
    pub nix: NixSettings,
    /// How many runs may run at once.
    pub at_once: usize,
    /// Where conda comes from; `None` when no installer is known, and then tasks that ask for it fail.
    pub conda: Option<CondaInstaller>,
}

/// The local engine.
pub struct LocalEngine {
    workshop: Arc<Workshop>,
    caches: Caches,
    outputs: Outputs,
    clock: SharedClock,
    standby: Standby,
    /// Shims that were started and that nobody follows yet.
    launched: Mutex<HashMap<StepUid, Child>>,
}

/// What laying a step out needs. It reads files and starts programs, so it is only used where that may block.
struct Workshop {
    settings: LocalSettings,
    runner: PathBuf,
    secret_key: SecretKey,
    outputs: Outputs,
}

impl LocalEngine {
    /// Sets up the engine's folders.
    ///
    /// # Errors
    /// When they cannot be made.
    pub fn new(settings: LocalSettings, caches: Caches, clock: SharedClock, secret_key: SecretKey) -> io::Result<Self> {
        fs::create_dir_all(settings.data.join("steps"))?;
        fs::create_dir_all(settings.cache.join("environments"))?;
        fs::create_dir_all(&settings.nix.sets)?;
        let runner = runner::install(&settings.data.join("runner"))?;
        let outputs = Outputs::below(settings.data.join("outputs"));
        let standby = Standby::new(settings.stoker.clone());
        let workshop = Arc::new(Workshop { settings, runner, secret_key, outputs: outputs.clone() });
        Ok(Self { workshop, caches, outputs, clock, standby, launched: Mutex::default() })
    }

    fn launched(&self) -> std::sync::MutexGuard<'_, HashMap<StepUid, Child>> {
        self.launched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self, step: &StepUid) -> StepFolder {
        self.workshop.folder(step)
    }

    /// The Python of this version, or the one of runs that ask for none.
    async fn python(&self, wanted: Option<PythonVersion>) -> Result<Python, EngineError> {
        let pythons = &self.workshop.settings.pythons;
        let Some(wanted) = wanted else {
            return pythons.default().cloned().map_err(|error| EngineError::lasting(error.to_string()));
        };
        let all = pythons.all().await;
        let found = all.get(&wanted).cloned();
        found.ok_or_else(|| {
            let targets: Vec<Target> = all.values().map(target).collect();
            EngineError::lasting(no_such_python(wanted, &targets))
        })
    }

    /// Does what may block where it holds nobody up.
    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Workshop) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let workshop = self.workshop.clone();
        tokio::task::spawn_blocking(move || work(&workshop))
            .await
            .map_err(|error| EngineError::passing(format!("Stoker failed inside: {error}.")))?
    }

    /// Starts a shim, unless the step was started before. A second shim that was started for all that would leave the
    /// first one alone.
    fn launch(&self, step: &StepUid) -> Result<(), EngineError> {
        let folder = self.folder(step);
        let begins = |shim: &mut Child| matches!(shim.try_wait(), Ok(None));
        if folder.started().exists() || self.launched().get_mut(step).is_some_and(begins) {
            // Nothing to start, so nothing to fail: a run that goes on must not end for want of a second shim.
            return Ok(());
        }
        let shim = self
            .standby
            .start(folder.path())
            .map_err(|error| EngineError::lasting(format!("The step's process could not be started: {error}.")))?;
        self.launched().insert(step.clone(), shim);
        Ok(())
    }

    /// Removes a step's folder; what still runs of it is stopped first.
    async fn let_go(&self, step: StepUid) -> Result<(), EngineError> {
        let folder = self.folder(&step);
        // A shim that has just written the end is about to go itself.
        let gone = async {
            while folder.shim_lives() {
                tokio::time::sleep(SHIM_LOOK).await;
            }
        };
        if tokio::time::timeout(SHIM_FAREWELL, gone).await.is_err() {
            return self
                .beside(move |workshop| {
                    workshop.tell(&step, shim::TELL_KILL);
                    Err(EngineError::passing("its process still runs and is being stopped"))
                })
                .await;
        }
        self.beside(move |_| {
            remove_tree(folder.path())
                .map_err(|error| EngineError::passing(format!("its folder could not be removed: {error}")))
        })
        .await
    }

    /// What happens to one step.
    fn follow(&self, step: StepUid, position: u64) -> BoxStream<'static, Result<Observation, EngineError>> {
        let follower = Follower {
            folder: self.folder(&step),
            clock: self.clock.clone(),
            shim: self.launched().remove(&step),
            position,
            doorbell: None,
            ended: false,
        };
        futures::stream::unfold((follower, step), |(mut follower, step)| async move {
            let events = follower.next().await?;
            let next = Cursor(follower.position.to_string());
            Some((Ok(Observation::Step(StepEvents { step: step.clone(), events, next })), (follower, step)))
        })
        .boxed()
    }
}

impl Workshop {
    fn steps(&self) -> PathBuf {
        self.settings.data.join("steps")
    }

    fn folder(&self, step: &StepUid) -> StepFolder {
        StepFolder::of(&self.steps(), step)
    }

    /// The steps of a run, or of all, that have a folder.
    fn staged(&self, run: Option<&RunUid>) -> io::Result<Vec<StepUid>> {
        let mut steps = Vec::new();
        for entry in fs::read_dir(self.steps())? {
            let name = entry?.file_name();
            let step = name.to_str().and_then(|name| name.parse::<StepUid>().ok());
            steps.extend(step.filter(|step| run.is_none_or(|run| step.run() == *run)));
        }
        Ok(steps)
    }

    /// Lays out everything that a step needs, without starting it. Doing it twice is the same as doing it once.
    fn stage(&self, plan: &StepPlan, python: &Python) -> Result<(), EngineError> {
        let folder = self.folder(&plan.step);
        // Once it is staged it may have begun, and put something out.
        if !folder.path().exists() {
            let begun = self.outputs.begin(&plan.step, &plan.definition.key, &plan.readable);
            begun.map_err(|error| staging_error(&error))?;
        }
        self.stage_in(&folder, &self.secret_key.of_step(&plan.step), plan, python)
    }

    fn stage_in(
        &self,
        folder: &StepFolder,
        secrets: &Secrets,
        plan: &StepPlan,
        python: &Python,
    ) -> Result<(), EngineError> {
        let orders = self.orders(folder, secrets, plan, python);
        // What the orders name is in use from the moment in which the folder is there.
        let staged = hold::for_use(&self.settings.cache)
            .and_then(|_hold| self.write_folder(folder, plan, &orders, &secrets.markers.input()));
        staged.map_err(|error| staging_error(&error))
    }

    /// Writes everything beside, and puts it in its place in one move: a folder that is there is complete.
    fn write_folder(&self, folder: &StepFolder, plan: &StepPlan, orders: &Orders, secrets: &str) -> io::Result<()> {
        if folder.path().exists() {
            return Ok(());
        }
        let run = plan.step.run();
        let unfinished = self.steps().join(format!("{UNFINISHED}{}", plan.step));
        remove_tree(&unfinished)?;
        let new = StepFolder::at(unfinished);
        workplace::lay_out(&new, plan, orders, secrets, |step| self.outputs.of_step(&run, step))?;
        fs::rename(new.path(), folder.path())
    }

    /// Removes folders that a server killed while staging has left: nobody stages meanwhile.
    fn remove_unfinished(&self) -> io::Result<()> {
        let _hold = hold::for_removal(&self.settings.cache)?;
        for entry in fs::read_dir(self.steps())? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes()) {
                remove_tree(&entry.path())?;
            }
        }
        Ok(())
    }

    fn orders(&self, folder: &StepFolder, secrets: &Secrets, plan: &StepPlan, python: &Python) -> Orders {
        let settings = &self.settings;
        let limits = [settings.memory_limit, plan.definition.spec.resources.memory_limit.map(Memory::bytes)];
        let workplace = Workplace {
            runner: &self.runner,
            uv: &settings.uv,
            python,
            cache: &settings.cache,
            nix: &settings.nix,
            conda: settings.conda.as_ref(),
            stage_timeout: settings.stage_timeout,
            minimum_free: settings.minimum_free,
            memory_limit: limits.into_iter().flatten().min(),
            preparation: preparation::variables(settings.index_url.as_deref()),
            outputs: Some(self.outputs.of_step(&plan.step.run(), &plan.definition.key)),
        };
        Orders {
            command: workplace::command(&self.runner),
            environment: workplace.environment(folder, secrets, plan),
            preparation_timeout: settings.preparation_timeout,
            program_timeout: plan
                .definition
                .spec
                .timeout
                .map(app::model::spec::Timeout::seconds)
                .or(settings.default_timeout),
            grace: settings.grace,
            log_limit: settings.log_limit,
        }
    }

    fn tell(&self, step: &StepUid, letter: u8) {
        use std::io::Write as _;
        let folder = self.folder(step);
        if folder.shim_lives()
            && let Err(error) = StepFolder::open_fifo(&folder.control()).and_then(|mut fifo| fifo.write_all(&[letter]))
        {
            tracing::warn!(step.uid = %step, %error, "A step's shim could not be told to stop");
        }
    }

    fn readiness(&self, spec: &TaskSpec, lock: Option<&Lock>, python: Option<&Python>) -> Readiness {
        let nix = &self.settings.nix;
        let names = nix::names(&spec.system_packages);
        let provider = if names.is_empty() { Provider::None } else { Provider::find(nix) };
        let set = (!names.is_empty()).then(|| nix.set_key(&names, &provider));
        let system = set.as_ref().map(|key| match provider {
            Provider::None => Ready::Impossible,
            _ if nix.set_is_ready(key, &provider) => Ready::Ready,
            _ => Ready::ToBuild,
        });
        let conda = spec.system_packages.iter().any(conda::provides).then(|| match &self.settings.conda {
            None => Ready::Impossible,
            Some(conda) if conda.folder(&self.settings.cache).join("complete").exists() => Ready::Ready,
            Some(_) => Ready::ToBuild,
        });
        // Of the two, the one that is further from ready.
        let system = system.max(conda);
        let environment = match (python, lock) {
            _ if !spec.use_cache => Ready::Private,
            (None, _) => Ready::Impossible,
            (Some(python), Some(lock)) => {
                let key = python.environment_key(lock, set.as_deref());
                let folder = self.settings.cache.join("environments").join(key);
                if folder.join("complete").exists() { Ready::Ready } else { Ready::ToBuild }
            }
            (Some(_), None) => Ready::ToBuild,
        };
        Readiness { environment, system }
    }

    fn manifest(&self, plan: &RunPlan) -> Result<String, EngineError> {
        let command = workplace::command(&self.runner).join(" ");
        let steps: Vec<_> = plan.steps.iter().map(|step| (step.clone(), command.clone())).collect();
        manifest::write(&steps).map_err(|error| EngineError::lasting(format!("It cannot be written as YAML: {error}.")))
    }
}

#[async_trait]
impl Engine for LocalEngine {
    fn name(&self) -> EngineName {
        NAME
    }

    fn capacity(&self) -> usize {
        self.workshop.settings.at_once
    }

    async fn target(&self, python: Option<PythonVersion>) -> Result<Target, EngineError> {
        Ok(target(&self.python(python).await?))
    }

    async fn targets(&self) -> Vec<Target> {
        self.workshop.settings.pythons.all().await.values().map(target).collect()
    }

    async fn start(&self, plan: &RunPlan) -> Result<Option<String>, EngineError> {
        let mut steps = Vec::new();
        // What is staged has its Python, and goes on with it whatever there is now.
        for step in plan.steps.iter().filter(|step| !self.folder(&step.step).path().exists()) {
            steps.push((step.clone(), self.python(step.definition.spec.python).await?));
        }
        self.beside(move |workshop| steps.iter().try_for_each(|(step, python)| workshop.stage(step, python))).await?;
        plan.steps.iter().try_for_each(|step| self.launch(&step.step))?;
        Ok(None)
    }

    fn observe(&self, plan: &RunPlan, from: Positions) -> BoxStream<'static, Result<Observation, EngineError>> {
        let follow = |step: &StepPlan| {
            let position = from.get(&step.step).and_then(|cursor| cursor.0.parse().ok()).unwrap_or(0);
            // One that a server killed in between has not started yet; one that cannot be started says so itself.
            if self.folder(&step.step).path().exists()
                && let Err(error) = self.launch(&step.step)
            {
                return futures::stream::iter([Err(error)]).boxed();
            }
            self.follow(step.step.clone(), position)
        };
        let steps = futures::stream::select_all(plan.steps.iter().map(follow).collect::<Vec<_>>());
        steps.chain(futures::stream::iter([Ok(Observation::Ended)])).boxed()
    }

    async fn cancel(&self, run: &RunUid, how: Cancel) -> Result<(), EngineError> {
        let (run, letter) = match how {
            Cancel::WithGrace => (run.clone(), shim::TELL_CANCEL),
            Cancel::AtOnce => (run.clone(), shim::TELL_KILL),
        };
        self.beside(move |workshop| {
            let steps = workshop.staged(Some(&run)).map_err(|error| folder_error(&error))?;
            for step in &steps {
                workshop.tell(step, letter);
            }
            Ok(())
        })
        .await
    }

    async fn forget(&self, run: &RunUid) -> Result<(), EngineError> {
        self.launched().retain(|step, _| step.run() != *run);
        let wanted = run.clone();
        let steps =
            self.beside(move |workshop| workshop.staged(Some(&wanted)).map_err(|error| folder_error(&error))).await?;
        // One that still runs is being stopped; the others go all the same.
        let mut left = Ok(());
        for step in steps {
            left = left.and(self.let_go(step).await);
        }
        left?;
        let (outputs, run) = (self.outputs.clone(), run.clone());
        self.beside(move |_| {
            outputs.tidy(&run);
            Ok(())
        })
        .await
    }

    async fn forget_step(&self, step: &StepUid) -> Result<(), EngineError> {
        self.launched().remove(step);
        self.let_go(step.clone()).await
    }

    async fn kept(&self) -> Result<Vec<RunUid>, EngineError> {
        self.beside(|workshop| {
            if let Err(error) = workshop.remove_unfinished() {
                tracing::warn!(%error, "The folder of a step that was never staged could not be removed; trying again later");
            }
            let steps = workshop.staged(None).map_err(|error| folder_error(&error))?;
            let runs: std::collections::BTreeSet<RunUid> = steps.iter().map(StepUid::run).collect();
            Ok(runs.into_iter().collect())
        })
        .await
    }

    async fn readiness(&self, spec: &TaskSpec, lock: Option<&Lock>) -> Readiness {
        let (spec, lock, unknown) = (spec.clone(), lock.cloned(), Readiness::unknown(spec));
        let python = self.python(spec.python).await.ok();
        self.beside(move |workshop| Ok(workshop.readiness(&spec, lock.as_ref(), python.as_ref())))
            .await
            .unwrap_or(unknown)
    }

    async fn manifest(&self, plan: &RunPlan) -> Result<String, EngineError> {
        let plan = plan.clone();
        self.beside(move |workshop| workshop.manifest(&plan)).await
    }

    async fn diagnose(&self) -> Result<(), EngineError> {
        self.target(None).await.map(drop)
    }

    fn caches(&self) -> Option<&Caches> {
        Some(&self.caches)
    }

    fn outputs(&self) -> Option<&Outputs> {
        Some(&self.outputs)
    }
}

fn target(python: &Python) -> Target {
    Target {
        python: python.version.clone(),
        platform: python.platform.clone(),
        interpreter: Interpreter::Here(python.path.clone()),
    }
}

fn folder_error(error: &io::Error) -> EngineError {
    EngineError::passing(format!("The folder of the steps could not be read: {error}."))
}

fn staging_error(error: &io::Error) -> EngineError {
    EngineError::lasting(match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "The disk that holds Stoker's data folder is full. Free some space and run the task again.".into()
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "Stoker's data folder cannot be written. Check its permissions and run the task again.".into()
        }
        _ => format!("The step's folder could not be written: {error}. Run the task again."),
    })
}

/// Reads a step's events as they come.
struct Follower {
    folder: StepFolder,
    clock: SharedClock,
    /// The shim, when this server started it and it has not started the step yet.
    shim: Option<Child>,
    position: u64,
    doorbell: Option<pipe::Receiver>,
    ended: bool,
}

impl Follower {
    /// The next events; `None` after the end.
    async fn next(&mut self) -> Option<Vec<Observed>> {
        if self.ended {
            return None;
        }
        loop {
            // Asked before reading: a shim that was gone by then has written all it ever will.
            let gone = self.folder.started().exists() && !self.folder.shim_lives();
            match self.read() {
                Ok(events) if !events.is_empty() => {
                    self.ended = matches!(events.last(), Some(Observed { event: StepEvent::Ended(_), .. }));
                    return Some(events);
                }
                Ok(_) if gone || !self.folder.path().exists() => return Some(self.lost().await),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "A step's events could not be read; trying again"),
            }
            if let Some(reason) = self.never_started() {
                return Some(vec![self.end(EndCause::NotStarted(reason))]);
            }
            self.wait().await;
        }
    }

    fn read(&mut self) -> io::Result<Vec<Observed>> {
        use std::io::{Read as _, Seek as _};
        let mut file = match fs::File::open(self.folder.events()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        file.seek(io::SeekFrom::Start(self.position))?;
        // Far more than a frame holds. What is cut off at the end is read again: by then it may be another frame.
        let mut bytes = Vec::new();
        file.take(READ_BYTES as u64).read_to_end(&mut bytes)?;
        let (events, taken) = events::take_frames(&bytes);
        self.position += taken as u64;
        Ok(events)
    }

    /// Why the step will never start: its shim ended before it began. `None` while it may start, or has.
    fn never_started(&mut self) -> Option<String> {
        let shim = self.shim.as_mut()?;
        if self.folder.started().exists() {
            // From now on its lock tells whether it lives.
            self.shim = None;
            return None;
        }
        let status = match shim.try_wait() {
            Ok(None) => return None,
            Ok(Some(status)) => status.to_string(),
            Err(error) => error.to_string(),
        };
        // A shim that an earlier server started has the lock, and this one left it alone.
        if self.folder.is_held() {
            return None;
        }
        // Without orders nobody starts it later. Whoever has read them before has said so before.
        if let Err(error) = fs::remove_file(self.folder.orders())
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "The orders of a step that did not start could not be withdrawn; trying again");
            return None;
        }
        (!self.folder.started().exists()).then(|| format!("its process ended before it began ({status})"))
    }

    fn end(&mut self, cause: EndCause) -> Observed {
        self.ended = true;
        Observed { at: self.clock.now(), event: StepEvent::Ended(StepEnd::by(cause)) }
    }

    /// The shim is gone without a word. What it had started may still be there, and nobody could stop it any more.
    async fn lost(&mut self) -> Vec<Observed> {
        let folder = self.folder.path().to_owned();
        if tokio::task::spawn_blocking(move || processes::kill_left_behind(&folder)).await.is_err() {
            tracing::warn!("What a lost step left behind could not be looked for");
        }
        vec![self.end(EndCause::Lost)]
    }

    /// Waits for the doorbell, or a moment.
    async fn wait(&mut self) {
        if self.doorbell.is_none() {
            self.doorbell = pipe::OpenOptions::new().read_write(true).open_receiver(self.folder.doorbell()).ok();
        }
        let rings = async {
            match &mut self.doorbell {
                Some(doorbell) => {
                    let mut rings = [0; 4096];
                    if doorbell.read(&mut rings).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
                None => std::future::pending().await,
            }
        };
        let _ = tokio::time::timeout(LIVENESS, rings).await;
    }
}
