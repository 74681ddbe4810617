//! The checks of the place where Stoker works, made in the background; what they found last is kept in memory.
//! What is checked is decided in `preflight`.

use std::{sync::Arc, time::Duration};

use app::model::{checks::CheckReport, diagnostics::LastChecks};
use async_trait::async_trait;
use tokio::sync::watch;

use crate::{clock::SharedClock, preflight};

/// How long who asks for the checks waits for them. They go on after that.
const PATIENCE: Duration = Duration::from_secs(10);

#[async_trait]
pub trait Checker: Send + Sync + 'static {
    /// Makes all of them, once.
    async fn check(&self) -> CheckReport;
}

/// The checks of `stoker preflight`, for a server that runs.
pub struct Preflight {
    /// What they need to know.
    pub settings: preflight::Settings,
    /// Says when they were made.
    pub clock: SharedClock,
}

#[async_trait]
impl Checker for Preflight {
    async fn check(&self) -> CheckReport {
        preflight::run(&self.settings, self.clock.as_ref()).await
    }
}

/// The checks as last made. Cheap to clone.
#[derive(Clone)]
pub struct Checks {
    checker: Arc<dyn Checker>,
    last: watch::Sender<LastChecks>,
}

impl Checks {
    /// Checks that were not made yet.
    #[must_use]
    pub fn new(checker: Arc<dyn Checker>) -> Self {
        Self { checker, last: watch::Sender::default() }
    }

    /// What they found last.
    #[must_use]
    pub fn last(&self) -> LastChecks {
        self.last.borrow().clone()
    }

    /// Begins to make them, unless that is under way.
    pub fn start(&self) {
        if !self.last.send_if_modified(|last| !std::mem::replace(&mut last.under_way, true)) {
            return;
        }
        let checks = self.clone();
        tokio::spawn(async move {
            let checker = checks.checker.clone();
            let made = tokio::spawn(async move { checker.check().await }).await;
            checks.last.send_modify(|last| {
                last.under_way = false;
                match made {
                    Ok(report) => last.report = Some(report),
                    Err(error) => tracing::error!(%error, "The checks came to no end"),
                }
            });
        });
    }

    /// Makes them once more, and waits for them a moment.
    pub async fn again(&self) {
        self.start();
        let mut last = self.last.subscribe();
        // Late is no error: the page says that they are under way.
        let _ = tokio::time::timeout(PATIENCE, last.wait_for(|last| !last.under_way)).await;
    }
}
