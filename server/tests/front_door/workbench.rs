//! A task's page, which is its form with a run beside it, as a browser without JavaScript gets it.

use app::model::{log::Stream, phase::Phase};
use axum::http::{StatusCode, header};

use crate::support::{Answer, TestApp};

const RELOAD: &str = r#"<noscript><meta http-equiv="refresh" content="2"></noscript>"#;

fn is_locked(page: &Answer) -> bool {
    !page.attributes(".form-all[disabled]", "class").is_empty()
}

#[tokio::test]
async fn a_task_is_its_form_with_its_newest_run_beside_it() {
    let app = TestApp::new().await;
    let (id, first) = app.save_and_run(&[("name", "Report"), ("code", "print(1)"), ("packages", "")]).await;
    app.log(first, &[(Stream::Output, "from the first")]).await;
    app.finish(first.run, Phase::Succeeded, None).await;
    app.post_form(&format!("/tasks/{id}"), &[("intent", "run")]).await;
    let second = app.keys(&id, 2).await;
    app.log(second, &[(Stream::Output, "from the second")]).await;
    app.finish(second.run, Phase::Failed, Some("It broke.")).await;

    let page = app.get(&format!("/tasks/{id}")).await;
    assert_eq!((page.text_of("h1"), page.field("code")), ("Report".to_owned(), "print(1)".to_owned()));
    assert!(page.text_of("#log-lines").contains("from the second"));
    assert!(page.text_of("#run-summary").contains("It broke."));
    assert!(page.text_of("head title").starts_with("✗ Report · #2"));
    assert_eq!(page.attributes("form.task-form", "action"), [format!("/tasks/{id}")]);
    assert_eq!(page.attributes(".is-chosen a[aria-current]", "href"), [format!("/tasks/{id}?run=2")]);

    let page = app.get(&format!("/tasks/{id}?run=1")).await;
    assert!(page.text_of("#log-lines").contains("from the first"));
    assert_eq!(page.attributes(".beside-head a[rel=next]", "href"), [format!("/tasks/{id}?run=2")]);
    assert_eq!(page.attributes("#beside", "data-state"), [format!("/tasks/{id}/runs/1/state?beside=1")]);
    assert!(page.attributes("#bench-tab-run", "checked").len() == 1, "where there is room for one, it is shown");
    assert_eq!(app.get(&format!("/tasks/{id}?run=9")).await.status, StatusCode::NOT_FOUND);
    let new = app.get("/tasks/new").await;
    assert!(new.text_of("#bench-run").contains("Run it to see its log here"));
}

#[tokio::test]
async fn the_page_renews_itself_only_while_nothing_can_be_typed() {
    let app = TestApp::new().await;
    let fields = [("code", "print(1)"), ("intent", "save_and_run")];
    let answer = app.post_form("/tasks/new", &fields).await;
    let watched = answer.location().to_owned();
    let page = app.get(&watched).await;
    assert!(page.text.contains(RELOAD) && is_locked(&page));
    assert_eq!(page.field("code"), "print(1)", "the form stays filled");
    let edited = watched.trim_end_matches("&live=1");
    assert_eq!(page.attributes("#form-status a", "href"), [edited]);

    let page = app.get(edited).await;
    assert!(!page.text.contains(RELOAD) && !is_locked(&page));
    let refused = app.post_form(&watched, &[("code", ""), ("name", "typed"), ("intent", "save")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.text.contains(RELOAD) && !is_locked(&refused) && refused.field("name") == "typed");
    assert_eq!(refused.attributes("#beside", "data-state").len(), 1, "the run is still beside it");

    let id = watched.split(['/', '?']).nth(2).unwrap().parse().unwrap();
    app.finish(app.keys(&id, 1).await.run, Phase::Succeeded, None).await;
    let page = app.get(&watched).await;
    assert!(!page.text.contains(RELOAD) && !is_locked(&page));
}

#[tokio::test]
async fn what_is_done_beside_the_code_leads_back_there() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&[("code", "1")]).await;
    let (page, run) = (format!("/tasks/{id}?run=1"), format!("/tasks/{id}/runs/1"));
    let shown = app.get(&page).await;
    assert_eq!(shown.attributes("#run-summary form", "action"), [run.as_str()]);
    assert_eq!(shown.attributes("#run-summary input[name=shown]", "value"), ["beside"]);
    let answer = app.post_form(&run, &[("shown", "beside"), ("intent", "cancel")]).await;
    assert_eq!(answer.location(), format!("{page}&live=1"));
    app.finish(keys.run, Phase::Cancelled, None).await;
    let answer = app.post_form(&run, &[("shown", "beside"), ("intent", "cancel")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text_of(".is-refusal").contains("has already ended") && answer.field("code") == "1");
    let answer = app.post_form(&run, &[("shown", "beside"), ("intent", "rerun")]).await;
    assert_eq!(answer.location(), format!("/tasks/{id}?run=2&live=1"));
    assert_eq!(app.post_form(&run, &[("intent", "rerun")]).await.location(), format!("/tasks/{id}/runs/3"));

    let saved = app.post_form(&page, &[("code", "2"), ("revision", "1"), ("intent", "save")]).await;
    assert_eq!(saved.location(), page, "the run that was beside the form stays there");
    assert_eq!(app.post_form(&page, &[("code", "3")]).await.status, StatusCode::BAD_REQUEST, "nobody said what to do");
}

