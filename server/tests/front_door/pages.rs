//! Pages and the actions on them.

use std::sync::Arc;

use app::{
    model::{
        lock::Lock,
        log::{LogLine, Stream},
        phase::Phase,
        step_address::StepAddress,
        views::RunKeys,
    },
    page_context::ServerFacts,
};
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use diesel::{QueryDsl as _, RunQueryDsl as _};
use server::{
    db::{runs, schema, tasks},
    http,
};

use crate::support::{Answer, PLAIN, TestApp};

#[tokio::test]
async fn an_empty_stoker_offers_examples_that_run() {
    let app = TestApp::new().await;
    let page = app.get("/tasks").await;
    assert_eq!(page.status, StatusCode::OK);
    let keys = page.attributes("button[name=example]", "value");
    assert!(keys.contains(&"plain".to_owned()), "{keys:?}");
    let answer = app.post_form("/tasks", &[("intent", "example"), ("example", "plain")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let run = app.get(answer.location()).await;
    assert_eq!(run.status, StatusCode::OK);
    let answer = app.post_form("/tasks", &[("intent", "example"), ("example", "nothing")]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text_of(".is-refusal").contains("no example"));
}

#[tokio::test]
async fn what_is_not_there_has_a_page_that_leads_on() {
    let app = TestApp::new().await;
    for path in [
        "/nothing",
        "/tasks/nothing",
        "/tasks/task-000000000000",
        "/tasks/task-000000000000/edit",
        "/tasks/task-000000000000/delete",
        "/tasks/task-000000000000/runs/1",
        "/tasks/task-000000000000/runs/0/cancel",
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.attributes("main a", "href").contains(&"/tasks".to_owned()), "{path}");
    }
    for path in ["/tasks/x", "/tasks/task-000000000000", "/tasks/x/runs/1", "/tasks/task-000000000000/delete"] {
        let answer = app.post_form(path, &[("intent", "run"), ("intent", "rerun")]).await;
        assert!(matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST), "{path}: {}", answer.status);
    }
    let answer = app.post_form("/tasks/task-000000000000/runs/1/cancel", &[]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get("/tasks/").await.location(), "/tasks");
    assert_eq!(app.get("/tasks/?q=a%20b").await.location(), "/tasks?q=a%20b");
    let answer = app.post_form("/", &[]).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(answer.text.contains("<h1>"));
}

