//! The list of all runs.

use app::model::{
    identifiers::TaskId,
    phase::Phase,
    run_list::{RunCursor, RunQuery},
};
use axum::http::StatusCode;
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, connection::SimpleConnection as _};
use server::db::{run_list, schema};

use crate::{
    database::plans,
    support::{Answer, PLAIN, TestApp, number},
};

pub const DAY: i64 = 86_400_000;

impl Answer {
    /// The runs that a page lists, as `name #number`.
    fn runs(&self) -> Vec<String> {
        self.texts("td.run-name > a:first-child")
    }

    /// The choices of a filter, with their counts.
    pub fn choices(&self, filter: &str) -> Vec<String> {
        self.texts(&format!("ul[aria-labelledby=filter-{filter}] a"))
    }
}

/// A task of this name with so many runs, in the database alone: made in a row, and ended so.
pub async fn seed(app: &TestApp, name: &str, runs: u32, phase: Phase, engine: &str) -> TaskId {
    let id = app.save(&[("name", name), ("code", "1")]).await;
    let now = app.state.clock.now().0;
    let insert = format!(
        "WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {runs}) INSERT INTO runs \
         (uid, task_id, number, phase, created_at, started_at, finished_at, engine) SELECT printf('run-%020x', (SELECT \
         coalesce(max(id), 0) FROM runs) + n), '{id}', n, '{phase}', {now} + n, {now} + n, CASE WHEN '{phase}' IN \
         ('Pending', 'Running') THEN NULL ELSE {now} + n END, '{engine}' FROM counted; UPDATE tasks SET last_run_number \
         = {runs} WHERE id = '{id}'"
    );
    app.database.write(move |connection| Ok(connection.batch_execute(&insert)?)).await.unwrap();
    id
}

/// Follows links of this relation from an address on over so many pages at most, and gives what each page lists, with
/// the last address.
async fn follow(app: &TestApp, address: &str, relation: &str, most: usize) -> (Vec<Vec<String>>, String) {
    let (mut pages, mut address) = (Vec::new(), address.to_owned());
    loop {
        let page = app.get(&address).await;
        assert_eq!(page.status, StatusCode::OK, "{address}");
        pages.push(page.runs());
        match page.attributes(&format!("a[rel={relation}]"), "href").first() {
            Some(next) if pages.len() < most => address.clone_from(next),
            _ => return (pages, address),
        }
    }
}

#[tokio::test]
async fn runs_of_all_tasks_are_listed_newest_first_and_lead_on() {
    let app = TestApp::new().await;
    let empty = app.get("/runs").await;
    assert!(empty.text_of(".empty").contains("Nothing was run yet"));
    assert!(empty.attributes("header nav a", "href").contains(&"/runs".to_owned()));
    let (first, keys) = app.save_and_run(&[("name", "<First>"), ("code", "1")]).await;
    let (second, _) = app.save_and_run(&PLAIN).await;
    app.start(keys.run).await;
    app.post_form(&format!("/tasks/{first}"), &[("intent", "run")]).await;
    app.clock.pass(70_000);
    app.finish(keys.run, Phase::Failed, Some("It <b>broke</b>.")).await;
    let page = app.get("/runs").await;
    assert_eq!(page.runs(), ["<First> #2".to_owned(), format!("{second} #1"), "<First> #1".to_owned()]);
    assert_eq!(page.texts("td.run-phase"), ["Pending", "Pending", "Failed"]);
    assert_eq!(page.texts("td.run-message"), ["", "", "It <b>broke</b>."]);
    assert_eq!(page.texts("td.run-duration"), ["–", "–", "1 min 10 s"]);
    let links = page.attributes("td.run-name > a:first-child", "href");
    assert_eq!(links[2], format!("/tasks/{first}/runs/1"));
}

