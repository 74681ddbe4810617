//! Renders the pages of a flow's runs over a backend made of plain values: graph, table with timeline, the chosen step.
#![cfg(feature = "ssr")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use app::{
    backend::{
        Backend, BackendError, CancelledRuns, DeletedCache, DeletedTask, SaveFlow, SaveTask, SavedTask, StartRun,
    },
    changing_parts,
    model::{
        cache::{Readiness, Ready},
        caches::CacheName,
        diagnostics::Diagnostics,
        flow::{Flow, RunsWhen, StepKey, StepName},
        identifiers::{Kind, RunNumber, RunUid, StepId, TaskId},
        log::{LogLine, LogLines, RunState, Stream},
        log_search::{LogQuery, LogSearch, SearchFrom},
        phase::Phase,
        run_list::{ListedRun, RunPage, RunQuery},
        spec::{TaskDraft, TaskName, TaskSpec},
        step_address::StepAddress,
        task_title::TaskTitle,
        time::Timestamp,
        views::{
            Attempt, FlowDetail, LogPage, LogWindow, RunDetail, RunOrigin, RunSummary, RunTiming, StepDetail,
            StepOutput, StepSummary, TaskDetail, TaskPage, TaskQuery,
        },
    },
    page_context::Now,
    routes,
};
use async_trait::async_trait;
use support::{EVIL, NOW, assert_sound, render};

mod support;

/// Knows one run.
#[derive(Clone)]
struct Fake {
    run: RunDetail,
    /// What every step of it has left.
    outputs: Vec<(&'static str, Vec<u8>)>,
}

fn id() -> TaskId {
    TaskId::of_kind(Kind::Flow, [1; 6])
}

fn number(number: u32) -> RunNumber {
    RunNumber::new(number).unwrap()
}

fn key(key: &str) -> StepKey {
    key.parse().unwrap()
}

/// A time so many seconds after the run's turn came.
fn at(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 - 60_000 + seconds * 1000)
}

fn not_here() -> BackendError {
    BackendError::NotFound("There is no such thing.".to_owned())
}

fn step(name: &str, phase: Phase, runs_after: &[usize]) -> StepSummary {
    StepSummary {
        key: StepKey::from_name(name, |_| false),
        name: StepName::parse(name).unwrap(),
        phase,
        runs_after: runs_after.to_vec(),
        runs_when: RunsWhen::default(),
        placement: None,
        attempt: 1,
        started_at: None,
        prepared_at: None,
        finished_at: None,
        message: None,
        kept_from: None,
    }
}

fn took(from: i64, prepared: i64, to: i64, step: StepSummary) -> StepSummary {
    StepSummary { started_at: Some(at(from)), prepared_at: Some(at(prepared)), finished_at: Some(at(to)), ..step }
}

fn said(message: &str, step: StepSummary) -> StepSummary {
    StepSummary { message: Some(message.to_owned()), ..step }
}

/// A run of these steps that has ended, or goes on, as they have.
fn run(steps: Vec<StepSummary>) -> Fake {
    let phase = Phase::of_run(&steps.iter().map(|step| step.phase).collect::<Vec<_>>());
    let spec: TaskSpec = TaskDraft { code: "print(1)\n".to_owned(), ..TaskDraft::default() }.parse().unwrap().spec;
    let summary = RunSummary {
        number: number(4),
        phase,
        created_at: at(-5),
        started_at: Some(at(0)),
        finished_at: phase.is_final().then(|| at(40)),
        message: None,
    };
    let detail = StepDetail {
        id: StepId(1),
        key: steps[0].key.clone(),
        name: steps[0].name.clone(),
        phase: steps[0].phase,
        spec,
        lock: None,
        python: None,
        cache: None,
        checkpoints: Vec::new(),
        exit_code: None,
        message: None,
        attempts: Vec::new(),
        attempt: 1,
        waiting_for: None,
        place: None,
    };
    let run = RunDetail {
        task_id: id(),
        task_title: TaskTitle::of(TaskName::parse(EVIL).unwrap().as_ref(), "", &id()),
        uid: RunUid::from_random([1; 10]),
        engine: "local".to_owned(),
        queue_place: None,
        cancel_requested_at: None,
        origin: None,
        step: detail,
        steps,
        previous: None,
        next: None,
        latest: number(4),
        manifest: None,
        state: RunState { phase, version: 9, queue_place: None, lines: 3, started_at: None },
        summary,
    };
    Fake { run, outputs: Vec::new() }
}

