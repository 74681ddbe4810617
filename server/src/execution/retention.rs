//! Removes what is kept no longer of runs: at the server's start, and then once an hour. Which runs those are is said in
//! `db::retention`.

use std::time::Duration;

use app::model::{identifiers::RunId, retention::Retention, time::Timestamp};
use tokio::task::JoinHandle;

use crate::{
    clock::SharedClock,
    db::{Database, DatabaseError, retention},
};

/// The time from one sweep to the next.
const HOUR: Duration = Duration::from_secs(3600);
/// Runs that are looked for, and removed, at once: so few that other writers hardly wait.
const AT_ONCE: usize = 50;

/// Sweeps until the returned task is aborted, which harms nothing.
#[must_use]
pub fn start(database: Database, retention: Retention, clock: SharedClock) -> JoinHandle<()> {
    tokio::spawn(async move {
        // What was due while this machine slept is done once.
        let mut hours = tokio::time::interval(HOUR);
        hours.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            hours.tick().await;
            match sweep(&database, retention, clock.now()).await {
                Ok(0) => {}
                Ok(number) => tracing::info!(number, "Removed runs that are kept no longer, with their logs"),
                Err(error) => tracing::warn!(%error, "Old runs could not be removed; trying again in an hour"),
            }
        }
    })
}

/// Removes all that is kept no longer, and tells how many runs those were.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(database: &Database, retention: Retention, now: Timestamp) -> Result<usize, DatabaseError> {
    let mut removed = 0;
    loop {
        let look = move |connection: &mut _| retention::outdated(connection, &retention, now, AT_ONCE);
        let mut outdated: Vec<RunId> = database.read(look).await?;
        if outdated.is_empty() {
            return Ok(removed);
        }
        while !outdated.is_empty() {
            let runs = outdated.clone();
            let gone = database.write(move |connection| retention::remove(connection, &runs)).await?;
            outdated.drain(..gone);
            removed += gone;
        }
    }
}
