//! Stoker itself, as a process that uses the cluster.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    place::variable,
    server_process::{Server, wait},
};

/// Starts Stoker on a data folder.
pub fn start(data: &Path, options: &[&str]) -> Server {
    let image = variable("STOKER_TEST_IMAGE");
    let kubeconfig = variable("STOKER_TEST_SERVER_KUBECONFIG");
    let mut all = vec!["--engine", "argo", "--image", &image, "--kubeconfig", &kubeconfig];
    all.extend(["--service-account", "stoker-executor", "--cache-claim", "stoker-cache", "--nix-claim", "stoker-nix"]);
    all.extend(["--results-claim", "stoker-results"]);
    all.extend(options);
    Server::start_by(Command::new(env!("CARGO_BIN_EXE_stoker")), data, &all)
}

/// A program that says that it begins, prints numbered lines for some seconds, and ends.
pub fn program(lines: u32, seconds: f64) -> String {
    let pause = seconds / f64::from(lines);
    format!(
        "import time\nprint('begins')\nfor n in range({lines}):\n    print('line', n, flush=True)\n    time.sleep({pause})\n"
    )
}

/// Makes a task and runs it; gives its id.
pub fn submit(server: &Server, code: &str) -> String {
    server.submit(&json!({"pythonCode": code, "dependencies": ""}))
}

/// That a run of [`program`] ended well, began once, and that its log has each line once and in order.
pub fn assert_whole(server: &Server, task: &str, lines: u32) {
    let phase = server.until_final(task);
    assert_eq!(
        phase,
        "Succeeded",
        "{:#} {}",
        server.json("GET", &format!("/api/v1/tasks/{task}"), None),
        server.log(task)
    );
    let log = server.log(task);
    let printed: Vec<&str> = log.lines().filter(|line| *line == "begins" || line.starts_with("line ")).collect();
    let numbered = (0..lines).map(|number| format!("line {number}"));
    let expected: Vec<String> = ["begins".to_owned()].into_iter().chain(numbered).collect();
    assert_eq!(printed, expected, "{log}");
}

/// Waits until a run's log has a line.
pub fn until_line(server: &Server, task: &str, line: &str) {
    wait(line, || server.log(task).lines().any(|found| found == line).then_some(()));
}

/// What the System page's data say of the cluster.
pub fn cluster_facts(server: &Server) -> Value {
    server.json("GET", "/api/v1/diagnostics", None)["cluster"].take()
}

/// All tasks' phases that are not final yet.
pub fn unfinished<'a>(server: &Server, tasks: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let active = |task: &&str| matches!(server.phase(task).as_str(), "Pending" | "Running");
    tasks.iter().copied().filter(active).collect()
}
