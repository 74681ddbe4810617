//! Scripts as the ecosystem has them: what one says of itself is taken (PEP 723), a file is uploaded, a task downloaded.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use serde_json::json;

use crate::support::{Answer, TestApp};

const SCRIPT: &str = "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\"six\"]\n# ///\nimport six\n";

/// A form with files, each as control, name and content.
fn multipart(address: &str, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Request<Body> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    for (control, name, content) in files {
        let head = format!("--B\r\nContent-Disposition: form-data; name=\"{control}\"; filename=\"{name}\"\r\n\r\n");
        body.extend(head.bytes().chain(content.iter().copied()).chain("\r\n".bytes()));
    }
    body.extend("--B--\r\n".bytes());
    let request = Request::post(address).header(header::CONTENT_TYPE, "multipart/form-data; boundary=B");
    request.body(Body::from(body)).unwrap()
}

async fn upload(app: &TestApp, fields: &[(&str, &str)], name: &str, content: &[u8]) -> Answer {
    app.send(multipart("/tasks/new", fields, &[("code_upload", name, content)])).await
}

#[tokio::test]
async fn what_a_script_says_of_itself_fills_packages_and_python() {
    let app = TestApp::new().await;
    app.engine.has(&["3.9.18", "3.11.2", "3.12.4"]);
    let (id, _) = app.save_and_run(&[("code", SCRIPT)]).await;
    let edit = app.get(&format!("/tasks/{id}/edit")).await;
    assert_eq!(edit.field("packages").trim(), "six");
    assert_eq!(edit.attributes("select[name=python] option[selected]", "value"), ["3.11"]);
    assert!(edit.text_of("#packages-hint").ends_with("Taken from the script's own block."));
    for page in [format!("/tasks/{id}"), format!("/tasks/{id}/runs/1")] {
        assert!(app.get(&page).await.text.contains("Taken from the script's own block."), "{page}");
    }
    assert_eq!(app.resolver.calls(), 1, "its exact versions were found");
    // The script is changed, and what was taken of it is not touched.
    let changed = SCRIPT.replace("\"six\"", "\"six\", \"idna\"").replace("3.11", "3.12");
    let fields = [("code", changed.as_str()), ("packages", "six"), ("python", "3.11"), ("intent", "save")];
    assert_eq!(app.post_form(&format!("/tasks/{id}/edit"), &fields).await.status, StatusCode::SEE_OTHER);
    let edit = app.get(&format!("/tasks/{id}/edit")).await;
    assert_eq!(edit.field("packages").trim(), "six\nidna");
    assert_eq!(edit.attributes("select[name=python] option[selected]", "value"), ["3.12"]);
}

