//! Renders real pages over a backend made of plain values, and looks at what a browser without JavaScript gets.
#![cfg(feature = "ssr")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::sync::Arc;

use app::{
    backend::{
        Backend, BackendError, CancelledRuns, DeletedCache, DeletedTask, SaveFlow, SaveTask, SavedTask, StartRun,
    },
    model::{
        cache::{Readiness, Ready},
        caches::{CacheEntry, CacheKind, CacheLedger, CacheName},
        checkpoint::{Checkpoint, CheckpointStatus},
        checks::{Check, CheckGroup, CheckReport},
        diagnostics::{DayOfRuns, Diagnostics, EngineLimits, EngineState, KeptRuns, LastChecks, RecentError, Versions},
        fields::{Field, FieldErrors, FlowErrors},
        flow::{Flow, FlowDraft, Focus, Placement, StepDraft, StepKey, StepName},
        identifiers::{Kind, RunNumber, RunUid, StepId, TaskId},
        log::{LogLine, LogLines, RunState, Stream},
        log_search::{LogMatch, LogQuery, LogSearch, SearchFrom},
        phase::Phase,
        retention::Retention,
        run_list::{ListedRun, RunPage, RunQuery},
        spec::{TaskDraft, TaskName, TaskSpec},
        step_address::StepAddress,
        task_counts::TaskCounts,
        task_title::TaskTitle,
        time::Timestamp,
        views::{
            FlowDetail, LogPage, LogWindow, PreviousRun, RunDetail, RunSummary, RunTiming, StepDetail, StepOutput,
            TaskDetail, TaskPage, TaskQuery, TaskSummary,
        },
    },
    page_context::{FlowFormState, KeptSteps, TaskFormState},
    routes,
};
use async_trait::async_trait;
use leptos::prelude::*;
use support::{EVIL, NOW, assert_sound, render};

mod support;

/// Knows one task with two runs: the first failed, the second runs.
struct Fake;

fn id() -> TaskId {
    TaskId::from_random([1; 6])
}

fn number(number: u32) -> RunNumber {
    RunNumber::new(number).unwrap()
}

fn flow_id() -> TaskId {
    TaskId::of_kind(Kind::Flow, [1; 6])
}

fn step(key: &str, name: &str, runs_after: &[&str]) -> StepDraft {
    StepDraft {
        key: key.to_owned(),
        program: TaskDraft { name: name.to_owned(), code: format!("print('{key}')"), ..TaskDraft::default() },
        runs_after: runs_after.iter().map(|key| (*key).to_owned()).collect(),
        ..StepDraft::default()
    }
}

fn diamond() -> FlowDraft {
    let mut draft = FlowDraft {
        name: EVIL.to_owned(),
        description: format!("Each night.\n{EVIL}"),
        steps: vec![
            step("load", "Load", &[]),
            step("left", EVIL, &["load"]),
            step("right", "Right", &["load"]),
            step("report", "Report", &["left", "right"]),
        ],
        ..FlowDraft::default()
    };
    "all_ended".clone_into(&mut draft.steps[3].runs_when);
    "3".clone_into(&mut draft.steps[3].retries);
    "90".clone_into(&mut draft.steps[3].retries_wait);
    draft.steps[3].placement = Some(Placement { x: 10, y: -20 });
    draft
}

fn spec(code: &str) -> TaskSpec {
    TaskDraft { code: code.to_owned(), packages: "numpy".to_owned(), ..TaskDraft::default() }.parse().unwrap().spec
}

fn name() -> Option<TaskName> {
    TaskName::parse(EVIL).unwrap()
}

fn title() -> TaskTitle {
    TaskTitle::of(name().as_ref(), "", &id())
}

fn summary(run: RunNumber) -> RunSummary {
    let phase = if run.get() == 1 { Phase::Failed } else { Phase::Running };
    RunSummary {
        number: run,
        phase,
        created_at: Timestamp(NOW.0 - 60_000),
        started_at: Some(Timestamp(NOW.0 - 50_000)),
        finished_at: phase.is_final().then_some(Timestamp(NOW.0 - 40_000)),
        message: phase.is_final().then(|| "The program ended with exit code 1.".to_owned()),
    }
}

