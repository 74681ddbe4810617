//! The REST API, answer for answer.

use app::model::{log::Stream, phase::Phase};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::{Answer, PLAIN, TestApp};

const NO_BODY: Value = Value::Null;

/// Status and JSON of an answer.
fn told(answer: &Answer) -> (u16, Value) {
    (answer.status.as_u16(), answer.json())
}

async fn submit(app: &TestApp, body: Value) -> String {
    let answer = app.api(Method::POST, "/tasks/submit", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn submitting_saves_and_starts_nothing() {
    let app = TestApp::new().await;
    let answer = app.api(Method::POST, "/tasks/submit", json!({ "unknown": 1 })).await;
    let (status, body) = told(&answer);
    let id = body["id"].as_str().unwrap().to_owned();
    assert_eq!(status, 200);
    let message = format!("Task saved successfully. Use /api/v1/tasks/{id}/run to execute it.");
    assert_eq!(body, json!({ "id": id, "message": message }));
    let answer = app.api(Method::GET, &format!("/tasks/{id}"), NO_BODY).await;
    assert_eq!(
        told(&answer),
        (
            200,
            json!({
                "id": id,
                "pythonCode": "print('Processing task in Kind...')",
                "dependencies": "",
                "requirementsFile": "",
                "systemDependencies": "",
                "useCache": true,
                "createdAt": "2024-02-29T12:34:56.789Z",
                "updatedAt": "2024-02-29T12:34:56.789Z",
                "runs": [],
            })
        )
    );
    assert_eq!(app.resolver.calls(), 0);
}

#[tokio::test]
async fn a_body_may_be_missing() {
    let app = TestApp::new().await;
    let answer = app.api(Method::POST, "/tasks/submit", NO_BODY).await;
    assert_eq!(answer.status, StatusCode::OK);
    let empty = submit(&app, json!({ "pythonCode": "", "dependencies": null, "systemDependencies": "" })).await;
    assert_eq!(app.api(Method::GET, &format!("/tasks/{empty}"), NO_BODY).await.json()["pythonCode"], "");
}

#[tokio::test]
async fn overwriting_replaces_what_programs_can_say_and_keeps_the_rest() {
    let app = TestApp::new().await;
    let fields = [("name", "Report"), ("code", "1"), ("packages", "numpy"), ("environment", "A=1"), ("timeout", "60")];
    let id = app.save(&fields).await;
    app.clock.pass(1000);
    let body = json!({ "taskId": id, "pythonCode": "2", "systemDependencies": "ffmpeg, git", "useCache": false });
    assert_eq!(submit(&app, body).await, id.as_str());
    let task = app.api(Method::GET, &format!("/tasks/{id}"), NO_BODY).await.json();
    assert_eq!(task["pythonCode"], "2");
    assert_eq!(task["dependencies"], "");
    assert_eq!(task["systemDependencies"], "ffmpeg git");
    assert_eq!(task["useCache"], false);
    assert_eq!(task["createdAt"], "2024-02-29T12:34:56.789Z");
    assert_eq!(task["updatedAt"], "2024-02-29T12:34:57.789Z");
    let form = app.get(&format!("/tasks/{id}/edit")).await;
    assert_eq!((form.field("name"), form.field("environment"), form.field("timeout")), {
        ("Report".to_owned(), "A=1".to_owned(), "60".to_owned())
    });
    let answer = app.api(Method::POST, "/tasks/submit", json!({ "taskId": "task-000000000000" })).await;
    assert_eq!(told(&answer), (404, json!({ "detail": "Task task-000000000000 not found" })));
}

#[tokio::test]
async fn a_program_can_say_all_that_the_form_can() {
    let app = TestApp::new().await;
    let body = json!({
        "pythonCode": "1", "name": "Report", "environment": "A=1", "timeoutSeconds": 60, "cpuRequest": 0.5,
        "cpuLimit": "2", "memoryRequest": "512Mi", "memoryLimit": "2Gi", "engine": "local",
    });
    let id = submit(&app, body).await;
    // What is not said again stays.
    submit(&app, json!({ "taskId": id, "pythonCode": "2", "memoryLimit": "1Gi" })).await;
    let form = app.get(&format!("/tasks/{id}/edit")).await;
    let fields =
        ["name", "environment", "timeout", "cpu_request", "cpu_limit", "memory_request", "memory_limit", "engine"];
    let expected = ["Report", "A=1", "60", "0.5", "2", "512Mi", "1Gi", "local"];
    assert_eq!(fields.map(|name| form.field(name)), expected);

    let cases = [
        (json!({ "cpuRequest": 4, "cpuLimit": 2 }), "Ask for at most what it may use."),
        (json!({ "memoryLimit": "lots" }), "Enter memory as a number with its unit"),
        (json!({ "engine": "elsewhere" }), "The engine `elsewhere` is not set up here."),
        (json!({ "taskId": id, "engine": "elsewhere" }), "The engine `elsewhere` is not set up here."),
    ];
    for (body, words) in cases {
        let answer = app.api(Method::POST, "/tasks/submit", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
        assert!(answer.text.contains(words), "{}", answer.text);
    }
}

#[tokio::test]
async fn wrong_values_are_refused_in_known_words() {
    let app = TestApp::new().await;
    let cases = [
        (json!({ "dependencies": "a".repeat(10_001) }), "Dependencies string is too long (max 10000 characters)"),
        (json!({ "dependencies": "numpy; rm -rf /" }), "Invalid character in dependencies: ;"),
        (json!({ "dependencies": "numpy && ls" }), "Invalid character in dependencies: &&"),
        (json!({ "dependencies": "$(ls)" }), "Invalid character in dependencies: $("),
        (json!({ "requirementsFile": "a".repeat(50_001) }), "Requirements file is too long (max 50000 characters)"),
    ];
    for (body, detail) in cases {
        let answer = app.api(Method::POST, "/tasks/submit", body).await;
        assert_eq!(told(&answer), (400, json!({ "detail": detail })));
    }
    let answer = app.api(Method::POST, "/tasks/submit", json!({ "systemDependencies": "a\"b" })).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(app.api(Method::GET, "/tasks", NO_BODY).await.json()["tasks"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn malformed_requests_name_the_place() {
    let app = TestApp::new().await;
    let answer = app.api(Method::POST, "/tasks/submit", json!({ "pythonCode": null, "useCache": "maybe" })).await;
    assert_eq!(
        told(&answer),
        (
            422,
            json!({ "detail": [
                {
                    "type": "string_type",
                    "loc": ["body", "pythonCode"],
                    "msg": "Input should be a valid string",
                    "input": null,
                },
                {
                    "type": "bool_parsing",
                    "loc": ["body", "useCache"],
                    "msg": "Input should be a valid boolean, unable to interpret input",
                    "input": "maybe",
                },
            ] })
        )
    );
    let raw = async |kind: &str, body: &'static str| {
        let request = Request::post("/api/v1/tasks/submit").header(header::CONTENT_TYPE, kind);
        told(&app.send(request.body(Body::from(body)).unwrap()).await)
    };
    let (status, body) = raw("text/plain", "{}").await;
    assert_eq!((status, &body["detail"][0]["type"]), (422, &json!("model_attributes_type")));
    let (status, body) = raw("application/json", "{\"pythonCode\": }").await;
    assert_eq!((status, &body["detail"][0]["type"]), (422, &json!("json_invalid")));
    assert_eq!(body["detail"][0]["loc"], json!(["body", 15]));
    assert_eq!(raw("application/json; charset=utf-8", "{}").await.0, 200);
    let answer = app.api(Method::GET, "/tasks/task-000000000000/runs/x/logs", NO_BODY).await;
    assert_eq!(
        told(&answer),
        (
            422,
            json!({ "detail": [{
                "type": "int_parsing",
                "loc": ["path", "run_number"],
                "msg": "Input should be a valid integer, unable to parse string as an integer",
                "input": "x",
            }] })
        )
    );
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_answered_in_json_too() {
    let app = TestApp::new().await;
    let id = submit(&app, json!({})).await;
    for path in ["/tasks/%ff", "/tasks/%ff/logs", "/tasks/%ff/runs/1/logs"] {
        let answer = app.api(Method::GET, path, NO_BODY).await;
        assert_eq!(told(&answer), (404, json!({ "detail": "Not Found" })), "{path}");
    }
    let answer = app.api(Method::GET, &format!("/tasks/{id}/logs?run_number=x&run_number=0"), NO_BODY).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = app.api(Method::POST, "/tasks/submit", json!({ "pythonCode": "x".repeat(5 << 20) })).await;
    assert_eq!(told(&answer), (413, json!({ "detail": "The request is larger than 4 MiB." })));
}

#[tokio::test]
async fn running_answers_with_the_run_and_refuses_a_second_one() {
    let app = TestApp::new().await;
    let id = submit(&app, json!({ "systemDependencies": "git", "useCache": false })).await;
    let run = format!("/tasks/{id}/run");
    let answer = app.api(Method::POST, &run, NO_BODY).await;
    let message = format!("Task {id} started successfully (run #1)");
    let uid = app.uid(app.keys(&id.parse().unwrap(), 1).await.run).await;
    let expected = json!({ "id": id, "workflowId": uid, "runNumber": 1, "message": message });
    assert_eq!(told(&answer), (200, expected));
    let answer = app.api(Method::POST, &run, json!({})).await;
    let detail = format!(
        "Task {id} already has a running workflow (run #1). Please wait for it to complete or cancel it first."
    );
    assert_eq!(told(&answer), (400, json!({ "detail": detail })));
    let answer = app.api(Method::POST, "/tasks/task-000000000000/run", NO_BODY).await;
    assert_eq!(told(&answer), (404, json!({ "detail": "Task task-000000000000 not found" })));
}

#[tokio::test]
async fn a_run_may_have_other_system_packages_and_the_task_stays_as_it_is() {
    let app = TestApp::new().await;
    let id = submit(&app, json!({ "systemDependencies": "git", "useCache": false })).await;
    let task = id.parse().unwrap();
    for (number, body) in
        [(1, json!({ "systemDependencies": "ffmpeg", "useCache": true })), (2, json!({ "systemDependencies": "" }))]
    {
        assert_eq!(app.api(Method::POST, &format!("/tasks/{id}/run"), body).await.status, StatusCode::OK);
        app.finish(app.keys(&task, number).await.run, Phase::Succeeded, None).await;
    }
    // Cleared on the task: then none, whatever the run before had.
    submit(&app, json!({ "taskId": id, "systemDependencies": "" })).await;
    assert_eq!(app.api(Method::POST, &format!("/tasks/{id}/run"), NO_BODY).await.status, StatusCode::OK);
    let answer = app.api(Method::GET, &format!("/tasks/{id}"), NO_BODY).await.json();
    assert_eq!(answer["systemDependencies"], "");
    let runs: Vec<_> = answer["runs"].as_array().unwrap().iter().collect();
    let seen: Vec<_> =
        runs.iter().map(|run| (run["runNumber"].as_i64(), &run["systemDependencies"], &run["useCache"])).collect();
    assert_eq!(
        seen,
        [
            (Some(3), &json!(""), &json!(true)),
            (Some(2), &json!("git"), &json!(false)),
            (Some(1), &json!("ffmpeg"), &json!(true)),
        ]
    );
}

#[tokio::test]
async fn the_list_and_the_detail_tell_phases_and_times() {
    let app = TestApp::new().await;
    let idle = submit(&app, json!({})).await;
    app.clock.pass(1);
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.clock.pass(1000);
    app.start(keys.run).await;
    app.clock.pass(1500);
    app.finish(keys.run, Phase::Cancelled, Some("Somebody cancelled it.")).await;
    let answer = app.api(Method::GET, "/tasks", NO_BODY).await;
    let created = "2024-02-29T12:34:56.789Z";
    assert_eq!(
        told(&answer),
        (
            200,
            json!({ "tasks": [
                { "id": idle, "phase": "Not Started", "startedAt": null, "finishedAt": null, "createdAt": created },
                {
                    "id": id,
                    "phase": "Failed",
                    "startedAt": "2024-02-29T12:34:57.790Z",
                    "finishedAt": "2024-02-29T12:34:59.290Z",
                    "createdAt": "2024-02-29T12:34:56.790Z",
                },
            ] })
        )
    );
    let task = app.api(Method::GET, &format!("/tasks/{id}"), NO_BODY).await.json();
    assert_eq!(
        task["runs"],
        json!([{
            "id": keys.run.0,
            "runNumber": 1,
            "workflowId": app.uid(keys.run).await,
            "phase": "Failed",
            "message": "Somebody cancelled it.",
            "pythonCode": "print(1)",
            "dependencies": "",
            "requirementsFile": "",
            "systemDependencies": "",
            "useCache": true,
            "startedAt": "2024-02-29T12:34:57.790Z",
            "finishedAt": "2024-02-29T12:34:59.290Z",
            "createdAt": "2024-02-29T12:34:56.790Z",
        }])
    );
    app.api(Method::POST, &format!("/tasks/{id}/run"), NO_BODY).await;
    let task = app.api(Method::GET, &format!("/tasks/{id}"), NO_BODY).await.json();
    assert_eq!((&task["runs"][0]["phase"], &task["runs"][0]["startedAt"]), (&json!("Pending"), &json!("")));
}

#[tokio::test]
async fn logs_are_one_text_and_follow_the_run() {
    let app = TestApp::new().await;
    let id = submit(&app, json!({})).await;
    let logs = format!("/tasks/{id}/logs");
    let empty = json!({ "logs": [], "source": "database", "runNumber": 0 });
    assert_eq!(told(&app.api(Method::GET, &logs, NO_BODY).await), (200, empty.clone()));
    app.api(Method::POST, &format!("/tasks/{id}/run"), NO_BODY).await;
    let keys = app.keys(&id.parse().unwrap(), 1).await;
    let none_yet = json!({ "logs": [], "source": "database", "runId": keys.run.0, "runNumber": 1 });
    assert_eq!(told(&app.api(Method::GET, &logs, NO_BODY).await), (200, none_yet));
    app.start(keys.run).await;
    app.log(keys, &[(Stream::Output, "one"), (Stream::Error, "two é")]).await;
    let workflow = app.uid(keys.run).await.to_string();
    let entry = |phase: &str, text: &str| {
        json!({
            "logs": [{ "node": workflow, "pod": format!("{workflow}-main"), "phase": phase, "logs": text }],
            "source": "database",
            "runId": keys.run.0,
            "runNumber": 1,
        })
    };
    assert_eq!(told(&app.api(Method::GET, &logs, NO_BODY).await), (200, entry("Running", "one\ntwo é")));
    // Not frozen by the first look.
    app.log(keys, &[(Stream::Output, "three")]).await;
    app.finish(keys.run, Phase::Succeeded, None).await;
    let run_logs = format!("/tasks/{id}/runs/1/logs");
    for path in [&logs, &run_logs, &format!("{logs}?run_number=0"), &format!("{logs}?run_number=1")] {
        let answer = app.api(Method::GET, path, NO_BODY).await;
        assert_eq!(told(&answer), (200, entry("Succeeded", "one\ntwo é\nthree")), "{path}");
    }
    assert_eq!(told(&app.api(Method::GET, &format!("{logs}?run_number=9"), NO_BODY).await), (200, empty));
    let answer = app.api(Method::GET, &format!("{logs}?run_number=x"), NO_BODY).await.json();
    assert_eq!(answer["detail"][0]["loc"], json!(["query", "run_number"]));
    let answer = app.api(Method::GET, &format!("/tasks/{id}/runs/2/logs"), NO_BODY).await;
    assert_eq!(told(&answer), (404, json!({ "detail": format!("Run 2 not found for task {id}") })));
    let answer = app.api(Method::GET, "/tasks/nothing/logs", NO_BODY).await;
    assert_eq!(told(&answer), (404, json!({ "detail": "Task nothing not found" })));
}

#[tokio::test]
async fn a_run_without_output_tells_its_message() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.finish(keys.run, Phase::Error, Some("No Python was found.")).await;
    let answer = app.api(Method::GET, &format!("/tasks/{id}/logs"), NO_BODY).await.json();
    let expected = json!([{
        "node": "workflow", "pod": "N/A", "phase": "Error", "logs": "Workflow message: No Python was found.",
    }]);
    assert_eq!(answer["logs"], expected);
}

#[tokio::test]
async fn cancelling_takes_the_task_or_the_workflow() {
    let app = TestApp::new().await;
    for by_task in [true, false] {
        let (id, keys) = app.save_and_run(&PLAIN).await;
        let name = if by_task { id.to_string() } else { app.uid(keys.run).await.to_string() };
        let answer = app.api(Method::DELETE, &format!("/tasks/{name}"), NO_BODY).await;
        assert_eq!(told(&answer), (200, json!({ "status": "cancelled", "id": name })));
        // It has ended by the time of the answer: it can be run again, and cannot be cancelled again.
        let answer = app.api(Method::DELETE, &format!("/tasks/{name}"), NO_BODY).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{name}");
        let answer = app.api(Method::POST, &format!("/tasks/{id}/run"), NO_BODY).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
    }
    for name in ["task-000000000000", "run-00000000000000000099", "99", "python-job-x"] {
        let answer = app.api(Method::DELETE, &format!("/tasks/{name}"), NO_BODY).await;
        assert_eq!(told(&answer), (404, json!({ "detail": format!("Workflow {name} not found") })));
    }
}

#[tokio::test]
async fn cancelling_a_task_cancels_all_its_runs() {
    let app = TestApp::new().await;
    let (id, _) = app.save_and_run(&PLAIN).await;
    // The pages start as many as one likes.
    app.post_form(&format!("/tasks/{id}"), &[("intent", "run")]).await;
    let answer = app.api(Method::DELETE, &format!("/tasks/{id}"), NO_BODY).await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = app.api(Method::GET, &format!("/tasks/{id}"), NO_BODY).await.json();
    let messages: Vec<_> = answer["runs"].as_array().unwrap().iter().map(|run| run["message"].clone()).collect();
    assert_eq!(messages, ["Cancelled before it started.", "Cancelled before it started."]);
}

#[tokio::test]
async fn deleting_counts_what_went() {
    let app = TestApp::new().await;
    let (id, first) = app.save_and_run(&PLAIN).await;
    app.log(first, &[(Stream::Output, "x")]).await;
    app.finish(first.run, Phase::Succeeded, None).await;
    app.api(Method::POST, &format!("/tasks/{id}/run"), NO_BODY).await;
    let path = format!("/tasks/{id}/delete");
    let expected =
        json!({ "status": "deleted", "id": id, "runs_deleted": 2, "logs_deleted": 1, "workflows_deleted": 1 });
    assert_eq!(told(&app.api(Method::DELETE, &path, NO_BODY).await), (200, expected));
    let answer = app.api(Method::DELETE, &path, NO_BODY).await;
    assert_eq!(told(&answer), (404, json!({ "detail": format!("Task {id} not found") })));
}

#[tokio::test]
async fn the_template_is_what_the_engine_runs() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    let answer = app.api(Method::GET, &format!("/tasks/{id}/runs/1/template"), NO_BODY).await;
    let uid = app.uid(keys.run).await;
    assert_eq!(told(&answer), (200, json!({ "workflowId": uid, "yaml": format!("run: {uid}\n") })));
    let answer = app.api(Method::GET, &format!("/tasks/{id}/runs/0/template"), NO_BODY).await;
    assert_eq!(told(&answer), (404, json!({ "detail": format!("Run 0 not found for task {id}") })));
}

#[tokio::test]
async fn the_template_is_what_was_submitted_where_that_is_kept() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.keep_manifest(keys.run, "kind: Workflow\n").await;
    app.start(keys.run).await;
    app.finish(keys.run, Phase::Succeeded, None).await;
    let answer = app.api(Method::GET, &format!("/tasks/{id}/runs/1/template"), NO_BODY).await;
    let uid = app.uid(keys.run).await;
    assert_eq!(told(&answer), (200, json!({ "workflowId": uid, "yaml": "kind: Workflow\n" })));
}

#[tokio::test]
async fn everything_else_is_json_too() {
    let app = TestApp::new().await;
    for path in ["/nothing", "/tasks/a/b/c", ""] {
        let answer = app.api(Method::GET, path, NO_BODY).await;
        assert_eq!(told(&answer), (404, json!({ "detail": "Not Found" })), "{path}");
    }
    assert_eq!(told(&app.get("/api/other").await), (404, json!({ "detail": "Not Found" })));
    let answer = app.api(Method::PUT, "/tasks", NO_BODY).await;
    assert_eq!(told(&answer), (405, json!({ "detail": "Method Not Allowed" })));
    let answer = app.api(Method::POST, "/tasks/callback", json!({ "any": 1 })).await;
    assert_eq!(told(&answer), (200, json!({ "status": "ok" })));
    let answer = app.api(Method::POST, "/tasks/callback", json!([1])).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_said_without_its_insides() {
    let app = TestApp::new().await;
    app.make_read_only().await;
    let (status, body) = told(&app.api(Method::POST, "/tasks/submit", json!({})).await);
    assert_eq!(status, 503);
    let detail = body["detail"].as_str().unwrap();
    assert!(detail.contains("The database file cannot be written."), "{detail}");
}

#[tokio::test]
async fn lists_come_whole_or_page_by_page() {
    let app = TestApp::new().await;
    let mut ids = Vec::new();
    for index in 0..7 {
        // Several with the same time, so that ties are broken too.
        app.clock.pass(i64::from(index % 3 == 0));
        ids.push(submit(&app, json!({})).await);
    }
    let whole = app.api(Method::GET, "/tasks", NO_BODY).await;
    assert_eq!(whole.header(header::CONTENT_TYPE), "application/json");
    let whole = whole.json();
    let keys = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&whole), ["tasks"], "nobody asked for pages");
    let (mut paged, mut address) = (Vec::new(), "/tasks?limit=3".to_owned());
    loop {
        let page = app.api(Method::GET, &address, NO_BODY).await.json();
        paged.extend(page["tasks"].as_array().unwrap().clone());
        match &page["nextCursor"] {
            Value::String(cursor) => address = format!("/tasks?limit=3&cursor={cursor}"),
            other => break assert!(other.is_null(), "{other}"),
        }
    }
    assert_eq!(whole["tasks"], json!(paged));
    let mut listed: Vec<String> = paged.iter().map(|task| task["id"].as_str().unwrap().to_owned()).collect();
    listed.sort();
    ids.sort();
    assert_eq!(listed, ids);

    let (id, first) = app.save_and_run(&PLAIN).await;
    app.finish(first.run, Phase::Succeeded, None).await;
    for _ in 2..=50 {
        app.post_form(&format!("/tasks/{id}"), &[("intent", "run")]).await;
    }
    let numbers = |task: &Value| -> Vec<i64> {
        task["runs"].as_array().unwrap().iter().map(|run| run["runNumber"].as_i64().unwrap()).collect()
    };
    let whole = app.api(Method::GET, &format!("/tasks/{id}"), NO_BODY).await.json();
    assert_eq!(numbers(&whole), (1..=50).rev().collect::<Vec<_>>());
    assert!(whole.get("nextCursor").is_none());
    let page = app.api(Method::GET, &format!("/tasks/{id}?limit=30"), NO_BODY).await.json();
    assert_eq!((numbers(&page), &page["nextCursor"]), ((21..=50).rev().collect(), &json!("21")));
    let page = app.api(Method::GET, &format!("/tasks/{id}?limit=30&cursor=21"), NO_BODY).await.json();
    assert_eq!((numbers(&page), &page["nextCursor"]), ((1..=20).rev().collect(), &Value::Null));
    assert_eq!(page["pythonCode"], "print(1)");

    for query in ["limit=0", "limit=1001", "cursor=x", "limit=-1"] {
        assert_eq!(app.api(Method::GET, &format!("/tasks?{query}"), NO_BODY).await.status, 400, "{query}");
    }
    assert_eq!(app.api(Method::GET, "/tasks?limit=x", NO_BODY).await.status, 422);
}

#[tokio::test]
async fn a_long_log_is_sent_as_it_is_read() {
    let app = TestApp::new().await;
    let (id, keys) = app.save_and_run(&PLAIN).await;
    let line = "\"quoted\" \u{1b}[31m\\ é ".repeat(200);
    for _ in 0..200 {
        app.log(keys, &[(Stream::Output, line.as_str()); 10]).await;
    }
    app.log(keys, &[(Stream::Output, ""), (Stream::Output, "last"), (Stream::Output, "")]).await;
    let request = Request::get(format!("/api/v1/tasks/{id}/logs")).header(header::HOST, crate::support::HOST);
    let response = app.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (mut body, mut longest, mut text) = (response.into_body(), 0, Vec::new());
    while let Some(frame) = body.frame().await {
        let part = frame.unwrap().into_data().unwrap();
        longest = longest.max(part.len());
        text.extend_from_slice(&part);
    }
    assert!(text.len() > 8_000_000 && longest < 1_500_000, "{longest} of {}", text.len());
    let answer: Value = serde_json::from_slice(&text).unwrap();
    let log = answer["logs"][0]["logs"].as_str().unwrap();
    assert!(log == format!("{}\n\nlast\n", vec![line; 2000].join("\n")));
    assert_eq!((&answer["runNumber"], &answer["source"]), (&json!(1), &json!("database")));
}

/// A program that overwrites a task, and a person who changes what programs cannot say of it, at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_meanwhile_is_not_undone() {
    let app = TestApp::new().await;
    let id = app.save(&[("name", "0"), ("code", "1")]).await;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let program = async {
        let mut saves = 0;
        while !stop.load(std::sync::atomic::Ordering::SeqCst) {
            submit(&app, json!({ "taskId": id, "pythonCode": "print(2)" })).await;
            saves += 1;
        }
        saves
    };
    let person = async {
        for number in 1..=60 {
            let fields = [("name", &*number.to_string()), ("code", "print(1)"), ("intent", "save")];
            let answer = app.post_form(&format!("/tasks/{id}/edit"), &fields).await;
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
            let form = app.get(&format!("/tasks/{id}/edit")).await;
            assert_eq!(form.field("name"), number.to_string(), "an older name came back");
        }
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
    };
    let (saves, ()) = tokio::join!(program, person);
    assert!(saves > 10, "{saves}");
}

#[tokio::test]
async fn programs_hear_of_a_package_that_is_named_as_it_is_imported() {
    let app = TestApp::new().await;
    let body = json!({ "dependencies": "sklearn" });
    let (status, answer) = told(&app.api(Method::POST, "/tasks/submit", body).await);
    assert_eq!(status, 400, "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("scikit-learn"), "{answer}");
}
