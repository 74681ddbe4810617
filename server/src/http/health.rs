//! Tells a supervisor or a load balancer whether this server can do its work.

use axum::{extract::State, http::StatusCode};
use diesel::RunQueryDsl as _;

use crate::http::state::AppState;

/// `ok` when the database answers, else 503.
pub async fn check(State(state): State<AppState>) -> (StatusCode, &'static str) {
    let answer = state.service.database().read(|connection| {
        diesel::sql_query("SELECT id FROM tasks LIMIT 1").execute(connection)?;
        Ok(())
    });
    match answer.await {
        Ok(()) => (StatusCode::OK, "ok"),
        Err(error) => {
            tracing::error!(%error, "A health check found that the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "The database does not answer. The server's log says why.")
        }
    }
}
