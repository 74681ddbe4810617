//! The other end of a websocket that only listens: sends to it, knows whether it is still there, and says goodbye. What
//! is said is the business of the log sockets.

use std::{ops::ControlFlow, time::Duration};

use axum::{
    body::Bytes,
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
};
use futures::{
    FutureExt as _, SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use serde::Serialize;
use tokio::{
    sync::watch,
    time::{Instant, Interval, MissedTickBehavior, timeout},
};

/// Most bytes of a message to us: a viewer sends nothing but pongs.
pub const LARGEST_MESSAGE: usize = 4096;
/// How often the database is asked without a hint.
pub const UNASKED: Duration = Duration::from_secs(5);

/// How often the peer is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);
/// A peer that was silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// A peer that takes longer to take a message is gone.
const SLOWEST_SEND: Duration = Duration::from_secs(30);
/// What is in the ping that asks whether the peer has taken all that was sent before.
const TAKEN: Bytes = Bytes::from_static(b"taken");

/// The code and reason with which a socket is closed.
pub type Farewell = (u16, String);

/// Ticks evenly, from one period on.
pub fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Returns when the server stops, also when it has begun to before.
pub async fn until_closing(closing: &mut watch::Receiver<bool>) {
    // Without a sender there is no server any more.
    let _ = closing.wait_for(|is_closing| *is_closing).await;
}

/// The other end of a socket.
pub struct Peer {
    sink: SplitSink<WebSocket, Message>,
    source: SplitStream<WebSocket>,
    ping: Interval,
    heard_at: Instant,
}

impl Peer {
    /// The other end of this socket.
    pub fn new(socket: WebSocket) -> Self {
        let (sink, source) = socket.split();
        Self { sink, source, ping: every(PING), heard_at: Instant::now() }
    }

    /// Sends a message as JSON. Breaks when the peer is gone.
    pub async fn send_json(&mut self, message: &impl Serialize) -> ControlFlow<()> {
        match serde_json::to_string(message) {
            Ok(text) => self.send_text(text).await,
            Err(error) => {
                tracing::error!(%error, "A message could not be written");
                ControlFlow::Break(())
            }
        }
    }

    /// Sends a text. Breaks when the peer is gone.
    pub async fn send_text(&mut self, text: String) -> ControlFlow<()> {
        self.send(Message::Text(text.into())).await
    }

    /// Sends, and waits until it is on its way: nothing is kept for a peer that does not keep up.
    async fn send(&mut self, message: Message) -> ControlFlow<()> {
        match timeout(SLOWEST_SEND, self.sink.send(message)).await {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) | Err(_) => ControlFlow::Break(()),
        }
    }

    /// Returns when the peer is gone, and asks it now and then whether it is.
    pub async fn until_gone(&mut self) {
        loop {
            let outcome = tokio::select! {
                message = self.source.next() => self.hear(message),
                _ = self.ping.tick() => {
                    if self.heard_at.elapsed() > SILENCE {
                        return;
                    }
                    self.send(Message::Ping(Bytes::new())).await
                }
            };
            if outcome.is_break() {
                return;
            }
        }
    }

    /// Waits until the peer has taken all that was sent: it answers a ping after what came before it. Breaks when it is
    /// gone.
    pub async fn wait_until_taken(&mut self, closing: &mut watch::Receiver<bool>) -> ControlFlow<()> {
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
                () = until_closing(closing) => return ControlFlow::Continue(()),
                () = &mut too_long => return ControlFlow::Break(()),
            }
        }
    }

    /// Takes what the peer has said meanwhile, so that a long log does not make it look silent.
    pub fn listen_briefly(&mut self) -> ControlFlow<()> {
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

    /// Closes the socket, and waits a moment until the peer has heard it.
    pub async fn close(&mut self, (code, reason): Farewell) {
        let frame = CloseFrame { code, reason: Utf8Bytes::from(reason) };
        if self.send(Message::Close(Some(frame))).await.is_continue() {
            // The peer answers with a close of its own; without waiting for it, the last frames could be lost.
            let _ =
                timeout(Duration::from_secs(1), async { while let Some(Ok(_)) = self.source.next().await {} }).await;
        }
    }
}
