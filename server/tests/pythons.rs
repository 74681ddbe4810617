//! Several versions of Python, and scripts outside of Stoker: a real server, real uv, and the Pythons of this machine. Where
//! there is only one, it is shown that it is no choice, and that another one is refused.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::{Value, json};

#[path = "support/server.rs"]
mod server;

use server::{Server, wait};

fn serve(data: &Path, options: &[&str]) -> Server {
    Server::start_by(Command::new(env!("CARGO_BIN_EXE_stoker")), data, options)
}

/// The usual interpreters that uv finds here, by their major and minor version, the lowest first.
fn installed() -> Vec<(String, String)> {
    let list = ["python", "list", "--only-installed", "--no-config", "--output-format", "json"];
    let list = Command::new("uv").args(list).output().unwrap();
    let listed: Vec<Value> = serde_json::from_slice(&list.stdout).unwrap();
    let mut found = BTreeMap::new();
    for python in listed.iter().filter(|python| python["implementation"] == "cpython" && python["variant"] == "default")
    {
        let parts = &python["version_parts"];
        let (major, minor) = (parts["major"].as_u64().unwrap(), parts["minor"].as_u64().unwrap());
        if (major, minor) >= (3, 9) {
            let path = python["path"].as_str().unwrap().to_owned();
            found.entry((major, minor)).or_insert(path);
        }
    }
    found.into_iter().map(|((major, minor), path)| (format!("{major}.{minor}"), path)).collect()
}

/// The versions that the form of a new task offers, as soon as the server has looked for all of them.
fn offered(server: &Server, most: usize) -> Vec<String> {
    let versions = |page: &str| -> Vec<String> {
        let (_, select) = page.split_once("name=\"python\"").unwrap();
        let select = select.split("</select>").next().unwrap();
        let values = select.split("<option value=\"").skip(1).filter_map(|option| option.split('"').next());
        values.filter(|value| !value.is_empty()).map(str::to_owned).collect()
    };
    if most < 2 {
        let page = server.page("/tasks/new");
        assert!(page.contains("<input type=\"hidden\" name=\"python\""), "one is no choice");
        return Vec::new();
    }
    wait("the server to know all Pythons", || {
        let page = server.page("/tasks/new");
        let found = if page.contains("<select id=\"python\"") { versions(&page) } else { Vec::new() };
        (found.len() == most).then_some(found)
    })
}

#[test]
fn each_task_has_the_python_that_it_asks_for() {
    let installed = installed();
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), &[]);
    let offers = offered(&server, installed.len());
    assert!(offers.is_empty() || offers.iter().eq(installed.iter().map(|(version, _)| version)), "{offers:?}");
    let code = "import sys, six\nprint('%d.%d' % sys.version_info[:2], six.__version__)";
    for (version, _) in &installed {
        let task =
            server.submit(&json!({ "pythonCode": code, "dependencies": "six==1.16.0", "pythonVersion": version }));
        assert_eq!(server.until_final(&task), "Succeeded", "{}", server.log(&task));
        assert!(server.log(&task).contains(&format!("{version} 1.16.0")), "{}", server.log(&task));
        let page = server.page(&format!("/tasks/{task}/runs/1"));
        assert!(page.contains(&format!("<th scope=\"row\">Python</th><td>{version}.")), "its exact version is shown");
    }
    let environments = fs::read_dir(folder.path().join("cache/environments")).unwrap();
    let links = environments.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_symlink()).count();
    assert_eq!(links, installed.len(), "each version has an environment of its own");
    let (status, answer) =
        server.request("POST", "/api/v1/tasks/submit", Some(&json!({ "pythonVersion": "3.99" }))).unwrap();
    let words = String::from_utf8(answer).unwrap();
    assert!(status == 422 || status == 400, "{status}");
    assert!(words.contains("There is no Python 3.99") && words.contains(&installed[0].0), "{words}");
}

/// A Python may be taken away after a task was saved for it.
#[test]
fn a_run_whose_python_is_gone_ends_before_it_starts() {
    let installed = installed();
    let folder = tempfile::tempdir().unwrap();
    // The last one is the default, so that only the others can go.
    let pythons: Vec<&str> = installed.iter().rev().map(|(_, path)| path.as_str()).collect();
    let mut server = serve(folder.path(), &["--python", &pythons.join(",")]);
    let body = json!({ "pythonCode": "print(1)", "pythonVersion": installed[0].0 });
    let task = server.json("POST", "/api/v1/tasks/submit", Some(&body))["id"].as_str().unwrap().to_owned();
    server.kill();
    // With one only, none of its version is left when the database says another one.
    let database = folder.path().join("stoker.sqlite");
    let gone = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.execute(\"UPDATE tasks SET needs = \
                '{\\\"python\\\":\\\"3.98\\\"}'\")\nc.commit()";
    let changed = Command::new(pythons[0]).args(["-c", gone]).arg(&database).status().unwrap();
    assert!(changed.success());
    let server = serve(folder.path(), &["--python", &pythons.join(",")]);
    server.json("POST", &format!("/api/v1/tasks/{task}/run"), Some(&json!({})));
    assert_eq!(server.until_final(&task), "Error");
    let page = server.page(&format!("/tasks/{task}/runs/1"));
    assert!(page.contains("There is no Python 3.98 where this runs, but"), "{page}");
    assert_eq!(server.log(&task), "");
}

#[test]
fn a_downloaded_script_runs_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let server = serve(folder.path(), &[]);
    let code = "# Greets\nimport six\nprint('six', six.__version__)\n";
    let body = json!({ "pythonCode": code, "requirementsFile": "six==1.16.0 # the one\n", "name": "six" });
    let task = server.json("POST", "/api/v1/tasks/submit", Some(&body))["id"].as_str().unwrap().to_owned();
    let script = server.page(&format!("/tasks/{task}/script"));
    let file = folder.path().join("six-script.py");
    fs::write(&file, &script).unwrap();
    let run = Command::new("uv").arg("run").arg(&file).current_dir(folder.path()).output().unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert_eq!(String::from_utf8_lossy(&run.stdout), "six 1.16.0\n", "{errors}\n{script}");
}