/// A failed step in a diamond: `load`, then `clean` and `plot`, then `report`, and `mail` when something failed.
fn diamond() -> Fake {
    let mail = StepSummary { runs_when: RunsWhen::AnyFailed, ..step("mail", Phase::Succeeded, &[2]) };
    run(vec![
        took(0, 1, 10, step("load", Phase::Succeeded, &[])),
        took(10, 11, 20, step("clean", Phase::Succeeded, &[0])),
        took(12, 14, 20, said("The program ended with exit code 1.", step("plot", Phase::Failed, &[0]))),
        said("Not run: `plot` failed.", step("report", Phase::Skipped, &[1, 2])),
        took(20, 21, 30, mail),
    ])
}

impl Fake {
    async fn page(&self, address: &str) -> String {
        let (status, html) = render(Arc::new(self.clone()), address, || {}).await;
        assert_eq!(status, 200, "{address}");
        assert_sound(address, &html);
        html
    }

    async fn run_page(&self) -> String {
        self.page(&routes::run(&id(), number(4))).await
    }

    async fn step_page(&self, step: &str) -> String {
        self.page(&step_page(step)).await
    }
}

fn step_page(step: &str) -> String {
    routes::step(&StepAddress { task: id(), number: number(4), step: Some(key(step)) })
}

#[async_trait]
impl Backend for Fake {
    async fn run(&self, address: &StepAddress) -> Result<RunDetail, BackendError> {
        let mut run = self.run.clone();
        if let Some(step) = &address.step {
            let found = run.steps.iter().find(|other| other.key == *step).ok_or_else(not_here)?;
            (run.step.key, run.step.name, run.step.phase) = (found.key.clone(), found.name.clone(), found.phase);
        }
        Ok(run)
    }

    async fn run_with_log(&self, step: &StepAddress, window: LogWindow) -> Result<(RunDetail, LogPage), BackendError> {
        Ok((self.run(step).await?, self.log(step, window).await?))
    }

    async fn log(&self, _: &StepAddress, _: LogWindow) -> Result<LogPage, BackendError> {
        let line = |stream, text: &str| LogLine(stream, NOW, text.to_owned());
        let lines =
            vec![line(Stream::Output, "one"), line(Stream::Error, "ValueError: no"), line(Stream::Output, "end")];
        Ok(LogPage { lines: LogLines { first: 1, lines }, groups: Vec::new(), total: 3 })
    }

    async fn outputs(&self, _: &StepAddress) -> Result<Vec<StepOutput>, BackendError> {
        let output =
            |(name, bytes): &(&str, Vec<u8>)| StepOutput { name: (*name).to_owned(), bytes: bytes.len() as u64 };
        Ok(self.outputs.iter().map(output).collect())
    }

    async fn output(&self, _: &StepAddress, name: &str, most: usize) -> Result<Vec<u8>, BackendError> {
        let (_, bytes) = self.outputs.iter().find(|(other, _)| *other == name).ok_or_else(not_here)?;
        Ok(bytes[..bytes.len().min(most)].to_vec())
    }

    async fn list_tasks(&self, _: &TaskQuery) -> Result<TaskPage, BackendError> {
        Err(not_here())
    }

    async fn task(&self, _: &TaskId, _: Option<RunNumber>) -> Result<TaskDetail, BackendError> {
        Err(not_here())
    }

    async fn run_timings(&self, _: &TaskId, _: usize) -> Result<Vec<RunTiming>, BackendError> {
        Err(not_here())
    }

    async fn save_task(&self, _: SaveTask) -> Result<SavedTask, BackendError> {
        Err(not_here())
    }

    async fn rename(&self, _: &TaskId, _: Option<TaskName>) -> Result<(), BackendError> {
        Err(not_here())
    }

    async fn delete_task(&self, _: &TaskId) -> Result<DeletedTask, BackendError> {
        Err(not_here())
    }

    async fn start_run(&self, _: StartRun) -> Result<RunNumber, BackendError> {
        Err(not_here())
    }

    async fn rerun(&self, _: &TaskId, _: RunNumber) -> Result<RunNumber, BackendError> {
        Err(not_here())
    }

    async fn cancel_run(&self, _: &TaskId, _: RunNumber) -> Result<(), BackendError> {
        Err(not_here())
    }

    async fn list_runs(&self, _: &RunQuery) -> Result<RunPage, BackendError> {
        Err(not_here())
    }

    async fn runs_named(&self, _: &[RunUid]) -> Result<Vec<ListedRun>, BackendError> {
        Err(not_here())
    }

    async fn cancel_runs(&self, _: &[RunUid]) -> Result<CancelledRuns, BackendError> {
        Err(not_here())
    }

