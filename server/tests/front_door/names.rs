//! Names changed in place, by the small form at the top of a page.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, TestApp};

/// What nobody can see.
const INVISIBLE: &str = "\u{200b}\u{200b}";

async fn rename(app: &TestApp, page: &str, name: &str) -> Answer {
    app.post_form(page, &[("intent", "rename"), ("new_name", name)]).await
}

#[tokio::test]
async fn a_name_is_changed_alone_and_whoever_is_editing_is_told() {
    let app = TestApp::new().await;
    let (id, _) = app.save_and_run(&[("name", "Report"), ("code", "# Counts words\nprint(1)")]).await;
    let page = format!("/tasks/{id}");
    let answer = rename(&app, &page, "  Words ").await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, page.as_str()));
    let shown = app.get(&page).await;
    assert_eq!((shown.text_of("h1"), shown.field("name")), ("Words".to_owned(), "Words".to_owned()));
    assert_eq!(shown.field("code"), "# Counts words\nprint(1)");
    assert!(shown.attributes(".rename", "open").is_empty());
    assert!(app.get("/runs").await.text.contains("Words"), "its runs are called so too");

    let of_before = [("name", "Report"), ("code", "print(2)"), ("revision", "1"), ("intent", "save")];
    let late = app.post_form(&page, &of_before).await;
    assert_eq!((late.status, late.field("code")), (StatusCode::CONFLICT, "print(2)".to_owned()));
    assert_eq!(app.get(&page).await.field("name"), "Words", "the name was not lost to the one in that form");

    let answer = rename(&app, &format!("{page}?run=1"), "").await;
    assert_eq!(answer.location(), format!("{page}?run=1"), "the run that is shown stays");
    let shown = app.get(&page).await;
    assert_eq!((shown.text_of("h1"), shown.field("name")), ("Counts words".to_owned(), String::new()));
}

#[tokio::test]
async fn a_name_that_cannot_be_taken_is_kept_at_its_field() {
    let app = TestApp::new().await;
    let (task, _) = app.save_and_run(&[("name", "Report"), ("code", "print(1)")]).await;
    let step = json!({ "id": "a", "name": "A", "pythonCode": "pass", "position": {} });
    let flow = app.api(Method::POST, "/api/v1/flows", json!({ "name": "Nightly", "steps": [step], "edges": [] })).await;
    let (task, flow) = (format!("/tasks/{task}"), format!("/flows/{}", flow.json()["id"].as_str().unwrap()));
    for (page, name, message) in [
        (&task, INVISIBLE, "no character that can be seen"),
        (&flow, INVISIBLE, "no character that can be seen"),
        (&flow, "", "Give the flow a name."),
    ] {
        let before = app.get(page).await.text_of("h1");
        let refused = rename(&app, page, name).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.text_of("#rename-error").contains(message), "{}", refused.text_of("#rename-error"));
        assert_eq!(refused.attributes(".rename[open] #rename[aria-invalid=true]", "value"), [name]);
        assert_eq!(refused.text_of("h1"), before);
        assert_eq!(app.get(page).await.text_of("h1"), before);
    }
    assert_eq!(rename(&app, &flow, "Weekly").await.location(), flow);
    let shown = app.get(&flow).await;
    assert_eq!(shown.text_of("h1"), "Weekly");
    assert_eq!(shown.texts(".flow-steps code").first().map(String::as_str), Some("a"), "its steps stay");
    assert_eq!(shown.attributes("#rename", "value"), ["Weekly"]);

    app.post_form(&format!("{task}/delete"), &[]).await;
    assert_eq!(rename(&app, &task, "Late").await.status, StatusCode::NOT_FOUND);
}
