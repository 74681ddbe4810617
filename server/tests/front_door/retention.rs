//! What is kept of runs, and what is removed.

use std::sync::{Arc, Mutex};

use app::model::{
    identifiers::{RunId, RunUid, TaskId},
    log::Stream,
    phase::Phase,
    retention::Retention,
    time::Timestamp,
    views::TaskQuery,
};
use axum::http::Method;
use diesel::{
    Connection as _, QueryDsl as _, QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::InstrumentationEvent, sql_types::BigInt,
};
use diesel_migrations::MigrationHarness as _;
use serde_json::{Value, json};
use server::{
    clock::Clock as _,
    db::{MIGRATIONS, logs, retention, runs, schema, steps::Outcome, tasks, views},
    execution::retention::sweep,
};

use crate::support::{PLAIN, TestApp};

const DAY: i64 = 86_400_000;

const KEEP_ALL: Retention = Retention { runs: None, days: None, log_bytes: None };

async fn swept(app: &TestApp, retention: Retention) -> usize {
    sweep(&app.database, retention, app.clock.now()).await.unwrap()
}

/// A task with so many runs that have ended, a day after each other, each with a log of so many bytes.
async fn ended_runs(app: &TestApp, number: u32, log: usize) -> TaskId {
    let id = app.save(&PLAIN).await;
    let text = "x".repeat(log);
    for run in 1..=number {
        app.post_form(&format!("/tasks/{id}"), &[("intent", "run")]).await;
        let keys = app.keys(&id, run).await;
        app.start(keys.run).await;
        if log > 0 {
            app.log(keys, &[(Stream::Output, text.as_str())]).await;
        }
        app.finish(keys.run, Phase::Succeeded, None).await;
        app.clock.pass(DAY);
    }
    id
}

