//! The log socket: tells a viewer a run's lines as they come, and when the run changes.
//!
//! Hints only wake it; what it sends it reads from the database, so a viewer can leave and come back at any line.

use std::{ops::ControlFlow, time::Duration};

use app::model::{
    identifiers::{RunNumber, TaskId},
    log::{LogMessage, RunState},
};
use axum::{
    body::Bytes,
    extract::{
        Path, Query, State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use futures::{
    FutureExt as _, SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use serde::Deserialize;
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, timeout},
};

mod frames;
mod reader;

use self::reader::{LogReader, Reading};
use crate::{
    db::{DatabaseError, views::RunKeys},
    execution::hints::Hint,
    http::state::AppState,
    service::{Service, missing_run},
};

/// How often the viewer is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);
/// A viewer that was silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// A viewer that takes longer to take a message is gone.
const SLOWEST_SEND: Duration = Duration::from_secs(30);
/// How often the database is asked without a hint.
const UNASKED: Duration = Duration::from_secs(5);
/// How often a failed reading is tried again.
const READING_ATTEMPTS: u32 = 5;
/// What is in the ping that asks a viewer whether it has taken all that was sent before.
const TAKEN: Bytes = Bytes::from_static(b"taken");
/// A viewer sends nothing but pongs.
const LARGEST_MESSAGE: usize = 4096;

/// Closed since there is no such run: coming back is no use.
const NO_SUCH_RUN: u16 = close_code::POLICY;

/// What the viewer wants.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Wish {
    from: Option<u64>,
    window: Option<u32>,
}

/// Opens a log socket.
pub async fn open(
    State(state): State<AppState>,
    Path((id, number)): Path<(String, String)>,
    Query(wish): Query<Wish>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.max_message_size(LARGEST_MESSAGE).on_upgrade(async move |socket| {
        // Held to the very end: the server waits for it before it is gone.
        let mut closing = state.closing.subscribe();
        let mut viewer = Viewer::new(socket);
        let farewell = match find(&state.service, &id, &number).await {
            Ok(keys) => follow(&state.service, keys, wish, &mut viewer, &mut closing).await,
            Err(farewell) => Some(farewell),
        };
        if let Some((code, reason)) = farewell {
            viewer.close(code, reason).await;
        }
    })
}

/// The code and reason with which a socket is closed.
type Farewell = (u16, String);

async fn find(service: &Service, id: &str, number: &str) -> Result<RunKeys, Farewell> {
    let (Ok(id), Ok(number)) = (id.parse::<TaskId>(), number.parse::<RunNumber>()) else {
        return Err((NO_SUCH_RUN, "There is no such run.".to_owned()));
    };
    let keys = service.database().read({
        let id = id.clone();
        move |connection| crate::db::views::run_keys(connection, &id, Some(number))
    });
    keys.await.map_err(|error| match error {
        DatabaseError::NotFound => (NO_SUCH_RUN, missing_run(&id, number)()),
        other => unreadable(&other),
    })
}

fn unreadable(error: &DatabaseError) -> Farewell {
    tracing::error!(%error, "A log could not be read for a viewer");
    (close_code::ERROR, "The log cannot be read now. The server's log says why.".to_owned())
}

