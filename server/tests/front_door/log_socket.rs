//! The log socket over a real connection.

use std::time::Duration;

use app::model::{
    log::{LogMessage, RunState, Stream},
    phase::Phase,
    views::RunKeys,
};
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, protocol::CloseFrame},
};

use crate::support::{PLAIN, TestApp};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that listens, and a run in it.
pub struct Listening {
    pub app: TestApp,
    port: u16,
    pub run: String,
    pub keys: RunKeys,
}

pub async fn listening() -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut app = TestApp::at_port(port).await;
    let router = app.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    // Requests within the process must name the port too.
    app.host = format!("127.0.0.1:{port}");
    let (id, keys) = app.save_and_run(&PLAIN).await;
    app.start(keys.run).await;
    Listening { app, port, run: format!("/tasks/{id}/runs/1"), keys }
}

impl Listening {
    async fn connect(&self, query: &str) -> Viewer {
        self.connect_to(&format!("{}/log/socket{query}", self.run)).await
    }

    pub async fn connect_to(&self, path: &str) -> Viewer {
        let address = format!("ws://127.0.0.1:{}{path}", self.port);
        let (socket, _) = tokio_tungstenite::connect_async(address).await.unwrap();
        Viewer { socket }
    }

    /// Appends lines with these numbers, so many to a chunk.
    pub async fn log(&self, lines: std::ops::RangeInclusive<u64>, per_chunk: usize) {
        let texts: Vec<String> = lines.map(|line| format!("line {line}")).collect();
        for chunk in texts.chunks(per_chunk) {
            let chunk: Vec<_> = chunk.iter().map(|text| (Stream::Output, text.as_str())).collect();
            self.app.log(self.keys, &chunk).await;
        }
    }
}

/// A browser's end of a socket.
pub struct Viewer {
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What a viewer hears.
#[derive(Debug)]
enum Heard {
    Message(LogMessage),
    Close(u16, String),
}

impl Viewer {
    async fn hear(&mut self) -> Heard {
        match self.hear_text().await {
            Ok(text) => Heard::Message(serde_json::from_str(&text).unwrap()),
            Err((code, reason)) => Heard::Close(code, reason),
        }
    }

