//! What is kept of what was submitted: what the cluster has taken, and nothing of the user's.

use kube::{api::PostParams, core::DynamicObject};
use serde_json::{Value, json};

use crate::{
    place::{Namespace, workflows},
    rules::{self, Place as _},
    server_process::wait,
    stoker::start,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_submitted_is_kept_with_the_run_without_a_word_of_the_users() {
    const CODE: &str = "import os\nprint('> printed', os.environ['PASSWORD'])\n";
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &[]);
    let task = server.submit(&json!({"pythonCode": CODE, "dependencies": "", "environment": "PASSWORD=of-the-user"}));
    let template = format!("/api/v1/tasks/{task}/runs/1/template");
    // Before it is submitted, it is what it would be.
    wait("the line", || server.log(&task).contains("> printed of-the-user").then_some(()));
    let answer = server.json("GET", &template, None);
    let text = answer["yaml"].as_str().unwrap();
    for word in ["printed", "PASSWORD", "of-the-user"] {
        assert!(!text.contains(word), "{text}");
    }
    let manifest: Value = serde_saphyr::from_str(text).unwrap();
    let workflow = workflows().await.get(manifest["metadata"]["name"].as_str().unwrap()).await.unwrap();
    assert!(has(&workflow.data["spec"], &manifest["spec"]), "{text}");
    assert_eq!(manifest["metadata"]["labels"]["stoker/task"], task);
    assert!(manifest["metadata"].get("uid").is_none() && manifest.get("status").is_none(), "{text}");
    // It is whole: the cluster would take it once more, and no field of it is left out.
    let mut again: DynamicObject = serde_json::from_value(manifest.clone()).unwrap();
    again.metadata.name = again.metadata.name.map(|name| name + "-again");
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    let taken = workflows().await.create(&dry_run, &again).await.unwrap();
    assert_eq!(taken.data["spec"], manifest["spec"]);

    assert_eq!(server.until_final(&task), "Succeeded");
    assert_eq!(server.json("GET", &template, None), answer, "it stays as it was");
    assert_eq!(server.page(&format!("/tasks/{task}/runs/1/manifest")), text);
    assert!(server.page(&format!("/tasks/{task}/runs/1")).contains("Manifest as submitted"));
}

/// Whether something has all that something else has. Argo's controller writes its defaults beside what was submitted.
fn has(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|whole| has(whole, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(whole, part)| has(whole, part))
        }
        _ => whole == part,
    }
}

/// So a server that was killed in between keeps what was submitted, and not what it would submit now.
#[tokio::test]
async fn what_was_submitted_before_is_answered_as_it_was() {
    let place = Namespace::new().await;
    let plan = rules::plan("print('> once')");
    let read = |text: Option<String>| serde_saphyr::from_str::<Value>(&text.unwrap()).unwrap();
    let first = read(place.engine().start(&plan).await.unwrap());
    rules::begun(&place.engine(), &plan).await;
    let again = read(place.restarted().start(&plan).await.unwrap());
    assert!(has(&again["spec"], &first["spec"]), "{again:#}");
    assert_eq!(again["metadata"], first["metadata"], "what others write on it is not its own");
    rules::hear_out(&place.engine(), &plan, server::engine::Positions::new()).await;
    rules::forget(&place.engine(), &plan.run).await;
}