    async fn readiness(&self, _: &TaskSpec) -> Readiness {
        Readiness { environment: Ready::Unknown, system: None }
    }

    async fn search_log(&self, _: &StepAddress, _: &LogQuery, _: SearchFrom) -> Result<LogSearch, BackendError> {
        Err(not_here())
    }

    async fn flow(&self, _: &TaskId, _: Option<RunNumber>) -> Result<FlowDetail, BackendError> {
        Err(not_here())
    }

    async fn flow_of_run(&self, _: &TaskId, _: RunNumber) -> Result<Flow, BackendError> {
        Err(not_here())
    }

    async fn save_flow(&self, _: SaveFlow) -> Result<SavedTask, BackendError> {
        Err(not_here())
    }

    async fn restart(&self, _: &TaskId, _: RunNumber) -> Result<RunNumber, BackendError> {
        Err(not_here())
    }

    async fn run_step(&self, _: &TaskId, _: &StepKey, _: Option<RunNumber>) -> Result<RunNumber, BackendError> {
        Err(not_here())
    }

    async fn diagnostics(&self) -> Result<Diagnostics, BackendError> {
        Err(not_here())
    }

    async fn check_again(&self) {}

    async fn delete_cache(&self, _: &CacheName) -> Result<DeletedCache, BackendError> {
        Err(not_here())
    }
}