#[async_trait]
impl Backend for Fake {
    async fn list_tasks(&self, query: &TaskQuery) -> Result<TaskPage, BackendError> {
        let task = TaskSummary {
            id: id(),
            title: title(),
            created_at: NOW,
            activity_at: NOW,
            recent: vec![summary(number(1)), summary(number(2))],
        };
        match query.search.as_str() {
            "" => Ok(TaskPage {
                tasks: vec![task],
                newer: None,
                older: None,
                none_at_all: false,
                counts: TaskCounts::default(),
            }),
            "empty" => Ok(TaskPage {
                tasks: Vec::new(),
                newer: None,
                older: None,
                none_at_all: true,
                counts: TaskCounts::default(),
            }),
            "locked" => Err(BackendError::Unavailable("The database is busy.".to_owned())),
            _ => Ok(TaskPage {
                tasks: Vec::new(),
                newer: None,
                older: None,
                none_at_all: false,
                counts: TaskCounts::default(),
            }),
        }
    }

    async fn readiness(&self, _: &TaskSpec) -> Readiness {
        Readiness { environment: Ready::Ready, system: Some(Ready::ToBuild) }
    }

    async fn task(&self, task: &TaskId, _: Option<RunNumber>) -> Result<TaskDetail, BackendError> {
        if *task != id() {
            return Err(BackendError::NotFound("There is no such task.".to_owned()));
        }
        Ok(TaskDetail {
            id: id(),
            name: name(),
            spec: spec("print('new')\n"),
            revision: 4,
            created_at: NOW,
            updated_at: NOW,
            run_count: 2,
            runs: vec![summary(number(2)), summary(number(1))],
            older_than: None,
        })
    }

    async fn run(&self, address: &StepAddress) -> Result<RunDetail, BackendError> {
        let run = address.number;
        let summary = summary(run);
        Ok(RunDetail {
            task_id: id(),
            task_title: title(),
            uid: RunUid::from_random([1; 10]),
            engine: "local".to_owned(),
            queue_place: None,
            cancel_requested_at: None,
            origin: None,
            steps: Vec::new(),
            step: StepDetail {
                id: StepId(1),
                key: StepKey::only(),
                name: StepName::parse("main").unwrap(),
                phase: summary.phase,
                spec: spec("print('old')\n"),
                lock: None,
                python: None,
                cache: None,
                checkpoints: vec![Checkpoint {
                    number: 11,
                    name: "Python packages".to_owned(),
                    status: summary.phase.is_final().then_some(CheckpointStatus::Ok),
                    detail: String::new(),
                    advice: None,
                    code: None,
                    tail: None,
                    at: NOW,
                    millis: 5400,
                }],
                exit_code: summary.phase.is_final().then_some(1),
                message: None,
                attempts: Vec::new(),
                attempt: 1,
                waiting_for: None,
                place: None,
            },
            previous: (run.get() > 1).then(|| PreviousRun { number: number(1), spec: spec("print(0)\n"), lock: None }),
            next: (run.get() < 2).then(|| number(2)),
            latest: number(2),
            manifest: None,
            state: RunState { phase: summary.phase, version: 9, queue_place: None, lines: 3000, started_at: None },
            summary,
        })
    }

    async fn run_with_log(&self, step: &StepAddress, window: LogWindow) -> Result<(RunDetail, LogPage), BackendError> {
        Ok((self.run(step).await?, self.log(step, window).await?))
    }

    async fn log(&self, _: &StepAddress, window: LogWindow) -> Result<LogPage, BackendError> {
        let (first, count) = match window {
            LogWindow::Last(count) => (3001 - u64::from(count), u64::from(count)),
            LogWindow::Around(line, count) => (line.saturating_sub(u64::from(count) / 2).max(1), u64::from(count)),
            LogWindow::Before(line, count) => {
                let first = line.saturating_sub(count.into()).max(1);
                (first, line - first)
            }
        };
        let lines = (first..(first + count).min(3001))
            .map(|line| {
                let stream = match line {
                    ..=13 => Stream::Stoker,
                    2999 => Stream::Error,
                    _ => Stream::Output,
                };
                LogLine(stream, NOW, format!("line {line} <b>"))
            })
            .collect();
        Ok(LogPage { lines: LogLines { first, lines }, groups: Vec::new(), total: 3000 })
    }

