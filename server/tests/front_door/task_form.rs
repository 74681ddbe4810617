//! The task form: nothing typed is ever lost, and every refusal says why at its place.

use app::model::lock::Lock;
use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use server::packages::resolver::ResolveError;

use crate::support::{Answer, PLAIN, TestApp};

/// Text that would break out of a careless page.
const HOSTILE: &str = "</textarea><script>alert(1)</script>\n\"'&amp; {{x}} $(rm) 🚀\u{202e}";

fn error_at(answer: &Answer, field: &str) -> String {
    answer.text_of(&format!("#{field}-error"))
}

#[tokio::test]
async fn a_refused_form_keeps_everything_and_names_each_fault() {
    let app = TestApp::new().await;
    let typed = [
        ("name", "two\nlines"),
        ("code", HOSTILE),
        ("packages", "numpy; rm -rf"),
        ("system_packages", "a b"),
        ("environment", "1=2"),
        ("timeout", "soon"),
        ("requirements", "# only a comment"),
        ("intent", "save_and_run"),
    ];
    let answer = app.post_form("/tasks/new", &typed).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for (name, value) in &typed[1..7] {
        assert_eq!(answer.field(name), *value, "{name}");
    }
    assert!(answer.attributes("input[name=use_cache]", "checked").is_empty());
    assert!(answer.text_of("title").starts_with("Error: New task"), "{}", answer.text_of("title"));
    assert!(error_at(&answer, "timeout").contains("between 1 and 604800"));
    assert!(!error_at(&answer, "packages").is_empty());
    assert!(!error_at(&answer, "environment").is_empty());
    assert!(!error_at(&answer, "name").is_empty());
    assert!(!answer.text.contains("<script>alert(1)"));
    assert_eq!(app.resolver.calls(), 0);
    assert!(app.get("/tasks").await.text.contains("Run it"), "nothing was saved");
}

