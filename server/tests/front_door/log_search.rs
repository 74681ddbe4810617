//! Searching a log by its page, as a browser without a script does: a form and links.

use app::model::log::Stream;
use axum::http::StatusCode;

use crate::support::{Answer, PLAIN, TestApp};

/// A run whose log has a match on every hundredth of 3,000 lines, some of them on standard error.
async fn searchable() -> (TestApp, String) {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.start(keys.run).await;
    let lines: Vec<(Stream, String)> = (1..=3000)
        .map(|number| match number % 1000 {
            500 => (Stream::Error, format!("\u{1b}[31mNeed\u{1b}[0mle \"{number}\"")),
            rest if rest % 100 == 0 => (Stream::Output, format!("needle {number}")),
            _ => (Stream::Output, format!("hay {number}")),
        })
        .collect();
    for chunk in lines.chunks(64) {
        let chunk: Vec<_> = chunk.iter().map(|(stream, text)| (*stream, text.as_str())).collect();
        app.log(keys, &chunk).await;
    }
    (app, format!("/tasks/{id}/runs/1"))
}

/// The words that say which of how many, and the line that the page is at.
fn place(answer: &Answer) -> (String, Vec<String>) {
    (answer.text_of(".log-found [role=status]"), answer.attributes(".line.is-current", "id"))
}

/// The numbers of the lines that are shown.
fn shown(answer: &Answer) -> Vec<String> {
    answer.texts("#log-lines .line-number")
}

async fn follow(app: &TestApp, answer: &Answer, link: &str) -> Answer {
    let address = answer.attributes(link, "href").first().cloned().unwrap();
    let page = app.get(address.split('#').next().unwrap()).await;
    assert_eq!(page.status, StatusCode::OK, "{address}");
    page
}

#[tokio::test]
async fn all_lines_are_searched_and_links_lead_from_match_to_match() {
    let (app, run) = searchable().await;
    let page = app.get(&format!("{run}?q=NEEDLE")).await;
    assert_eq!(place(&page), ("1 of 30 lines with a match".to_owned(), vec!["L100".to_owned()]));
    assert_eq!(page.attributes("form.log-search", "action"), [format!("{run}#match")]);
    assert_eq!(page.field("q"), "NEEDLE");
    assert_eq!(page.attributes(".line.is-current #match", "id"), ["match"], "where the form's address leads");
    assert_eq!(page.texts("#L100 mark"), ["needle"]);
    assert!(page.attributes(".log-found a[rel=prev]:not([hidden])", "href").is_empty());

    let next = follow(&app, &page, ".log-found a[rel=next]").await;
    assert_eq!(place(&next), ("2 of 30 lines with a match".to_owned(), vec!["L200".to_owned()]));
    let back = follow(&app, &next, ".log-found a[rel=prev]").await;
    assert_eq!(place(&back), place(&page));

    // What stands between codes is found as it is shown, and marked in both pieces.
    let error = app.get(&format!("{run}?q=needle&line=401")).await;
    assert_eq!(place(&error), ("5 of 30 lines with a match".to_owned(), vec!["L500".to_owned()]));
    assert_eq!(error.texts("#L500 mark"), ["Need", "le"]);
}

#[tokio::test]
async fn the_match_before_a_line_is_found_too() {
    let (app, run) = searchable().await;
    let page = app.get(&format!("{run}?q=needle&before=401")).await;
    assert_eq!(place(&page), ("4 of 30 lines with a match".to_owned(), vec!["L400".to_owned()]));
    let neighbours = |rel| page.attributes(&format!(".log-found a[rel={rel}]"), "href");
    assert_eq!(neighbours("prev"), [format!("{run}?q=needle&line=300#match")]);
    assert_eq!(neighbours("next"), [format!("{run}?q=needle&line=500#match")]);
    let none = app.get(&format!("{run}?q=needle&before=100")).await;
    assert_eq!(place(&none), ("30 lines with a match, none before line 100".to_owned(), Vec::new()));
    // What the script counts on from.
    assert_eq!(page.attributes("#log-found", "data-place"), ["4"]);
    assert_eq!(page.attributes("#log-found", "data-search"), [format!("{run}?q=needle")]);
}

#[tokio::test]
async fn only_standard_error_and_only_matches() {
    let (app, run) = searchable().await;
    let page = app.get(&format!("{run}?q=needle&only=error&show=matches")).await;
    assert_eq!(place(&page).0, "1 of 3 lines with a match");
    assert_eq!(shown(&page), ["500", "1500", "2500"]);
    assert!(page.attributes("[data-at-end]", "id").is_empty(), "new lines do not belong beneath them");
    let whole = follow(&app, &page, "#L1500 .line-number").await;
    assert_eq!(place(&whole), ("2 of 3 lines with a match".to_owned(), vec!["L1500".to_owned()]));
    assert!(shown(&whole).contains(&"1499".to_owned()));

    let errors = follow(&app, &app.get(&run).await, ".log-toolbar a[href*='only=error']").await;
    assert_eq!(place(&errors), ("1 of 3 lines of standard error".to_owned(), vec!["L500".to_owned()]));
    let next = app.get(&format!("{run}?q=needle&line=1100")).await;
    let next_error = follow(&app, &next, ".log-found a[href*='only=error&line=1101']").await;
    assert_eq!(place(&next_error), ("2 of 3 lines of standard error".to_owned(), vec!["L1500".to_owned()]));
}

