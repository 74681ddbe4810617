//! The log socket of the older product, over a real connection.

use app::model::{log::Stream, phase::Phase};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    log_socket::{Listening, Viewer, listening},
    support::PLAIN,
};

impl Listening {
    fn task(&self) -> &str {
        self.run.trim_end_matches("/runs/1").trim_start_matches("/tasks/")
    }

    async fn connect_to_task(&self, query: &str) -> Viewer {
        self.connect_to(&format!("/ws/tasks/{}/logs{query}", self.task())).await
    }

    /// The message that tells this text.
    async fn logs(&self, phase: &str, text: &str) -> Value {
        let uid = self.app.uid(self.keys.run).await;
        let entry = json!({ "node": uid, "pod": format!("{uid}-main"), "phase": phase, "logs": text });
        json!({ "type": "logs", "data": [entry], "workflow_phase": phase })
    }
}

impl Viewer {
    async fn json(&mut self) -> Value {
        serde_json::from_str(&self.hear_text().await.unwrap()).unwrap()
    }

    /// Hears snapshots until one is this, each longer than the one before.
    async fn until(&mut self, wanted: &Value) {
        loop {
            let heard = self.json().await;
            if heard == *wanted {
                return;
            }
            assert_eq!(heard["type"], "logs", "{heard}");
            let (part, whole) = (&heard["data"][0]["logs"], &wanted["data"][0]["logs"]);
            assert!(whole.as_str().unwrap().starts_with(part.as_str().unwrap()), "{heard}");
        }
    }
}

#[tokio::test]
async fn each_change_is_told_with_the_whole_text_and_the_end_is_normal() {
    let listening = listening().await;
    listening.log(1..=2, 2).await;
    let mut viewer = listening.connect_to_task("").await;
    assert_eq!(viewer.json().await, listening.logs("Running", "line 1\nline 2").await);
    listening.log(3..=3, 1).await;
    viewer.until(&listening.logs("Running", "line 1\nline 2\nline 3").await).await;
    listening.log(4..=4, 1).await;
    listening.app.finish(listening.keys.run, Phase::Cancelled, Some("Cancelled.")).await;
    // Programs know no cancelled runs.
    viewer.until(&listening.logs("Failed", "line 1\nline 2\nline 3\nline 4").await).await;
    assert_eq!(viewer.json().await, json!({ "type": "complete", "workflow_phase": "Failed" }));
    assert_eq!(viewer.hear_text().await, Err((1000, "run ended".to_owned())));
}

#[tokio::test]
async fn an_ended_run_is_told_at_once_also_an_older_one() {
    let listening = listening().await;
    listening.log(1..=1, 1).await;
    listening.app.finish(listening.keys.run, Phase::Succeeded, None).await;
    // A later one that waits and has written nothing.
    let later = listening.app.post_form(&listening.run, &[("intent", "rerun")]).await;
    assert_eq!(later.status, StatusCode::SEE_OTHER);
    let mut viewer = listening.connect_to_task("?run=1").await;
    assert_eq!(viewer.json().await, listening.logs("Succeeded", "line 1").await);
    assert_eq!(viewer.json().await["type"], "complete");
    assert_eq!(viewer.hear_text().await.unwrap_err().0, 1000);
    let mut viewer = listening.connect_to_task("").await;
    assert_eq!(viewer.json().await, json!({ "type": "logs", "data": [], "workflow_phase": "Pending" }));
}

#[tokio::test]
async fn what_is_not_there_is_an_error_once() {
    let listening = listening().await;
    let idle = listening.app.save(&PLAIN).await;
    let started = listening.app.post_form("/flows", &[("intent", "example"), ("example", "readings")]).await;
    let flow = started.location().split('/').nth(2).unwrap();
    for (task, query, message) in [
        (flow, "", format!("No runs found for task {flow}")),
        ("task-000000000000", "", "No runs found for task task-000000000000".to_owned()),
        ("x", "", "No runs found for task x".to_owned()),
        (idle.as_str(), "", format!("No runs found for task {idle}")),
        (listening.task(), "?run=7", format!("Run 7 not found for task {}", listening.task())),
    ] {
        let mut viewer = listening.connect_to(&format!("/ws/tasks/{task}/logs{query}")).await;
        assert_eq!(viewer.json().await, json!({ "type": "error", "message": message }));
        assert_eq!(viewer.hear_text().await.unwrap_err().0, 1008);
    }
    let answer = listening.app.get(&format!("/ws/tasks/{idle}/logs")).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::NOT_FOUND, json!({ "detail": "Not Found" })));
}

#[tokio::test]
async fn a_deleted_run_ends_with_an_error() {
    let listening = listening().await;
    let mut viewer = listening.connect_to_task("").await;
    assert_eq!(viewer.json().await["workflow_phase"], "Running");
    listening.app.post_form(&format!("/tasks/{}/delete", listening.task()), &[]).await;
    let message = format!("Run 1 of task {} was deleted.", listening.task());
    assert_eq!(viewer.json().await, json!({ "type": "error", "message": message }));
    assert_eq!(viewer.hear_text().await.unwrap_err().0, 1008);
}

#[tokio::test]
async fn a_snapshot_is_bounded_and_says_what_it_leaves_out() {
    let listening = listening().await;
    let line = "x".repeat(10_000);
    for _ in 0..20 {
        listening.app.log(listening.keys, &[(Stream::Output, line.as_str()); 10]).await;
    }
    let mut viewer = listening.connect_to_task("").await;
    let text = viewer.hear_text().await.unwrap();
    assert!(text.len() < 600_000, "{}", text.len());
    let message: Value = serde_json::from_str(&text).unwrap();
    let log = message["data"][0]["logs"].as_str().unwrap();
    assert!(log.starts_with("[148 earlier lines are left out here; /api/v1/tasks/task-"), "{}", &log[..200]);
    assert_eq!(log.lines().count(), 53);
}

#[tokio::test]
async fn many_lines_make_few_snapshots() {
    let listening = listening().await;
    let mut viewer = listening.connect_to_task("").await;
    viewer.json().await;
    listening.log(1..=500, 1).await;
    listening.app.finish(listening.keys.run, Phase::Succeeded, None).await;
    let mut snapshots = 0;
    while viewer.json().await["type"] == "logs" {
        snapshots += 1;
    }
    assert!((1..10).contains(&snapshots), "{snapshots}");
}

#[tokio::test]
async fn viewers_are_told_when_the_server_stops() {
    let listening = listening().await;
    let mut viewer = listening.connect_to_task("").await;
    viewer.json().await;
    let closing = listening.app.state.closing.clone();
    let (heard, ()) = tokio::join!(
        async {
            let heard = viewer.hear_text().await;
            viewer.socket.close(None).await.ok();
            heard
        },
        closing.close_all()
    );
    assert_eq!(heard, Err((1001, "Stoker is being stopped.".to_owned())));
}