#[tokio::test]
async fn a_rerun_has_the_spec_and_the_versions_of_its_run() {
    let app = TestApp::new().await;
    app.resolver.answers(Ok(Lock("numpy==1.0\n".to_owned())));
    let (id, first) = app.save_and_run(&[("code", "old"), ("packages", "numpy")]).await;
    app.resolver.answers(Ok(Lock("numpy==2.0\n".to_owned())));
    let edited = [("code", "new"), ("packages", "numpy"), ("revision", "1"), ("intent", "save")];
    assert_eq!(app.post_form(&format!("/tasks/{id}/edit"), &edited).await.status, StatusCode::SEE_OTHER);
    let answer = app.post_form(&format!("/tasks/{id}/runs/1"), &[("intent", "rerun")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.location(), format!("/tasks/{id}/runs/2"));
    let second = app.keys(&id, 2).await;
    let (old, again) = app
        .database
        .read(move |connection| {
            Ok((runs::inputs(connection, first.run, None)?, runs::inputs(connection, second.run, None)?))
        })
        .await
        .unwrap();
    let (old, again) = (&old.steps[0], &again.steps[0]);
    assert_eq!(again.step, old.step);
    assert_eq!(again.lock, Some(Lock("numpy==1.0\n".to_owned())));
}

#[tokio::test]
async fn running_a_task_runs_what_is_saved() {
    let app = TestApp::new().await;
    let id = app.save(&PLAIN).await;
    for number in 1..=2 {
        let answer = app.post_form(&format!("/tasks/{id}"), &[("intent", "run")]).await;
        assert_eq!(answer.location(), format!("/tasks/{id}?run={number}&live=1"));
    }
    let page = app.get(&format!("/tasks/{id}/runs/2")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.attributes("a[rel=prev]", "href").contains(&format!("/tasks/{id}/runs/1")));
}

#[tokio::test]
async fn cancelling_is_noted_and_an_ended_run_says_so() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.start(keys.run).await;
    let answer = app.post_form(&format!("/tasks/{id}/runs/1"), &[("intent", "cancel")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let page = app.get_after(&answer, answer.location()).await;
    assert_eq!(page.text_of(".is-notice"), "Run #1 is being stopped.");
    app.finish(keys.run, Phase::Cancelled, Some("Cancelled.")).await;
    for path in [format!("/tasks/{id}/runs/1"), format!("/tasks/{id}/runs/1/cancel")] {
        let answer = app.post_form(&path, &[("intent", "cancel")]).await;
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert_eq!(answer.text_of(".is-refusal"), "Run #1 has already ended (Cancelled).");
    }
}

#[tokio::test]
async fn an_active_run_can_be_cancelled_from_its_task() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.start(keys.run).await;
    let cancel = "td.run-edit form button[value=cancel]";
    let page = app.get(&format!("/tasks/{id}")).await;
    assert_eq!(page.attributes(cancel, "aria-label"), ["Cancel run 1"]);
    assert_eq!(page.attributes("td.run-edit form", "action"), [format!("/tasks/{id}/runs/1")]);
    app.finish(keys.run, Phase::Cancelled, None).await;
    assert!(app.get(&format!("/tasks/{id}")).await.attributes(cancel, "value").is_empty());
}

#[tokio::test]
async fn without_python_every_page_says_that_no_run_can_start() {
    let mut app = TestApp::new().await;
    assert!(app.get("/tasks").await.attributes(".banner.is-warning a", "href").is_empty());
    let problem = Some("`uv` was not found. Install it.".to_owned());
    app.state.facts = Arc::new(ServerFacts { version: "1.2.3", python: None, engines: vec!["local"], problem });
    app.router = http::router(app.state.clone());
    for path in ["/tasks", "/tasks/new", "/system"] {
        assert!(
            app.get(path)
                .await
                .text_of(".banner.is-warning")
                .starts_with("No run can start. `uv` was not found. Install it."),
            "{path}"
        );
    }
}

#[tokio::test]
async fn deleting_a_task_stops_its_runs_first() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.start(keys.run).await;
    let question = app.get(&format!("/tasks/{id}/delete")).await;
    assert!(question.text.contains("A run is active"));
    let answer = app.post_form(&format!("/tasks/{id}/delete"), &[]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/tasks"));
    let run = keys.run.0;
    let cancelled = app.database.read(move |connection| {
        let requested = schema::runs::table.find(run).select(schema::runs::cancel_requested_at);
        Ok(requested.get_result::<Option<i64>>(connection)?)
    });
    assert!(cancelled.await.unwrap().is_some(), "what moves runs is told to stop it");
    assert_eq!(app.get(&format!("/tasks/{id}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get(&format!("/tasks/{id}/runs/1/log")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_was_submitted_for_a_run_is_shown_at_its_page() {
    const MANIFEST: &str = "kind: Workflow\nspec:\n  entrypoint: <step-1>\n";
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    let page = format!("/tasks/{id}/runs/1");
    let none = app.get(&format!("{page}/manifest")).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    assert!(none.text.contains("on the engine `local`, no manifest is kept"), "{}", none.text);
    assert!(app.get(&page).await.texts("#details-manifest").is_empty());

    app.keep_manifest(keys.run, MANIFEST).await;
    let text = app.get(&format!("{page}/manifest")).await;
    assert_eq!((text.status, text.header("content-type")), (StatusCode::OK, "text/plain; charset=utf-8"));
    assert_eq!(text.text, MANIFEST);
    for address in [page.clone(), format!("{page}/state")] {
        let shown = app.get(&address).await;
        assert_eq!(shown.text_of("#run-manifest pre"), MANIFEST.trim_end(), "{address}");
        assert_eq!(shown.attributes("#run-manifest a", "href"), [format!("{page}/manifest")]);
        assert!(shown.attributes("#details-manifest", "open").is_empty(), "it is folded");
    }
    for missing in [format!("/tasks/{id}/runs/2/manifest"), format!("/flows/{id}/runs/1/manifest")] {
        assert_eq!(app.get(&missing).await.status, StatusCode::NOT_FOUND, "{missing}");
    }

    // Those of large flows would be fetched with every change of the run.
    let (id, keys) = app.save_and_run(&PLAIN).await;
    let long = "- name: step\n".repeat(10_000);
    app.keep_manifest(keys.run, &long).await;
    let shown = app.get(&format!("/tasks/{id}/runs/1")).await;
    assert!(shown.texts("#run-manifest pre").is_empty());
    let link = shown.attributes("#run-manifest a", "href").remove(0);
    assert_eq!(app.get(&link).await.text, long);
}

#[tokio::test]
async fn a_reason_leads_to_what_to_do_about_it() {
    let app = TestApp::new().await;
    for (message, entry) in [
        ("The run's workflow was deleted by somebody outside Stoker. Run it again.", Some("workflow-deleted")),
        (
            "Stopped after its time limit of 5 s. Raise the timeout of the task, or let it do less.",
            Some("how-a-run-ends"),
        ),
        ("The program ended with exit code 3.", None),
    ] {
        let (id, keys) = app.save_and_run(&PLAIN).await;
        app.start(keys.run).await;
        app.finish(keys.run, Phase::Error, Some(message)).await;
        let page = app.get(&format!("/tasks/{id}/runs/1")).await;
        let links = page.attributes("#run-summary .banner a", "href");
        let expected: Vec<String> = entry.map(|entry| format!("/help/troubleshooting#{entry}")).into_iter().collect();
        assert_eq!(links, expected, "{message}");
    }
    let help = app.get("/help/troubleshooting").await;
    for entry in ["workflow-deleted", "how-a-run-ends"] {
        assert_eq!(help.texts(&format!("[id={entry}]")).len(), 1, "{entry}");
    }
}

#[tokio::test]
async fn the_list_is_never_older_than_the_last_change() {
    let app = TestApp::new().await;
    let list = async || {
        let page = app.get("/tasks").await;
        // Asked for again, and found by a search: the same.
        assert_eq!(app.get("/tasks").await.texts("tbody tr"), page.texts("tbody tr"));
        assert_eq!(app.get("/tasks?q=printed").await.texts("tbody tr"), page.texts("tbody tr"));
        page
    };
    let (id, first) = app.save_and_run(&[("name", "First"), ("code", "printed = 1")]).await;
    app.finish(first.run, Phase::Succeeded, None).await;
    let page = list().await;
    assert_eq!(page.text_of("td.task-phase"), "Succeeded");
    assert!(page.attributes(".run-strip a", "title").is_empty(), "a history of one says nothing new");
    app.post_form(&format!("/tasks/{id}"), &[("intent", "run")]).await;
    let keys = app.keys(&id, 2).await;
    let latest = |page: &Answer| page.attributes(".run-strip a", "title").pop().unwrap();
    let page = list().await;
    assert_eq!(page.text_of("td.task-name a"), "First");
    assert_eq!(latest(&page), "Run #2: Pending, not started");
    app.start(keys.run).await;
    assert_eq!(latest(&list().await), "Run #2: Running, for 0 s");
    // Nothing is written, but time goes by.
    app.clock.pass(70_000);
    let page = list().await;
    assert_eq!(latest(&page), "Run #2: Running, for 1 min 10 s");
    assert_eq!(page.text_of("td.task-when"), "1 min ago");
    app.finish(keys.run, Phase::Failed, None).await;
    let page = list().await;
    assert_eq!(latest(&page), "Run #2: Failed, 1 min 10 s");
    assert_eq!(page.attributes(".run-strip use", "href"), ["#icon-succeeded", "#icon-failed"]);
    assert!(page.attributes("symbol", "id").contains(&"icon-failed".to_owned()));
    app.save(&[("name", "Second"), ("code", "printed = 2")]).await;
    assert_eq!(list().await.texts("td.task-name a"), ["Second", "First"]);
    app.post_form(&format!("/tasks/{id}/delete"), &[]).await;
    assert_eq!(list().await.texts("td.task-name a"), ["Second"]);
}

#[tokio::test]
async fn the_list_is_paged_both_ways_and_every_task_comes_once() {
    let app = TestApp::new().await;
    for index in 0..60 {
        // Several with the same time, so that ties are broken too.
        app.clock.pass(i64::from(index % 3 == 0));
        app.save(&[("name", &format!("T{index:02}")), ("code", "1")]).await;
    }
    let mut address = "/tasks".to_owned();
    let (mut there, mut addresses) = (Vec::new(), Vec::new());
    loop {
        let page = app.get(&address).await;
        let names = page.texts("td.task-name a");
        assert!(names.len() <= 25);
        there.push(names);
        addresses.push(address);
        match page.attributes("a[rel=next]", "href").first() {
            Some(next) => address = next.clone(),
            None => break,
        }
    }
    let mut all: Vec<&String> = there.iter().flatten().collect();
    assert_eq!(all.len(), 60);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 60);
    let mut back = Vec::new();
    let mut address = addresses.last().unwrap().clone();
    loop {
        let page = app.get(&address).await;
        back.push(page.texts("td.task-name a"));
        match page.attributes("a[rel=prev]", "href").first() {
            Some(previous) => address = previous.clone(),
            None => break,
        }
    }
    back.reverse();
    assert_eq!(back, there);
}

#[tokio::test]
async fn a_deleted_task_is_gone_at_once_and_its_rows_go_in_slices_after_its_runs() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    let (other, _) = app.save_and_run(&PLAIN).await;
    app.start(keys.run).await;
    for number in 0..600 {
        app.log(keys, &[(Stream::Output, &number.to_string())]).await;
    }
    let left = async || {
        let count =
            app.database.read(|connection| Ok(schema::log_chunks::table.count().get_result::<i64>(connection)?));
        count.await.unwrap()
    };
    let sweep = async || app.database.write(tasks::sweep).await.unwrap();
    assert!(!sweep().await, "nothing is deleted");
    app.post_form(&format!("/tasks/{id}/delete"), &[]).await;
    for path in [format!("/tasks/{id}"), format!("/tasks/{id}/runs/1"), format!("/tasks/{id}/edit")] {
        assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let again = app.post_form(&format!("/tasks/{id}/runs/1"), &[("intent", "rerun")]).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert_eq!(app.post_form(&format!("/tasks/{id}/delete"), &[]).await.status, StatusCode::NOT_FOUND);
    assert!(!sweep().await, "its run has not ended");
    assert_eq!(left().await, 600);
    app.finish(keys.run, Phase::Cancelled, None).await;
    assert!(sweep().await);
    let after_one = left().await;
    assert!((1..600).contains(&after_one), "{after_one}");
    while sweep().await {}
    assert_eq!(left().await, 0);
    let tasks = app
        .database
        .read(|connection| Ok(schema::tasks::table.select(schema::tasks::id).load::<String>(connection)?));
    assert_eq!(tasks.await.unwrap(), [other.to_string()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_found_by_how_their_last_run_stands() {
    let app = TestApp::new().await;
    app.save(&[("name", "Never run"), ("code", "pass")]).await;
    let mut runs = Vec::new();
    for name in ["Mended", "Broken", "Under way"] {
        runs.push(app.save_and_run(&[("name", name), ("code", "pass")]).await);
    }
    let [(mended, first), (_, broken), (_, active)] = &runs[..] else { panic!("three tasks were run") };
    for (run, phase) in [(first, Phase::Failed), (broken, Phase::Failed)] {
        app.start(run.run).await;
        app.finish(run.run, phase, None).await;
    }
    app.start(active.run).await;
    app.post_form(&format!("/tasks/{mended}"), &[("intent", "run")]).await;
    let again = app.keys(mended, 2).await;
    app.start(again.run).await;
    app.finish(again.run, Phase::Succeeded, None).await;

    let page = app.get("/tasks").await;
    let choices: Vec<String> = page
        .texts("[aria-labelledby=filter-last-run] li")
        .iter()
        .map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(choices, ["All 4", "Active 1", "Running 1", "Succeeded 1", "Failed 1", "Not run yet 1"]);
    for (last, names) in
        [("failed", "Broken"), ("succeeded", "Mended"), ("active", "Under way"), ("none", "Never run"), ("error", "")]
    {
        let page = app.get(&format!("/tasks?last={last}")).await;
        assert_eq!(page.texts(".task-name a").join(", "), names, "{last}");
    }
    let both = app.get("/tasks?q=e&last=failed").await;
    assert_eq!(both.texts(".task-name a"), ["Broken"]);
    assert_eq!(both.attributes(".search input[name=last]", "value"), ["failed"], "a search keeps the filter");
}

#[tokio::test]
async fn a_search_means_its_words_literally() {
    let app = TestApp::new().await;
    app.save(&[("name", "fifty % off"), ("code", "a_b")]).await;
    app.save(&[("name", "other"), ("code", "axb"), ("packages", "numpy")]).await;
    let found = async |search: &str| app.get(&format!("/tasks?q={search}")).await.texts("td.task-name a");
    assert_eq!(found("%25").await, ["fifty % off"]);
    assert_eq!(found("a_b").await, ["fifty % off"]);
    assert_eq!(found("FIFTY+off").await, ["fifty % off"]);
    assert_eq!(found("numpy").await, ["other"]);
    assert_eq!(found("task-").await.len(), 2);
    assert!(found("%5C").await.is_empty());
    // More conditions than SQLite takes: the first words decide.
    let long = app.get(&format!("/tasks?q={}", "a+".repeat(3000))).await;
    assert_eq!(long.status, StatusCode::OK);
    let page = app.get("/tasks?q=%3Cscript%3E").await;
    assert!(page.text.contains("&lt;script&gt;"));
}

#[tokio::test]
async fn preferences_are_remembered_and_lead_back_to_this_site_only() {
    let app = TestApp::new().await;
    let answer = app.post_form("/preferences", &[("theme", "dark"), ("back", "/tasks?q=a")]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/tasks?q=a"));
    let cookie = answer.header(header::SET_COOKIE);
    assert_eq!(cookie, "stoker_theme=dark; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax");
    assert_eq!(app.get_after(&answer, "/tasks").await.attributes("html", "data-theme"), ["dark"]);
    for back in ["//evil.example", "https://evil.example", "/\\evil.example", ""] {
        let answer = app.post_form("/preferences", &[("wrap_log", "on"), ("back", back)]).await;
        assert_eq!(answer.location(), "/tasks", "{back}");
        assert_eq!(answer.cookies(), "stoker_wrap_log=on");
    }
}

#[tokio::test]
async fn a_raw_log_is_sent_whole_as_plain_text() {
    use app::model::log::Stream;
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    let lines: Vec<String> = (1..=500).map(|line| format!("line {line} \u{1b}[31mred\u{1b}[0m <b>é")).collect();
    for chunk in lines.chunks(10) {
        let chunk: Vec<_> = chunk.iter().map(|line| (Stream::Output, line.as_str())).collect();
        app.log(keys, &chunk).await;
    }
    app.log(keys, &[(Stream::Error, "to stderr"), (Stream::Stoker, "said by Stoker")]).await;
    let address = format!("/tasks/{id}/runs/1/log");
    let answer = app.get(&address).await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/plain; charset=utf-8");
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(answer.header(header::CONTENT_DISPOSITION), "");
    assert_eq!(answer.text, format!("{}\nto stderr\nsaid by Stoker\n", lines.join("\n")));
    assert_eq!(app.get(&format!("{address}?stream=2")).await.text, "to stderr\n");
    let answer = app.get(&format!("{address}?download=1")).await;
    let expected = format!("attachment; filename=\"{id}-run-1.log\"");
    assert_eq!(answer.header(header::CONTENT_DISPOSITION), expected);
    assert_eq!(app.get(&format!("/tasks/{id}/runs/2/log")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_task_without_a_name_is_called_by_what_its_code_says() {
    let app = TestApp::new().await;
    let (id, _) = app.save_and_run(&[("name", ""), ("code", "#!/usr/bin/python\n# Counts words.\nprint(1)")]).await;
    for path in [format!("/tasks/{id}"), format!("/tasks/{id}/runs/1"), format!("/tasks/{id}/delete")] {
        assert!(app.get(&path).await.text_of("h1").contains("Counts words"), "{path}");
    }
    assert_eq!(app.get("/tasks").await.texts("td.task-name a"), ["Counts words"]);
    assert_eq!(app.get("/tasks").await.texts("td.task-name .task-id"), [id.to_string()]);
    assert_eq!(app.get(&format!("/tasks/{id}/edit")).await.field("name"), "", "it is no name, and is not saved as one");
    let named = [("name", "Words"), ("code", "# Counts words."), ("revision", "1"), ("intent", "save")];
    app.post_form(&format!("/tasks/{id}/edit"), &named).await;
    assert_eq!(app.get("/tasks").await.texts("td.task-name a"), ["Words"]);
    let nameless = app.save(&[("name", ""), ("code", "print(1)")]).await;
    assert_eq!(app.get(&format!("/tasks/{nameless}")).await.text_of("h1"), nameless.to_string());
}

#[tokio::test]
async fn a_waiting_run_says_its_place_in_the_queue() {
    let app = TestApp::new().await;
    let (_, first) = app.save_and_run(&PLAIN).await;
    app.save_and_run(&PLAIN).await;
    let (_, last) = app.save_and_run(&PLAIN).await;
    let place = async |keys: RunKeys| {
        let uid = app.uid(keys.run).await;
        let run = app.database.read(move |connection| {
            let (task, number) = server::db::views::run_by_uid(connection, &uid)?;
            server::db::views::run(connection, &StepAddress::first(task, number))
        });
        run.await.unwrap().queue_place
    };
    assert_eq!(place(first).await, Some(1));
    assert_eq!(place(last).await, Some(3));
    app.start(first.run).await;
    assert_eq!(place(first).await, None);
    assert_eq!(place(last).await, Some(2));
}

#[tokio::test]
async fn the_health_check_answers_under_any_name() {
    let app = TestApp::new().await;
    let request = Request::get("/healthz").header(header::HOST, "10.0.0.7:3000").body(Body::empty()).unwrap();
    let answer = app.send(request).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "ok"));
}

/// The numbers of the log's lines that a page shows, in order.
fn shown(answer: &Answer) -> Vec<u64> {
    let ids = answer.attributes("#log-lines > .line", "id");
    ids.iter().map(|id| id.strip_prefix('L').unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_page_shows_no_more_of_long_lines_than_a_browser_can_bear() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    let piece = "x".repeat(LogLine::MAX_BYTES);
    for _ in 0..50 {
        app.log(keys, &[(Stream::Output, piece.as_str()); 4]).await;
    }
    let path = format!("/tasks/{id}/runs/1");
    let end = app.get(&path).await;
    assert!(end.text.len() < 600_000, "{}", end.text.len());
    assert_eq!(shown(&end), (169..=200).collect::<Vec<_>>());
    assert_eq!(end.attributes("#log-lines > .is-cut", "id").len(), 32);

    let earlier = app.get(&end.attributes("#log-earlier", "href")[0]).await;
    assert_eq!(shown(&earlier), (137..=168).collect::<Vec<_>>());
    let around = app.get(&format!("{path}?line=100")).await;
    assert_eq!(shown(&around), (84..=115).collect::<Vec<_>>());
    let later = app.get(&around.attributes(".log-later a", "href")[0]).await;
    assert!(shown(&later).contains(&116));
}

#[tokio::test]
async fn a_page_shows_the_part_of_a_log_that_was_asked_for() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    for _ in 0..30 {
        app.log(keys, &[(Stream::Output, "x"); 100]).await;
    }
    let page = async |query: &str| shown(&app.get(&format!("/tasks/{id}/runs/1{query}")).await);
    assert_eq!(page("").await, (2001..=3000).collect::<Vec<_>>());
    assert_eq!(page("?line=2000").await, (1500..=2499).collect::<Vec<_>>());
    assert_eq!(page("?line=42").await, (1..=1000).collect::<Vec<_>>());
    assert_eq!(page("?before=2000").await, (1000..=1999).collect::<Vec<_>>());
    assert_eq!(page("?before=301").await, (1..=300).collect::<Vec<_>>());
    assert_eq!(page("?before=0").await, [1]);

    // What is not there: the end, and a word about it.
    let missing = app.get(&format!("/tasks/{id}/runs/1?line=9999999")).await;
    assert_eq!(shown(&missing), (2001..=3000).collect::<Vec<_>>());
    assert_eq!(missing.text_of(".log-note"), "The log has no line 9999999: it has 3,000 lines.");
    assert_eq!(page("?before=9999999").await, (2001..=3000).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_changes_of_a_run_comes_alone_and_small() {
    let app = TestApp::new().await;
    let code = format!("{}\nprint(1)", "# a long program\n".repeat(5000));
    let (id, keys) = app.save_and_run(&[("name", "<b>Long"), ("code", &code)]).await;
    let address = format!("/tasks/{id}/runs/1");
    let waiting = app.get(&format!("{address}/state")).await;
    assert_eq!(waiting.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    assert_eq!(waiting.header(header::CACHE_CONTROL), "private, no-cache");
    assert!(waiting.texts("#run-difference").is_empty());
    for _ in 0..30 {
        app.log(keys, &[(Stream::Output, "x"); 100]).await;
    }
    app.start(keys.run).await;
    app.log(keys, &[(Stream::Error, "ValueError: <i>")]).await;
    for phase in [Phase::Running, Phase::Failed] {
        if phase == Phase::Failed {
            app.finish(keys.run, phase, Some("It ended.")).await;
        }
        let (page, state) = (app.get(&address).await, app.get(&format!("{address}/state")).await);
        assert!(state.text.len() < 8 * 1024, "{}", state.text.len());
        assert!(page.text.len() > 20 * state.text.len());
        let inside = |answer: &Answer, id: &str| {
            let page = scraper::Html::parse_document(&answer.text);
            let part = page.select(&scraper::Selector::parse(&format!("#{id}")).unwrap()).next().unwrap().inner_html();
            // What the page's renderer leaves for the browser's part to find its places by.
            part.replace("<!---->", "").replace("<!-->", "").replace("<!>", "")
        };
        for part in ["run-summary", "run-progress", "run-difference"] {
            assert_eq!(inside(&state, part), inside(&page, part), "{part}");
        }
        assert_eq!(state.text_of("title"), page.text_of("title"));
        assert_eq!(state.attributes("#favicon", "href"), page.attributes("#favicon", "href"));
    }
    assert!(app.get(&format!("{address}/state")).await.text_of("#run-summary").contains("ValueError: <i>"));
    for missing in [format!("/tasks/{id}/runs/9/state"), "/tasks/x/runs/1/state".to_owned()] {
        assert_eq!(app.get(&missing).await.status, StatusCode::NOT_FOUND);
    }
}