    async fn list_runs(&self, _: &RunQuery) -> Result<RunPage, BackendError> {
        Err(BackendError::NotFound("No test looks at this list.".to_owned()))
    }

    async fn runs_named(&self, _: &[RunUid]) -> Result<Vec<ListedRun>, BackendError> {
        Ok(Vec::new())
    }

    async fn cancel_runs(&self, _: &[RunUid]) -> Result<CancelledRuns, BackendError> {
        Err(BackendError::NotFound("There is no such run.".to_owned()))
    }

    async fn flow(&self, flow: &TaskId, _: Option<RunNumber>) -> Result<FlowDetail, BackendError> {
        if *flow != flow_id() {
            return Err(BackendError::NotFound("There is no such flow.".to_owned()));
        }
        Ok(FlowDetail {
            id: flow_id(),
            flow: diamond().parse().unwrap(),
            revision: 4,
            created_at: NOW,
            updated_at: NOW,
            run_count: 2,
            runs: vec![summary(number(2)), summary(number(1))],
            older_than: None,
        })
    }

    async fn flow_of_run(&self, _: &TaskId, _: RunNumber) -> Result<Flow, BackendError> {
        let mut old = diamond();
        old.steps.truncate(1);
        "print('as it ran')".clone_into(&mut old.steps[0].program.code);
        Ok(old.parse().unwrap())
    }

    async fn save_flow(&self, _: SaveFlow) -> Result<SavedTask, BackendError> {
        Err(BackendError::EditConflict { revision: 5 })
    }

    async fn restart(&self, _: &TaskId, _: RunNumber) -> Result<RunNumber, BackendError> {
        Ok(number(3))
    }

    async fn run_step(&self, _: &TaskId, _: &StepKey, _: Option<RunNumber>) -> Result<RunNumber, BackendError> {
        Ok(number(3))
    }

    async fn outputs(&self, _: &StepAddress) -> Result<Vec<StepOutput>, BackendError> {
        Ok(Vec::new())
    }

    async fn output(&self, _: &StepAddress, _: &str, _: usize) -> Result<Vec<u8>, BackendError> {
        Err(BackendError::NotFound("There is no such output.".to_owned()))
    }

    async fn search_log(&self, _: &StepAddress, query: &LogQuery, from: SearchFrom) -> Result<LogSearch, BackendError> {
        let lines = vec![(42, LogLine(Stream::Output, NOW, format!("{} here", query.text)))];
        Ok(LogSearch {
            total: 3,
            current: matches!(from, SearchFrom::At(..=42)).then_some(LogMatch { line: 42, place: 2 }),
            previous: Some(7),
            next: Some(99),
            lines: if query.only_matches { lines } else { Vec::new() },
            earlier: Some(7),
            later: None,
        })
    }

    async fn run_timings(&self, _: &TaskId, _: usize) -> Result<Vec<RunTiming>, BackendError> {
        Ok([1, 2].map(|run| RunTiming { run: summary(number(run)), prepared_at: None }).to_vec())
    }

    async fn save_task(&self, _: SaveTask) -> Result<SavedTask, BackendError> {
        Err(BackendError::EditConflict { revision: 5 })
    }

    async fn rename(&self, _: &TaskId, _: Option<TaskName>) -> Result<(), BackendError> {
        Err(BackendError::Internal("not here".to_owned()))
    }

    async fn delete_task(&self, _: &TaskId) -> Result<DeletedTask, BackendError> {
        Err(BackendError::Internal("not here".to_owned()))
    }

    async fn start_run(&self, _: StartRun) -> Result<RunNumber, BackendError> {
        Ok(number(3))
    }

    async fn rerun(&self, _: &TaskId, _: RunNumber) -> Result<RunNumber, BackendError> {
        Ok(number(3))
    }

    async fn cancel_run(&self, _: &TaskId, _: RunNumber) -> Result<(), BackendError> {
        Ok(())
    }