#[tokio::test]
async fn a_form_filled_in_from_a_run_says_so_and_leads_back() {
    let app = TestApp::new().await;
    let (id, _) = app.save_and_run(&[("code", "old")]).await;
    app.post_form(&format!("/tasks/{id}"), &[("code", "new"), ("revision", "1"), ("intent", "save")]).await;
    let address = format!("/tasks/{id}/edit?run=1");
    let page = app.get(&address).await;
    assert_eq!(page.field("code"), "old");
    assert!(page.text_of("#bench-origin").contains("Filled in from run #1. The task has changed since this run."));
    assert!(page.attributes("#bench-origin a", "href").contains(&format!("/tasks/{id}")));
    assert_eq!(page.attributes("form.task-form", "action"), [address.as_str()]);
    let again = app.post_form(&address, &[("code", "old"), ("revision", "2"), ("intent", "save_and_run")]).await;
    assert_eq!(again.location(), format!("/tasks/{id}?run=2&live=1"));
    assert_eq!(
        app.get(&format!("/tasks/{id}/edit")).await.field("code"),
        "old",
        "the address of before leads there too"
    );
}

#[tokio::test]
async fn what_changes_of_a_run_beside_the_code_comes_alone() {
    let app = TestApp::new().await;
    let code = format!("{}\nprint(1)", "# a long program\n".repeat(5000));
    let (id, keys) = app.save_and_run(&[("name", "<b>Long"), ("code", &code)]).await;
    app.start(keys.run).await;
    app.log(keys, &[(Stream::Error, "ValueError: <i>")]).await;
    app.finish(keys.run, Phase::Failed, Some("It ended.")).await;
    let page = app.get(&format!("/tasks/{id}")).await;
    let state = app.get(&format!("/tasks/{id}/runs/1/state?beside=1")).await;
    assert_eq!(state.header(header::CACHE_CONTROL), "private, no-cache");
    assert!(state.text.len() < 8 * 1024, "{}", state.text.len());
    let parts = ["run-summary", "run-changes", "run-progress", "run-difference", "run-tab", "run-row-1"];
    for part in parts {
        assert_eq!(state.text_of(&format!("#{part}")), page.text_of(&format!("#{part}")), "{part}");
    }
    assert_eq!(state.text_of("head title"), page.text_of("head title"));
    assert!(state.text_of("#run-summary").contains("ValueError: <i>"));
}

#[tokio::test]
async fn the_last_durations_are_drawn_and_two_runs_are_compared() {
    let app = TestApp::new().await;
    let (id, first) = app.save_and_run(&[("code", "print(1)\nprint(3)")]).await;
    let page = format!("/tasks/{id}");
    app.start(first.run).await;
    app.log(first, &[(Stream::Output, "took 1.5 s"), (Stream::Output, "the end")]).await;
    app.clock.pass(2000);
    app.finish(first.run, Phase::Succeeded, None).await;
    assert!(app.get(&page).await.texts(".duration-chart").is_empty(), "one run says that itself");
    assert_eq!(app.get(&format!("{page}/compare")).await.status, StatusCode::NOT_FOUND);

    app.post_form(&page, &[("code", "print(2)\nprint(3)"), ("revision", "1"), ("intent", "save_and_run")]).await;
    let second = app.keys(&id, 2).await;
    app.start(second.run).await;
    app.log(second, &[(Stream::Output, "took 22 s"), (Stream::Output, "the very end")]).await;
    app.clock.pass(4000);
    app.finish(second.run, Phase::Failed, Some("It broke.")).await;
    let shown = app.get(&page).await;
    assert!(shown.text_of(".duration-chart figcaption").starts_with("The last 2 runs took 2.0 s to 4.0 s"));
    let runs = [format!("{page}?run=1"), format!("{page}?run=2")];
    assert_eq!(shown.attributes(".duration-chart a", "href"), runs);
    assert!(shown.attributes(".duration-chart a", "aria-label")[1].starts_with("Run #2: Failed, prepared for 4.0 s"));
    let state = app.get(&format!("{page}/runs/2/state?beside=1")).await;
    assert_eq!(state.attributes("#run-chart a", "href"), runs);
    assert_eq!(shown.attributes(".run-compare", "href"), [format!("{page}/compare?left=1&right=2")]);

    let compared = app.get(&format!("{page}/compare")).await;
    assert!(compared.text_of(".compare-table").contains("It broke.") && compared.text_of("h1").contains("compared"));
    assert_eq!(compared.texts(".difference .is-removed"), ["−print(1)", "−the end"]);
    assert_eq!(compared.texts(".difference .is-added"), ["+print(2)", "+the very end"]);
    let chosen = app.get(&format!("{page}/compare?left=1&right=2")).await;
    assert_eq!(chosen.text_of("main"), compared.text_of("main"), "without a choice it is the last two");
    let swapped = app.get(&format!("{page}/compare?left=2&right=1")).await;
    assert_eq!(swapped.texts(".difference .is-removed"), ["−print(2)", "−the very end"]);
    assert_eq!(app.get(&format!("{page}/compare?left=1&right=9")).await.status, StatusCode::NOT_FOUND);
}