/// The numbers of a task's runs, newest first, as programs see them.
async fn left(app: &TestApp, id: &TaskId) -> Vec<i64> {
    let task = app.api(Method::GET, &format!("/tasks/{id}"), Value::Null).await.json();
    task["runs"].as_array().unwrap().iter().map(|run| run["runNumber"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn the_last_runs_of_each_task_are_kept() {
    let app = TestApp::new().await;
    let (busy, idle) = (ended_runs(&app, 7, 10).await, ended_runs(&app, 2, 10).await);
    assert_eq!(swept(&app, KEEP_ALL).await, 0);
    assert_eq!(swept(&app, Retention { runs: Some(3), ..KEEP_ALL }).await, 4);
    assert_eq!((left(&app, &busy).await, left(&app, &idle).await), (vec![7, 6, 5], vec![2, 1]));
    assert_eq!(app.get(&format!("/tasks/{busy}/runs/4")).await.status, 404);
    // Numbers go on after the last one.
    app.post_form(&format!("/tasks/{busy}"), &[("intent", "run")]).await;
    assert_eq!(left(&app, &busy).await, [8, 7, 6, 5]);
    let question = app.get(&format!("/tasks/{busy}/delete")).await;
    assert!(question.text.contains("Its 4 runs and their logs"), "{}", question.text);
}

#[tokio::test]
async fn what_was_submitted_goes_with_its_run() {
    let app = TestApp::new().await;
    let id = ended_runs(&app, 2, 0).await;
    let kept = || async {
        let count = |connection: &mut SqliteConnection| Ok(schema::manifests::table.count().get_result(connection)?);
        app.database.read::<i64, _>(count).await.unwrap()
    };
    for number in [1, 2] {
        app.keep_manifest(app.keys(&id, number).await.run, "kind: Workflow\n").await;
    }
    assert_eq!(kept().await, 2);
    assert_eq!(swept(&app, Retention { runs: Some(1), ..KEEP_ALL }).await, 1);
    assert_eq!(kept().await, 1);
    app.api(Method::DELETE, &format!("/tasks/{id}/delete"), Value::Null).await;
    while app.database.write(tasks::sweep).await.unwrap() {}
    assert_eq!(kept().await, 0);
}

#[tokio::test]
async fn old_runs_go_but_never_the_latest_or_one_that_runs() {
    let app = TestApp::new().await;
    let id = ended_runs(&app, 3, 10).await;
    app.post_form(&format!("/tasks/{id}"), &[("intent", "run")]).await;
    let active = app.keys(&id, 4).await;
    app.start(active.run).await;
    app.post_form(&format!("/tasks/{id}"), &[("intent", "run")]).await;
    app.finish(app.keys(&id, 5).await.run, Phase::Failed, None).await;
    app.clock.pass(100 * DAY);
    assert_eq!(swept(&app, Retention { days: Some(102), ..KEEP_ALL }).await, 1);
    assert_eq!(left(&app, &id).await, [5, 4, 3, 2]);
    let nothing_else = Retention { runs: Some(1), days: Some(1), log_bytes: Some(1) };
    assert_eq!(swept(&app, nothing_else).await, 2);
    assert_eq!(left(&app, &id).await, [5, 4]);
    app.finish(active.run, Phase::Succeeded, None).await;
    assert_eq!(swept(&app, nothing_else).await, 1);
    assert_eq!(left(&app, &id).await, [5]);
}

#[tokio::test]
async fn the_oldest_logs_go_until_the_rest_fits() {
    let app = TestApp::new().await;
    let (first, second) = (ended_runs(&app, 3, 1000).await, ended_runs(&app, 3, 1000).await);
    let silent = ended_runs(&app, 2, 0).await;
    let stored = app.api(Method::GET, "/diagnostics", Value::Null).await.json()["runs"].clone();
    let bytes = stored["logBytes"].as_u64().unwrap();
    assert!((6000..6300).contains(&bytes), "{stored}");
    assert_eq!(
        stored,
        json!({ "number": 8, "logBytes": bytes, "keepRuns": 1000, "keepDays": null, "keepLogBytes": 20_u64 << 30 })
    );
    assert_eq!(swept(&app, Retention { log_bytes: Some(bytes), ..KEEP_ALL }).await, 0);
    assert_eq!(swept(&app, Retention { log_bytes: Some(bytes - 1), ..KEEP_ALL }).await, 1);
    assert_eq!(left(&app, &first).await, [3, 2]);
    // Two more of the first task are older than the second's, and one of them is its latest.
    assert_eq!(swept(&app, Retention { log_bytes: Some(bytes / 2), ..KEEP_ALL }).await, 2);
    assert_eq!((left(&app, &first).await, left(&app, &second).await), (vec![3], vec![3, 2]));
    assert_eq!(left(&app, &silent).await, [2, 1]);
}

#[tokio::test]
async fn pages_lead_over_gaps_and_show_the_last_ten() {
    let app = TestApp::new().await;
    let id = ended_runs(&app, 14, 0).await;
    // As when the runs between had long logs, or ended much earlier.
    for gap in [2, 5, 6, 13] {
        let run = app.keys(&id, gap).await.run;
        let removed = app.database.write(move |connection| retention::remove(connection, &[run]));
        assert_eq!(removed.await.unwrap(), 1);
    }
    let list = app.get("/tasks").await;
    let strip = list.attributes(".run-strip a", "href");
    let expected = [1, 3, 4, 7, 8, 9, 10, 11, 12, 14].map(|number| format!("/tasks/{id}/runs/{number}"));
    assert_eq!(strip, expected);
    let run = app.get(&format!("/tasks/{id}/runs/4")).await;
    let link = |rel: &str| run.attributes(&format!("a[rel={rel}]"), "href");
    let to = |number: u32| [format!("/tasks/{id}/runs/{number}")];
    assert_eq!((link("prev"), link("next"), link("last")), (to(3).to_vec(), to(7).to_vec(), to(14).to_vec()));
    let before_last = app.get(&format!("/tasks/{id}/runs/12")).await;
    assert_eq!(before_last.attributes("a[rel=next]", "href"), to(14));
    assert!(before_last.attributes("a[rel=last]", "href").is_empty());
}

#[tokio::test]
async fn a_long_log_goes_piece_by_piece_and_its_room_is_used_again() {
    let app = TestApp::new().await;
    let fill = async || {
        let (id, keys) = app.save_and_run(&PLAIN).await;
        let text = "x".repeat(8000);
        for _ in 0..600 {
            app.log(keys, &[(Stream::Output, text.as_str())]).await;
        }
        app.finish(keys.run, Phase::Succeeded, None).await;
        app.post_form(&format!("/tasks/{id}"), &[("intent", "run")]).await;
        keys.run
    };
    let pages = async || {
        #[derive(QueryableByName)]
        struct Pages {
            #[diesel(sql_type = BigInt)]
            page_count: i64,
        }
        let count = app
            .database
            .read(|connection| Ok(diesel::sql_query("PRAGMA page_count").get_result::<Pages>(connection)?.page_count));
        count.await.unwrap()
    };
    let chunks = async || {
        let count = app.database.read(|connection| Ok(schema::log_chunks::table.count().get_result(connection)?));
        count.await.unwrap()
    };
    let run: RunId = fill().await;
    let at_most = pages().await;
    let piece = app.database.write(move |connection| retention::remove(connection, &[run])).await.unwrap();
    let after_one: i64 = chunks().await;
    assert_eq!(piece, 0, "one transaction does not take all of it");
    assert!((1..600).contains(&after_one), "{after_one}");
    assert_eq!(swept(&app, Retention { runs: Some(1), ..KEEP_ALL }).await, 1);
    assert_eq!(chunks().await, 0);
    fill().await;
    assert!(pages().await <= at_most + 8, "{} after {at_most}", pages().await);
}

#[tokio::test]
async fn what_is_kept_is_said_on_the_system_page() {
    let app = TestApp::new().await;
    ended_runs(&app, 2, 2000).await;
    let page = app.get("/system").await;
    let storage = page.text_of("section[aria-labelledby=storage]");
    assert!(storage.contains("2, with 3.9 KiB of logs"), "{storage}");
    let expected = "are removed but the last 1000 of each task, or when all logs have more than 20";
    assert!(storage.contains(expected), "{storage}");
}

/// What removes runs, and what lists them, reads indexes: it costs little however many runs there are.
#[test]
fn no_look_for_runs_reads_all_of_them() {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }
    let folder = tempfile::tempdir().unwrap();
    let mut connection = SqliteConnection::establish(&folder.path().join("x.sqlite").to_string_lossy()).unwrap();
    connection.run_pending_migrations(MIGRATIONS).unwrap();
    let task = app::model::spec::TaskDraft { code: "1".to_owned(), ..Default::default() }.parse().unwrap();
    let (id, at) = (TaskId::from_random([1; 6]), Timestamp(1));
    assert!(tasks::insert(&mut connection, &id, &task, at).unwrap());
    let uid = RunUid::from_random([1; 10]);
    let new = runs::NewRun::of_task(&uid, &id, task.spec, None, "local", at);
    let run = runs::create(&mut connection, &new).unwrap();
    let chunk = logs::Chunk { first: 1, count: 1, body: "[]".to_owned() };
    logs::append(&mut connection, run.step, &chunk).unwrap();
    let outcome = Outcome { phase: Phase::Succeeded, exit_code: None, message: None, at };
    runs::finish(&mut connection, run.id, None, &outcome).unwrap();

    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = heard.clone();
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            listener.lock().unwrap().push(query.to_string());
        }
    });
    for rule in [
        Retention { runs: Some(1), ..KEEP_ALL },
        Retention { days: Some(1), ..KEEP_ALL },
        Retention { log_bytes: Some(1), ..KEEP_ALL },
    ] {
        retention::outdated(&mut connection, &rule, at, 10).unwrap();
    }
    views::listed_tasks(&mut connection, None, 10).unwrap();
    views::specified_runs(&mut connection, &id, None, 10).unwrap();
    views::task(&mut connection, &id, None).unwrap();
    views::task_page(&mut connection, &TaskQuery::default(), Timestamp(i64::MAX)).unwrap();
    retention::remove(&mut connection, &[run.id]).unwrap();

    let statements = std::mem::take(&mut *heard.lock().unwrap());
    assert!(statements.len() > 10, "{statements:?}");
    for statement in statements {
        let sql = statement.split(" -- binds:").next().unwrap();
        let plan: Vec<Line> =
            diesel::sql_query(format!("EXPLAIN QUERY PLAN {}", sql.replace('?', "1"))).load(&mut connection).unwrap();
        for line in plan {
            // The sum of all logs is from the index alone, and so is the list's order.
            let is_index =
                ["runs_ended", "tasks_by_creation", "tasks_by_activity"].iter().any(|i| line.detail.contains(i));
            assert!(!line.detail.starts_with("SCAN") || is_index, "{}: {sql}", line.detail);
            assert!(!line.detail.contains("TEMP B-TREE"), "{}: {sql}", line.detail);
        }
    }
}
