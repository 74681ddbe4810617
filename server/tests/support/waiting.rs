//! Waits for a condition, and never for a guess at how long something takes.

use std::time::Duration;

/// Waits until it holds; `what` is told when it does not in time.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.unwrap_or_else(|_| panic!("waited too long for {what}"));
}
