//! A server for one test, and what a test says to it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use app::model::{
    cache::{Readiness, Ready},
    checkpoint::CheckpointStatus,
    checks::{Check, CheckGroup, CheckReport},
    diagnostics::EngineLimits,
    identifiers::{RunId, RunNumber, RunUid, StepId, TaskId},
    lock::Lock,
    log::{LogLine, Stream},
    phase::Phase,
    python_version::PythonVersion,
    retention::Retention,
    spec::TaskSpec,
    step_address::StepAddress,
    time::Timestamp,
    views::RunKeys,
};
use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use futures::stream::BoxStream;
use http_body_util::BodyExt as _;
use scraper::{Html, Selector};
use serde_json::Value;
use server::{
    assembly::{Parts, Stoker},
    clock::{Clock, SystemRandom},
    config::DataFolder,
    db::{
        Database,
        logs::{self, Chunk},
        manifests, runs, schema,
        steps::{self, Outcome},
        views,
    },
    diagnostics::{
        Sources,
        checks::{Checker, Checks},
        recent_errors::RecentErrors,
        versions::VersionCache,
    },
    engine::{
        Cancel, Engine, EngineError, EngineName, Engines, Interpreter, Observation, Positions, RunPlan, Target,
        local::caches::{CacheFolders, Caches},
        no_such_python,
    },
    execution::hints::Hints,
    http::{
        self,
        hosts::Hosts,
        site::Site,
        state::{AppState, Inputs},
    },
    packages::resolver::{ResolveError, Resolver},
    runner::SecretKey,
    service::Principal,
};
use tower::ServiceExt as _;

/// The name under which tests reach the server.
pub const HOST: &str = "127.0.0.1:3000";

/// A clock that stands still until a test moves it.
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Lets time pass.
    pub fn pass(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A resolver that answers what the test set.
pub struct FakeResolver {
    answer: Mutex<Result<Lock, ResolveError>>,
    calls: AtomicUsize,
}

impl FakeResolver {
    /// Sets the answer to all further questions.
    pub fn answers(&self, answer: Result<Lock, ResolveError>) {
        *self.answer.lock().unwrap() = answer;
    }

    /// How often it was asked.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolver for FakeResolver {
    async fn lock(&self, _spec: &TaskSpec, _target: &Target) -> Result<Lock, ResolveError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.answer.lock().unwrap().clone()
    }

    async fn known(&self, _spec: &TaskSpec, _target: &Target) -> Option<Lock> {
        None
    }
}

/// An engine that runs nothing: these tests move runs themselves, by the database.
#[derive(Default)]
pub struct NoEngine {
    /// The full versions of Python that it has, the lowest first; none: only its default one.
    pythons: Mutex<Vec<&'static str>>,
}

impl NoEngine {
    /// Sets which Pythons it has from now on.
    pub fn has(&self, pythons: &[&'static str]) {
        *self.pythons.lock().unwrap() = pythons.to_vec();
    }
}

fn target(python: &str) -> Target {
    let interpreter = Interpreter::Elsewhere("linux".to_owned());
    Target { python: python.to_owned(), platform: "a test".to_owned(), interpreter }
}

#[async_trait]
impl Engine for NoEngine {
    fn name(&self) -> EngineName {
        EngineName("local")
    }

    fn capacity(&self) -> usize {
        2
    }

    async fn target(&self, wanted: Option<PythonVersion>) -> Result<Target, EngineError> {
        let Some(wanted) = wanted else { return Ok(target("3.12.4")) };
        let targets = self.targets().await;
        let found = targets.iter().find(|target| PythonVersion::of_full(&target.python) == Some(wanted)).cloned();
        found.ok_or_else(|| EngineError::lasting(no_such_python(wanted, &targets)))
    }

    async fn targets(&self) -> Vec<Target> {
        let pythons = self.pythons.lock().unwrap();
        if pythons.is_empty() { vec![target("3.12.4")] } else { pythons.iter().map(|python| target(python)).collect() }
    }

    async fn start(&self, _: &RunPlan) -> Result<Option<String>, EngineError> {
        unreachable!("nothing moves runs")
    }

    fn observe(&self, _: &RunPlan, _: Positions) -> BoxStream<'static, Result<Observation, EngineError>> {
        unreachable!("nothing moves runs")
    }

