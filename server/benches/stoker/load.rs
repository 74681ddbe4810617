//! (c): pages under load, with 100,000 runs stored.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use app::model::{identifiers::TaskId, phase::Phase, spec::TaskDraft, time::Timestamp};
use diesel::{ExpressionMethods as _, RunQueryDsl as _};
use http_body_util::BodyExt as _;
use server::db::{Database, logs, runs, schema::tasks, values::SpecColumns};

use super::{baselines::Tools, client::Client, stoker::Stoker};

const TASKS: u32 = 1000;
const RUNS_EACH: u32 = 100;
const PER_SECOND: u32 = 1000;
const SECONDS: u32 = 10;

/// Fills a database, then asks for pages at a steady rate, whatever the answers take.
pub async fn pages_under_load(tools: &Tools) {
    let folder = tempfile::tempdir().unwrap();
    let sample = fill(&folder.path().join("stoker.sqlite")).await;
    // All of the runs that are stored beforehand stay.
    let keep_all = ["--keep-runs", "off", "--keep-days", "off"];
    let stoker = Stoker::start_with(folder.path(), tools, &keep_all).await;
    println!(
        "\n(c) {PER_SECOND} requests/s for {SECONDS} s with {} runs stored, server and client on the same machine",
        TASKS * RUNS_EACH
    );
    let baseline = steady(&stoker.client(), "/healthz", PER_SECOND).await;
    println!("    health check (the baseline: no page)  {}", baseline.text());
    for (name, path) in [
        ("list page", "/tasks".to_owned()),
        ("run page", format!("/tasks/{sample}/runs/50")),
        ("runs page", "/runs".to_owned()),
        ("runs page, filtered and searched", "/runs?q=number+1&phase=failed".to_owned()),
    ] {
        let page = steady(&stoker.client(), &path, PER_SECOND).await;
        println!(
            "    {name:<37} {}; p99 {:.1} times the baseline (aim: under 10 ms)",
            page.text(),
            page.p99.as_secs_f64() / baseline.p99.as_secs_f64()
        );
    }
}

/// What answers took from the time that their requests were due at.
pub struct Latency {
    median: Duration,
    /// All but a hundredth took no longer.
    pub p99: Duration,
    rate: f64,
}

impl Latency {
    /// The figures in words.
    pub fn text(&self) -> String {
        format!("{:.0}/s, median {}, p99 {}", self.rate, super::ms(self.median), super::ms(self.p99))
    }
}

/// Each request is due at its time; the wait for a late one counts as its latency.
pub async fn steady(client: &Client, path: &str, per_second: u32) -> Latency {
    let path: Arc<str> = path.into();
    let begin = Instant::now() + Duration::from_millis(50);
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..per_second * SECONDS {
        let due = begin + Duration::from_secs(1) * number / per_second;
        let (client, path) = (client.clone(), path.clone());
        requests.spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            let answer = client.send("GET", &path, None, false).await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.into_body().collect().await.unwrap();
            due.elapsed()
        });
    }
    let mut latencies = requests.join_all().await;
    let elapsed = begin.elapsed();
    latencies.sort();
    Latency {
        median: latencies[latencies.len() / 2],
        p99: latencies[latencies.len() * 99 / 100],
        rate: latencies.len() as f64 / elapsed.as_secs_f64(),
    }
}

/// A database with many runs. Says the id of a task whose runs have logs.
async fn fill(path: &std::path::Path) -> TaskId {
    let database = Database::open(path).await.unwrap();
    let code = "import time\n\nfor number in range(10):\n    print('line', number)\n    time.sleep(0.1)\n".repeat(5);
    let spec = TaskDraft { code, packages: "numpy pandas".into(), ..TaskDraft::default() }.parse().unwrap().spec;
    let id_of = |task: u32| {
        let [_, _, high, low] = task.to_be_bytes();
        TaskId::from_random([1, 2, 0, 0, high, low])
    };
    for task in 0..TASKS {
        let (id, spec) = (id_of(task), spec.clone());
        database
            .write(move |connection| {
                let at = Timestamp(1_760_000_000_000 + i64::from(task) * 1000);
                diesel::insert_into(tasks::table)
                    .values((
                        tasks::id.eq(id.as_str()),
                        tasks::name.eq(format!("Task number {task}")),
                        tasks::created_at.eq(at.0),
                        tasks::updated_at.eq(at.0),
                        tasks::activity_at.eq(at.0),
                        SpecColumns::from(&spec),
                    ))
                    .execute(connection)?;
                for run in 0..RUNS_EACH {
                    let uid = server::clock::random_run_uid(&server::clock::SystemRandom);
                    let new = runs::NewRun::of_task(&uid, &id, spec.clone(), None, "local", at);
                    let created = runs::create(connection, &new)?;
                    let phase = if run % 7 == 3 { Phase::Failed } else { Phase::Succeeded };
                    runs::start(connection, created.id, &[created.step], at)?;
                    if task == 0 {
                        let lines: Vec<String> = (0..50).map(|line| format!("[1,{},\"line {line}\"]", at.0)).collect();
                        let chunk = logs::Chunk { first: 1, count: 50, body: format!("[{}]", lines.join(",")) };
                        logs::append(connection, created.step, &chunk)?;
                        let before = server::db::steps::RecordedStep::default();
                        let after = server::db::steps::RecordedStep { line_count: 50, ..before.clone() };
                        server::db::steps::advance(connection, created.step, &before, &after)?;
                    }
                    runs::finish(
                        connection,
                        created.id,
                        None,
                        &server::db::steps::Outcome { phase, exit_code: Some(0), message: None, at },
                    )?;
                }
                Ok(())
            })
            .await
            .unwrap();
    }
    id_of(0)
}