#[tokio::test]
async fn each_filter_narrows_the_list_and_counts_its_choices() {
    let app = TestApp::new().await;
    seed(&app, "Old report", 3, Phase::Failed, "local").await;
    app.clock.pass(2 * DAY);
    let busy = seed(&app, "Busy", 2, Phase::Running, "local").await;
    seed(&app, "New report", 4, Phase::Succeeded, "argo").await;
    app.clock.pass(60_000);

    let all = app.get("/runs").await;
    let phases = ["All 9", "Active 2", "Pending 0", "Running 2", "Succeeded 4", "Failed 3", "Error 0", "Cancelled 0"];
    assert_eq!(all.choices("phase"), phases);
    assert_eq!(all.choices("engine"), ["All 9", "argo 4", "local 5"]);
    assert_eq!(all.choices("since"), ["Any time 9", "Last hour 6", "24 hours 6", "7 days 9", "30 days 9"]);

    let active = app.get("/runs?phase=active").await;
    assert_eq!(active.runs(), ["Busy #2", "Busy #1"]);
    assert_eq!(active.texts(".filter a[aria-current]"), ["Active 2", "All 2", "Any time 2"]);
    assert_eq!(active.choices("phase"), phases, "by phase, the others are counted as before");
    assert_eq!(active.choices("since")[1], "Last hour 2");
    assert_eq!(app.get("/runs?phase=failed").await.runs().len(), 3);
    assert_eq!(app.get("/runs?engine=argo").await.runs().len(), 4);
    assert_eq!(app.get("/runs?since=24h").await.runs().len(), 6);

    let found = app.get("/runs?q=REPORT&since=1h").await;
    assert_eq!(found.runs(), ["New report #4", "New report #3", "New report #2", "New report #1"]);
    assert_eq!(found.choices("since"), ["Any time 7", "Last hour 4", "24 hours 4", "7 days 7", "30 days 7"]);
    assert_eq!(found.choices("phase")[5], "Failed 0");
    assert_eq!(app.get("/runs?q=old+report").await.choices("phase")[5], "Failed 3");
    assert_eq!(app.get(&format!("/runs?q={busy}")).await.runs().len(), 2);
    // The words of a search are looked for in names and ids alone, and mean themselves.
    for nothing in ["/runs?q=code", "/runs?q=%25", "/runs?q=report+busy", "/runs?phase=error", "/runs?engine=none"] {
        let page = app.get(nothing).await;
        assert!(page.text_of(".empty").contains("No run matches"), "{nothing}");
        assert!(page.attributes(".empty a", "href").contains(&"/runs".to_owned()));
    }

    // A link of a row narrows the list to its task and keeps the other filters.
    let narrowed = &app.get("/runs?since=7d").await.attributes("a.run-only", "href")[4];
    assert_eq!(narrowed, &format!("/runs?task={busy}&since=7d"));
    let narrowed = app.get(narrowed).await;
    assert_eq!(narrowed.runs(), ["Busy #2", "Busy #1"]);
    assert_eq!(narrowed.text_of(".filter-value"), "Busy");
    assert_eq!(narrowed.choices("phase")[0], "All 2");
    assert!(app.get(&format!("/runs?task={busy}&q=report")).await.runs().is_empty());
    assert_eq!(app.get(&format!("/runs?task={busy}&q=busy")).await.runs().len(), 2);
    assert_eq!(app.get("/runs?task=task-000000000000").await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get("/runs?phase=nonsense&since=&from=x&task=y").await.runs().len(), 9);
}

