//! Pruning by itself: at the server's start, and then once a day. The Nix store, which can be cleaned only while no run is
//! active, is looked at more often.

use std::time::Duration;

use app::model::{
    sizes::bytes_text,
    time::{Timestamp, duration_text},
};
use tokio::task::JoinHandle;

use super::{Caches, prune::Prune};
use crate::clock::SharedClock;

/// The time from one pruning to the next.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// The time from one look to the next for what is to be cleaned from the Nix store.
const STORE: Duration = Duration::from_secs(600);

/// The point in time that lies so far back.
#[must_use]
pub fn before(now: Timestamp, age: Duration) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))
}

/// Prunes what was not used for so long, until the returned task is aborted, which harms nothing.
#[must_use]
pub fn start(caches: Caches, unused_for: Duration, clock: SharedClock) -> JoinHandle<()> {
    tokio::spawn(async move {
        // What was due while this machine slept is done once.
        let mut days = tokio::time::interval(DAY);
        days.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut store = tokio::time::interval(STORE);
        store.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = days.tick() => {}
                _ = store.tick() => {
                    caches.clean_store().await;
                    continue;
                }
            }
            let prune = Prune { unused_since: before(clock.now(), unused_for), dry_run: false };
            match caches.prune(prune).await {
                Ok(pruned) if pruned.is_empty() => {}
                Ok(pruned) => tracing::info!(
                    number = pruned.len(),
                    "Removed what was left of builds, and what no run used for {}: {}",
                    duration_text(u64::try_from(unused_for.as_millis()).unwrap_or(u64::MAX)),
                    bytes_text(pruned.iter().map(|one| one.bytes).sum())
                ),
                Err(error) => tracing::warn!(%error, "The caches could not be pruned; trying again tomorrow"),
            }
            caches.clean_store().await;
        }
    })
}
