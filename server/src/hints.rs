//! Hints for viewers: "run X has something new". They carry no data but what is never stored (a line that has not
//! ended yet); viewers read the rest from the database, so a lost hint loses nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::model::{identifiers::RunId, log::Stream};
use tokio::sync::watch;

/// What is new about a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hint {
    /// Counts the hints.
    pub count: u64,
    /// The line that has not ended yet, with its stream.
    pub partial: Option<(Stream, String)>,
}

/// The hints of all runs that somebody watches.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    runs: Arc<Mutex<HashMap<RunId, watch::Sender<Hint>>>>,
}

impl Hints {
    /// Watches a run. The present value counts as seen: read the database after subscribing, not before.
    #[must_use]
    pub fn subscribe(&self, run: RunId) -> watch::Receiver<Hint> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|_, sender| sender.receiver_count() > 0);
        runs.entry(run).or_default().subscribe()
    }

    /// Tells the watchers of a run that there is something new in the database.
    pub fn changed(&self, run: RunId) {
        self.send(run, None);
    }

    /// Tells the watchers of a run of a line that has not ended yet.
    pub fn partial(&self, run: RunId, stream: Stream, text: String) {
        self.send(run, Some((stream, text)));
    }

    fn send(&self, run: RunId, partial: Option<(Stream, String)>) {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = runs.get(&run) {
            sender.send_modify(|hint| {
                hint.count += 1;
                hint.partial = partial;
            });
        }
    }
}
