//! What a log's page makes of its lines without a script: groups, chosen lines, times.

use app::model::{log::Stream, phase::Phase};
use axum::http::StatusCode;

use crate::support::{PLAIN, TestApp};

async fn logged(lines: &[(Stream, &str)], ended: Option<Phase>) -> (TestApp, String) {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.start(keys.run).await;
    for line in lines {
        app.clock.pass(1000);
        app.log(keys, &[*line]).await;
    }
    if let Some(phase) = ended {
        app.finish(keys.run, phase, None).await;
    }
    (app, format!("/tasks/{id}/runs/1"))
}

const GROUPED: [(Stream, &str); 8] = [
    (Stream::Stoker, "Installing into /x/cache/environments/0a/lib/python3.12/site-packages"),
    (Stream::Output, "::group::Load"),
    (Stream::Output, "one"),
    (Stream::Output, "two"),
    (Stream::Output, "::endgroup::"),
    (Stream::Output, "--- Check"),
    (Stream::Output, "::error::broken"),
    (Stream::Output, "--- Report"),
];

#[tokio::test]
async fn groups_are_folded_unless_something_in_them_went_wrong() {
    let (app, run) = logged(&GROUPED, Some(Phase::Failed)).await;
    let page = app.get(&run).await;
    assert_eq!(page.texts("#log-lines > details > summary .line-text"), ["Load", "Check", "Report"]);
    assert_eq!(page.texts(".group-facts"), [", 1 line", "2 lines, 3.0 s", "1 line, 2.0 s", "0 lines, 0 ms"]);
    assert_eq!(page.texts("#log-lines > details[open] > summary .line-text"), ["Check", "Report"]);
    assert_eq!(page.text_of("#log-preparation .line-text"), "Stoker: Installing into site-packages");
    assert_eq!(page.texts("#L7 .line-text"), ["Error: broken"]);
    assert!(page.attributes("[data-group]", "data-group").is_empty());
    let raw = app.get(&format!("{run}/log")).await;
    assert_eq!(raw.text, GROUPED.map(|(_, text)| format!("{text}\n")).concat());
}

#[tokio::test]
async fn what_goes_on_is_open_and_can_be_gone_on_with() {
    let (app, run) = logged(&GROUPED[..3], None).await;
    let page = app.get(&run).await;
    assert_eq!(page.attributes("details[open]", "data-group"), [":group"]);
    assert_eq!(page.attributes("details[open]", "data-first"), ["2"]);
    assert_eq!(page.texts("details[open] .group-facts"), [""]);
    assert_eq!(page.attributes("#log", "data-last-at").len(), 1);
    let parts = app.get(&format!("{run}/state")).await;
    assert_eq!(parts.texts("#run-prepared"), ["Preparing …"]);
}

#[tokio::test]
async fn what_is_looked_for_is_not_in_a_closed_group() {
    let (app, run) = logged(&GROUPED, Some(Phase::Succeeded)).await;
    let open = ["Load", "Check", "Report"];
    let found = app.get(&format!("{run}?q=TWO")).await;
    assert_eq!(found.texts("details[open] > summary .line-text"), open);
    assert_eq!(found.texts("mark"), ["two"]);
    // The words of a mark are not there to be found.
    let marks = app.get(&format!("{run}?q=group")).await;
    assert_eq!(marks.text_of(".log-found [role=status]"), "No line with a match");
    let chosen = app.get(&format!("{run}?lines=3-4")).await;
    assert_eq!(chosen.texts("details[open] > summary .line-text"), open);
    assert_eq!(chosen.attributes(".line.is-selected", "id"), ["L3", "L4"]);
    assert_eq!(chosen.attributes("#L3 #here", "id"), ["here"], "where the form's address leads");
    assert_eq!(chosen.attributes("#L3 .line-number", "href"), ["?lines=3#L3"]);
    let beyond = app.get(&format!("{run}?lines=90-99")).await;
    assert_eq!(beyond.text_of(".log-note"), "The log has no line 90: it has 8 lines.");
}

#[tokio::test]
async fn bars_that_are_drawn_again_show_their_last_state() {
    let lines = [
        (Stream::Error, "one 10%"),
        (Stream::Error, "two 10%"),
        (Stream::Error, "\u{1b}[2K\u{1b}[2A\u{1b}[2Kone 100%"),
        (Stream::Error, "two 100%"),
    ];
    let (app, run) = logged(&lines, Some(Phase::Succeeded)).await;
    assert_eq!(app.get(&run).await.attributes("#log-lines .line", "id"), ["L3", "L4"]);
    let asked = app.get(&format!("{run}?lines=1")).await;
    assert_eq!(asked.attributes("#log-lines .line", "id").len(), 4, "who asks for a line is to find it");
}

