//! Counts what is asked of the cluster, so that a load on it that grows without reason is seen.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use kube::{
    Client,
    client::{Body, ClientBuilder},
};
use tower::util::MapRequestLayer;

/// How many requests there were. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<AtomicU64>);

impl Traffic {
    /// Requests so far, those included that had no answer. A watch, or a log that is followed, is one.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// A client whose requests are counted.
    ///
    /// # Errors
    /// When there are no credentials.
    pub(super) fn counted(&self, config: kube::Config) -> Result<Client, kube::Error> {
        let count = self.0.clone();
        let layer = MapRequestLayer::new(move |request: http::Request<Body>| {
            count.fetch_add(1, Ordering::Relaxed);
            request
        });
        Ok(ClientBuilder::try_from(config)?.with_layer(&layer).build())
    }
}