    async fn diagnostics(&self) -> Result<Diagnostics, BackendError> {
        let packages = ["numpy 2.1.0", "pandas 2.2.0", "pytz 2024.1", "six 1.16.0", EVIL].map(str::to_owned);
        let entry = |name, in_use_by| CacheEntry {
            name,
            bytes: Some(3 << 20),
            packages: Some(packages.to_vec()),
            last_used: NOW,
            in_use_by,
            set: None,
        };
        let check = Check {
            key: "uv".to_owned(),
            group: CheckGroup::Tools,
            title: "uv".to_owned(),
            status: CheckpointStatus::Failed,
            detail: EVIL.to_owned(),
            fix: Some("Install it.".to_owned()),
        };
        Ok(Diagnostics {
            engine: EngineState {
                name: "local".to_owned(),
                running: 1,
                queued: 0,
                limits: EngineLimits {
                    at_once: 2,
                    default_timeout: 3600,
                    memory: None,
                    log: 1 << 20,
                    prune_after: None,
                },
            },
            cluster: None,
            checks: LastChecks { report: Some(CheckReport { checks: vec![check], at: NOW }), under_way: false },
            caches: CacheLedger {
                entries: vec![entry(environment(), 0), entry(set(), 1)],
                uv_bytes: Some(1 << 30),
                nix_store_bytes: None,
                counted_at: Some(NOW),
                is_counting: false,
            },
            runs: KeptRuns {
                number: 2,
                log_bytes: 3 << 20,
                retention: Retention { runs: Some(1000), days: Some(365), log_bytes: None },
            },
            days: vec![
                DayOfRuns { day: Timestamp(NOW.0 - 86_400_000), ready: 0, built: 0 },
                DayOfRuns { day: NOW, ready: 3, built: 1 },
            ],
            disk: None,
            versions: Versions::default(),
            errors: vec![RecentError { at: NOW, is_error: true, text: EVIL.to_owned() }],
        })
    }

    async fn check_again(&self) {}

    async fn delete_cache(&self, _: &CacheName) -> Result<DeletedCache, BackendError> {
        Err(BackendError::Conflict("A run uses it.".to_owned()))
    }
}

fn environment() -> CacheName {
    CacheName { kind: CacheKind::Environment, key: "0123456789abcdef".parse().unwrap() }
}

fn set() -> CacheName {
    CacheName { kind: CacheKind::PackageSet, key: "fedcba9876543210".parse().unwrap() }
}

/// Status and HTML of a page, its form in this state.
async fn page_with(address: &str, form: Option<TaskFormState>) -> (u16, String) {
    page_within(address, move || {
        if let Some(form) = form.clone() {
            provide_context(form);
        }
    })
    .await
}

/// HTML of a page, its flow form in this state.
async fn flow_form(address: &str, form: FlowFormState) -> String {
    page_within(address, move || provide_context(form.clone())).await.1
}

/// Status and HTML of a page, with more in its context.
async fn page_within(address: &str, more: impl Fn() + Clone + Send + Sync + 'static) -> (u16, String) {
    render(Arc::new(Fake), address, more).await
}

async fn page(address: &str) -> String {
    let (status, html) = page_with(address, None).await;
    assert_eq!(status, 200, "{address}");
    html
}

#[tokio::test]
async fn every_page_is_sound() {
    let addresses = [
        routes::tasks(),
        "/".to_owned(),
        routes::new_task(),
        routes::task(&id()),
        routes::edit_task(&id(), None),
        routes::edit_task(&id(), Some(number(1))),
        routes::delete_task(&id()),
        routes::task_beside(&id(), number(1)),
        routes::watched(&id(), number(2)),
        routes::compare(&id(), number(1), number(2)),
        routes::comparing(&id()),
        routes::run(&id(), number(1)),
        routes::run(&id(), number(2)),
        routes::cancel_run(&id(), number(1)),
        routes::cancel_run(&id(), number(2)),
        routes::system(),
        routes::delete_cache(&environment()),
        routes::delete_cache(&set()),
        routes::flows(),
        routes::new_flow(),
        routes::new_flow_from_example("readings"),
        routes::task(&flow_id()),
        routes::edit_task(&flow_id(), None),
        routes::edit_task(&flow_id(), Some(number(1))),
        routes::delete_task(&flow_id()),
    ];
    for address in addresses {
        let html = page(&address).await;
        assert_sound(&address, &html);
    }
}

