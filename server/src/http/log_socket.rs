//! The log socket: tells a viewer a run's lines as they come, and when the run changes.
//!
//! Hints only wake it; what it sends it reads from the database, so a viewer can leave and come back at any line.

use std::ops::ControlFlow;

use app::{
    backend::BackendError,
    model::{
        identifiers::StepId,
        log::{LogMessage, RunState, Stream},
        step_address::StepAddress,
    },
};
use axum::{
    extract::{
        Query, State,
        ws::{WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use serde::Deserialize;
use tokio::{sync::watch, time::Interval};

use super::{
    access::Access,
    step_path::StepPath,
    websocket::{Farewell, LARGEST_MESSAGE, Peer, UNASKED, every, until_closing},
};
use crate::{
    execution::hints::Hint,
    http::state::AppState,
    service::{Reading, Service},
};

/// Closed since there is no such run: coming back is no use.
pub const NO_SUCH_RUN: u16 = close_code::POLICY;

/// What the viewer wants.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct SocketQuery {
    from: Option<u64>,
    window: Option<u32>,
}

/// Opens a log socket.
pub async fn open(
    State(state): State<AppState>,
    Access(service): Access,
    StepPath(step): StepPath,
    Query(query): Query<SocketQuery>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.max_message_size(LARGEST_MESSAGE).on_upgrade(async move |socket| {
        // Held to the very end: the server waits for it before it is gone.
        let mut closing = state.closing.subscribe();
        let mut viewer = Viewer::new(socket);
        let farewell = match find(&service, step).await {
            Ok(step) => follow(&service, step, query, &mut viewer, &mut closing).await,
            Err(farewell) => Some(farewell),
        };
        if let Some(farewell) = farewell {
            viewer.peer.close(farewell).await;
        }
    })
}

async fn find(service: &Service, step: Option<StepAddress>) -> Result<StepId, Farewell> {
    let Some(step) = step else {
        return Err((NO_SUCH_RUN, "There is no such run.".to_owned()));
    };
    let keys = service.step_keys(&step).await;
    keys.map(|keys| keys.step).map_err(farewell)
}

/// The words with which a socket is closed after this.
fn farewell(error: BackendError) -> Farewell {
    match error {
        BackendError::NotFound(text) => (NO_SUCH_RUN, text),
        // The whole text may be longer than a reason can be.
        _ => (close_code::ERROR, "The log cannot be read now. The server's log says why.".to_owned()),
    }
}

/// What is said to viewers when the server stops.
pub fn stopping() -> Farewell {
    (close_code::AWAY, "Stoker is being stopped.".to_owned())
}

/// Sends what is new until the run has ended, the viewer leaves, or the server stops. Gives the words to close with,
/// if anybody is there to hear them.
async fn follow(
    service: &Service,
    step: StepId,
    query: SocketQuery,
    viewer: &mut Viewer,
    closing: &mut watch::Receiver<bool>,
) -> Option<Farewell> {
    // Hints first, the database second: so nothing falls in between.
    let mut hints = service.hints().subscribe(step);
    let mut reader = service.log_reader(step, query.from.unwrap_or(1), query.window);
    loop {
        if *closing.borrow() {
            return Some(stopping());
        }
        let hint = hints.borrow_and_update().clone();
        let reading = match reader.read().await {
            Ok(reading) => reading,
            Err(error) => return Some(farewell(error)),
        };
        let has_lines = !reading.frames.is_empty();
        let told = viewer.tell(reading, &hint).await;
        // What lies in buffers on the way cannot be left out any more: so a viewer that may be spared lines gets the next
        // ones only when it has taken these.
        let is_paced = query.window.is_some() && has_lines && matches!(told, Told::Part | Told::All);
        if is_paced && viewer.peer.wait_until_taken(closing).await.is_break() {
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

/// Who looks at a log, and what they know of it.
struct Viewer {
    peer: Peer,
    unasked: Interval,
    /// The state that it knows, without the lines: those it counts itself.
    known: Option<RunState>,
    /// Whether it shows a line that has not ended.
    has_partial: bool,
}

impl Viewer {
    fn new(socket: WebSocket) -> Self {
        Self { peer: Peer::new(socket), unasked: every(UNASKED), known: None, has_partial: false }
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
            self.peer.send_text(frame).await?;
        }
        if has_more {
            self.peer.listen_briefly()?;
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
        self.peer.send_json(&LogMessage::State(state.clone())).await
    }

    async fn tell_partial(&mut self, hint: &Hint) -> ControlFlow<()> {
        match &hint.partial {
            Some((stream, text)) => {
                self.has_partial = true;
                self.peer.send_json(&LogMessage::Partial { stream: *stream, text: text.clone() }).await
            }
            None if self.has_partial => {
                self.has_partial = false;
                self.peer.send_json(&LogMessage::Partial { stream: Stream::Output, text: String::new() }).await
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
        tokio::select! {
            changed = hints.changed() => {
                if changed.is_err() {
                    // Nobody can give hints on this run any more; the database still can tell.
                    self.unasked.tick().await;
                }
                ControlFlow::Continue(())
            }
            () = until_closing(closing) => ControlFlow::Continue(()),
            _ = self.unasked.tick() => ControlFlow::Continue(()),
            () = self.peer.until_gone() => ControlFlow::Break(()),
        }
    }
}