#[tokio::test]
async fn a_saved_task_is_shown_with_a_notice_once() {
    let app = TestApp::new().await;
    let fields = [("name", "Grüße <b>"), ("code", HOSTILE), ("packages", "numpy"), ("intent", "save")];
    let answer = app.post_form("/tasks/new", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let page = app.get_after(&answer, answer.location()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.text_of("h1"), "Grüße <b>");
    assert_eq!(page.text_of("main [role=status].is-notice"), "Saved.");
    assert_eq!(page.cookies(), "stoker_notice=");
    assert!(app.get(answer.location()).await.texts(".is-notice").is_empty());
    assert_eq!(app.resolver.calls(), 1);
    let edit = app.get(&format!("{}/edit", answer.location())).await;
    assert_eq!(edit.field("code"), HOSTILE);
    assert_eq!(edit.field("packages"), "numpy");
}

#[tokio::test]
async fn save_and_run_leads_to_the_run() {
    let app = TestApp::new().await;
    app.resolver.answers(Ok(Lock("numpy==2.1.0\n".to_owned())));
    let answer = app.post_form("/tasks/new", &[("code", "1"), ("packages", "numpy"), ("intent", "save_and_run")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.location().ends_with("?run=1&live=1"), "{}", answer.location());
    let page = app.get(answer.location()).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("2.1.0"), "the exact versions are shown");
}

#[tokio::test]
async fn packages_that_do_not_go_together_are_refused_at_their_field() {
    let app = TestApp::new().await;
    let words = "Because a needs b<2 and c needs b>=2,\nthere is no solution.";
    app.resolver.answers(Err(ResolveError::NoSolution(words.to_owned())));
    let fields = [("code", "1"), ("packages", "a c"), ("intent", "save")];
    let answer = app.post_form("/tasks/new", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(error_at(&answer, "packages").contains("Because a needs b<2"));
    assert_eq!(answer.field("packages"), "a c");
    let fields = [("code", "1"), ("requirements", "a\nc\n"), ("intent", "save")];
    let answer = app.post_form("/tasks/new", &fields).await;
    assert!(error_at(&answer, "requirements").contains("Because a needs b<2"));
}

#[tokio::test]
async fn without_an_index_saving_unchecked_is_offered() {
    let app = TestApp::new().await;
    app.resolver.answers(Err(ResolveError::Unavailable("The index did not answer.".to_owned())));
    let mut fields = vec![("code", "1"), ("packages", "numpy"), ("intent", "save_and_run")];
    let answer = app.post_form("/tasks/new", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("The index did not answer."));
    assert_eq!(answer.field("packages"), "numpy");
    let intents = answer.attributes("button[name=intent]", "value");
    assert!(intents.contains(&"run_unresolved".to_owned()), "{intents:?}");
    fields[2] = ("intent", "run_unresolved");
    let answer = app.post_form("/tasks/new", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.location().ends_with("?run=1&live=1"));
    fields[2] = ("intent", "save_unresolved");
    assert_eq!(app.post_form("/tasks/new", &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(app.resolver.calls(), 1);
}

#[tokio::test]
async fn the_second_of_two_who_edit_is_asked() {
    let app = TestApp::new().await;
    let id = app.save(&PLAIN).await;
    let edit = format!("/tasks/{id}/edit");
    let page = app.get(&edit).await;
    assert_eq!(page.field("revision"), "1");
    let first = [("code", "first"), ("revision", "1"), ("intent", "save")];
    assert_eq!(app.post_form(&edit, &first).await.status, StatusCode::SEE_OTHER);
    let second = [("code", "second"), ("revision", "1"), ("intent", "save")];
    let answer = app.post_form(&edit, &second).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.field("code"), "second");
    assert_eq!(answer.field("revision"), "2");
    assert!(answer.text.contains("Somebody else saved this task while you were editing it."));
    let again = [("code", "second"), ("revision", "2"), ("intent", "save")];
    assert_eq!(app.post_form(&edit, &again).await.status, StatusCode::SEE_OTHER);
    assert_eq!(app.get(&edit).await.field("code"), "second");
}

#[tokio::test]
async fn a_task_deleted_while_it_was_edited_leaves_the_text() {
    let app = TestApp::new().await;
    let id = app.save(&PLAIN).await;
    assert_eq!(app.post_form(&format!("/tasks/{id}/delete"), &[]).await.status, StatusCode::SEE_OTHER);
    let fields = [("code", "precious"), ("revision", "1"), ("intent", "save")];
    let answer = app.post_form(&format!("/tasks/{id}/edit"), &fields).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.field("code"), "precious");
    assert_eq!(answer.attributes("form.task-form", "action"), ["/tasks/new"]);
    assert!(answer.text_of("[role=alert]").contains("was deleted meanwhile"));
}

#[tokio::test]
async fn code_over_the_limit_is_kept_and_named() {
    let app = TestApp::new().await;
    let code = "é".repeat(200_000);
    let answer = app.post_form("/tasks/new", &[("code", &code), ("intent", "save")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.field("code"), code);
    assert!(error_at(&answer, "code").contains("at most 256 KiB"));
    let answer = app.post_form("/tasks/new", &[("code", &"x".repeat(2_000_000)), ("intent", "save")]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text.contains("larger than 4 MiB"));
}

#[tokio::test]
async fn bytes_that_are_no_text_are_refused_in_a_sentence() {
    let app = TestApp::new().await;
    let request = Request::post("/tasks/new").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = app.send(request.body(Body::from("code=%FF%FE&intent=save")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.text.contains("not UTF-8"));
}

fn multipart(file: &[u8]) -> Request<Body> {
    let mut body = Vec::new();
    for (name, value) in [("code", "1"), ("requirements", "pasted"), ("use_cache", "on"), ("intent", "save")] {
        body.extend(format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    let head = "--B\r\nContent-Disposition: form-data; name=\"requirements_upload\"; filename=\"r.txt\"\r\n\r\n";
    body.extend(head.bytes().chain(file.iter().copied()).chain("\r\n--B--\r\n".bytes()));
    let request = Request::post("/tasks/new").header(header::CONTENT_TYPE, "multipart/form-data; boundary=B");
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn an_uploaded_file_replaces_the_pasted_one() {
    let app = TestApp::new().await;
    for (file, kept) in [("\u{feff}numpy==2.1.0\r\n", "numpy==2.1.0\n"), ("", "pasted")] {
        let answer = app.send(multipart(file.as_bytes())).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        let edit = app.get(&format!("{}/edit", answer.location())).await;
        assert_eq!(edit.field("requirements").trim(), kept.trim());
        assert_eq!(edit.attributes("input[name=use_cache][checked]", "value"), ["on"]);
    }
    let answer = app.send(multipart(b"\xff\xfe")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(error_at(&answer, "requirements").contains("not UTF-8"));
    assert_eq!(answer.field("requirements"), "pasted");
}

#[tokio::test]
async fn a_database_that_cannot_be_written_costs_no_text() {
    let app = TestApp::new().await;
    app.make_read_only().await;
    let answer = app.post_form("/tasks/new", &[("code", "precious"), ("intent", "save")]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.field("code"), "precious");
    assert!(answer.text_of("[role=alert]").contains("The database file cannot be written."));
    assert_eq!(app.get("/tasks").await.status, StatusCode::OK, "reading goes on");
}

#[tokio::test]
async fn a_form_without_a_known_intent_does_nothing() {
    let app = TestApp::new().await;
    let answer = app.post_form("/tasks/new", &[("code", "1"), ("intent", "explode")]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.post_form("/tasks", &[("intent", "example")]).await.status, StatusCode::BAD_REQUEST);
}
