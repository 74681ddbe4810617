//! Stoker killed in the middle of runs and started again, as `kill -9` does.

use serde_json::json;

use crate::{
    place::{variable, workflows_of_task},
    stoker::{assert_whole, cluster_facts, program, start, submit, until_line},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_again_and_again_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = start(folder.path(), &[]);
    let tasks = [2.0, 6.0, 6.0].map(|seconds| submit(&server, &program(400, seconds)));
    let kill_and_start = |mut server: crate::server_process::Server| {
        server.kill();
        start(folder.path(), &[])
    };
    // Right after they were accepted, while their pods are made, while they log, and near the end of one.
    server = kill_and_start(server);
    server = kill_and_start(server);
    until_line(&server, &tasks[1], "line 50");
    server = kill_and_start(server);
    for task in &tasks[1..] {
        assert_eq!(workflows_of_task(task).await, 1, "one workflow for each run");
    }
    until_line(&server, &tasks[0], "line 390");
    server = kill_and_start(server);
    for task in &tasks {
        assert_whole(&server, task, 400);
    }
    let page = server.page(&format!("/tasks/{}/runs/1", tasks[0]));
    assert!(page.contains("on the node "), "checkpoint 3 names the node and its runtime");
    assert!(!page.contains("of an unknown version"));
    let facts = cluster_facts(&server);
    assert_eq!((&facts["namespace"], &facts["lostSince"]), (&json!(variable("STOKER_TEST_NAMESPACE")), &json!(null)));
    assert!(facts["nodes"][0]["runtime"].as_str().is_some_and(|runtime| !runtime.is_empty()), "{facts}");
    assert!(facts["claims"]["stoker-cache"].as_str().is_some_and(|state| state.starts_with("Bound")), "{facts}");
    let page = server.page("/system");
    assert!(page.contains("Argo controller") && page.contains("Claim stoker-cache"), "the System page has it too");
}
