//! The latest warnings and errors of the server's log, kept in memory to be shown.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use app::model::diagnostics::RecentError;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use crate::clock::SharedClock;

/// How many are kept.
const KEPT: usize = 50;
/// How much of each is kept, in characters.
const LONGEST: usize = 1000;

/// The latest warnings and errors, newest first. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct RecentErrors(Arc<Mutex<VecDeque<RecentError>>>);

impl RecentErrors {
    /// What listens to the log for them. It hears warnings and errors whatever the log's own filter is.
    #[must_use]
    pub fn listener(&self, clock: SharedClock) -> RecentErrorsLayer {
        RecentErrorsLayer { errors: self.clone(), clock }
    }

    /// All that are kept, newest first.
    #[must_use]
    pub fn all(&self) -> Vec<RecentError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn add(&self, error: RecentError) {
        let mut errors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        errors.push_front(error);
        errors.truncate(KEPT);
    }
}

/// Listens to the log.
pub struct RecentErrorsLayer {
    errors: RecentErrors,
    clock: SharedClock,
}

impl<S: Subscriber> Layer<S> for RecentErrorsLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::WARN {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        let text = format!("{}{}", text.message, text.fields).chars().take(LONGEST).collect();
        self.errors.add(RecentError { at: self.clock.now(), is_error: level == Level::ERROR, text });
    }
}

/// An event's sentence, and its fields as ` name=value`.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        use fmt::Write as _;
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(self.fields, " {}={value:?}", field.name());
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn the_latest_come_first_and_the_oldest_are_forgotten() {
        let errors = RecentErrors::default();
        let subscriber = tracing_subscriber::registry().with(errors.listener(Arc::new(SystemClock)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("not this");
            for number in 0..KEPT {
                tracing::warn!(number, "A warning");
            }
            tracing::error!(error = %"the cause", "It failed");
        });
        let all = errors.all();
        assert_eq!(all.len(), KEPT);
        assert_eq!((all[0].text.as_str(), all[0].is_error), ("It failed error=the cause", true));
        assert_eq!((all[1].text.as_str(), all[1].is_error), ("A warning number=49", false));
        assert_eq!(all[KEPT - 1].text, "A warning number=1");
    }
}