#[tokio::test]
async fn a_failed_diamond_tells_what_became_of_each_step() {
    let html = diamond().step_page("plot").await;
    assert!(html.contains("5 of 5 steps ended, 1 failed, 1 not run"));
    assert!(html.contains("Restart from the failed step") && html.contains(r#"value="restart""#));
    let (graph, rest) = html.split_once("</figure>").unwrap();
    assert!(graph.contains(r#"aria-label="Graph of 5 steps""#));
    assert!(
        graph.contains("<title>plot: Failed · 8.0 s. The program ended with exit code 1. Runs after load.</title>")
    );
    assert!(graph.contains("<title>report: Skipped. Not run: `plot` failed. Runs after clean, plot.</title>"));
    assert!(graph.contains("flow-line is-conditional") && graph.contains(">on failure</text>"));
    assert_eq!(graph.matches(r#"aria-current="true""#).count(), 1);
    assert!(graph.contains(&format!(r#"href="{}#step""#, step_page("mail"))));
    // The table: the step waited two seconds for its turn, was prepared for two, and ran for six.
    let row = rest.split("<tr").find(|row| row.contains(">plot</a>")).unwrap();
    for words in ["Waiting 2.0 s", "Preparing 2.0 s", "Running 6.0 s", "exit code 1", r#"aria-current="true""#] {
        assert!(row.contains(words), "{words}: {row}");
    }
    assert!(row.contains(r#"x="30.00%" width="5.00%"><title>Preparing"#), "{row}");
    let skipped = rest.split("<tr").find(|row| row.contains(">report</a>")).unwrap();
    assert!(skipped.contains("Not run: `plot` failed.") && !skipped.contains("timeline-bar"));
}

#[tokio::test]
async fn each_step_has_its_page() {
    let html = diamond().step_page("plot").await;
    assert!(!html.contains("Failed step:"), "it is the one that is shown");
    assert!(html.contains(" · plot · Stoker</title>") && html.contains(r#"<h2 id="step">"#));
    assert!(html.contains(&format!(r#"data-page="{}""#, step_page("plot"))));
    assert!(html.contains(r##"href="#L2""##) && html.contains("ValueError: no"));
    assert!(html.contains("Log of step plot of run 4"));
    let html = diamond().step_page("report").await;
    assert!(html.contains("The step was not run.") && html.contains("Failed step:"));
    let (status, _) = render(Arc::new(diamond()), &step_page("nothing"), || {}).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn an_active_run_shows_what_its_steps_wait_for() {
    let running = StepSummary { finished_at: None, attempt: 2, ..took(5, 6, 9, step("a", Phase::Running, &[])) };
    let mut fake = run(vec![running, step("b", Phase::Pending, &[0])]);
    fake.run.step.attempt = 2;
    fake.run.step.attempts = vec![Attempt {
        number: 1,
        phase: Phase::Failed,
        first_line: 1,
        started_at: Some(at(0)),
        finished_at: at(3),
        message: Some("The program ended with exit code 7.".to_owned()),
        exit_code: Some(7),
    }];
    let html = fake.run_page().await;
    assert!(html.contains("0 of 2 steps ended") && html.contains(r#"value="cancel""#));
    assert!(!html.contains(r#"value="restart""#));
    assert!(html.contains(r#"http-equiv="refresh""#) && html.contains("data-live"));
    assert!(html.contains("Waiting for a.") && html.contains("Running 54 s"));
    assert!(html.contains("<title>a: Running · 55 s · 2nd try.</title>"));
    assert!(html.contains(&format!(r#"href="{}?lines=1#L1""#, step_page("a"))) && html.contains("exit code 7"));
    assert!(fake.step_page("b").await.contains(r#"role="status">Waiting for a."#));
    let cancel = fake.page(&routes::cancel_run(&id(), number(4))).await;
    assert!(cancel.contains("no other begins"));
}

#[tokio::test]
async fn a_restart_says_what_it_kept() {
    let kept = StepSummary { kept_from: Some(number(3)), ..took(-900, -890, -800, step("a", Phase::Succeeded, &[])) };
    let mut fake = run(vec![kept, took(1, 2, 9, step("b", Phase::Succeeded, &[0]))]);
    fake.run.origin = Some(RunOrigin::Restart(number(3)));
    fake.run.state.lines = 0;
    let html = fake.run_page().await;
    assert!(html.contains("goes on where ") && html.contains(&format!(r#"href="{}""#, routes::run(&id(), number(3)))));
    assert!(html.contains("2 of 2 steps ended, 1 kept"));
    let there = routes::step(&StepAddress { task: id(), number: number(3), step: Some(key("a")) });
    assert!(html.contains(&format!(r#"Kept from <a href="{there}">run #3</a>"#)));
    assert!(html.contains("its log is that of run #3"));
}

#[tokio::test]
async fn outputs_are_shown_and_can_be_downloaded() {
    let mut fake = diamond();
    fake.outputs = vec![
        ("output.json", br#"[{"b":1,"a":"</td><script>alert(1)</script>"}]"#.to_vec()),
        ("nested.json", br#"{"a":{"b":[1,2]}}"#.to_vec()),
        ("plots/a b.png", vec![0x89]),
        ("notes.txt", EVIL.into()),
        ("model.pkl", vec![0x80, 0xff]),
    ];
    let html = fake.step_page("load").await;
    let page = step_page("load");
    assert!(html.contains(r##"href="#outputs""##) && html.contains("5 outputs"));
    assert!(html.contains(r#"<th scope="col" dir="auto">b</th><th scope="col" dir="auto">a</th>"#));
    assert!(html.contains("\"b\": [\n"));
    assert!(html.contains(&format!(r#"src="{page}/outputs/plots/a%20b.png""#)));
    assert!(html.contains(&format!(r#"href="{page}/outputs/model.pkl""#)));
    assert_eq!(html.matches("<img").count(), 1);
}

#[tokio::test]
async fn what_changes_comes_without_the_rest() {
    let fake = diamond();
    let address = StepAddress { task: id(), number: number(4), step: Some(key("plot")) };
    let parts = changing_parts(Arc::new(fake), Now(NOW), &address).await.unwrap();
    let names = ["summary", "graph", "steps", "step", "prepared", "progress", "difference", "manifest", "outputs"];
    for part in names {
        assert_eq!(parts.matches(&format!(r#"id="run-{part}""#)).count(), 1, "{part}");
    }
    assert_eq!(parts.matches(r#"id="run-"#).count(), names.len(), "no part is in another");
    assert!(!parts.contains("log-lines") && !parts.contains("<script>alert"));
}

#[tokio::test]
async fn many_steps_are_a_page_of_moderate_size() {
    let mut steps = vec![took(0, 1, 2, step("start", Phase::Succeeded, &[]))];
    steps.extend((1..199).map(|number| {
        let name = format!("A step with a name of some length, number {number}");
        took(2, 3, 30, said(EVIL, step(&name, Phase::Failed, &[0])))
    }));
    steps.push(step("end", Phase::Skipped, &(1..199).collect::<Vec<_>>()));
    let mut fake = run(steps);
    fake.run.summary.message = Some(EVIL.to_owned());
    let html = fake.run_page().await;
    assert!(html.len() < 1_000_000, "{} bytes", html.len());
    assert!(html.contains("193 more"));
}

#[tokio::test]
async fn one_step_has_no_graph_and_no_list() {
    let html = run(vec![took(0, 1, 9, step("main", Phase::Succeeded, &[]))]).run_page().await;
    assert!(!html.contains("<figure") && !html.contains("step-table") && !html.contains(r#"id="step""#));
    assert!(html.contains("About this run") && html.contains(r#"aria-label="Log of run 4""#));
}
