//! The `stoker` command: what keeps it from starting, and how it ends.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use futures::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio_tungstenite::tungstenite::Message;

const ANY_PORT: &str = "127.0.0.1:0";

fn stoker(data: &Path, address: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
    command.args(["serve", "--addr", address, "--data"]).arg(data);
    command.env("RUST_LOG", "error");
    command
}

/// A server that listens, until it is dropped.
struct Started {
    child: Child,
    address: String,
}

impl Started {
    fn new(data: &Path) -> Self {
        let mut child = stoker(data, ANY_PORT).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("Stoker is at http://").and_then(|rest| rest.split(' ').next());
        let address = address.unwrap_or_else(|| panic!("it prints where it is: {line}")).to_owned();
        Self { child, address }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What it says when it does not start.
fn refusal(mut command: Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    assert_eq!(status.code(), Some(1));
    String::from_utf8(stderr).unwrap()
}

#[test]
fn only_loopback_addresses_are_listened_on() {
    let folder = tempfile::tempdir().unwrap();
    let said = refusal(stoker(folder.path(), "0.0.0.0:0"));
    assert!(said.contains("listens on loopback only until authentication is configured"), "{said}");
}

#[test]
fn one_stoker_at_a_time_uses_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = Started::new(folder.path());
    let said = refusal(stoker(folder.path(), ANY_PORT));
    assert!(said.contains("Another Stoker uses the data folder"), "{said}");
    drop(first);
    drop(Started::new(folder.path()));
}

#[test]
fn what_is_wrong_with_the_database_is_said_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoker.sqlite");
    std::fs::write(&path, "nonsense".repeat(1000)).unwrap();
    let said = refusal(stoker(folder.path(), ANY_PORT));
    let expected = format!(
        "stoker: The database file is damaged. Restore it from a backup. The database is {}.\n",
        path.display()
    );
    assert_eq!(said, expected);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let said = refusal(stoker(folder.path(), &taken.local_addr().unwrap().to_string()));
    assert!(said.contains("Choose another address with --addr"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_soon_and_says_goodbye() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let mut stoker = Started::new(folder.path());
        let address = stoker.address.clone();
        // A run that goes on: the socket of one that has ended is closed at once.
        let task = submit_and_run(&address).await;
        let (mut socket, _) =
            tokio_tungstenite::connect_async(format!("ws://{address}/tasks/{task}/runs/1/log/socket")).await.unwrap();
        let first = socket.next().await.unwrap().unwrap();
        assert!(first.is_text(), "{first:?}");
        stoker.signal(signal);
        let begin = Instant::now();
        let close = loop {
            if let Message::Close(frame) = socket.next().await.unwrap().unwrap() {
                break frame.unwrap();
            }
        };
        assert_eq!((u16::from(close.code), close.reason.as_str()), (1001, "Stoker is being stopped."));
        drop(socket);
        let status = tokio::task::block_in_place(|| stoker.child.wait()).unwrap();
        assert!(status.success());
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        // The database file alone holds everything.
        let log = std::fs::metadata(folder.path().join("stoker.sqlite-wal"));
        assert_eq!(log.map_or(0, |file| file.len()), 0);
    }
}

/// Starts a run that goes on until somebody stops it, and gives its task.
async fn submit_and_run(address: &str) -> String {
    // It outlives the server, and must end by itself.
    let code = "import time\ntime.sleep(10)";
    let submitted = post(address, "/api/v1/tasks/submit", serde_json::json!({ "pythonCode": code })).await;
    let id = submitted["id"].as_str().unwrap().to_owned();
    post(address, &format!("/api/v1/tasks/{id}/run"), serde_json::json!({})).await;
    id
}

async fn post(address: &str, path: &str, body: serde_json::Value) -> serde_json::Value {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let body = body.to_string();
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let start = answer.find('{').unwrap_or_else(|| panic!("{answer}"));
    let end = answer.rfind('}').unwrap();
    serde_json::from_str(&answer[start..=end]).unwrap()
}
