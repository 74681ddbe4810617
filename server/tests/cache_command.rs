//! `stoker cache` beside a server that runs: the real binary, real uv, real environments.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

#[path = "support/server.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod server_process;

use server_process::{Server, wait};

const STOKER: &str = env!("CARGO_BIN_EXE_stoker");

/// A data folder with a server on it.
struct Place {
    folder: tempfile::TempDir,
    server: Server,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start_by(Command::new(STOKER), &folder.path().join("data"), &["--nix", "none"]);
        Self { folder, server }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn cache(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(STOKER);
        command.arg("cache").args(arguments).args(["--nix", "none", "--data"]).arg(self.data());
        command.output().unwrap()
    }

    /// What it prints, when it does what it is asked for.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.cache(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn listed(&self) -> Vec<Value> {
        let all: Value = serde_json::from_str(&self.says(&["ls", "--json"])).unwrap();
        all["environments"].as_array().unwrap().clone()
    }

    fn submit(&self, body: &Value) -> String {
        self.server.json("POST", "/api/v1/tasks/submit", Some(body))["id"].as_str().unwrap().to_owned()
    }

    fn run(&self, task: &str) {
        self.server.json("POST", &format!("/api/v1/tasks/{task}/run"), Some(&json!({})));
    }

    fn diagnostics(&self) -> Value {
        self.server.json("GET", "/api/v1/diagnostics", None)
    }
}

/// A program that says that it runs, and goes on until it may end.
fn held(running: &Path, may_end: &Path) -> String {
    let (running, may_end) = (running.display(), may_end.display());
    format!(
        "import os, time\nopen('{running}', 'w').close()\nwhile not os.path.exists('{may_end}'): time.sleep(0.01)\n"
    )
}

fn names_in(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_warmed_task_starts_warm_and_prune_leaves_it_alone_while_it_runs() {
    let place = Place::new();
    let (running, may_end) = (place.file("running"), place.file("may-end"));
    let task = place.submit(&json!({ "pythonCode": held(&running, &may_end) }));

    let said = place.says(&["warm", &task]);
    assert!(said.ends_with(&format!("The environment of {task} is ready.\n")), "{said}");
    assert!(!running.exists(), "the program does not run");
    assert!(names_in(&place.data().join("steps")).is_empty(), "nothing is left of the preparation");
    let listed = place.listed();
    assert_eq!(listed.len(), 1);
    assert!(listed[0]["bytes"].as_u64().unwrap() > 0);
    assert_eq!((&listed[0]["packages"], &listed[0]["inUseBy"]), (&json!([]), &json!(0)));

    place.run(&task);
    wait("the program to run", || running.exists().then_some(()));
    assert_eq!(place.listed()[0]["inUseBy"], 1);
    assert!(place.says(&["ls"]).contains("in use"));
    let said = place.says(&["prune", "--older-than", "0h"]);
    assert!(said.contains("Nothing to remove"), "{said}");
    let key = listed[0]["key"].as_str().unwrap().to_owned();
    let refused = place.server.request("POST", &format!("/system/environments/{key}/delete"), None);
    assert_eq!(refused.map(|(status, _)| status), Some(409));
    assert_eq!(place.listed().len(), 1);

    fs::write(&may_end, "").unwrap();
    assert_eq!(place.server.until_final(&task), "Succeeded");
    let today = place.diagnostics()["days"][13].clone();
    assert_eq!((&today["ready"], &today["built"]), (&json!(1), &json!(0)));

    wait("the step to be forgotten", || names_in(&place.data().join("steps")).is_empty().then_some(()));
    let said = place.says(&["prune", "--older-than", "0h", "--dry-run"]);
    assert!(said.contains(&format!("Would remove environment {key}")), "{said}");
    assert_eq!(place.listed().len(), 1);
    let said = place.says(&["prune", "--older-than", "0h"]);
    assert!(said.contains(&format!("Removed environment {key}")), "{said}");
    assert!(place.listed().is_empty());
    let left = names_in(&place.data().join("cache/environments"));
    assert!(left.iter().all(|name| *name == format!("{key}.lock")), "{left:?}");

    place.run(&task);
    assert_eq!(place.server.until_final(&task), "Succeeded", "it is built again");
}

#[test]
fn what_cannot_be_done_is_said_in_a_sentence() {
    let place = Place::new();
    let private = place.submit(&json!({ "pythonCode": "print(1)", "useCache": false }));
    for (arguments, expected) in [
        (vec!["warm", "task-00000000000a"], "There is no task task-00000000000a."),
        (vec!["warm", "nonsense"], "`nonsense` is not the name of a task."),
        (vec!["warm", &private], "does not use warm environments"),
    ] {
        let output = place.cache(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("stoker: ") && said.contains(expected), "{said}");
    }
    let mut elsewhere = Command::new(STOKER);
    let said = elsewhere.args(["cache", "ls", "--data"]).arg(place.file("elsewhere")).output().unwrap();
    assert!(String::from_utf8(said.stderr).unwrap().contains("There is no data folder"));
    assert!(!place.file("elsewhere").exists());
}

#[test]
fn an_environment_that_cannot_be_built_says_why_and_leaves_nothing() {
    let place = Place::new();
    let uv = place.file("uv");
    fs::write(&uv, "#!/bin/sh\nif [ \"$1\" = venv ]; then echo no luck; exit 2; fi\nexec uv \"$@\"\n").unwrap();
    fs::set_permissions(&uv, fs::Permissions::from_mode(0o755)).unwrap();
    let task = place.submit(&json!({ "pythonCode": "print(1)" }));
    let output = place.cache(&["warm", &task, "--uv", &uv.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("no luck"), "what uv says is passed on");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("The environment was not prepared. The Python environment could not be made"), "{said}");
    assert!(names_in(&place.data().join("steps")).is_empty());
    assert!(place.listed().is_empty());
}

#[test]
fn the_server_prunes_by_itself_and_tells_what_it_found() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let partial = data.join("cache/environments/.built-0a-1");
    fs::create_dir_all(&partial).unwrap();
    let server = Server::start_by(Command::new(STOKER), &data, &["--nix", "none", "--prune-after", "30d"]);
    wait("what is left of a build to go", || (!partial.exists()).then_some(()));
    let diagnostics = wait("the checks to be made", || {
        let diagnostics = server.json("GET", "/api/v1/diagnostics", None);
        (!diagnostics["checks"].is_null()).then_some(diagnostics)
    });
    let checks = diagnostics["checks"]["checks"].as_array().unwrap();
    let status = |key: &str| checks.iter().find(|check| check["key"] == key).map(|check| check["status"].clone());
    assert_eq!(status("uv"), Some(json!("ok")), "{checks:?}");
    assert_eq!(status("port"), Some(json!("ok")), "a server does not complain that it has its own port: {checks:?}");
    assert_eq!(diagnostics["engine"]["limits"]["pruneAfterSeconds"], 30 * 86_400);
}