    async fn cancel(&self, _: &RunUid, _: Cancel) -> Result<(), EngineError> {
        unreachable!("nothing moves runs")
    }

    async fn forget(&self, _: &RunUid) -> Result<(), EngineError> {
        unreachable!("nothing moves runs")
    }

    async fn kept(&self) -> Result<Vec<RunUid>, EngineError> {
        unreachable!("nothing moves runs")
    }

    async fn readiness(&self, _: &TaskSpec, _: Option<&Lock>) -> Readiness {
        Readiness { environment: Ready::ToBuild, system: None }
    }

    async fn manifest(&self, plan: &RunPlan) -> Result<String, EngineError> {
        Ok(format!("run: {}\n", plan.run))
    }

    async fn diagnose(&self) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Checks that find what the test set.
pub struct FakeChecker {
    clock: Arc<TestClock>,
    answer: Mutex<CheckpointStatus>,
}

impl FakeChecker {
    /// Sets what is found from now on.
    pub fn finds(&self, status: CheckpointStatus) {
        *self.answer.lock().unwrap() = status;
    }
}

#[async_trait]
impl Checker for FakeChecker {
    async fn check(&self) -> CheckReport {
        let status = *self.answer.lock().unwrap();
        let check = Check {
            key: "uv".to_owned(),
            group: CheckGroup::Tools,
            title: "uv".to_owned(),
            status,
            detail: "What was found.".to_owned(),
            fix: (status == CheckpointStatus::Failed).then(|| "Install uv.".to_owned()),
        };
        CheckReport { checks: vec![check], at: self.clock.now() }
    }
}

/// A server on a folder of its own.
pub struct TestApp {
    pub router: Router,
    pub state: AppState,
    pub database: Database,
    pub clock: Arc<TestClock>,
    pub resolver: Arc<FakeResolver>,
    pub engine: Arc<NoEngine>,
    pub hints: Hints,
    pub checker: Arc<FakeChecker>,
    pub caches: Caches,
    pub errors: RecentErrors,
    /// The `Host` of requests.
    pub host: String,
    // Last: the folder goes when everything that uses it is gone.
    _folder: tempfile::TempDir,
}

impl TestApp {
    /// A server with an empty database, reached under [`HOST`].
    pub async fn new() -> Self {
        Self::at_port(3000).await
    }

    /// A server reached at this port.
    pub async fn at_port(port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("stoker.sqlite")).await.unwrap();
        // 2024-02-29T12:34:56.789Z
        let clock = Arc::new(TestClock(AtomicI64::new(1_709_210_096_789)));
        let resolver = Arc::new(FakeResolver { answer: Mutex::new(Ok(Lock::default())), calls: AtomicUsize::new(0) });
        let inputs = Inputs { clock: clock.clone(), random: Arc::new(SystemRandom) };
        let checker = Arc::new(FakeChecker { clock: clock.clone(), answer: Mutex::new(CheckpointStatus::Ok) });
        let folders = CacheFolders::of(&DataFolder(folder.path().to_owned())).unwrap();
        let caches = Caches::new(folders, None, clock.clone());
        let errors = RecentErrors::default();
        let diagnostics = Sources {
            caches: Some(caches.clone()),
            checks: Checks::new(checker.clone()),
            errors: errors.clone(),
            versions: VersionCache::new("uv".into(), None),
            limits: EngineLimits {
                at_once: 2,
                default_timeout: 3600,
                memory: None,
                log: 1 << 20,
                prune_after: Some(90 * 86_400),
            },
            retention: Retention { runs: Some(1000), days: None, log_bytes: Some(20 << 30) },
            data: folder.path().to_owned(),
        };
        let files = [("favicon.svg", "<svg/>"), ("pkg/pages.js", "js"), ("pkg/workbench.js", "more js")];
        let site = Site::from_files(files.map(|(name, text)| (name.to_owned(), text.as_bytes().into())));
        let hosts = Hosts::new(port, &["stoker.example".to_owned()]);
        let engine = Arc::new(NoEngine::default());
        let stoker = Stoker::assemble(Parts {
            database: database.clone(),
            engines: Engines::of(engine.clone()),
            resolver: resolver.clone(),
            secret_key: SecretKey::new([7; 32]),
            inputs,
            diagnostics,
            site,
            hosts,
        })
        .await;
        let state = stoker.state;
        let hints = state.service_for(Principal::Local).hints().clone();
        let router = http::router(state.clone());
        let host = HOST.to_owned();
        Self { router, state, database, clock, resolver, engine, hints, checker, caches, errors, host, _folder: folder }
    }

