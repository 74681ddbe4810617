//! How many lines of a log match, as searches have counted them: kept, so that the way to the next match and every other page
//! of the same search read little. A log only grows, so what was counted stays right.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use app::model::{identifiers::StepId, log_search::LogQuery};

use crate::db::{
    Database, DatabaseError,
    log_search::{self, Tally},
};

/// So many are kept, each of less than a hundred kilobytes for a log of a million lines.
const MOST: usize = 16;
/// Lines beyond so many are counted by two at once.
const ALONE: u64 = 50_000;

/// What was counted last.
#[derive(Default)]
pub struct Tallies(Mutex<VecDeque<Kept>>);

struct Kept {
    step: StepId,
    query: LogQuery,
    tally: Arc<Tally>,
    /// The line after those that were counted.
    next: u64,
}

impl Tallies {
    /// Counts the lines of a log before `next` that match. Only those are read that were not counted yet.
    ///
    /// # Errors
    /// When the database does not answer, or a row is damaged.
    pub async fn until(
        &self,
        database: &Database,
        step: StepId,
        query: &LogQuery,
        next: u64,
    ) -> Result<Arc<Tally>, DatabaseError> {
        // Which lines are shown makes no difference to how many match.
        let query = LogQuery { only_matches: false, ..query.clone() };
        let mut kept = self.take(step, &query).unwrap_or_else(|| Kept { step, query, tally: Arc::default(), next: 1 });
        if kept.next < next {
            let count = |first, next| {
                let query = kept.query.clone();
                database.read(move |connection| log_search::tally(connection, step, &query, first, next))
            };
            let lines = next - kept.next;
            let middle = if lines > ALONE { kept.next + lines / 2 } else { next };
            let (former, latter) = tokio::try_join!(count(kept.next, middle), count(middle, next))?;
            let tally = Arc::make_mut(&mut kept.tally);
            tally.extend(former);
            tally.extend(latter);
            kept.next = next;
        }
        let tally = kept.tally.clone();
        self.keep(kept);
        Ok(tally)
    }

    fn take(&self, step: StepId, query: &LogQuery) -> Option<Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|kept| kept.step == step && kept.query == *query)?;
        kept.remove(place)
    }

    fn keep(&self, newest: Kept) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front(newest);
        kept.truncate(MOST);
    }
}
