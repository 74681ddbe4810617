//! Reads what a viewer of a log does not know yet: state and lines in one look at the database.

use std::time::Duration;

use app::{
    backend::BackendError,
    model::{
        identifiers::StepId,
        log::{LogMessage, RunState},
    },
};

use self::frames::frames;
use super::{Service, backend_error};
use crate::db::{Database, DatabaseError, logs, values, views};

mod frames;

/// Chunks read at once.
const CHUNKS: u32 = 16;
/// How often a failed reading is tried again.
const ATTEMPTS: u32 = 5;

pub struct Reading {
    /// The run as it stands.
    pub state: RunState,
    /// Messages to send, each as the JSON of a [`LogMessage`], in order.
    pub frames: Vec<String>,
    /// Whether there are more lines already.
    pub has_more: bool,
}

/// Where a viewer is in a log.
pub struct LogReader {
    database: Database,
    step: StepId,
    next: u64,
    window: Option<u64>,
}

impl Service {
    /// Starts at line `from` of a step's log. With a `window`, a viewer further behind than that is brought to the last so
    /// many lines.
    #[must_use]
    pub fn log_reader(&self, step: StepId, from: u64, window: Option<u32>) -> LogReader {
        let window = window.filter(|window| *window > 0).map(u64::from);
        LogReader { database: self.dependencies.database.clone(), step, next: from.max(1), window }
    }
}

impl LogReader {
    /// Reads on. What may pass is waited for a moment: a viewer has nobody else to ask.
    ///
    /// # Errors
    /// `NotFound` when the run was deleted.
    pub async fn read(&mut self) -> Result<Reading, BackendError> {
        let (step, next, window) = (self.step, self.next, self.window);
        let mut attempt = 1;
        loop {
            match self.database.read(move |connection| read_in(connection, step, next, window)).await {
                Ok((reading, next)) => {
                    self.next = next;
                    return Ok(reading);
                }
                Err(error) if attempt < ATTEMPTS && !matches!(error, DatabaseError::NotFound) => {
                    tracing::warn!(%error, attempt, "A log could not be read for a viewer; trying again");
                    tokio::time::sleep(Duration::from_millis(200) * attempt).await;
                    attempt += 1;
                }
                Err(error) => return Err(backend_error(error, || "The run was deleted.".to_owned())),
            }
        }
    }
}

fn read_in(
    connection: &mut diesel::SqliteConnection,
    step: StepId,
    mut next: u64,
    window: Option<u64>,
) -> Result<(Reading, u64), DatabaseError> {
    let state = views::run_state(connection, step)?;
    let mut out = Vec::new();
    if let Some(skip) = skipped(next, state.lines, window) {
        out.push(skip_frame(next, skip)?);
        next += skip;
    }
    if next <= state.lines {
        let chunks = logs::chunks_from(connection, step, next, CHUNKS)?;
        out.extend(frames(&chunks, next)?);
        next = chunks.last().map_or(next, |chunk| chunk.first + chunk.count);
    }
    let has_more = next <= state.lines && !out.is_empty();
    Ok((Reading { state, frames: out, has_more }, next))
}

/// How many lines to leave out for a viewer that shows only a window: those that it would have to push out again.
fn skipped(next: u64, lines: u64, window: Option<u64>) -> Option<u64> {
    let window = window?;
    let behind = (lines + 1).saturating_sub(next);
    behind.checked_sub(window).filter(|skip| *skip > 0)
}

fn skip_frame(first: u64, count: u64) -> Result<String, DatabaseError> {
    serde_json::to_string(&LogMessage::Skipped { first, count }).map_err(|error| values::damaged(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_window_could_not_hold_is_left_out() {
        assert_eq!(skipped(1, 100, Some(100)), None);
        assert_eq!(skipped(1, 101, Some(100)), Some(1));
        assert_eq!(skipped(301, 401, Some(100)), Some(1));
        assert_eq!(skipped(1, 1_000_000, None), None);
        assert_eq!(skipped(402, 401, Some(100)), None);
        assert_eq!(skipped(500, 401, Some(100)), None);
    }
}