#[tokio::test]
async fn pages_lead_both_ways_and_every_run_comes_once() {
    let app = TestApp::new().await;
    // Groups that are counted to their end, and one that is not.
    seed(&app, "Few", 60, Phase::Failed, "local").await;
    seed(&app, "Many", 1100, Phase::Succeeded, "local").await;
    seed(&app, "Others", 70, Phase::Failed, "argo").await;
    // More than are read at once when a search finds them.
    seed(&app, "Very many", 5100, Phase::Cancelled, "local").await;
    for (start, expected) in [
        ("/runs", 400_usize),
        ("/runs?phase=succeeded", 1100),
        ("/runs?phase=failed", 130),
        ("/runs?engine=local&phase=failed", 60),
        ("/runs?q=ew", 60),
        ("/runs?q=task-&phase=failed", 130),
        ("/runs?q=many&phase=succeeded&since=1h", 1100),
    ] {
        let (there, last) = follow(&app, start, "next", expected.div_ceil(run_list::RUNS_PER_PAGE)).await;
        assert!(there.iter().all(|page| page.len() <= run_list::RUNS_PER_PAGE), "{start}");
        let mut all: Vec<&String> = there.iter().flatten().collect();
        assert_eq!(all.len(), expected, "{start}");
        all.sort();
        all.dedup();
        assert_eq!(all.len(), expected, "{start}");
        let (mut back, _) = follow(&app, &last, "prev", usize::MAX).await;
        back.reverse();
        assert_eq!(back, there, "{start}");
    }
    let page = app.get("/runs").await;
    assert_eq!(page.choices("phase")[0], "All 1000+");
    assert_eq!(page.choices("phase")[4], "Succeeded 1000+");
    assert_eq!(page.choices("phase")[5], "Failed 130");
    assert!(app.get("/runs?from=older.1").await.text_of(".empty").contains("no more runs"));
    let newest = page.runs();
    assert_eq!(app.get("/runs?from=newer.6329").await.runs(), newest, "the way back ends at a full page");
}

#[tokio::test]
async fn runs_of_a_deleted_task_are_not_listed() {
    let app = TestApp::new().await;
    let gone = seed(&app, "Gone", 3, Phase::Failed, "local").await;
    seed(&app, "Kept", 2, Phase::Failed, "local").await;
    app.post_form(&format!("/tasks/{gone}/delete"), &[]).await;
    let page = app.get("/runs").await;
    assert_eq!(page.runs(), ["Kept #2", "Kept #1"]);
    assert_eq!(page.choices("phase")[5], "Failed 2");
    assert_eq!(app.get(&format!("/runs?task={gone}")).await.status, StatusCode::NOT_FOUND);
    assert!(app.get("/runs?q=gone").await.runs().is_empty());
}

