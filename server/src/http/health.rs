//! Tells a supervisor or a load balancer whether this server can do its work.

use axum::http::StatusCode;

use super::access::Access;

/// `ok` when the database answers, else 503.
pub async fn check(Access(service): Access) -> (StatusCode, &'static str) {
    match service.check_database().await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer. The server's log says why."),
    }
}
