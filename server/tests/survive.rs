//! What happens when the server is killed or told to stop in the middle of things: the real binary, real signals.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::{fs, io::Write as _, path::Path, process::Command};

use serde_json::{Value, json};

#[path = "support/server.rs"]
mod server_process;
#[path = "support/small_disk.rs"]
mod small_disk;

use server_process::{Server, wait};
use small_disk::on_small_disk;

fn start(data: &Path, options: &[&str]) -> Server {
    Server::start_by(Command::new(env!("CARGO_BIN_EXE_stoker")), data, options)
}

/// A program that counts its starts and prints numbered lines.
fn program(counter: &Path, lines: u32) -> String {
    let counter = counter.display().to_string();
    format!(
        "import time\nopen({counter:?}, 'a').write('x')\nfor i in range({lines}):\n    print('line', i)\n    if i % 5 == 0: time.sleep(0.001)\n"
    )
}

fn assert_whole(server: &Server, task: &str, counter: &Path, lines: u32, moment: &str) {
    assert_eq!(server.until_final(task), "Succeeded", "killed {moment}: {}", server.log(task));
    let log = server.log(task);
    let found: Vec<&str> = log.lines().filter(|line| line.starts_with("line ")).collect();
    let expected: Vec<String> = (0..lines).map(|number| format!("line {number}")).collect();
    assert_eq!(found, expected, "killed {moment}");
    assert_eq!(fs::read_to_string(counter).unwrap(), "x", "killed {moment}: started twice");
}

#[test]
fn a_server_killed_at_any_moment_loses_and_doubles_nothing() {
    type Moment = (&'static str, fn(&Server, &str, &Path));
    let moments: [Moment; 6] = [
        ("right after the run was accepted", |_, _, _| {}),
        ("while it prepares", |_, _, data| {
            wait("an environment being built", || fs::read_dir(data.join("cache/environments")).ok()?.flatten().next());
        }),
        ("when the program starts", |server, task, _| {
            wait("the phase Running", || (server.phase(task) == "Running").then_some(()));
        }),
        ("while it logs", |server, task, _| {
            wait("lines", || server.log(task).contains("line 100\n").then_some(()));
        }),
        ("near its end", |server, task, _| {
            wait("late lines", || server.log(task).contains("line 1490\n").then_some(()));
        }),
        ("when it has ended", |server, task, _| {
            server.until_final(task);
        }),
    ];
    for (moment, reach) in moments {
        let folder = tempfile::tempdir().unwrap();
        let counter = folder.path().join("count");
        let mut server = start(folder.path(), &[]);
        let task = server.submit(&json!({"pythonCode": &program(&counter, 1500), "dependencies": "six==1.16.0"}));
        reach(&server, &task, folder.path());
        server.kill();
        let server = start(folder.path(), &[]);
        assert_whole(&server, &task, &counter, 1500, moment);
    }
}

#[test]
fn a_server_killed_again_and_again_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let counter = folder.path().join("count");
    let mut server = start(folder.path(), &[]);
    let task = server.submit(&json!({"pythonCode": &program(&counter, 3000), "dependencies": ""}));
    for _ in 0..6 {
        server.kill();
        server = start(folder.path(), &[]);
    }
    assert_whole(&server, &task, &counter, 3000, "six times");
}

/// A step that notes its start in small and its end in capital letters, and prints its name.
fn step(counter: &Path, name: &str) -> Value {
    let counter = counter.display().to_string();
    let code = format!(
        "import time\nnote = open({counter:?}, 'a', buffering=1).write\nnote('{name}')\nprint('this is {name}')\ntime.sleep(0.05)\nnote('{name}'.upper())\n"
    );
    json!({"id": name, "name": name, "pythonCode": code, "position": {"x": 0, "y": 0}})
}

