//! Whether the cluster answers, and if not, since when. Watches say when they doubt it; then the cluster is asked, until
//! it answers. While everything works, nothing is asked here.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::model::time::Timestamp;
use kube::{Api, Error, api::ListParams, core::DynamicObject};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::Instant,
};

use crate::clock::SharedClock;

/// How long an answer may take.
const ANSWERING: Duration = Duration::from_secs(5);
/// The shortest and the longest pause between two questions.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a cluster that was just started may refuse what it allows: it does not know its own rules yet.
const SETTLING: Duration = Duration::from_secs(60);

/// Whether the cluster answers. It is found out as long as this is kept.
pub struct Contact {
    doubts: Doubts,
    lost_since: watch::Receiver<Option<Timestamp>>,
    found_again: Arc<Mutex<Option<Instant>>>,
    _asking: JoinSet<()>,
}

/// Somebody's way to say that the cluster may not answer.
#[derive(Clone)]
pub struct Doubts {
    clock: SharedClock,
    raised: Arc<Notify>,
    last: Arc<Mutex<Option<(Timestamp, String)>>>,
}

impl Doubts {
    /// Something went wrong on the way to the cluster.
    pub fn raise(&self, what: String) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((self.clock.now(), what));
        self.raised.notify_one();
    }
}

impl Contact {
    /// With a cluster that is asked for these.
    #[must_use]
    pub fn with(workflows: Api<DynamicObject>, clock: SharedClock) -> Self {
        let doubts = Doubts { clock: clock.clone(), raised: Arc::default(), last: Arc::default() };
        let (tell, lost_since) = watch::channel(None);
        let found_again = Arc::default();
        let mut asking = JoinSet::new();
        asking.spawn(ask(workflows, clock, doubts.raised.clone(), tell, Arc::clone(&found_again)));
        Self { doubts, lost_since, found_again, _asking: asking }
    }

    /// For those who may notice that the cluster does not answer.
    #[must_use]
    pub fn doubts(&self) -> Doubts {
        self.doubts.clone()
    }

    /// True when the cluster answers, and has done so for long enough that its refusals are meant.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        let found_again = *self.found_again.lock().unwrap_or_else(PoisonError::into_inner);
        self.lost_since.borrow().is_none() && found_again.is_none_or(|at| at.elapsed() > SETTLING)
    }

    /// The last doubt, and when that was.
    #[must_use]
    pub fn last_doubt(&self) -> Option<(Timestamp, String)> {
        self.doubts.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Since when the cluster does not answer, and every change of that.
    #[must_use]
    pub fn lost_since(&self) -> watch::Receiver<Option<Timestamp>> {
        self.lost_since.clone()
    }
}

async fn ask(
    workflows: Api<DynamicObject>,
    clock: SharedClock,
    raised: Arc<Notify>,
    tell: watch::Sender<Option<Timestamp>>,
    found_again: Arc<Mutex<Option<Instant>>>,
) {
    loop {
        raised.notified().await;
        let doubted_at = clock.now();
        let mut pause = SHORTEST_PAUSE;
        while let Err(error) = question(&workflows).await {
            if tell.borrow().is_none() {
                tracing::warn!(%error, "The cluster does not answer; asking until it does");
                tell.send_replace(Some(doubted_at));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        if tell.borrow().is_some() {
            tracing::info!("The cluster answers again");
            *found_again.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            tell.send_replace(None);
        }
    }
}

/// Something that the cluster can answer only when it works as a whole. A refusal is an answer too.
async fn question(workflows: &Api<DynamicObject>) -> Result<(), String> {
    match tokio::time::timeout(ANSWERING, workflows.list_metadata(&ListParams::default().limit(1))).await {
        Err(_) => Err("no answer in time".to_owned()),
        Ok(Err(Error::Api(status))) if status.code < 500 => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(_)) => Ok(()),
    }
}

/// What is said of a run while the cluster does not answer.
#[must_use]
pub fn lost_words(since: Timestamp) -> String {
    let time = since.to_clock_text();
    format!(
        "The cluster does not answer since {time:.8} UTC. The run may well go on there; what it did meanwhile is shown when \
         the cluster answers again."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_day_is_said() {
        assert!(lost_words(Timestamp(3_723_000)).contains("since 01:02:03 UTC."));
    }
}
