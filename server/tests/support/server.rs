//! A server process that a test starts, asks over HTTP, and kills.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// Of a cluster whose API server was away, controllers look again at longer and longer intervals.
const PATIENCE: Duration = Duration::from_secs(240);

/// A server process on a data folder.
pub struct Server {
    pub child: Child,
    pub port: u16,
}

impl Server {
    /// `program` is the stoker program, or one that becomes it; `options` follow those that every server gets.
    pub fn start_by(mut program: Command, data: &Path, options: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = program
            .args(["serve", "--addr", &format!("127.0.0.1:{port}"), "--data"])
            .arg(data)
            .args(options)
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { child, port };
        wait("the server to answer", || {
            assert!(server.child.try_wait().unwrap().is_none(), "the server does not start");
            server.request("GET", "/healthz", None).filter(|(status, _)| *status == 200)
        });
        server
    }

    /// One request on a connection of its own; `None` when nobody answers.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Vec<u8>)> {
        // Without a body it is what a button of a page sends.
        let content_type = if body.is_some() { "application/json" } else { "application/x-www-form-urlencoded" };
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        write!(
            connection,
            "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .ok()?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).ok()?;
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
        let status = String::from_utf8_lossy(&answer[..end]).split(' ').nth(1)?.parse().ok()?;
        Some((status, answer[end + 4..].to_vec()))
    }

    pub fn json(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.request(method, path, body).unwrap();
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&answer));
        serde_json::from_slice(&answer).unwrap()
    }

    /// Makes a task and runs it; gives its id.
    pub fn submit(&self, body: &Value) -> String {
        let id = self.json("POST", "/api/v1/tasks/submit", Some(body))["id"].as_str().unwrap().to_owned();
        self.json("POST", &format!("/api/v1/tasks/{id}/run"), Some(&json!({})));
        id
    }

    pub fn phase(&self, task: &str) -> String {
        self.json("GET", &format!("/api/v1/tasks/{task}"), None)["runs"][0]["phase"].as_str().unwrap().to_owned()
    }

    pub fn log(&self, task: &str) -> String {
        self.page(&format!("/tasks/{task}/runs/1/log"))
    }

    pub fn page(&self, path: &str) -> String {
        let (status, text) = self.request("GET", path, None).unwrap();
        assert_eq!(status, 200, "{path}");
        String::from_utf8(text).unwrap()
    }

    pub fn until_final(&self, task: &str) -> String {
        wait("the run to end", || {
            let phase = self.phase(task);
            (phase != "Pending" && phase != "Running").then_some(phase)
        })
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again and again until there is an answer.
pub fn wait<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(Instant::now() < until, "waited too long for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