#[test]
fn a_server_killed_at_ten_moments_brings_a_flow_to_its_true_end() {
    for moment in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let counter = folder.path().join("count");
        let edges = ["ab", "ac", "bd", "cd", "ce", "df"];
        let steps = ["a", "b", "c", "d", "e", "f"].map(|name| step(&counter, name));
        let arrows = edges.map(|edge| json!({"id": edge, "source": edge[..1], "target": edge[1..]}));
        let flow = json!({"name": "killed", "steps": steps, "edges": arrows});
        let mut server = start(folder.path(), &["--workers", "2"]);
        let id = server.json("POST", "/api/v1/flows", Some(&flow))["id"].as_str().unwrap().to_owned();
        server.json("POST", &format!("/api/v1/flows/{id}/run"), Some(&json!({})));
        let noted = || fs::read_to_string(&counter).unwrap_or_default();
        wait("so many starts and ends of steps", || (noted().len() >= moment).then_some(()));
        server.kill();

        let server = start(folder.path(), &["--workers", "2"]);
        let run = format!("/api/v1/flows/{id}/runs/1");
        let phase = wait("the run to end", || {
            let phase = server.json("GET", &run, None)["phase"].as_str().unwrap().to_owned();
            (phase != "Pending" && phase != "Running").then_some(phase)
        });
        assert_eq!(phase, "Succeeded", "killed at note {moment}");
        for edge in edges {
            let [before, after] = [edge[..1].to_uppercase(), edge[1..].to_owned()].map(|note| noted().find(&note));
            assert!(before < after, "killed at note {moment}: {edge} in {}", noted());
        }
        let mut letters: Vec<char> = noted().chars().collect();
        letters.sort_unstable();
        assert_eq!(letters.iter().collect::<String>(), "ABCDEFabcdef", "killed at note {moment}");
        for name in ["a", "b", "c", "d", "e", "f"] {
            let log = server.page(&format!("/flows/{id}/runs/1/steps/{name}/log"));
            assert_eq!(log.matches(&format!("this is {name}\n")).count(), 1, "killed at note {moment}: {log}");
        }
    }
}

#[test]
fn told_to_stop_it_ends_cleanly_and_leaves_runs_running() {
    let folder = tempfile::tempdir().unwrap();
    let (counter, gate) = (folder.path().join("count"), folder.path().join("gate"));
    let code = format!(
        "{}\nimport os\nwhile not os.path.exists('{}'): time.sleep(0.01)\n",
        program(&counter, 100),
        gate.display()
    );
    let mut server = start(folder.path(), &[]);
    let task = server.submit(&json!({"pythonCode": &code, "dependencies": ""}));
    wait("lines", || server.log(&task).contains("line 99\n").then_some(()));
    assert!(Command::new("kill").arg(server.child.id().to_string()).status().unwrap().success());
    let end = wait("the server to end", || server.child.try_wait().unwrap());
    assert!(end.success(), "SIGTERM is a clean end");
    let server = start(folder.path(), &[]);
    assert_eq!(server.phase(&task), "Running");
    fs::write(&gate, "").unwrap();
    assert_whole(&server, &task, &counter, 100, "by SIGTERM");
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _server = start(folder.path(), &[]);
    let second = Command::new(env!("CARGO_BIN_EXE_stoker"))
        .args(["serve", "--addr", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains("Another Stoker"), "{second:?}");
}

#[test]
fn without_uv_a_run_says_what_to_install() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--uv", "/nonexistent/uv"]);
    for packages in ["", "six"] {
        let task = server.submit(&json!({"pythonCode": "print(1)", "dependencies": packages}));
        let phase = server.until_final(&task);
        assert!(phase == "Error" || phase == "Failed", "{phase}");
        let (_, page) = server.request("GET", &format!("/tasks/{task}/runs/1"), None).unwrap();
        assert!(String::from_utf8_lossy(&page).contains("pip install uv"));
    }
}

#[test]
fn an_index_that_does_not_answer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--index-url", "http://127.0.0.1:9/simple"]);
    let task = server.submit(&json!({"pythonCode": "print(1)", "dependencies": "six"}));
    assert_eq!(server.until_final(&task), "Failed");
    let (_, page) = server.request("GET", &format!("/tasks/{task}/runs/1"), None).unwrap();
    assert!(String::from_utf8_lossy(&page).contains("the package index did not answer"));
}

#[test]
fn a_full_disk_holds_runs_up_and_loses_nothing() {
    on_small_disk("a_full_disk_holds_runs_up_and_loses_nothing", "24m", |disk| {
        let ballast = disk.join("ballast");
        let server = start(disk, &["--minimum-free", "1"]);
        let started = disk.join("started");
        let gate = disk.join("gate");
        let code = format!(
            "import os, time\nopen({started:?}, 'w')\nwhile not os.path.exists({gate:?}): time.sleep(0.01)\nfor i in range(20000): print('line', i, 'x' * 60)\n"
        );
        let task = server.submit(&json!({"pythonCode": &code, "dependencies": ""}));
        wait("the program", || started.exists().then_some(()));
        fs::write(&gate, "").unwrap_or(());
        let mut file = fs::File::create(&ballast).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        drop(file);
        // Full now: whatever the page says, it is a sentence, and the server lives.
        wait("an answer", || server.request("GET", "/tasks", None));
        fs::remove_file(&ballast).unwrap();
        assert_eq!(server.until_final(&task), "Succeeded", "{}", server.log(&task).lines().last().unwrap_or_default());
        let log = server.log(&task);
        let numbers: Vec<u32> =
            log.lines().filter_map(|line| line.strip_prefix("line ")?.split(' ').next()?.parse().ok()).collect();
        assert_eq!(numbers, (0..20000).collect::<Vec<u32>>());
    });
}
