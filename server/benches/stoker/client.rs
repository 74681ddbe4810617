//! A small client: the REST API, the log socket, and plain GETs.

use std::time::{Duration, Instant};

use app::model::{log::LogMessage, phase::Phase};
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::stoker::Stoker;

/// A client of one server.
#[derive(Clone)]
pub struct Client {
    address: String,
    pool: Pool<HttpConnector, Full<Bytes>>,
}

/// A run that has ended.
pub struct Ended {
    /// From the request to the news of its end.
    pub elapsed: Duration,
}

/// What a viewer saw.
pub struct Watched {
    /// How many lines.
    pub lines: u64,
    /// How it ended.
    pub phase: Phase,
}

impl Client {
    /// A client of a server.
    pub fn new(address: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { address: address.to_owned(), pool: Pool::builder(TokioExecutor::new()).build(connector) }
    }

    /// True when it answers.
    pub async fn is_up(&self) -> bool {
        self.send("GET", "/healthz", None, false).await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Saves a task, and says its id.
    pub async fn save(&self, code: &str, packages: &str) -> String {
        let body = json!({"pythonCode": code, "dependencies": packages});
        self.json("POST", "/api/v1/tasks/submit", Some(body)).await["id"].as_str().unwrap().to_owned()
    }

    /// Saves a task whose runs each build an environment of their own.
    pub async fn save_private(&self, code: &str, packages: &str) -> String {
        let body = json!({"pythonCode": code, "dependencies": packages, "useCache": false});
        self.json("POST", "/api/v1/tasks/submit", Some(body)).await["id"].as_str().unwrap().to_owned()
    }

    /// Saves a task that has system packages too.
    pub async fn save_with_system(&self, code: &str, packages: &str, system: &str) -> String {
        let body = json!({"pythonCode": code, "dependencies": packages, "systemDependencies": system});
        self.json("POST", "/api/v1/tasks/submit", Some(body)).await["id"].as_str().unwrap().to_owned()
    }

    /// Starts a run, and says its number.
    pub async fn start(&self, task: &str) -> u64 {
        self.json("POST", &format!("/api/v1/tasks/{task}/run"), Some(json!({}))).await["runNumber"].as_u64().unwrap()
    }

    /// Starts a run and waits for the news of its success.
    pub async fn run(&self, task: &str) -> Ended {
        let started = Instant::now();
        let number = self.start(task).await;
        let seen = self.watch(task, number, |_| {}).await;
        let elapsed = started.elapsed();
        assert_eq!(seen.phase, Phase::Succeeded, "{}", self.logs(task, number).await);
        Ended { elapsed }
    }

    async fn logs(&self, task: &str, number: u64) -> Value {
        self.json("GET", &format!("/api/v1/tasks/{task}/runs/{number}/logs"), None).await
    }

    /// Follows a run to its end on the log socket.
    pub async fn watch(&self, task: &str, number: u64, mut at_each_frame: impl FnMut(u64)) -> Watched {
        let mut lines = 0;
        self.watch_frames(task, number, |text| {
            lines += lines_in(text);
            at_each_frame(lines);
        })
        .await
    }

    /// Follows a run to its end on the log socket, and hands over each frame of lines.
    pub async fn watch_frames(&self, task: &str, number: u64, at_each_frame: impl FnMut(&str)) -> Watched {
        self.watch_at(&format!("/tasks/{task}/runs/{number}"), at_each_frame).await
    }

    /// Follows the run of a page to its end, and hands over each frame of lines of the step that it shows.
    pub async fn watch_at(&self, page: &str, mut at_each_frame: impl FnMut(&str)) -> Watched {
        let url = format!("ws://{}{page}/log/socket?from=1", self.address);
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let mut seen = Watched { lines: 0, phase: Phase::Pending };
        while let Some(message) = socket.next().await {
            let text = match message.unwrap() {
                Message::Text(text) => text,
                Message::Close(_) => break,
                _ => continue,
            };
            if text.starts_with(r#"{"type":"lines""#) {
                seen.lines += lines_in(&text);
                at_each_frame(&text);
            } else if let Ok(LogMessage::State(state)) = serde_json::from_str(&text) {
                seen.phase = state.phase;
                if state.phase.is_final() && state.lines == seen.lines {
                    break;
                }
            }
        }
        seen
    }

    /// The stages of a run's cache report, in words.
    pub async fn cache_stages(&self, task: &str, number: u64, stoker: &Stoker) -> String {
        use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
        use server::db::schema::{runs, steps};
        let database = server::db::Database::open(&stoker.data.join("stoker.sqlite")).await.unwrap();
        let task = task.to_owned();
        let report: Option<String> = database
            .read(move |connection| {
                Ok(steps::table
                    .inner_join(runs::table)
                    .filter(runs::task_id.eq(task))
                    .filter(runs::number.eq(i32::try_from(number).unwrap()))
                    .select(steps::cache_report)
                    .first(connection)?)
            })
            .await
            .unwrap();
        let report: app::model::cache::CacheReport = serde_json::from_str(&report.unwrap()).unwrap();
        report.stages.iter().map(|stage| format!("{} {} ms", stage.stage, stage.millis)).collect::<Vec<_>>().join(", ")
    }

    /// What an address answers with.
    pub async fn read(&self, path: &str) -> Bytes {
        let answer = self.send("GET", path, None, false).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.into_body().collect().await.unwrap().to_bytes()
    }

    /// How many bytes a resource has on the wire, when brotli is accepted.
    pub async fn compressed_size(&self, path: &str) -> usize {
        let answer = self.send("GET", path, None, true).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.into_body().collect().await.unwrap().to_bytes().len()
    }

    /// The scripts, wasm and style sheets that a page names.
    pub async fn page_assets(&self, path: &str) -> Vec<String> {
        let page = String::from_utf8(self.read(path).await.to_vec()).unwrap();
        let mut assets: Vec<String> = page
            .split(['"', '\''])
            .filter(|text| {
                text.starts_with("/pkg/")
                    && text.rsplit('.').next().is_some_and(|end| ["js", "wasm", "css"].contains(&end))
            })
            .map(str::to_owned)
            .collect();
        assets.sort();
        assets.dedup();
        assets
    }

    pub(super) async fn json(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let answer = self.send(method, path, body, false).await.unwrap();
        let status = answer.status();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Sends a request.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        brotli: bool,
    ) -> Result<Response<Incoming>, hyper_util::client::legacy::Error> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        if brotli {
            request = request.header("accept-encoding", "br");
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.pool.request(request.body(Full::from(body)).unwrap()).await
    }
}

/// Counted, not parsed: the client is not what is measured.
fn lines_in(frame: &str) -> u64 {
    1 + frame.matches("],[").count() as u64
}