#[tokio::test]
async fn an_empty_list_differs_from_a_search_without_result() {
    let empty = page("/tasks?q=empty").await;
    assert!(empty.contains(r#"value="science""#) && empty.contains("/tasks/new?example=failing"));
    let nothing = page("/tasks?q=zzz").await;
    assert!(nothing.contains("No task matches") && !nothing.contains(r#"value="science""#));
}

#[tokio::test]
async fn failures_have_their_status_and_lead_on() {
    let missing = routes::task(&TaskId::from_random([2; 6]));
    let missing_flow = routes::task(&TaskId::of_kind(Kind::Flow, [2; 6]));
    let (misplaced, misplaced_flow) = (format!("/flows/{}", id()), format!("/tasks/{}/edit", flow_id()));
    for (address, expected) in [
        (missing.as_str(), 404),
        (missing_flow.as_str(), 404),
        (misplaced.as_str(), 404),
        (misplaced_flow.as_str(), 404),
        ("/tasks/nonsense", 404),
        ("/nowhere", 404),
        ("/tasks?q=locked", 503),
    ] {
        let (status, html) = page_with(address, None).await;
        assert_eq!(status, expected, "{address}");
        assert!(html.contains(r#"href="/tasks/new""#), "{address}");
    }
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed() {
    let mut errors = FieldErrors::one(Field::Packages, "Cannot be used together.\n  Because a<b");
    errors.push(Field::Timeout, "Too long.");
    let draft = TaskDraft { code: "\n\nprint('</textarea>')".to_owned(), use_cache: false, ..TaskDraft::default() };
    let state = TaskFormState { draft, errors, unresolved: None, revision: None };
    let (_, html) = page_with("/tasks/new", Some(state)).await;
    assert!(html.contains("<title>Error: New task"));
    assert!(html.contains("There is a problem") && html.contains(r##"href="#packages""##));
    assert!(html.contains("Because a&lt;b"));
    assert!(html.contains(r#"aria-describedby="timeout-hint timeout-error""#));
    // One line break more than was typed: HTML drops the first.
    assert!(html.contains(">\n\n\nprint(&#39;&lt;/textarea&gt;&#39;)</textarea>"));
    let box_tag =
        html.split("<input").find(|tag| tag.contains(r#"name="use_cache""#)).and_then(|tag| tag.split('>').next());
    assert!(!box_tag.unwrap().contains(" checked"));
    assert!(!html.contains("without checking"));
}

#[tokio::test]
async fn a_form_without_versions_offers_to_go_on() {
    let state =
        TaskFormState { unresolved: Some("The index cannot be reached.".to_owned()), ..TaskFormState::default() };
    let (_, html) = page_with("/tasks/new", Some(state)).await;
    assert!(html.contains("The index cannot be reached."));
    assert!(html.contains(r#"value="save_unresolved""#) && html.contains(r#"value="run_unresolved""#));
}

#[tokio::test]
async fn what_the_cache_has_is_said_at_the_task_and_its_form() {
    for address in [routes::task(&id()), routes::edit_task(&id(), None)] {
        let html = page(&address).await;
        assert!(html.contains("environment ready") && html.contains("system packages will be built"), "{address}");
    }
    assert!(!page("/tasks/new").await.contains("environment ready"));
}

#[tokio::test]
async fn help_is_a_page_with_every_failure() {
    let html = page("/help/troubleshooting").await;
    assert!(html.contains(r#"<h3 id="nix-unknown-package">"#));
    assert!(page_with("/help/nothing", None).await.1.contains("There is no such page of help."));
}

#[tokio::test]
async fn editing_from_a_run_shows_that_run() {
    let html = page(&routes::edit_task(&id(), Some(number(1)))).await;
    assert!(html.contains("print(&#39;old&#39;)") && !html.contains("print(&#39;new&#39;)"));
    assert!(html.contains("The task has changed since this run."));
    let html = page(&routes::edit_task(&id(), None)).await;
    assert!(html.contains("print(&#39;new&#39;)"));
}

#[tokio::test]
async fn two_runs_are_compared_and_each_can_be_chosen() {
    let html = page(&routes::compare(&id(), number(1), number(2))).await;
    assert!(html.contains("Code, packages, versions and settings are the same.") && html.contains("No line differs."));
    assert!(html.contains("the first 2,000 lines of #1, which has 3,000 lines"));
    assert!(html.contains(r#"<option value="1" selected>#1</option>"#), "{html}");
    let main = |html: &str| html.split("<main").nth(1).and_then(|rest| rest.split("</main>").next()).map(str::to_owned);
    assert_eq!(main(&html), main(&page(&routes::comparing(&id())).await), "without a choice it is the last two");
}

#[tokio::test]
async fn the_last_durations_are_drawn_and_lead_to_their_runs() {
    let html = page(&routes::task(&id())).await;
    assert!(html.contains(r#"aria-label="Run #1: Failed, prepared for 10.0 s""#));
    assert!(html.contains(&format!(r#"<a class="phase is-running" href="{}""#, routes::task_beside(&id(), number(2)))));
    assert!(html.contains("The last 2 runs took 10.0 s to 10.0 s"));
}

#[tokio::test]
async fn a_failed_run_leads_to_its_reason() {
    let html = page(&routes::run(&id(), number(1))).await;
    assert!(html.contains(r##"href="#L2999""##) && html.contains("exit code 1"));
    assert!(html.contains("✗ ") && html.contains("/favicon-failed.svg"));
    assert!(!html.contains(r#"http-equiv="refresh""#) && !html.contains("data-live"));
    assert!(html.contains(r#"id="L2001""#) && !html.contains(r#"id="L2000""#));
    assert!(html.contains("?before=2001#log"));
}

#[tokio::test]
async fn an_active_run_renews_itself_without_a_script() {
    let html = page(&routes::run(&id(), number(2))).await;
    assert!(html.contains(r#"<noscript><meta http-equiv="refresh" content="2"></noscript>"#));
    assert!(html.contains("data-live") && html.contains(r#"data-next="3001""#) && html.contains("data-at-end"));
    assert!(html.contains(r#"value="cancel""#));
    let html = page(&routes::at_line(&routes::run(&id(), number(2)), 42)).await;
    assert!(html.contains(r#"id="L42""#) && !html.contains("data-at-end") && !html.contains(r#"http-equiv="refresh""#));
}

#[tokio::test]
async fn a_searched_log_marks_what_was_found_and_renews_itself_no_more() {
    let query = LogQuery { text: EVIL.to_owned(), ..LogQuery::default() };
    let html =
        page(routes::log_search(&routes::run(&id(), number(2)), &query, None).strip_suffix("#match").unwrap()).await;
    assert!(html.contains("2 of 3 lines with a match") && html.contains(r#"is-current" id="L42""#));
    assert!(html.contains("&amp;line=7#match") && html.contains("&amp;line=99#match"));
    assert!(!html.contains("<script>alert") && !html.contains(r#"http-equiv="refresh""#));

    let query = LogQuery { text: "found".to_owned(), only_matches: true, ..LogQuery::default() };
    let html =
        page(routes::log_search(&routes::run(&id(), number(2)), &query, None).strip_suffix("#match").unwrap()).await;
    assert!(html.contains("<mark>found</mark> here") && !html.contains(r#"id="L43""#) && !html.contains("data-at-end"));
}

#[tokio::test]
async fn what_preparing_printed_is_folded_away() {
    let html = page(&routes::at_line(&routes::run(&id(), number(1)), 400)).await;
    assert!(html.contains(r#"<details class="log-group" id="log-preparation"><summary><span id="run-prepared">Prepared in 5.4 s</span><span class="group-facts">, 13 lines</span></summary><div class="line from-stoker" id="L1">"#));
    let (_, after) = html.split_once(r#"id="L13""#).unwrap();
    assert!(after.contains(r#"</details><div class="line from-output" id="L14">"#));
    let html = page(&routes::at_line(&routes::run(&id(), number(1)), 13)).await;
    assert!(html.contains(r#"id="log-preparation" open="">"#), "the line asked for is in it");
    assert!(
        html.contains(r#"<div class="line from-stoker is-selected" id="L13"><span id="here" tabindex="-1"></span>"#)
    );
}

#[tokio::test]
async fn the_system_page_shows_what_is_broken_and_draws_the_days() {
    let html = page(&routes::system()).await;
    assert!(html.contains("Something is broken") && html.contains("Install it."));
    assert!(html.contains("75 % of 4 runs found the environment ready."));
    assert!(html.contains(r#"role="img""#) && html.contains(r#"<title id="day-chart-title">"#));
    assert!(html.contains(r#"<th scope="row">2024-02-29</th>"#));
    assert!(html.contains("numpy 2.1.0, pandas 2.2.0, pytz 2024.1"));
    assert!(html.contains(&routes::delete_cache(&environment())));
    assert!(!html.contains(&routes::delete_cache(&set())), "it is in use");
}

#[tokio::test]
async fn what_is_in_use_is_not_offered_for_deletion() {
    let ask = page(&routes::delete_cache(&environment())).await;
    assert!(ask.contains(r#"method="post""#) && ask.contains("Delete environment 01234567?"));
    let in_use = page(&routes::delete_cache(&set())).await;
    assert!(in_use.contains("is in use") && !in_use.contains("Delete it"));
    for gone in ["/system/environments/00/delete", "/system/nothing/00/delete", "/system/sets/a%2Fb/delete"] {
        assert_eq!(page_with(gone, None).await.0, 404, "{gone}");
    }
}

#[tokio::test]
async fn lists_of_flows_are_about_flows() {
    let empty = page("/flows?q=empty").await;
    assert!(empty.contains(r#"value="readings""#) && empty.contains("/flows/new?example=readings"));
    assert!(empty.contains(r#"method="post" action="/flows""#) && !empty.contains(r#"value="science""#));
    let nothing = page("/flows?q=zzz").await;
    assert!(nothing.contains("No flow matches") && nothing.contains(r#"href="/flows""#));
    assert!(page("/flows").await.contains(r#"href="/flows/new""#));
}

#[tokio::test]
async fn a_flow_shows_its_steps_and_runs_each_alone() {
    let html = page(&routes::task(&flow_id())).await;
    assert!(html.contains("after Load") && !html.contains("when all of them succeeded"), "that goes without saying");
    assert!(
        html.contains("Right, when all of them ended") && html.contains("tried up to 3 times more, after 1 min 30 s")
    );
    assert_eq!(html.matches(r#"value="run_step""#).count(), 4);
    // The first step reads nothing of others.
    assert_eq!(html.matches(r#"name="inputs_of""#).count(), 3);
    assert!(html.contains(r#"<input type="hidden" name="step" value="report""#));
    assert!(html.contains(&routes::edit_task(&flow_id(), Some(number(1)))));
    let delete = page(&routes::delete_task(&flow_id())).await;
    assert!(delete.contains("Delete flow") && delete.contains("A run is active"));
}

#[tokio::test]
async fn the_flow_form_offers_the_other_steps_to_run_after() {
    let html = page(&routes::edit_task(&flow_id(), None)).await;
    for ticked in ["left", "right"] {
        let control = format!(r#"<input type="checkbox" name="step-3-runs_after" value="{ticked}" checked>"#);
        assert!(html.contains(&control), "{html}");
    }
    assert!(html.contains(r#"<input type="checkbox" name="step-3-runs_after" value="load">"#));
    assert!(!html.contains(r#"name="step-3-runs_after" value="report""#), "not after itself");
    assert!(html.contains(r#"name="step-3-x" value="10""#) && html.contains(r#"name="step-3-y" value="-20""#));
    assert!(html.contains(r#"name="step-3-key" value="report""#) && html.contains(r#"name="revision" value="4""#));
    assert!(html.contains(r#"value="up-3""#) && html.contains(r#"value="down-2""#));
    assert!(!html.contains("<details open class=\"card step-form\""), "all is well");
    let ids: Vec<&str> = html.split(r#" id=""#).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len());
    // The first button of a form is pressed by Enter.
    let form = html.split(r#"class="task-form""#).nth(1).unwrap();
    assert!(form.split("<button").nth(1).unwrap().contains(r#"value="save""#));
}

#[tokio::test]
async fn editing_a_flow_from_a_run_shows_that_run() {
    let html = page(&routes::edit_task(&flow_id(), Some(number(1)))).await;
    assert!(html.contains("print(&#39;as it ran&#39;)") && !html.contains("step-1-"));
    assert!(html.contains("The flow has changed since this run.") && html.contains("Save &amp; Run again"));
}

#[tokio::test]
async fn a_refused_flow_form_keeps_what_was_typed_and_opens_where_it_fails() {
    let mut draft = diamond();
    draft.steps[2].program.code = "\n</textarea>".to_owned();
    draft.steps[3].runs_after.push("gone".to_owned());
    let mut errors = FlowErrors::default();
    errors.flow.push(Field::Form, "Somebody else saved it.");
    errors.of_step(2).push(Field::Code, "Line 1 is wrong.");
    errors.of_step(3).push(Field::RunsAfter, "It runs after `gone`.");
    let html = flow_form("/flows/new", FlowFormState { draft, errors, ..FlowFormState::default() }).await;
    assert!(html.contains("<title>Error: New flow") && html.contains("<li>Somebody else saved it.</li>"));
    assert!(html.contains(r##"<a href="#step-2-code">Right: Line 1 is wrong.</a>"##));
    assert!(html.contains(r##"<a href="#step-3-runs_after">Report: It runs after `gone`.</a>"##));
    assert!(html.contains(r#"aria-describedby="step-2-code-hint step-2-code-error""#));
    assert!(html.contains(">\n\n&lt;/textarea&gt;</textarea>"));
    assert!(html.contains(r#"name="step-3-runs_after" value="gone" checked"#));
    assert_eq!(html.matches("<details open class=\"card step-form\"").count(), 2);
    assert_eq!(html.matches("autofocus").count(), 1);
}

#[tokio::test]
async fn a_step_that_was_just_added_is_open_and_has_the_focus() {
    let state = FlowFormState { draft: diamond(), focus: Some(Focus::Name(1)), ..FlowFormState::default() };
    let html = flow_form("/flows/new", state).await;
    assert_eq!(html.matches("<details open class=\"card step-form\"").count(), 1);
    let name = html.split(r#"id="step-1-name""#).nth(1).unwrap().split('>').next().unwrap();
    assert!(name.contains("autofocus"), "{name}");
    assert_eq!(html.matches("autofocus").count(), 1);
}

#[tokio::test]
async fn of_steps_that_the_page_has_only_what_buttons_change_is_drawn() {
    let mut draft = diamond();
    let keys: Vec<String> = draft.steps.iter().map(|step| step.key.clone()).collect();
    draft.steps[0].placement = Some(Placement { x: 7, y: 8 });
    let kept = KeptSteps { whole: keys[..3].iter().cloned().collect(), ..KeptSteps::default() };
    let state = FlowFormState { draft, focus: Some(Focus::MoveUp(2)), kept, ..FlowFormState::default() };
    let html = flow_form("/flows/new", state).await;
    assert!(html.contains(r#"data-focus="[value=up-2]""#));
    for control in ["key", "x", "y", "runs_when"] {
        assert!(html.contains(&format!(r#"name="step-0-{control}""#)), "{control}");
    }
    assert!(html.contains(&format!(r#"name="step-2-runs_after" value="{}" checked"#, keys[0])));
    assert_eq!(html.matches(r#"class="card step-form""#).count(), 1, "the last one is new to the page");
    assert!(!html.contains(r#"name="step-2-code""#) && html.contains(r#"name="step-3-code""#));
    assert!(!html.contains("flow-edge"), "the page draws its graph itself");
}

#[tokio::test]
async fn a_form_of_many_steps_grows_with_their_number_only() {
    let size = async |count: usize| {
        let key = |number: usize| format!("step_{number}");
        let before = |number: usize| (number.saturating_sub(2)..number).map(key).collect();
        let steps = (0..count)
            .map(|number| StepDraft { runs_after: before(number), ..step(&key(number), &key(number), &[]) })
            .collect();
        let draft = FlowDraft { name: "Many".to_owned(), steps, ..FlowDraft::default() };
        flow_form("/flows/new", FlowFormState { draft, ..FlowFormState::default() }).await
    };
    let (hundred, two_hundred) = (size(100).await, size(200).await);
    assert!(two_hundred.len() < hundred.len() * 5 / 2);
    assert!(two_hundred.contains(r#"list="step-names""#) && two_hundred.contains(r#"name="step-199-runs_after""#));
    // Of those that are not open, no more than their values.
    assert_eq!(two_hundred.matches("<textarea").count(), hundred.matches("<textarea").count());
    assert!(two_hundred.len() < 400 << 10, "{}", two_hundred.len());
}
