//! What one check found, and how a check is kept from hanging or taking the others down.

use std::{borrow::Cow, future::Future, time::Duration};

use app::model::{
    checkpoint::CheckpointStatus,
    checks::{Check, CheckGroup},
};
use tokio::task::JoinSet;

use crate::kubernetes::refusal::Refusal;

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    /// The word by which programs and `--only` know it.
    pub key: Cow<'static, str>,
    /// Where it is shown.
    pub group: CheckGroup,
    /// A short name for people.
    pub title: Cow<'static, str>,
}

impl Subject {
    pub(super) const fn new(key: &'static str, group: CheckGroup, title: &'static str) -> Self {
        Self { key: Cow::Borrowed(key), group, title: Cow::Borrowed(title) }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub status: CheckpointStatus,
    pub detail: String,
    pub fix: Option<String>,
}

impl From<Refusal> for Finding {
    fn from(refusal: Refusal) -> Self {
        Self::failed(refusal.what, refusal.advice)
    }
}

impl Finding {
    pub(super) fn ok(detail: impl Into<String>) -> Self {
        Self { status: CheckpointStatus::Ok, detail: detail.into(), fix: None }
    }

    /// Does not apply; the detail says why.
    pub(super) fn skipped(detail: impl Into<String>) -> Self {
        Self { status: CheckpointStatus::Skipped, detail: detail.into(), fix: None }
    }

    pub(super) fn warning(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: CheckpointStatus::Warning, detail: detail.into(), fix: Some(fix.into()) }
    }

    pub(super) fn failed(detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: CheckpointStatus::Failed, detail: detail.into(), fix: Some(fix.into()) }
    }

    pub(super) fn of(self, subject: Subject) -> Check {
        Check {
            key: subject.key.into_owned(),
            group: subject.group,
            title: subject.title.into_owned(),
            status: self.status,
            detail: self.detail,
            fix: self.fix,
        }
    }
}

/// Makes one check.
pub(super) async fn look(
    subject: Subject,
    limit: Duration,
    work: impl Future<Output = Finding> + Send + 'static,
) -> Check {
    guard(limit, work).await.unwrap_or_else(|finding| finding).of(subject)
}

/// Gives what the work gives, or what to say when it takes too long or panics. It runs as a task of its own, which ends
/// when the caller goes away.
pub(super) async fn guard<T: Send + 'static>(
    limit: Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Finding> {
    let mut task = JoinSet::new();
    task.spawn(work);
    match tokio::time::timeout(limit, task.join_next()).await {
        Ok(Some(Ok(outcome))) => Ok(outcome),
        Ok(Some(Err(error))) => {
            tracing::error!(%error, "A check ended in the middle");
            Err(Finding::failed(
                "The check itself broke off, so nothing is known.",
                "This is a mistake in Stoker. Please report it with what is in the log.",
            ))
        }
        Ok(None) | Err(_) => Err(Finding::failed(
            format!("There was no answer within {} seconds.", limit.as_secs()),
            "The machine, its disk or its network may be overloaded, or hang. Try again when it is calmer.",
        )),
    }
}

/// For what waits for a disk: a hanging one holds up a thread of its own, nothing else.
pub(super) async fn blocking(work: impl FnOnce() -> Finding + Send + 'static) -> Finding {
    match tokio::task::spawn_blocking(work).await {
        Ok(finding) => finding,
        // `guard` reports it.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THING: Subject = Subject::new("thing", CheckGroup::Tools, "A thing");

    #[tokio::test]
    async fn a_check_that_panics_has_failed() {
        let check = look(THING, Duration::from_secs(60), async { panic!("a check goes wrong") }).await;
        assert_eq!(check.status, CheckpointStatus::Failed);
        let check = look(THING, Duration::from_secs(60), blocking(|| panic!("a check goes wrong"))).await;
        assert_eq!(check.status, CheckpointStatus::Failed);
        assert!(check.detail.contains("broke off"), "{}", check.detail);
    }

    #[tokio::test]
    async fn a_check_that_hangs_has_failed() {
        let check = look(THING, Duration::ZERO, std::future::pending()).await;
        assert_eq!(check.status, CheckpointStatus::Failed);
        assert_eq!(check.detail, "There was no answer within 0 seconds.");
    }
}