    /// Sends a request; the `Host` header is added when it is missing.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        if !request.headers().contains_key(header::HOST) {
            request.headers_mut().insert(header::HOST, self.host.parse().unwrap());
        }
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// The same, with the cookies that an answer has set.
    pub async fn get_after(&self, answer: &Answer, path: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, answer.cookies());
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Sends a form as browsers do by default.
    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(urlencoded(fields))).unwrap()).await
    }

    /// Sends a request of the REST API, with a body unless it is null.
    pub async fn api(&self, method: Method, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = if body.is_null() {
            request.body(Body::empty())
        } else {
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        };
        self.send(request.unwrap()).await
    }

    /// Saves a task through the form, and gives its id.
    pub async fn save(&self, fields: &[(&str, &str)]) -> TaskId {
        let answer = self.post_form("/tasks/new", &[fields, &[("intent", "save")]].concat()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.location().rsplit('/').next().unwrap().parse().unwrap()
    }

    /// Saves a task through the form and runs it, and gives its id. The run stays pending.
    pub async fn save_and_run(&self, fields: &[(&str, &str)]) -> (TaskId, RunKeys) {
        let answer = self.post_form("/tasks/new", &[fields, &[("intent", "save_and_run")]].concat()).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let id: TaskId = answer.location().split(['/', '?']).nth(2).unwrap().parse().unwrap();
        let keys = self.keys(&id, 1).await;
        (id, keys)
    }

    /// The keys of a run.
    pub async fn keys(&self, id: &TaskId, run: u32) -> RunKeys {
        let address = StepAddress::first(id.clone(), number(run));
        self.database.read(move |connection| views::step_keys(connection, &address)).await.unwrap()
    }

    /// A run's name outside of the database.
    pub async fn uid(&self, run: RunId) -> RunUid {
        let uid = self.database.read(move |connection| Ok(runs::inputs(connection, run, None)?.uid));
        uid.await.unwrap()
    }

    /// Starts a run, as the supervisor does.
    pub async fn start(&self, run: RunId) {
        let at = self.clock.now();
        let start = move |connection: &mut _| {
            let steps = steps::of_run(connection, run)?;
            runs::start(connection, run, &steps, at)
        };
        assert!(self.database.write(start).await.unwrap());
        self.tell(run).await;
    }

    /// Ends a run, as the supervisor does.
    pub async fn finish(&self, run: RunId, phase: Phase, message: Option<&str>) {
        let at = self.clock.now();
        let outcome = Outcome { phase, exit_code: None, message: message.map(str::to_owned), at };
        self.database.write(move |connection| runs::finish(connection, run, None, &outcome)).await.unwrap();
        self.tell(run).await;
    }

    /// Notes of a step that it is not run, as the supervisor does.
    pub async fn skip(&self, run: RunId, key: &'static str, message: &str) {
        let at = self.clock.now();
        let outcome = Outcome { phase: Phase::Skipped, exit_code: None, message: Some(message.to_owned()), at };
        let skip = move |connection: &mut _| {
            let steps = steps::logs_of_run(connection, run)?;
            let step = steps.iter().find(|step| step.key.as_str() == key).unwrap().id;
            steps::finish_waiting(connection, run, &[(step, outcome)])
        };
        self.database.write(skip).await.unwrap();
        self.tell(run).await;
    }

    /// Keeps what an engine handed over for a run, as the supervisor does.
    pub async fn keep_manifest(&self, run: RunId, manifest: &str) {
        let manifest = manifest.to_owned();
        self.database.write(move |connection| manifests::keep(connection, run, &manifest)).await.unwrap();
        self.tell(run).await;
    }

    /// Tells viewers of a run that it changed.
    pub async fn tell(&self, run: RunId) {
        let steps = schema::steps::table.filter(schema::steps::run_id.eq(run.0)).select(schema::steps::id);
        let steps: Vec<i64> = self.database.read(move |connection| Ok(steps.load(connection)?)).await.unwrap();
        for step in steps {
            self.hints.changed(StepId(step));
        }
    }

    /// Appends lines to a run's log in one chunk, as the recorder does.
    pub async fn log(&self, keys: RunKeys, lines: &[(Stream, &str)]) {
        let at = self.clock.now();
        let lines: Vec<LogLine> = lines.iter().map(|(stream, text)| LogLine(*stream, at, (*text).to_owned())).collect();
        let write = self.database.write(move |connection| {
            let first = logs::line_count(connection, keys.step)? + 1;
            let body = serde_json::to_string(&lines).unwrap();
            logs::append(connection, keys.step, &Chunk { first, count: lines.len() as u64, body })?;
            diesel::update(schema::steps::table.find(keys.step.0))
                .set(schema::steps::line_count.eq(schema::steps::line_count + i64::try_from(lines.len()).unwrap()))
                .execute(connection)?;
            Ok(())
        });
        write.await.unwrap();
        self.hints.changed(keys.step);
    }

    /// Makes every further write fail as on a disk that cannot be written.
    pub async fn make_read_only(&self) {
        let set = self.database.write(|connection| {
            diesel::sql_query("PRAGMA query_only = ON").execute(connection)?;
            Ok(())
        });
        set.await.unwrap();
    }
}

