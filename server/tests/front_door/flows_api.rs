//! The REST API of flows, answer for answer.

use app::model::log::Stream;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, PLAIN, TestApp};

const NO_BODY: Value = Value::Null;
const AT: &str = "2024-02-29T12:34:56.789Z";

/// Status and JSON of an answer.
fn told(answer: &Answer) -> (u16, Value) {
    (answer.status.as_u16(), answer.json())
}

fn step(id: &str, more: &Value) -> Value {
    let mut step = json!({ "id": id, "name": format!("Step {id}"), "pythonCode": "pass", "position": {} });
    step.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    step
}

fn edge(source: &str, target: &str) -> Value {
    json!({ "id": format!("e-{source}-{target}"), "source": source, "target": target })
}

fn diamond() -> Value {
    json!({
        "name": "Nightly",
        "steps": [
            step("a", &json!({ "position": { "x": 10.4, "y": -20, "z": 1 }, "systemDependencies": "ffmpeg, git" })),
            step("b", &json!({ "dependencies": "numpy pandas", "retries": 3, "retryWaitSeconds": 10 })),
            step("c", &json!({ "requirementsFile": "six==1.16.0\n", "runsWhen": "all_ended", "useCache": false })),
            step("d", &json!({ "environment": "A=1", "timeoutSeconds": 60, "memoryLimit": "2Gi" })),
        ],
        "edges": [edge("a", "b"), edge("a", "c"), edge("b", "d"), edge("c", "d")],
    })
}