    /// The next message, or the code and reason of the close.
    pub async fn hear_text(&mut self) -> Result<String, (u16, String)> {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("something is said in time");
            match message.unwrap().unwrap() {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(Some(CloseFrame { code, reason })) => {
                    return Err((code.into(), reason.to_string()));
                }
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn state(&mut self) -> RunState {
        match self.hear().await {
            Heard::Message(LogMessage::State(state)) => state,
            other => panic!("{other:?}"),
        }
    }

    /// The next lines: the first one's number, and their texts.
    async fn lines(&mut self) -> (u64, Vec<String>) {
        match self.hear().await {
            Heard::Message(LogMessage::Lines(lines)) => {
                (lines.first, lines.lines.into_iter().map(|line| line.2).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    /// Hears lines up to one, without a gap and without one twice.
    async fn lines_up_to(&mut self, mut next: u64, last: u64) {
        while next <= last {
            let (first, texts) = self.lines().await;
            assert_eq!(first, next);
            for text in texts {
                assert_eq!(text, format!("line {next}"));
                next += 1;
            }
        }
        assert_eq!(next, last + 1);
    }
}

#[tokio::test]
async fn a_viewer_hears_lines_states_and_the_end() {
    let listening = listening().await;
    listening.log(1..=3, 2).await;
    let mut viewer = listening.connect("").await;
    let state = viewer.state().await;
    assert_eq!((state.phase, state.lines), (Phase::Running, 3));
    viewer.lines_up_to(1, 3).await;
    listening.log(4..=4, 1).await;
    viewer.lines_up_to(4, 4).await;
    listening.log(5..=5, 1).await;
    listening.app.finish(listening.keys.run, Phase::Succeeded, None).await;
    viewer.lines_up_to(5, 5).await;
    let end = viewer.state().await;
    assert_eq!((end.phase, end.lines), (Phase::Succeeded, 5));
    assert!(end.version > state.version);
    assert!(matches!(viewer.hear().await, Heard::Close(1000, reason) if reason == "run ended"));
}

#[tokio::test]
async fn a_viewer_resumes_at_any_line() {
    let listening = listening().await;
    listening.log(1..=250, 100).await;
    for from in [1, 2, 100, 101, 150, 250] {
        let mut viewer = listening.connect(&format!("?from={from}")).await;
        viewer.state().await;
        viewer.lines_up_to(from, 250).await;
    }
    let mut viewer = listening.connect("?from=251").await;
    viewer.state().await;
    listening.log(251..=252, 1).await;
    viewer.lines_up_to(251, 252).await;
}

#[tokio::test]
async fn a_long_log_comes_whole_and_in_order() {
    let listening = listening().await;
    listening.log(1..=20_000, 500).await;
    listening.app.finish(listening.keys.run, Phase::Succeeded, None).await;
    let mut viewer = listening.connect("?from=1").await;
    viewer.state().await;
    viewer.lines_up_to(1, 20_000).await;
    assert_eq!(viewer.state().await.phase, Phase::Succeeded);
    assert!(matches!(viewer.hear().await, Heard::Close(1000, _)));
}

#[tokio::test]
async fn a_viewer_far_behind_is_brought_near_the_end() {
    let listening = listening().await;
    listening.log(1..=1000, 100).await;
    let mut viewer = listening.connect("?from=11&window=50").await;
    viewer.state().await;
    let skipped = viewer.hear().await;
    assert!(matches!(skipped, Heard::Message(LogMessage::Skipped { first: 11, count: 940 })), "{skipped:?}");
    viewer.lines_up_to(951, 1000).await;
    let mut viewer = listening.connect("?from=951&window=50").await;
    viewer.state().await;
    viewer.lines_up_to(951, 1000).await;
}

#[tokio::test]
async fn what_a_slow_viewer_has_not_taken_yet_can_still_be_left_out() {
    let listening = listening().await;
    let mut viewer = listening.connect("?from=1&window=50").await;
    viewer.state().await;
    // Nothing is read meanwhile, as by a browser that is busy with the lines before.
    for first in (1..=2000).step_by(40) {
        listening.log(first..=first + 39, 40).await;
    }
    let (mut next, mut left_out) = (1, 0);
    while next <= 2000 {
        match viewer.hear().await {
            Heard::Message(LogMessage::Lines(lines)) => {
                assert_eq!(lines.first, next);
                next = lines.next();
            }
            Heard::Message(LogMessage::Skipped { first, count }) => {
                assert_eq!(first, next);
                next += count;
                left_out += count;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(left_out > 1500, "{left_out}");
}

#[tokio::test]
async fn a_line_that_has_not_ended_is_shown_and_withdrawn() {
    let listening = listening().await;
    let mut viewer = listening.connect("").await;
    viewer.state().await;
    listening.app.hints.partial(listening.keys.step, Stream::Output, "50 %".to_owned());
    let partial = viewer.hear().await;
    assert!(
        matches!(&partial, Heard::Message(LogMessage::Partial { stream: Stream::Output, text }) if text == "50 %"),
        "{partial:?}"
    );
    listening.app.hints.changed(listening.keys.step);
    let withdrawn = viewer.hear().await;
    assert!(matches!(&withdrawn, Heard::Message(LogMessage::Partial { text, .. }) if text.is_empty()), "{withdrawn:?}");
}

#[tokio::test]
async fn a_change_of_the_run_is_told_even_without_lines() {
    let listening = listening().await;
    let mut viewer = listening.connect("").await;
    let before = viewer.state().await;
    let answer = listening.app.post_form(&listening.run, &[("intent", "cancel")]).await;
    assert_eq!(answer.status, axum::http::StatusCode::SEE_OTHER);
    let after = viewer.state().await;
    assert_eq!(after.phase, Phase::Running);
    assert!(after.version > before.version);
}

#[tokio::test]
async fn what_is_not_there_is_closed_with_a_reason() {
    let listening = listening().await;
    let nothing = ["/tasks/x/runs/1/log/socket", "/tasks/task-000000000000/runs/1/log/socket"];
    for path in nothing {
        let mut viewer = listening.connect_to(path).await;
        assert!(matches!(viewer.hear().await, Heard::Close(1008, reason) if reason.starts_with("There is no")));
    }
    let mut viewer = listening.connect("").await;
    viewer.state().await;
    let task = listening.run.trim_end_matches("/runs/1");
    listening.app.post_form(&format!("{task}/delete"), &[]).await;
    loop {
        match viewer.hear().await {
            Heard::Message(LogMessage::State(_)) => {}
            Heard::Close(code, reason) => break assert_eq!((code, reason.as_str()), (1008, "The run was deleted.")),
            Heard::Message(message) => panic!("{message:?}"),
        }
    }
}

#[tokio::test]
async fn viewers_are_told_when_the_server_stops() {
    let listening = listening().await;
    let mut viewer = listening.connect("").await;
    viewer.state().await;
    let closing = listening.app.state.closing.clone();
    let (heard, ()) = tokio::join!(
        async {
            let heard = viewer.hear().await;
            viewer.socket.close(None).await.ok();
            heard
        },
        async { tokio::time::timeout(PATIENCE, closing.close_all()).await.expect("sockets are let go") }
    );
    assert!(matches!(heard, Heard::Close(1001, reason) if reason == "Stoker is being stopped."));
}

#[tokio::test]
async fn a_viewer_that_leaves_is_let_go() {
    let listening = listening().await;
    let mut viewer = listening.connect("").await;
    viewer.state().await;
    viewer.socket.send(Message::Close(None)).await.unwrap();
    tokio::time::timeout(PATIENCE, async { while viewer.socket.next().await.is_some() {} }).await.unwrap();
    // Nobody is left to be told.
    tokio::time::timeout(PATIENCE, listening.app.state.closing.close_all()).await.unwrap();
}