#[tokio::test]
async fn a_script_and_a_form_that_say_different_things_are_the_users_choice() {
    let app = TestApp::new().await;
    let mut fields = vec![("code", SCRIPT), ("packages", "idna"), ("intent", "save")];
    let answer = app.post_form("/tasks/new", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let words = answer.text_of("#packages-error");
    assert!(words.contains("names other packages: six. Empty this field to take those"), "{words}");
    assert_eq!((answer.field("code").as_str(), answer.field("packages").trim()), (SCRIPT, "idna"));
    fields[1].1 = "";
    assert_eq!(app.post_form("/tasks/new", &fields).await.status, StatusCode::SEE_OTHER);
    fields[0].1 = "import six\n";
    fields[1].1 = "idna";
    assert_eq!(app.post_form("/tasks/new", &fields).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_script_for_another_python_is_refused_with_those_that_there_are() {
    let app = TestApp::new().await;
    let code = SCRIPT.replace("3.11", "3.13");
    let answer = app.post_form("/tasks/new", &[("code", &code), ("intent", "save")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let words = answer.text_of("#python-error");
    assert!(words.contains("requires Python `>=3.13`, and there is 3.12."), "{words}");
    assert_eq!(answer.field("code"), code);
}

#[tokio::test]
async fn a_block_that_cannot_be_read_is_said_at_the_code() {
    let app = TestApp::new().await;
    let code = SCRIPT.replace("[\"six\"]", "[\"six\"");
    let answer = app.post_form("/tasks/new", &[("code", &code), ("intent", "save")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text_of("#code-error").contains("cannot be read as TOML"), "{}", answer.text_of("#code-error"));
    assert_eq!(answer.field("code"), code);
}

#[tokio::test]
async fn scripts_that_programs_send_and_steps_of_flows_are_read_too() {
    let app = TestApp::new().await;
    let id = app.api(Method::POST, "/tasks/submit", json!({ "pythonCode": SCRIPT })).await.json()["id"].clone();
    let address = format!("/tasks/{}", id.as_str().unwrap());
    assert_eq!(app.api(Method::GET, &address, json!(null)).await.json()["dependencies"], "six");
    let body = json!({ "taskId": id, "pythonCode": SCRIPT, "dependencies": "idna" });
    let answer = app.api(Method::POST, "/tasks/submit", body).await;
    assert!(answer.status.is_client_error() && answer.text.contains("names other packages: six."), "{}", answer.text);
    let step = json!({ "id": "a", "name": "A", "pythonCode": SCRIPT, "position": {} });
    let flow = app.api(Method::POST, "/flows", json!({ "name": "F", "steps": [step], "edges": [] })).await.json();
    assert_eq!(flow["steps"][0]["dependencies"], "six");
    let fields = [
        ("name", "F"),
        ("step-0-name", "First"),
        ("step-0-code", "print(1)"),
        ("step-1-name", "Second"),
        ("step-1-code", SCRIPT),
        ("step-1-packages", "idna"),
        ("intent", "save"),
    ];
    let answer = app.post_form("/flows/new", &fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text_of("#step-1-packages-error").contains("names other packages: six."));
}

#[tokio::test]
async fn an_uploaded_script_takes_the_place_of_the_code() {
    let app = TestApp::new().await;
    let typed = [("code", "typed"), ("name", ""), ("use_cache", "on"), ("intent", "save")];
    let answer = upload(&app, &typed, "weekly.py", SCRIPT.as_bytes()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let edit = app.get(&format!("{}/edit", answer.location())).await;
    assert_eq!((edit.field("code").as_str(), edit.field("packages").trim()), (SCRIPT, "six"));
    assert_eq!(edit.field("name"), "weekly");
    // No file was chosen.
    let answer = upload(&app, &typed, "", b"").await;
    assert_eq!(app.get(&format!("{}/edit", answer.location())).await.field("code"), "typed");
    for (content, words) in [
        (&b""[..], "The uploaded file is empty."),
        (&b"\xff\xfe"[..], "not UTF-8"),
        (&vec![b'#'; 300 * 1024][..], "has 300 KiB; at most 256 KiB"),
        (&b"print('\0')"[..], "NUL character"),
    ] {
        let answer = upload(&app, &typed, "weekly.py", content).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text_of("#code-error").contains(words), "{}", answer.text_of("#code-error"));
        assert!(content.ends_with(b"\0')") || answer.field("code") == "typed");
    }
}

#[tokio::test]
async fn a_step_of_a_flow_takes_a_file_too() {
    let app = TestApp::new().await;
    let fields = [("name", "F"), ("step-0-key", "-1"), ("step-0-code", ""), ("step-0-name", ""), ("intent", "save")];
    let file = |content| [("step-0-code_upload", "load_rates.py", content)];
    let answer = app.send(multipart("/flows/new", &fields, &file(&b"print(1)\n"[..]))).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let edit = app.get(&format!("{}/edit", answer.location())).await;
    assert_eq!((edit.field("step-0-code").as_str(), edit.field("step-0-name").as_str()), ("print(1)\n", "load_rates"));
    let answer = app.send(multipart("/flows/new", &fields, &file(&b"\xff"[..]))).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text_of("#step-0-code-error").contains("not UTF-8"));
}

#[tokio::test]
async fn a_task_and_a_run_are_downloaded_as_scripts() {
    let app = TestApp::new().await;
    let fields = [("name", "Weekly \"report\""), ("code", "print(1)\n"), ("packages", "rich six>=1")];
    let (id, _) = app.save_and_run(&fields).await;
    let changed = [("name", "Other"), ("code", "print(2)\n"), ("intent", "save")];
    app.post_form(&format!("/tasks/{id}/edit"), &changed).await;
    let block = "# /// script\n# requires-python = \">=3.12\"\n# dependencies = [\n#     \"rich\",\n#     \"six>=1\",\n# ]\n# \
                 ///\n\n";
    let run = format!("/tasks/{id}/runs/1");
    let page = app.get(&run).await;
    assert_eq!(page.attributes(".script-link a", "href"), [format!("{run}/script")]);
    let script = app.get(&format!("{run}/script")).await;
    assert_eq!((script.status, script.text.as_str()), (StatusCode::OK, format!("{block}print(1)\n").as_str()));
    assert_eq!(script.header(header::CONTENT_TYPE), "text/x-python; charset=utf-8");
    assert_eq!(script.header(header::CONTENT_DISPOSITION), "attachment; filename=\"other-script.py\"");
    let task = app.get(&format!("/tasks/{id}/script")).await;
    assert!(task.text.contains("# dependencies = []\n") && task.text.ends_with("\nprint(2)\n"), "{}", task.text);
    for gone in ["/tasks/task-000000000000/script", "/tasks/x/script", &format!("/tasks/{id}/runs/9/script")] {
        assert_eq!(app.get(gone).await.status, StatusCode::NOT_FOUND, "{gone}");
    }
    // What is downloaded says all that is needed to take it in again.
    let answer = upload(&app, &[("use_cache", "on"), ("intent", "save")], "report.py", script.text.as_bytes()).await;
    assert_eq!(app.get(&format!("{}/edit", answer.location())).await.field("packages").trim(), "rich\nsix>=1");
}