/// Sends what is new until the run has ended, the viewer leaves, or the server stops. Gives the words to close with,
/// if anybody is there to hear them.
async fn follow(
    service: &Service,
    keys: RunKeys,
    wish: Wish,
    viewer: &mut Viewer,
    closing: &mut watch::Receiver<bool>,
) -> Option<Farewell> {
    // Hints first, the database second: so nothing falls in between.
    let mut hints = service.hints().subscribe(keys.step);
    let mut reader = LogReader::new(keys.step, wish.from.unwrap_or(1), wish.window);
    loop {
        if *closing.borrow() {
            return Some((close_code::AWAY, "Stoker is being stopped.".to_owned()));
        }
        let hint = hints.borrow_and_update().clone();
        let reading = match read_patiently(service, &mut reader).await {
            Ok(reading) => reading,
            Err(DatabaseError::NotFound) => return Some((NO_SUCH_RUN, "The run was deleted.".to_owned())),
            Err(error) => return Some(unreadable(&error)),
        };
        let has_lines = !reading.frames.is_empty();
        let told = viewer.tell(reading, &hint).await;
        // What lies in buffers on the way cannot be left out any more: so a viewer that may be spared lines gets the next
        // ones only when it has taken these.
        let is_paced = wish.window.is_some() && has_lines && matches!(told, Told::Part | Told::All);
        if is_paced && viewer.wait_until_taken(closing).await.is_break() {
            return None;
        }
        match told {
            Told::Gone => return None,
            Told::Ended => return Some((close_code::NORMAL, "run ended".to_owned())),
            Told::Part => {}
            Told::All => {
                if viewer.wait(&mut hints, closing).await.is_break() {
                    return None;
                }
            }
        }
    }
}

