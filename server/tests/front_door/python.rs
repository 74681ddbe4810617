//! The version of Python of a task: offered, chosen, kept, and refused when it is not there.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::TestApp;

const NO_BODY: Value = Value::Null;

/// The versions that a form offers.
fn offered(page: &crate::support::Answer) -> Vec<String> {
    page.texts("select[name=python] option")
}

#[tokio::test]
async fn a_choice_is_offered_where_there_is_one() {
    let app = TestApp::new().await;
    let page = app.get("/tasks/new").await;
    assert_eq!(offered(&page), [""; 0]);
    assert_eq!(page.attributes("input[type=hidden][name=python]", "value"), [""]);
    app.engine.has(&["3.11.2", "3.12.4"]);
    for page in ["/tasks/new", "/flows/new"] {
        let page = app.get(page).await;
        let options = page.texts("select[name$=python] option");
        assert_eq!(options, ["the server's: 3.12", "3.11", "3.12"]);
    }
}

#[tokio::test]
async fn a_version_is_kept_with_the_task_and_with_each_run() {
    let app = TestApp::new().await;
    app.engine.has(&["3.11.2", "3.12.4"]);
    let (id, _) = app.save_and_run(&[("code", "1"), ("python", "3.11")]).await;
    assert_eq!(app.get(&format!("/tasks/{id}/edit")).await.attributes("option[selected]", "value"), ["3.11"]);
    let run = app.get(&format!("/tasks/{id}/runs/1")).await;
    assert!(run.texts(".spec-facts div").contains(&"Python3.11".to_owned()), "{}", run.text);
    let fields = [("code", "1"), ("python", "3.12"), ("intent", "save_and_run")];
    assert_eq!(app.post_form(&format!("/tasks/{id}/edit"), &fields).await.status, StatusCode::SEE_OTHER);
    let second = app.get(&format!("/tasks/{id}/runs/2")).await;
    assert_eq!(second.text_of(".changes"), "Python 3.11 → 3.12");
    // One that is gone is shown as it was, and said when it is saved again.
    app.engine.has(&["3.11.2", "3.13.0"]);
    let edit = app.get(&format!("/tasks/{id}/edit")).await;
    assert_eq!(offered(&edit), ["the server's: 3.12", "3.11", "3.13", "3.12 (not there now)"]);
    let answer = app.post_form(&format!("/tasks/{id}/edit"), &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let words = answer.text_of("#python-error");
    assert!(words.contains("There is no Python 3.12 where this runs, but 3.11 and 3.13."), "{words}");
}

#[tokio::test]
async fn a_text_that_is_no_version_is_refused_at_the_field() {
    let app = TestApp::new().await;
    let answer = app.post_form("/tasks/new", &[("code", "1"), ("python", "3.12.4"), ("intent", "save")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text_of("#python-error").contains("by its first two numbers, such as 3.12"));
}

#[tokio::test]
async fn programs_choose_a_version_too() {
    let app = TestApp::new().await;
    app.engine.has(&["3.11.2", "3.12.4"]);
    let body = json!({ "pythonCode": "1", "pythonVersion": "3.11" });
    let id = app.api(Method::POST, "/tasks/submit", body).await.json()["id"].as_str().unwrap().to_owned();
    app.api(Method::POST, &format!("/tasks/{id}/run"), json!({})).await;
    let task = app.api(Method::GET, &format!("/tasks/{id}"), NO_BODY).await.json();
    assert_eq!((&task["pythonVersion"], &task["runs"][0]["pythonVersion"]), (&json!("3.11"), &json!("3.11")));
    // What is left out stays, and nothing takes it away.
    app.api(Method::POST, "/tasks/submit", json!({ "taskId": id, "pythonCode": "2" })).await;
    assert_eq!(app.api(Method::GET, &format!("/tasks/{id}"), NO_BODY).await.json()["pythonVersion"], "3.11");
    app.api(Method::POST, "/tasks/submit", json!({ "taskId": id, "pythonVersion": "" })).await;
    assert_eq!(app.api(Method::GET, &format!("/tasks/{id}"), NO_BODY).await.json().get("pythonVersion"), None);
    for (body, words) in [
        (json!({ "pythonVersion": "3.10" }), "There is no Python 3.10 where this runs, but 3.11 and 3.12."),
        (json!({ "taskId": id, "pythonVersion": "3.10" }), "There is no Python 3.10"),
        (json!({ "pythonVersion": "new" }), "by its first two numbers"),
        (json!({ "pythonVersion": 3.1 }), "Input should be a valid string"),
    ] {
        let answer = app.api(Method::POST, "/tasks/submit", body).await;
        assert!(answer.status.is_client_error() && answer.text.contains(words), "{}", answer.text);
    }
    let step = json!({ "id": "a", "name": "A", "pythonCode": "1", "position": {}, "pythonVersion": "3.12" });
    let flow = app.api(Method::POST, "/flows", json!({ "name": "F", "steps": [step], "edges": [] })).await.json();
    assert_eq!(flow["steps"][0]["pythonVersion"], "3.12");
    let step = json!({ "id": "a", "name": "A", "pythonCode": "1", "position": {}, "pythonVersion": "3.9" });
    let answer = app.api(Method::POST, "/flows", json!({ "name": "F", "steps": [step], "edges": [] })).await;
    assert!(answer.status.is_client_error() && answer.text.contains("There is no Python 3.9"), "{}", answer.text);
}