/// A run's number.
pub fn number(number: u32) -> RunNumber {
    RunNumber::new(number).unwrap()
}

/// A draft with some code and nothing else, as the form's fields.
pub const PLAIN: [(&str, &str); 2] = [("code", "print(1)"), ("use_cache", "on")];

fn urlencoded(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut code = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        write!(code, "%{byte:02X}").unwrap();
    }
    code
}

/// An answer, read to its end.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// A header's value; empty when it is missing.
    pub fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Where the answer leads.
    pub fn location(&self) -> &str {
        self.header(header::LOCATION)
    }

    /// The answer as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    fn page(&self) -> Html {
        Html::parse_document(&self.text)
    }

    /// The texts of all elements that a CSS selector finds.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        self.page().select(&selector).map(|element| element.text().collect::<String>().trim().to_owned()).collect()
    }

    /// The text of the only element that a CSS selector finds.
    pub fn text_of(&self, selector: &str) -> String {
        let mut found = self.texts(selector);
        assert_eq!(found.len(), 1, "{selector}: {found:?} in {}", self.text);
        found.remove(0)
    }

    /// An attribute of all elements that a CSS selector finds.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        self.page().select(&selector).filter_map(|element| element.attr(name)).map(str::to_owned).collect()
    }

    /// The content of a field of the task form.
    pub fn field(&self, name: &str) -> String {
        let areas = self.texts_untrimmed(&format!("textarea[name={name}]"));
        let inputs = self.attributes(&format!("input[name={name}]"), "value");
        areas.into_iter().chain(inputs).next().unwrap_or_else(|| panic!("no field {name}"))
    }

    /// What a browser would send of the form on the page, but its buttons.
    pub fn controls(&self) -> Vec<(String, String)> {
        let page = self.page();
        let selector = Selector::parse("form.task-form :is(input, textarea, select)").unwrap();
        let chosen = Selector::parse("option[selected]").unwrap();
        let first = Selector::parse("option").unwrap();
        let value = |element: scraper::ElementRef<'_>| match element.value().name() {
            "textarea" => Some(element.text().collect()),
            "select" => {
                let option = element.select(&chosen).next().or_else(|| element.select(&first).next())?;
                Some(option.attr("value")?.to_owned())
            }
            _ => match element.attr("type") {
                Some("file") => None,
                Some("checkbox") if element.attr("checked").is_none() => None,
                _ => Some(element.attr("value").unwrap_or_default().to_owned()),
            },
        };
        let named = |element: scraper::ElementRef<'_>| Some((element.attr("name")?.to_owned(), value(element)?));
        page.select(&selector).filter_map(named).collect()
    }

    fn texts_untrimmed(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        self.page().select(&selector).map(|element| element.text().collect()).collect()
    }

    /// The cookies that the answer sets, as a `Cookie` header sends them back. Deleted ones are empty.
    pub fn cookies(&self) -> String {
        let set = self.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        set.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
    }
}
