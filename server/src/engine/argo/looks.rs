//! Looks at what the cluster itself has of a run, now: watches may be behind. Many steps may want to know at the same
//! moment, and for all of them there is one look.

use std::sync::Arc;

use app::model::identifiers::RunUid;
use kube::api::ListParams;
use tokio::{sync::Mutex, time::Instant};

use super::{
    cluster::Cluster,
    watch::{Sight, read_pod, read_workflow},
};

/// Looks at one run.
pub struct Looks {
    cluster: Arc<Cluster>,
    run: RunUid,
    /// What was seen last, and when that look began.
    last: Mutex<Option<(Instant, Arc<Sight>)>>,
}

impl Looks {
    /// At this run.
    #[must_use]
    pub fn at(cluster: Arc<Cluster>, run: RunUid) -> Self {
        Self { cluster, run, last: Mutex::default() }
    }

    /// What the cluster has at a moment after this was asked.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn look(&self) -> Result<Arc<Sight>, kube::Error> {
        let asked_at = Instant::now();
        let mut last = self.last.lock().await;
        if let Some((began_at, sight)) = &*last
            && *began_at >= asked_at
        {
            return Ok(sight.clone());
        }
        let began_at = Instant::now();
        let sight = Arc::new(self.ask().await?);
        *last = Some((began_at, sight.clone()));
        Ok(sight)
    }

    async fn ask(&self) -> Result<Sight, kube::Error> {
        let cluster = &self.cluster;
        let mut sight = Sight::default();
        let workflow = cluster.workflows.get_opt(&cluster.names.workflow(&self.run)).await?;
        if let Some((_, object)) = workflow.as_ref().and_then(read_workflow) {
            sight.add(object);
        }
        let selected = ListParams::default().labels(&cluster.names.run_selector(&self.run));
        for pod in cluster.pods.list(&selected).await? {
            if let Some((_, object)) = read_pod(&pod) {
                sight.add(object);
            }
        }
        Ok(sight)
    }
}