async fn created(app: &TestApp, body: Value) -> Value {
    let answer = app.api(Method::POST, "/flows", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

fn id_of(flow: &Value) -> String {
    flow["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_flow_comes_back_as_it_was_sent() {
    let app = TestApp::new().await;
    let flow = created(&app, diamond()).await;
    let id = id_of(&flow);
    assert!(id.starts_with("flow-") && id.len() == 17, "{id}");
    assert_eq!(
        flow["steps"][0],
        json!({
            "id": "a", "name": "Step a", "pythonCode": "pass", "dependencies": null, "requirementsFile": null,
            "systemDependencies": "ffmpeg git", "position": { "x": 10, "y": -20 }, "useCache": true,
            "environment": "", "timeoutSeconds": null, "cpuRequest": null, "cpuLimit": null, "memoryRequest": null,
            "memoryLimit": null, "pythonVersion": null, "runsWhen": "all_succeeded", "retries": 0, "retryWaitSeconds": 0, "retryFactor": 1,
        })
    );
    assert_eq!(flow["steps"][1]["dependencies"], "numpy pandas");
    assert_eq!((&flow["steps"][1]["retries"], &flow["steps"][1]["retryWaitSeconds"]), (&json!(3), &json!(10)));
    assert_eq!(flow["steps"][1]["position"], json!({}));
    assert_eq!(flow["steps"][2]["requirementsFile"], "six==1.16.0\n");
    assert_eq!((&flow["steps"][2]["runsWhen"], &flow["steps"][2]["useCache"]), (&json!("all_ended"), &json!(false)));
    assert_eq!((&flow["steps"][3]["environment"], &flow["steps"][3]["timeoutSeconds"]), (&json!("A=1"), &json!(60)));
    assert_eq!(
        flow["edges"][0],
        json!({ "id": "edge-a-b", "source": "a", "target": "b", "sourceHandle": null, "targetHandle": null })
    );
    assert_eq!(flow["edges"].as_array().unwrap().len(), 4);
    let rest = ["name", "description", "engine", "status", "createdAt", "updatedAt"].map(|name| flow[name].clone());
    assert_eq!(rest, [json!("Nightly"), json!(null), json!(null), json!("draft"), json!(AT), json!(AT)]);
    assert_eq!(app.api(Method::GET, &format!("/flows/{id}"), NO_BODY).await.json(), flow);
    // And sent once more, it makes the same flow.
    let again = created(&app, flow.clone()).await;
    assert_eq!((&again["steps"], &again["edges"]), (&flow["steps"], &flow["edges"]));
    assert_eq!(app.resolver.calls(), 0);
}

#[tokio::test]
async fn flows_are_listed_last_saved_first() {
    let app = TestApp::new().await;
    assert_eq!(app.api(Method::GET, "/flows", NO_BODY).await.json(), json!({ "flows": [] }));
    let first = id_of(&created(&app, diamond()).await);
    app.clock.pass(1000);
    let second =
        created(&app, json!({ "name": "B", "description": "Why", "steps": [step("x", &json!({}))], "edges": [] }));
    let second = id_of(&second.await);
    app.save(&PLAIN).await;
    let entry = |id: &str, name: &str, description: Value, at: &str, steps: u32| {
        json!({
            "id": id, "name": name, "description": description, "status": "draft", "createdAt": at, "updatedAt": at,
            "stepCount": steps,
        })
    };
    let flows = app.api(Method::GET, "/flows", NO_BODY).await.json();
    let later = "2024-02-29T12:34:57.789Z";
    assert_eq!(
        flows,
        json!({ "flows": [entry(&second, "B", json!("Why"), later, 1), entry(&first, "Nightly", json!(null), AT, 4)] })
    );
    let tasks = app.api(Method::GET, "/tasks", NO_BODY).await.json();
    assert_eq!(tasks["tasks"].as_array().unwrap().len(), 1, "flows are no tasks");
}

#[tokio::test]
async fn a_change_saves_steps_and_edges_and_keeps_the_rest() {
    let app = TestApp::new().await;
    let flow = created(&app, diamond()).await;
    let path = format!("/flows/{}", id_of(&flow));
    let steps = json!([
        step("a", &json!({ "pythonCode": "new", "name": "Start" })),
        step("d", &json!({ "dependencies": "six" })),
        step("e", &json!({})),
    ]);
    let body = json!({ "description": "Why", "steps": steps, "edges": [edge("a", "e"), edge("e", "d")] });
    let answer = app.api(Method::PUT, &path, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let changed = app.api(Method::GET, &path, NO_BODY).await.json();
    assert_eq!(answer.json(), changed);
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Nightly"), &json!("Why")));
    let ids: Vec<&str> = changed["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a", "d", "e"]);
    assert_eq!((&changed["steps"][0]["pythonCode"], &changed["steps"][0]["name"]), (&json!("new"), &json!("Start")));
    assert_eq!(changed["steps"][0]["systemDependencies"], json!(null), "what a client knows and leaves out is reset");
    assert_eq!(changed["steps"][0]["position"], json!({ "x": 10, "y": -20 }));
    assert_eq!(changed["steps"][1]["environment"], "A=1", "what it may not know stays");
    let edges: Vec<(&str, &str)> = changed["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| (edge["source"].as_str().unwrap(), edge["target"].as_str().unwrap()))
        .collect();
    assert_eq!(edges, [("e", "d"), ("a", "e")]);

    let renamed = app.api(Method::PUT, &path, json!({ "name": "Weekly", "steps": null })).await.json();
    assert_eq!((&renamed["name"], &renamed["edges"]), (&json!("Weekly"), &changed["edges"]));
    let edges = app.api(Method::PUT, &path, json!({ "edges": [] })).await.json();
    assert_eq!((&edges["edges"], &edges["steps"]), (&json!([]), &changed["steps"]));
    let missing = app.api(Method::PUT, "/flows/flow-000000000000", json!({ "name": "x" })).await;
    assert_eq!(told(&missing), (404, json!({ "detail": "Flow flow-000000000000 not found" })));
}

#[tokio::test]
async fn what_is_no_flow_is_refused_in_known_words() {
    let app = TestApp::new().await;
    let flow = |steps: Value, edges: Value| json!({ "name": "F", "steps": steps, "edges": edges });
    let (a, b) = (step("a", &json!({})), step("b", &json!({})));
    let cases = [
        (flow(json!([]), json!([])), "Flow definition must contain at least one step"),
        (flow(json!([a]), json!([edge("a", "z")])), "Edge references invalid step: source=a, target=z"),
        (flow(json!([a, b]), json!([edge("a", "b"), edge("b", "a")])), "Flow contains cycles. DAG must be acyclic."),
        (flow(json!([a]), json!([edge("a", "a")])), "Flow contains cycles. DAG must be acyclic."),
        (json!({ "name": " ", "steps": [a], "edges": [] }), "Give the flow a name."),
        (flow(json!([step("a", &json!({ "timeoutSeconds": 0 }))]), json!([])), "Step a: The timeout must be"),
        (
            flow(json!([step("a", &json!({ "dependencies": "x; y" }))]), json!([])),
            "Invalid character in dependencies: ;",
        ),
        (
            flow(json!([a, step("b", &json!({ "name": "Step a" }))]), json!([])),
            "Another step is called `Step a` already.",
        ),
        (flow(json!([step("a", &json!({ "runsWhen": "never" }))]), json!([])), "Step a: Choose when the step runs."),
        (
            json!({ "name": "F", "steps": [a], "edges": [], "engine": "elsewhere" }),
            "The engine `elsewhere` is not set up here.",
        ),
    ];
    for (body, words) in cases {
        for path in ["/flows", "/flows/preview-template"] {
            let answer = app.api(Method::POST, path, body.clone()).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {}", answer.text);
            assert!(answer.json()["detail"].as_str().unwrap().contains(words), "{path} {}", answer.text);
        }
    }
    let saved = id_of(&created(&app, diamond()).await);
    let answer = app.api(Method::PUT, &format!("/flows/{saved}"), json!({ "steps": [step("d", &json!({}))] })).await;
    assert_eq!(told(&answer), (400, json!({ "detail": "Edge references invalid step: source=b, target=d" })));
    assert_eq!(app.api(Method::GET, "/flows", NO_BODY).await.json()["flows"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn malformed_flows_name_the_place() {
    let app = TestApp::new().await;
    let answer = app.api(Method::POST, "/flows", json!({ "name": 1, "edges": [7], "steps": [{ "id": "a b" }] })).await;
    let (status, body) = told(&answer);
    assert_eq!(status, 422);
    let faults: Vec<(Value, Value)> =
        body["detail"].as_array().unwrap().iter().map(|fault| (fault["type"].clone(), fault["loc"].clone())).collect();
    let fault = |kind: &str, place: Value| (json!(kind), place);
    assert_eq!(
        faults,
        [
            fault("string_type", json!(["body", "name"])),
            fault("missing", json!(["body", "steps", 0, "name"])),
            fault("missing", json!(["body", "steps", 0, "pythonCode"])),
            fault("missing", json!(["body", "steps", 0, "position"])),
            fault("value_error", json!(["body", "steps", 0, "id"])),
            fault("model_attributes_type", json!(["body", "edges", 0])),
        ]
    );
    assert!(body["detail"][4]["msg"].as_str().unwrap().contains("`a b` cannot name a step"));
    let twice =
        json!({ "name": "F", "edges": [], "steps": [step("a", &json!({})), step("a", &json!({ "name": "B" }))] });
    let answer = app.api(Method::POST, "/flows", twice).await.json();
    assert_eq!(answer["detail"][0]["loc"], json!(["body", "steps", 1, "id"]));
    let answer = app.api(Method::POST, "/flows", json!({})).await.json();
    assert_eq!(answer["detail"].as_array().unwrap().len(), 3);
    assert_eq!(answer["detail"][1]["msg"], "Field required");
}

#[tokio::test]
async fn a_run_keeps_its_own_definition_and_tells_its_steps() {
    let app = TestApp::new().await;
    let id = id_of(&created(&app, diamond()).await);
    let path = format!("/flows/{id}");
    let answer = app.api(Method::POST, &format!("{path}/run"), NO_BODY).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let started = answer.json();
    let flow = id.parse().unwrap();
    let keys = app.keys(&flow, 1).await;
    let uid = app.uid(keys.run).await;
    assert_eq!(
        started,
        json!({
            "id": keys.run.0, "flowId": id, "workflowId": uid, "runNumber": 1, "phase": "Pending",
            "message": format!("Flow {id} started successfully (run #1)"),
        })
    );
    let busy = app.api(Method::POST, &format!("{path}/run"), NO_BODY).await;
    let words = format!(
        "Flow {id} already has a running workflow (run #1). Please wait for it to complete or cancel it first."
    );
    assert_eq!(told(&busy), (400, json!({ "detail": words })));
    app.api(Method::PUT, &path, json!({ "steps": [step("a", &json!({}))], "edges": [] })).await;

    let run = app.api(Method::GET, &format!("{path}/runs/1"), NO_BODY).await.json();
    assert_eq!((&run["flowId"], &run["runNumber"], &run["restartOf"]), (&json!(id), &json!(1), &json!(null)));
    let steps = run["stepRuns"].as_array().unwrap();
    assert_eq!(steps.len(), 4, "the flow as it was");
    assert_eq!((&steps[3]["stepId"], &steps[3]["name"]), (&json!("d"), &json!("Step d")));
    assert_eq!(steps[3]["workflowNodeId"], format!("{uid}-4"));
    assert_eq!((&steps[0]["phase"], &steps[0]["startedAt"]), (&json!("Pending"), &json!(null)));
    let runs = app.api(Method::GET, &format!("{path}/runs"), NO_BODY).await.json();
    assert_eq!(
        runs,
        json!({ "runs": [{
            "id": keys.run.0, "runNumber": 1, "workflowId": uid, "phase": "Pending", "startedAt": null,
            "finishedAt": null, "createdAt": AT, "message": null,
        }] })
    );
    let template = app.api(Method::GET, &format!("{path}/runs/1/template"), NO_BODY).await.json();
    assert_eq!(template, json!({ "workflowId": uid, "yaml": format!("run: {uid}\n") }));
    app.keep_manifest(keys.run, "kind: Workflow\n").await;
    let template = app.api(Method::GET, &format!("{path}/runs/1/template"), NO_BODY).await.json();
    assert_eq!(template, json!({ "workflowId": uid, "yaml": "kind: Workflow\n" }));
    assert_eq!(app.get(&format!("/flows/{id}/runs/1/manifest")).await.text, "kind: Workflow\n");
    for wrong in ["runs/2", "runs/2/logs", "runs/2/template", "runs/0"] {
        let number = wrong.split('/').nth(1).unwrap();
        let answer = app.api(Method::GET, &format!("{path}/{wrong}"), NO_BODY).await;
        let words = format!("Flow run {number} not found for flow {id}");
        assert_eq!(told(&answer), (404, json!({ "detail": words })), "{wrong}");
    }
    let preview = app.api(Method::POST, "/flows/preview-template", diamond()).await;
    assert!(preview.json()["yaml"].as_str().unwrap().starts_with("run: "), "{}", preview.text);
}

#[tokio::test]
async fn logs_of_steps_are_there_and_skipped_ones_say_why() {
    let app = TestApp::new().await;
    let id = id_of(&created(&app, diamond()).await);
    app.api(Method::POST, &format!("/flows/{id}/run"), NO_BODY).await;
    let path = format!("/flows/{id}/runs/1/logs");
    assert_eq!(app.api(Method::GET, &path, NO_BODY).await.json(), json!({ "logs": [] }));
    let keys = app.keys(&id.parse().unwrap(), 1).await;
    app.log(keys, &[(Stream::Output, "one \"line\""), (Stream::Error, "two")]).await;
    app.skip(keys.run, "d", "Not run: `Step b` failed.").await;
    let uid = app.uid(keys.run).await;
    let entry = |step: &str, number: u32, phase: &str, logs: &str| {
        let node = format!("{uid}-{number}");
        json!({ "stepId": step, "node": node, "pod": format!("{node}-main"), "phase": phase, "logs": logs })
    };
    assert_eq!(
        app.api(Method::GET, &path, NO_BODY).await.json(),
        json!({ "logs": [
            entry("a", 1, "Pending", "one \"line\"\ntwo"),
            entry("d", 4, "Skipped", "Not run: `Step b` failed."),
        ] })
    );
    let steps = app.api(Method::GET, &format!("/flows/{id}/runs/1"), NO_BODY).await.json();
    assert_eq!(steps["stepRuns"][3]["phase"], "Skipped");
}

#[tokio::test]
async fn runs_are_cancelled_gone_on_with_and_deleted() {
    let app = TestApp::new().await;
    let id = id_of(&created(&app, diamond()).await);
    let path = format!("/flows/{id}");
    app.api(Method::POST, &format!("{path}/run"), NO_BODY).await;
    let cancelled = app.api(Method::POST, &format!("{path}/runs/1/cancel"), NO_BODY).await;
    assert_eq!(told(&cancelled), (200, json!({ "status": "cancelled", "id": id, "runNumber": 1 })));
    let ended = app.api(Method::POST, &format!("{path}/runs/1/cancel"), NO_BODY).await;
    assert_eq!(ended.status, StatusCode::CONFLICT);
    let again = app.api(Method::POST, &format!("{path}/runs/1/restart"), NO_BODY).await;
    assert_eq!((again.status, again.json()["runNumber"].clone()), (StatusCode::OK, json!(2)), "{}", again.text);
    assert_eq!(app.api(Method::GET, &format!("{path}/runs/2"), NO_BODY).await.json()["restartOf"], 1);

    let alone = app.api(Method::POST, &format!("{path}/steps/d/run"), json!({ "inputsOf": 1 })).await;
    assert_eq!(alone.status, StatusCode::OK, "{}", alone.text);
    assert_eq!((&alone.json()["stepId"], &alone.json()["runNumber"]), (&json!("d"), &json!(3)));
    let missing = app.api(Method::POST, &format!("{path}/steps/z/run"), NO_BODY).await;
    assert_eq!(told(&missing), (404, json!({ "detail": format!("Step z not found in flow {id}") })));
    let missing = app.api(Method::POST, &format!("{path}/steps/d/run"), json!({ "inputsOf": 9 })).await;
    assert_eq!(told(&missing), (404, json!({ "detail": format!("Flow run 9 not found for flow {id}") })));

    let page = app.api(Method::GET, &format!("{path}/runs?limit=2"), NO_BODY).await.json();
    assert_eq!((page["runs"].as_array().unwrap().len(), &page["nextCursor"]), (2, &json!("2")));
    let page = app.api(Method::GET, &format!("{path}/runs?limit=2&cursor=2"), NO_BODY).await.json();
    assert_eq!((&page["runs"][0]["runNumber"], &page["nextCursor"]), (&json!(1), &json!(null)));

    let outputs = app.api(Method::GET, &format!("{path}/runs/1/steps/a/outputs"), NO_BODY).await;
    assert_eq!(told(&outputs), (200, json!({ "outputs": [] })));
    for missing in ["steps/z/outputs", "steps/a%20b/outputs", "steps/a/outputs/x.json"] {
        let answer = app.api(Method::GET, &format!("{path}/runs/1/{missing}"), NO_BODY).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{missing}");
    }

    for name in ["Second", "Third", "Fourth"] {
        let flow = json!({ "name": name, "steps": [step("a", &json!({}))], "edges": [] });
        app.api(Method::POST, "/flows", flow).await;
    }
    let whole = app.api(Method::GET, "/flows", NO_BODY).await.json()["flows"].clone();
    let (mut paged, mut address) = (Vec::new(), "/flows?limit=3".to_owned());
    loop {
        let page = app.api(Method::GET, &address, NO_BODY).await.json();
        paged.extend(page["flows"].as_array().unwrap().clone());
        match page["nextCursor"].as_str() {
            Some(cursor) => address = format!("/flows?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!((paged.len(), whole), (4, json!(paged)));

    let deleted = app.api(Method::DELETE, &path, NO_BODY).await;
    assert_eq!(told(&deleted), (200, json!({ "message": format!("Flow {id} deleted successfully") })));
    for method in [Method::GET, Method::DELETE] {
        let answer = app.api(method, &path, NO_BODY).await;
        assert_eq!(told(&answer), (404, json!({ "detail": format!("Flow {id} not found") })));
    }
}

#[tokio::test]
async fn task_routes_know_no_flows_and_the_other_way_round() {
    let app = TestApp::new().await;
    let flow = id_of(&created(&app, diamond()).await);
    let task = app.save(&PLAIN).await;
    for (method, path) in [
        (Method::GET, format!("/tasks/{flow}")),
        (Method::POST, format!("/tasks/{flow}/run")),
        (Method::DELETE, format!("/tasks/{flow}")),
        (Method::DELETE, format!("/tasks/{flow}/delete")),
        (Method::GET, format!("/tasks/{flow}/logs")),
        (Method::GET, format!("/tasks/{flow}/runs/1/logs")),
        (Method::GET, format!("/tasks/{flow}/runs/1/template")),
        (Method::GET, format!("/flows/{task}")),
        (Method::PUT, format!("/flows/{task}")),
        (Method::DELETE, format!("/flows/{task}")),
        (Method::POST, format!("/flows/{task}/run")),
        (Method::GET, format!("/flows/{task}/runs")),
        (Method::GET, format!("/flows/{task}/runs/1")),
    ] {
        let body = if method == Method::PUT { json!({}) } else { NO_BODY };
        let answer = app.api(method.clone(), &path, body).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}: {}", answer.text);
    }
    let overwritten = app.api(Method::POST, "/tasks/submit", json!({ "taskId": flow })).await;
    assert_eq!(overwritten.status, StatusCode::NOT_FOUND, "{}", overwritten.text);
    assert_eq!(app.api(Method::GET, &format!("/flows/{flow}"), NO_BODY).await.status, StatusCode::OK);
}
