//! Hints for viewers: "step X has something new". They carry no data but what is never stored (a line that has not
//! ended yet); viewers read the rest from the database, so a lost hint loses nothing.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app::model::{identifiers::StepId, log::Stream};
use tokio::sync::watch;

/// What is new about a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hint {
    pub count: u64,
    /// The line that has not ended yet, with its stream.
    pub partial: Option<(Stream, String)>,
}

/// The hints of all steps that somebody watches.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    steps: Arc<Mutex<HashMap<StepId, watch::Sender<Hint>>>>,
}

impl Hints {
    /// Watches a step. The present value counts as seen: read the database after subscribing, not before.
    #[must_use]
    pub fn subscribe(&self, step: StepId) -> watch::Receiver<Hint> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.retain(|_, sender| is_needed(sender));
        steps.entry(step).or_default().subscribe()
    }

    /// Tells the watchers of a step that there is something new in the database.
    pub fn changed(&self, step: StepId) {
        self.send(step, None);
    }

    /// Tells the watchers of these steps that there is something new in the database.
    pub fn changed_all(&self, changed: impl IntoIterator<Item = StepId>) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        for step in changed {
            tell(&mut steps, step, None);
        }
    }

    /// Tells the watchers of a step of a line that has not ended yet.
    pub fn partial(&self, step: StepId, stream: Stream, text: String) {
        self.send(step, Some((stream, text)));
    }

    fn send(&self, step: StepId, partial: Option<(Stream, String)>) {
        tell(&mut self.steps.lock().unwrap_or_else(PoisonError::into_inner), step, partial);
    }
}

fn tell(steps: &mut HashMap<StepId, watch::Sender<Hint>>, step: StepId, partial: Option<(Stream, String)>) {
    // A line that has not ended is nowhere else: it is kept for viewers who come later.
    if partial.is_none() && !steps.contains_key(&step) {
        return;
    }
    let sender = steps.entry(step).or_default();
    sender.send_modify(|hint| {
        hint.count += 1;
        hint.partial = partial;
    });
    if !is_needed(sender) {
        steps.remove(&step);
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
        hints.partial(StepId(1), Stream::Output, "10%".into());
        assert_eq!(hints.subscribe(StepId(1)).borrow().partial, Some((Stream::Output, "10%".into())));
    }

    #[test]
    fn nothing_is_kept_of_steps_that_nobody_watches() {
        let hints = Hints::default();
        hints.changed(StepId(1));
        hints.partial(StepId(2), Stream::Output, "10%".into());
        hints.changed(StepId(2));
        drop(hints.subscribe(StepId(3)));
        drop(hints.subscribe(StepId(4)));
        assert_eq!(hints.steps.lock().unwrap().len(), 1);
    }
}