async fn read_patiently(service: &Service, reader: &mut LogReader) -> Result<Reading, DatabaseError> {
    let mut attempt = 1;
    loop {
        match reader.read(service.database()).await {
            Err(DatabaseError::NotFound) => return Err(DatabaseError::NotFound),
            Err(error) if attempt < READING_ATTEMPTS => {
                tracing::warn!(%error, attempt, "A log could not be read for a viewer; trying again");
                tokio::time::sleep(Duration::from_millis(200) * attempt).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// How far the viewer was told.
enum Told {
    /// It is gone.
    Gone,
    /// There is more already.
    Part,
    /// It knows all there is.
    All,
    /// It knows all there will ever be.
    Ended,
}

/// The other end of a socket.
struct Viewer {
    sink: SplitSink<WebSocket, Message>,
    source: SplitStream<WebSocket>,
    ping: Interval,
    unasked: Interval,
    heard_at: Instant,
    /// The state that it knows, without the lines: those it counts itself.
    known: Option<RunState>,
    /// Whether it shows a line that has not ended.
    has_partial: bool,
}

impl Viewer {
    fn new(socket: WebSocket) -> Self {
        let (sink, source) = socket.split();
        let (mut ping, mut unasked) = (
            tokio::time::interval_at(Instant::now() + PING, PING),
            tokio::time::interval_at(Instant::now() + UNASKED, UNASKED),
        );
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        unasked.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { sink, source, ping, unasked, heard_at: Instant::now(), known: None, has_partial: false }
    }

    /// Tells the viewer what was read.
    async fn tell(&mut self, reading: Reading, hint: &Hint) -> Told {
        match self.try_tell(reading, hint).await {
            ControlFlow::Continue(told) => told,
            ControlFlow::Break(()) => Told::Gone,
        }
    }

    async fn try_tell(&mut self, reading: Reading, hint: &Hint) -> ControlFlow<(), Told> {
        let Reading { state, frames, has_more } = reading;
        let is_final = state.phase.is_final();
        // The news that a run has ended comes after its last line.
        if self.known.is_none() || !is_final {
            self.tell_state(&state).await?;
        }
        for frame in frames {
            self.has_partial = false;
            self.send(Message::Text(frame)).await?;
        }
        if has_more {
            self.listen_briefly()?;
            return ControlFlow::Continue(Told::Part);
        }
        if is_final {
            self.known = None;
            self.tell_state(&state).await?;
            return ControlFlow::Continue(Told::Ended);
        }
        self.tell_partial(hint).await?;
        ControlFlow::Continue(Told::All)
    }

    async fn tell_state(&mut self, state: &RunState) -> ControlFlow<()> {
        let shown = |state: &RunState| (state.phase, state.version, state.queue_place);
        let is_known = self.known.as_ref().is_some_and(|known| shown(known) == shown(state));
        if is_known {
            return ControlFlow::Continue(());
        }
        self.known = Some(state.clone());
        self.send_message(&LogMessage::State(state.clone())).await
    }

    async fn tell_partial(&mut self, hint: &Hint) -> ControlFlow<()> {
        match &hint.partial {
            Some((stream, text)) => {
                self.has_partial = true;
                self.send_message(&LogMessage::Partial { stream: *stream, text: text.clone() }).await
            }
            None if self.has_partial => {
                self.has_partial = false;
                let nothing = LogMessage::Partial { stream: app::model::log::Stream::Output, text: String::new() };
                self.send_message(&nothing).await
            }
            None => ControlFlow::Continue(()),
        }
    }

    /// Waits for something new. Breaks when the viewer is gone.
    async fn wait(
        &mut self,
        hints: &mut watch::Receiver<Hint>,
        closing: &mut watch::Receiver<bool>,
    ) -> ControlFlow<()> {
        loop {
            tokio::select! {
                changed = hints.changed() => {
                    if changed.is_err() {
                        // Nobody can give hints on this run any more; the database still can tell.
                        self.unasked.tick().await;
                    }
                    return ControlFlow::Continue(());
                }
                _ = closing.changed() => return ControlFlow::Continue(()),
                _ = self.unasked.tick() => return ControlFlow::Continue(()),
                message = self.source.next() => self.hear(message)?,
                _ = self.ping.tick() => {
                    if self.heard_at.elapsed() > SILENCE {
                        return ControlFlow::Break(());
                    }
                    self.send(Message::Ping(Bytes::new())).await?;
                }
            }
        }
    }

    /// Waits until the viewer has taken all that was sent: it answers a ping after what came before it. Breaks when it
    /// is gone.
    async fn wait_until_taken(&mut self, closing: &mut watch::Receiver<bool>) -> ControlFlow<()> {
        self.send(Message::Ping(TAKEN)).await?;
        let too_long = tokio::time::sleep(SILENCE);
        tokio::pin!(too_long);
        loop {
            tokio::select! {
                message = self.source.next() => {
                    let is_answer = matches!(&message, Some(Ok(Message::Pong(content))) if *content == TAKEN);
                    self.hear(message)?;
                    if is_answer {
                        return ControlFlow::Continue(());
                    }
                }
                _ = closing.changed() => return ControlFlow::Continue(()),
                () = &mut too_long => return ControlFlow::Break(()),
            }
        }
    }

    /// Takes what the viewer has said meanwhile, so that a long log does not make it look silent.
    fn listen_briefly(&mut self) -> ControlFlow<()> {
        while let Some(message) = self.source.next().now_or_never() {
            self.hear(message)?;
        }
        ControlFlow::Continue(())
    }

    fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> ControlFlow<()> {
        match message {
            Some(Ok(Message::Close(_)) | Err(_)) | None => ControlFlow::Break(()),
            Some(Ok(_)) => {
                self.heard_at = Instant::now();
                ControlFlow::Continue(())
            }
        }
    }

    async fn send_message(&mut self, message: &LogMessage) -> ControlFlow<()> {
        match serde_json::to_string(message) {
            Ok(text) => self.send(Message::Text(text.into())).await,
            Err(error) => {
                tracing::error!(%error, "A log message could not be written");
                ControlFlow::Break(())
            }
        }
    }

    /// Sends, and waits until it is on its way: nothing is kept for a viewer that does not keep up.
    async fn send(&mut self, message: Message) -> ControlFlow<()> {
        match timeout(SLOWEST_SEND, self.sink.send(message)).await {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) | Err(_) => ControlFlow::Break(()),
        }
    }

    async fn close(&mut self, code: u16, reason: String) {
        let frame = CloseFrame { code, reason: Utf8Bytes::from(reason) };
        if self.send(Message::Close(Some(frame))).await.is_continue() {
            // The viewer answers with a close of its own; without waiting for it, the last frames could be lost.
            let _ =
                timeout(Duration::from_secs(1), async { while let Some(Ok(_)) = self.source.next().await {} }).await;
        }
    }
}