#[tokio::test]
async fn many_matches_are_shown_a_page_at_a_time() {
    let (app, run) = searchable().await;
    let page = app.get(&format!("{run}?q=hay&show=matches")).await;
    assert_eq!(place(&page).0, "1 of 2,970 lines with a match");
    assert_eq!(shown(&page).len(), 1000);
    let later = follow(&app, &page, ".log-later a").await;
    assert_eq!(place(&later).0, "1,001 of 2,970 lines with a match");
    assert_eq!(shown(&later).len(), 1000);
    let earlier = follow(&app, &later, ".log-earlier").await;
    assert_eq!(shown(&earlier), shown(&page));
}

#[tokio::test]
async fn a_search_without_result_says_so_and_shows_the_log() {
    let (app, run) = searchable().await;
    let nothing = app.get(&format!("{run}?q=%3Cscript%3E%25")).await;
    assert_eq!(nothing.status, StatusCode::OK);
    assert_eq!(place(&nothing), ("No line with a match".to_owned(), Vec::new()));
    assert!(shown(&nothing).contains(&"3000".to_owned()));
    let beyond = app.get(&format!("{run}?q=needle&line=9000")).await;
    assert_eq!(place(&beyond).0, "30 lines with a match, none from line 9,000 on");
    let last = follow(&app, &beyond, ".log-found a[rel=prev]").await;
    assert_eq!(place(&last), ("30 of 30 lines with a match".to_owned(), vec!["L3000".to_owned()]));
    assert_eq!(app.get(&run.replace("/runs/1", "/runs/2?q=a")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_log_that_grows_is_searched_to_its_end() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.start(keys.run).await;
    let run = format!("/tasks/{id}/runs/1");
    for round in 1..=3_u64 {
        for _ in 0..4 {
            app.log(keys, &[(Stream::Output, "hay"), (Stream::Error, "needle")]).await;
        }
        let last = round * 8;
        let page = app.get(&format!("{run}?q=needle&line={}", last - 1)).await;
        let words = format!("{} of {} lines with a match", round * 4, round * 4);
        assert_eq!(place(&page), (words, vec![format!("L{last}")]));
        let errors = app.get(&format!("{run}?q=needle&only=error&before=3")).await;
        assert_eq!(place(&errors), (format!("1 of {} lines with a match", round * 4), vec!["L2".to_owned()]));
    }
}

#[tokio::test]
async fn a_search_that_is_sent_again_goes_on_and_another_one_begins_anew() {
    let (app, run) = searchable().await;
    let page = app.get(&format!("{run}?q=needle")).await;
    let hidden = |page: &Answer| page.attributes("form.log-search input[type=hidden]", "value");
    assert_eq!(hidden(&page), ["200", "needle"]);
    let again = app.get(&format!("{run}?q=needle&line=200&was=needle")).await;
    assert_eq!(place(&again), ("2 of 30 lines with a match".to_owned(), vec!["L200".to_owned()]));
    let other = app.get(&format!("{run}?q=hay&line=200&was=needle")).await;
    assert_eq!(place(&other), ("1 of 2,970 lines with a match".to_owned(), vec!["L1".to_owned()]));
    let last = app.get(&format!("{run}?q=needle&line=3000")).await;
    assert_eq!(hidden(&last), ["3000", "needle"], "after the last one there is nowhere to go");
}

#[tokio::test]
async fn a_run_beside_its_code_is_searched_there() {
    let (app, run) = searchable().await;
    let task = run.split("/runs/").next().unwrap();
    for beside in [format!("{task}?run=1"), format!("{task}/edit?run=1")] {
        let page = app.get(&format!("{beside}&q=needle&line=401")).await;
        assert_eq!(place(&page), ("5 of 30 lines with a match".to_owned(), vec!["L500".to_owned()]));
        let leads_away = |address: &String| !address.starts_with(&beside) && !address.starts_with("?run=1&lines=");
        let away: Vec<String> = page.attributes("#log a", "href").into_iter().filter(leads_away).collect();
        assert_eq!(away, [format!("{run}/log"), format!("{run}/log?download=1")]);
        for form in [".log-search", ".log-ways"] {
            let path = beside.split('?').next().unwrap();
            assert!(page.attributes(&format!("form{form}"), "action")[0].starts_with(&format!("{path}#")));
            assert_eq!(page.attributes(&format!("form{form} input[name=run]"), "value"), ["1"]);
        }
        let earlier = follow(&app, &page, "#log-earlier").await;
        assert_eq!(shown(&earlier).first().map(String::as_str), Some("1"));
        let matches = app.get(&format!("{beside}&q=needle&show=matches")).await;
        assert_eq!(matches.attributes("#L400 .line-number", "href"), [format!("{beside}&q=needle&line=400#match")]);
    }
    // Of the newest run the address says which one it is from here on.
    let page = app.get(task).await;
    assert_eq!(page.attributes("#log", "data-at"), [format!("{task}?run=1")]);
}