#[tokio::test]
async fn several_runs_are_cancelled_after_a_question() {
    let app = TestApp::new().await;
    let (id, running) = app.save_and_run(&[("name", "Long"), ("code", "1")]).await;
    let (other, _) = app.save_and_run(&[("name", "Other"), ("code", "1")]).await;
    let (_, ended) = app.save_and_run(&[("name", "Ended"), ("code", "1")]).await;
    app.start(running.run).await;
    app.finish(ended.run, Phase::Succeeded, None).await;

    let page = app.get("/runs?since=7d").await;
    assert_eq!(
        page.attributes("td.run-choice input", "aria-label"),
        ["Choose run #1 of Other", "Choose run #1 of Long"]
    );
    assert_eq!(page.attributes("main form[action='/runs/cancel'] input[type=hidden]", "value"), ["7d"]);
    let chosen = page.attributes("td.run-choice input", "value");
    let ended_uid: String = app
        .database
        .read(move |connection| {
            Ok(schema::runs::table.find(ended.run.0).select(schema::runs::uid).get_result(connection)?)
        })
        .await
        .unwrap();
    let address = format!("/runs/cancel?since=7d&run={}&run={}&run={ended_uid}&run=run-x", chosen[0], chosen[1]);
    let question = app.get(&address).await;
    assert_eq!(question.text_of("h1"), "Cancel 2 runs?");
    assert_eq!(question.texts(".chosen-runs a"), ["Other #1", "Long #1"]);
    assert_eq!(question.attributes(".actions a", "href"), ["/runs?since=7d"]);
    let action = &question.attributes("main form", "action")[0];
    assert_eq!(action, &format!("/runs/cancel?since=7d&run={}&run={}", chosen[0], chosen[1]));

    let answer = app.post_form(action, &[]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/runs?since=7d"));
    let page = app.get_after(&answer, answer.location()).await;
    assert_eq!(page.text_of(".is-notice"), "2 runs are being stopped.");
    assert_eq!(page.texts("td.run-phase"), ["Succeeded", "Cancelled", "Running"]);
    assert_eq!(page.texts("td.run-message")[2], "Is being stopped.");
    assert!(page.attributes("td.run-choice input", "value").is_empty(), "nothing is left to choose");
    let waiting = app.get(&format!("/tasks/{other}/runs/1")).await;
    assert!(waiting.text.contains("Cancelled before it started."));
    let run = running.run.0;
    let requested = app.database.read(move |connection| {
        let requested = schema::runs::table.find(run).select(schema::runs::cancel_requested_at);
        Ok(requested.get_result::<Option<i64>>(connection)?)
    });
    assert!(requested.await.unwrap().is_some(), "what moves runs is told to stop {id}");

    // Asked once more, it says how things stand.
    assert_eq!(app.get(action).await.text_of("h1"), "There is nothing to cancel");
    app.finish(running.run, Phase::Cancelled, None).await;
    let late = app.post_form(action, &[]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text_of(".is-refusal").contains("have ended meanwhile"));
    assert_eq!(app.get("/runs/cancel?since=7d").await.text_of("h1"), "No run was chosen");
    let nothing = app.post_form("/runs/cancel", &[]).await;
    assert_eq!(nothing.status, StatusCode::CONFLICT);
    assert!(nothing.text_of(".is-refusal").contains("No run was chosen"));
}

#[tokio::test]
async fn a_list_that_is_watched_is_renewed_and_offers_no_choice_that_would_be_lost() {
    let app = TestApp::new().await;
    app.save_and_run(&PLAIN).await;
    let still = app.get("/runs?phase=active").await;
    let refresh = "head meta[http-equiv=refresh]";
    assert!(still.attributes(refresh, "content").is_empty());
    // What stands in `noscript` is text to a parser that knows scripts.
    assert!(still.text_of("noscript").contains(r#"href="/runs?phase=active&amp;live=1""#), "{}", still.text);
    let live = app.get("/runs?phase=active&live=1").await;
    assert_eq!(live.attributes(refresh, "content"), ["5"]);
    assert!(live.attributes("td.run-choice input", "value").is_empty());
    assert_eq!(live.attributes(".live-choice a", "href"), ["/runs?phase=active"]);
    let links = live.attributes(".filter a", "href");
    assert!(!links.is_empty() && links.iter().all(|link| link.ends_with("live=1")), "{links:?}");
}

#[tokio::test]
async fn no_list_of_runs_scans_or_sorts() {
    let app = TestApp::new().await;
    let task = seed(&app, "Many", 1100, Phase::Succeeded, "local").await;
    seed(&app, "Others", 30, Phase::Failed, "argo").await;
    let now = app.state.clock.now();
    let statements = plans(&app.database, move |connection| {
        for search in ["", "many", "others"] {
            for task in [None, Some(task.clone())] {
                for newer in [false, true] {
                    let from = Some(RunCursor { newer, run: app::model::identifiers::RunId(500) });
                    let query = RunQuery { search: search.to_owned(), task: task.clone(), from, ..RunQuery::default() };
                    run_list::page(connection, &query, now)?;
                }
            }
        }
        let uids: Vec<String> = schema::runs::table
            .filter(schema::runs::number.eq(i32::try_from(number(1).get()).unwrap()))
            .select(schema::runs::uid)
            .load(connection)?;
        let uids: Vec<_> = uids.iter().map(|uid| uid.parse().unwrap()).collect();
        assert_eq!(run_list::named(connection, &uids)?.len(), 2);
        Ok(())
    })
    .await;
    assert!(statements.len() > 100, "{}", statements.len());
    for (statement, plan) in statements {
        // The test's own.
        if statement.contains("WHERE (`runs`.`number` =") {
            continue;
        }
        // Names are looked through in an index of names; what a search found comes as a list.
        let is_list = |line: &&String| {
            line.contains("COVERING INDEX tasks_by_name")
                || line.contains("tasks_deleted")
                || line.contains("VIRTUAL TABLE")
        };
        let scans = plan.iter().filter(|line| line.starts_with("SCAN")).any(|line| !is_list(&line));
        let sorts = plan.iter().any(|line| line.contains("TEMP B-TREE"));
        assert!(!scans && !sorts, "{statement}\n{plan:#?}");
    }
}
