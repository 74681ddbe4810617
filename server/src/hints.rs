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
        runs.retain(|_, sender| is_needed(sender));
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
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        // A line that has not ended is nowhere else: it is kept for viewers who come later.
        if partial.is_none() && !runs.contains_key(&run) {
            return;
        }
        let sender = runs.entry(run).or_default();
        sender.send_modify(|hint| {
            hint.count += 1;
            hint.partial = partial;
        });
        if !is_needed(sender) {
            runs.remove(&run);
        }
    }
}

/// Somebody watches, or there is something that only the hint knows.
fn is_needed(sender: &watch::Sender<Hint>) -> bool {
    sender.receiver_count() > 0 || sender.borrow().partial.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_who_comes_later_sees_the_line_that_has_not_ended() {
        let hints = Hints::default();
        hints.partial(RunId(1), Stream::Output, "10%".into());
        assert_eq!(hints.subscribe(RunId(1)).borrow().partial, Some((Stream::Output, "10%".into())));
    }

    #[test]
    fn nothing_is_kept_of_runs_that_nobody_watches() {
        let hints = Hints::default();
        hints.changed(RunId(1));
        hints.partial(RunId(2), Stream::Output, "10%".into());
        hints.changed(RunId(2));
        drop(hints.subscribe(RunId(3)));
        drop(hints.subscribe(RunId(4)));
        assert_eq!(hints.runs.lock().unwrap().len(), 1);
    }
}