#[tokio::test]
async fn times_are_those_that_were_chosen() {
    let (app, run) = logged(&GROUPED[..2], None).await;
    for (choice, expected) in
        [("off", vec![]), ("start", vec!["+0:01.000", "+0:02.000"]), ("clock", vec!["12:34:57.789", "12:34:58.789"])]
    {
        let answer = app.post_form("/preferences", &[("log_times", choice), ("back", &run)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        assert_eq!(answer.cookies(), format!("stoker_log_times={choice}"));
        let page = app.get_after(&answer, &run).await;
        assert_eq!(page.attributes(".line-number", "data-time"), expected);
        assert_eq!(page.attributes("[name=log_times][aria-pressed=true]", "value"), [choice]);
    }
}

#[tokio::test]
async fn a_page_that_begins_in_groups_says_in_which() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.start(keys.run).await;
    let run = format!("/tasks/{id}/runs/1");
    let begun = ["::group::Over", "::endgroup::", "::group::Load", "--- Old", "--- \u{1b}[31mPart\u{1b}[0m <1>"];
    app.log(keys, &begun.map(|text| (Stream::Output, text))).await;
    app.clock.pass(2000);
    // Rows of any length.
    app.log(keys, &[(Stream::Output, "alone")]).await;
    app.log(keys, &vec![(Stream::Output, "more"); 1500]).await;

    let page = app.get(&run).await;
    let outer = "#log-lines > details > summary";
    assert_eq!(page.texts(&format!("{outer} > .line-within")), ["… in"]);
    assert_eq!(page.texts(&format!("{outer} > .line-text")), ["Load"]);
    let inner = "#log-lines > details > details[open][data-group=':header'] > summary";
    assert_eq!(page.texts(&format!("{inner} > .line-text")), ["Part <1>"]);
    assert_eq!(page.attributes("#L3, #L5", "id"), Vec::<String>::new(), "they do not stand there");
    assert_eq!(page.attributes("#log-lines > details > .heading-link", "href"), [format!("{run}?lines=5#L5")]);
    let beside = app.get(&format!("/tasks/{id}?run=1")).await;
    let addresses = beside.attributes("#log-lines > .heading-link", "href");
    assert_eq!(addresses, [format!("/tasks/{id}?run=1&lines=3#L3")]);

    app.log(keys, &[(Stream::Output, "::endgroup::"), (Stream::Output, "after")]).await;
    app.finish(keys.run, Phase::Succeeded, None).await;
    let page = app.get(&run).await;
    let facts = page.texts(".group-facts");
    assert_eq!(facts, ["1,503 lines, 2.0 s", "1,501 lines, 2.0 s"], "from their beginning on");
    assert_eq!(page.attributes("#log-lines > details[open] > details[open]", "class").len(), 1);
    assert_eq!(page.attributes("#log-lines > .line", "id"), ["L1508"]);
    let first = app.get(&format!("{run}?lines=1")).await;
    assert!(first.texts(".line-within").is_empty());
    assert_eq!(first.texts(&format!("{outer} > .line-text")), ["Over", "Load"]);
}

#[tokio::test]
async fn a_page_that_begins_in_a_group_knows_that_it_stays_open() {
    let reasons = [
        (Stream::Output, "^^^ +++"),
        (Stream::Output, "::error::broken"),
        (Stream::Error, "Traceback (most recent call last):"),
    ];
    for (reason, is_kept) in reasons.map(|reason| (reason, true)).into_iter().chain([((Stream::Output, "fine"), false)])
    {
        let app = TestApp::new().await;
        let (id, keys) = app.save_and_run(&PLAIN).await;
        app.start(keys.run).await;
        app.log(keys, &[(Stream::Output, "--- Load")]).await;
        // A row with nothing else in it.
        app.log(keys, &[reason]).await;
        app.log(keys, &vec![(Stream::Output, "more"); 1500]).await;
        let page = app.get(&format!("/tasks/{id}/runs/1")).await;
        assert_eq!(page.texts("details[data-first='1'] > summary > .line-within"), ["… in"]);
        let kept = page.attributes("details[data-first='1']", "data-stays");
        assert_eq!(!kept.is_empty(), is_kept, "{reason:?}");
    }
}

#[tokio::test]
async fn all_groups_are_open_or_folded_as_was_chosen_for_their_task() {
    let (app, run) = logged(&GROUPED, Some(Phase::Failed)).await;
    let owner = run.split("/runs").next().unwrap();
    let groups = ["Load", "Check", "Report"];
    let open = "details[open] > summary .line-text";
    for (choice, expected, says) in
        [("open", &groups[..], "Open all groups"), ("folded", &[], "Fold all groups"), ("auto", &groups[1..], "")]
    {
        let answer = app.post_form("/preferences", &[("log_groups", choice), ("back", &run)]).await;
        assert_eq!(
            answer.header("set-cookie"),
            format!("stoker_log_groups={choice}; Path={owner}; HttpOnly; SameSite=Lax")
        );
        let page = app.get_after(&answer, &run).await;
        assert_eq!(page.texts(open), expected, "{choice}");
        assert_eq!(page.attributes("#log-preparation[open]", "id").len(), usize::from(choice == "open"));
        let pressed = page.attributes("[name=log_groups][aria-pressed=true]", "aria-label");
        assert_eq!(pressed.concat(), says, "{choice}");
        assert_eq!(page.attributes("#log", "data-groups"), [choice]);
        // What one looks for is seen however that is.
        let found = app.get_after(&answer, &format!("{run}?q=two")).await;
        assert!(found.texts(open).contains(&"Load".to_owned()), "{choice}");
    }
    for (field, back) in [("sideways", &*run), ("open", "/tasks"), ("open", "//elsewhere/x")] {
        let answer = app.post_form("/preferences", &[("log_groups", field), ("back", back)]).await;
        assert_eq!(answer.header("set-cookie"), "", "{field} {back}");
    }
}

#[tokio::test]
async fn the_choice_of_groups_is_there_where_groups_are() {
    let choice = "#log-groups [name=log_groups]";
    let (live, run) = logged(&GROUPED[..1], None).await;
    let page = live.get(&run).await;
    assert_eq!(page.attributes("#log-groups", "aria-hidden"), ["true"], "there is room for it");
    let (grouped, with_groups) = logged(&GROUPED[..2], None).await;
    let page = grouped.get(&with_groups).await;
    assert_eq!(page.attributes(choice, "value"), ["open", "folded"]);
    assert_eq!(page.attributes(choice, "data-key"), ["o", "f"]);
    assert!(page.attributes("#log-groups", "aria-hidden").is_empty());
    let (ended, without) = logged(&GROUPED[..1], Some(Phase::Succeeded)).await;
    assert!(ended.get(&without).await.attributes(choice, "value").is_empty());
}
