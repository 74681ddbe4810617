//! The log socket that programs of an older product know, `/ws/tasks/{id}/logs`: the whole text each time something has
//! changed, as far as it fits, then the news that the run has ended. Pages use `log_socket`, which sends each line once.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use app::{
    backend::{Backend as _, BackendError},
    model::{
        identifiers::{Kind, RunNumber, TaskId},
        step_address::StepAddress,
        views::{LogPage, LogWindow, RunDetail, RunKeys},
    },
};
use axum::{
    extract::{
        Path, RawQuery, State,
        ws::{WebSocketUpgrade, close_code, rejection::WebSocketUpgradeRejection},
    },
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    access::Access,
    api::{
        body::parameter,
        error::{ApiError, known},
        shapes::{LogEntry, phase_word},
    },
    log_socket::{NO_SUCH_RUN, stopping},
    websocket::{Farewell, LARGEST_MESSAGE, Peer, UNASKED, every, until_closing},
};
use crate::{execution::hints::Hint, http::state::AppState, service::Service};

/// Most lines of a snapshot. Of long lines it has fewer.
const LINES: u32 = 10_000;
/// The least time from one snapshot to the next.
const PACE: Duration = Duration::from_secs(1);

/// What is said on the socket.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    /// The log as it is now.
    Logs { data: Vec<LogEntry>, workflow_phase: &'static str },
    /// The run has ended.
    Complete { workflow_phase: &'static str },
    /// The log cannot be told. The socket is closed after it.
    Error { message: String },
}

/// Opens the socket. Anything but a websocket finds nothing here.
pub async fn open(
    State(state): State<AppState>,
    Access(service): Access,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else { return ApiError::NotFound("Not Found".to_owned()).into_response() };
    let wanted = parameter(query.as_deref(), "run");
    upgrade.max_message_size(LARGEST_MESSAGE).on_upgrade(async move |socket| {
        // Held to the very end: the server waits for it before it is gone.
        let mut closing = state.closing.subscribe();
        let mut viewer = Viewer { peer: Peer::new(socket), service };
        let farewell = match viewer.find(&id, wanted.as_deref()).await {
            Ok((id, keys)) => viewer.follow(&id, keys, &mut closing).await,
            Err(fault) => viewer.refuse(fault).await,
        };
        if let ControlFlow::Continue(farewell) = farewell {
            viewer.peer.close(farewell).await;
        }
    })
}

/// Why a log cannot be told, and whether coming back is of use.
struct Fault {
    message: String,
    code: u16,
}

impl Fault {
    fn no_run(message: String) -> Self {
        Self { message, code: NO_SUCH_RUN }
    }

    fn of(error: BackendError, missing: impl FnOnce() -> String) -> Self {
        match error {
            BackendError::NotFound(_) => Self::no_run(missing()),
            other => Self { message: other.to_string(), code: close_code::ERROR },
        }
    }
}

/// Who looks at a log, and by what they may see it. Every step breaks when they are gone.
struct Viewer {
    peer: Peer,
    service: Arc<Service>,
}

impl Viewer {
    /// The run to follow: the one asked for, or the latest of this moment.
    async fn find(&self, id: &str, wanted: Option<&str>) -> Result<(TaskId, RunKeys), Fault> {
        let no_runs = || format!("No runs found for task {id}");
        let Ok(task) = known(Kind::Task, id) else { return Err(Fault::no_run(no_runs())) };
        let keys = match wanted {
            None => self.service.latest_run_keys(&task).await.map_err(|error| Fault::of(error, no_runs))?,
            Some(wanted) => {
                let missing = || format!("Run {wanted} not found for task {id}");
                let Ok(number) = wanted.parse::<RunNumber>() else { return Err(Fault::no_run(missing())) };
                self.service
                    .step_keys(&StepAddress::first(task.clone(), number))
                    .await
                    .map_err(|error| Fault::of(error, missing))?
            }
        };
        Ok((task, keys))
    }

    /// Tells the log as often as it changes, until the run has ended or the server stops.
    async fn follow(
        &mut self,
        id: &TaskId,
        keys: RunKeys,
        closing: &mut watch::Receiver<bool>,
    ) -> ControlFlow<(), Farewell> {
        let deleted = || format!("Run {} of task {id} was deleted.", keys.number);
        // Hints first, the database second: so nothing falls in between.
        let mut hints = self.service.hints().subscribe(keys.step);
        let mut unasked = every(UNASKED);
        let mut known = None;
        loop {
            if *closing.borrow() {
                return ControlFlow::Continue(stopping());
            }
            hints.mark_unchanged();
            let (run, log) = match self
                .service
                .run_with_log(&StepAddress::first(id.clone(), keys.number), LogWindow::Last(LINES))
                .await
            {
                Ok(found) => found,
                Err(error) => return self.refuse(Fault::of(error, deleted)).await,
            };
            let next = Instant::now() + PACE;
            let workflow_phase = phase_word(run.state.phase);
            let state = (run.state.phase, log.total);
            if known.replace(state) != Some(state) {
                self.peer.send_json(&Said::Logs { data: entries(&run, &log), workflow_phase }).await?;
                // A peer that is slow gets the next snapshot when it has this one, and not all of those in between.
                self.peer.wait_until_taken(closing).await?;
            }
            if run.state.phase.is_final() {
                self.peer.send_json(&Said::Complete { workflow_phase }).await?;
                return ControlFlow::Continue((close_code::NORMAL, "run ended".to_owned()));
            }
            tokio::select! {
                () = changed(&mut hints, next) => {}
                _ = unasked.tick() => {}
                () = until_closing(closing) => {}
                () = self.peer.until_gone() => return ControlFlow::Break(()),
            }
        }
    }

    /// Says why there is no log to tell, once.
    async fn refuse(&mut self, fault: Fault) -> ControlFlow<(), Farewell> {
        self.peer.send_json(&Said::Error { message: fault.message }).await?;
        ControlFlow::Continue((fault.code, "see the message before".to_owned()))
    }
}

/// Waits for a hint, and then until it is time again.
async fn changed(hints: &mut watch::Receiver<Hint>, next: Instant) {
    if hints.changed().await.is_err() {
        // Nobody can give hints on this run any more; the database is asked now and then all the same.
        std::future::pending::<()>().await;
    }
    sleep_until(next).await;
}

/// The log in the shape in which the REST API tells it, and what was left out of it.
fn entries(run: &RunDetail, log: &LogPage) -> Vec<LogEntry> {
    if log.total == 0 {
        return LogEntry::of_message(run).into_iter().collect();
    }
    let mut text = String::new();
    if log.lines.first > 1 {
        let (id, number) = (&run.task_id, run.summary.number);
        text = format!(
            "[{} earlier lines are left out here; /api/v1/tasks/{id}/runs/{number}/logs has them all]\n",
            log.lines.first - 1
        );
    }
    let lines: Vec<&str> = log.lines.lines.iter().map(|line| line.2.as_str()).collect();
    text.push_str(&lines.join("\n"));
    vec![LogEntry::new(run, text)]
}
