//! Logs: a window of lines for pages, and the whole as plain text in parts.

use app::{
    backend::BackendError,
    model::{
        identifiers::StepId,
        log::Stream,
        log_search::{LogQuery, LogSearch, SearchFrom},
        step_address::StepAddress,
        views::{LogPage, LogWindow, RunDetail},
    },
};
use diesel::SqliteConnection;

use super::{Service, backend_error, missing_step};
use crate::db::{
    DatabaseError, log_groups, log_search,
    logs::{self, Most},
    views,
};

/// Most lines that one window gives, whatever was asked for.
const LONGEST_WINDOW: u32 = 10_000;
/// Most text that one window gives: of long lines it has fewer.
const WINDOW_BYTES: usize = 512 * 1024;
/// How much a page shows of the lines that a search found.
const FOUND: Most = Most { lines: 1000, bytes: WINDOW_BYTES };
/// Chunks of a log that are turned into text at once.
const CHUNKS_PER_PART: u32 = 16;

/// A part of a log as plain text, each line with its line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPart {
    /// The text; may be empty when only other streams wrote.
    pub text: String,
    /// The line to go on with.
    pub next: u64,
}

impl Service {
    pub(super) async fn log_page(&self, step: &StepAddress, window: LogWindow) -> Result<LogPage, BackendError> {
        let wanted = step.clone();
        let page = self
            .dependencies
            .database
            .read(move |connection| {
                let step = views::step_keys(connection, &wanted)?.step;
                let total = logs::line_count(connection, step)?;
                log_window(connection, step, total, window)
            })
            .await;
        page.map_err(|error| backend_error(error, missing_step(step)))
    }

    pub(super) async fn log_search(
        &self,
        step: &StepAddress,
        query: &LogQuery,
        from: SearchFrom,
    ) -> Result<LogSearch, BackendError> {
        let found = self.searched(step, query, from).await;
        found.map_err(|error| backend_error(error, missing_step(step)))
    }

    async fn searched(
        &self,
        step: &StepAddress,
        query: &LogQuery,
        from: SearchFrom,
    ) -> Result<LogSearch, DatabaseError> {
        let (database, wanted, query) = (&self.dependencies.database, step.clone(), query.clone());
        let (step, total) = database
            .read(move |connection| {
                let step = views::step_keys(connection, &wanted)?.step;
                Ok((step, logs::line_count(connection, step)?))
            })
            .await?;
        let tally = self.log_tallies.until(database, step, &query, total + 1).await?;
        database.read(move |connection| log_search::search(connection, step, &query, from, FOUND, &tally)).await
    }

    /// In one transaction, so that the state shown is that of the lines shown.
    pub(super) async fn run_page(
        &self,
        step: &StepAddress,
        window: LogWindow,
    ) -> Result<(RunDetail, LogPage), BackendError> {
        let wanted = step.clone();
        let page = self
            .dependencies
            .database
            .read(move |connection| {
                let run = views::run(connection, &wanted)?;
                let log = log_window(connection, run.step.id, run.state.lines, window)?;
                Ok((run, log))
            })
            .await;
        page.map_err(|error| backend_error(error, missing_step(step)))
    }

    /// The part of a step's log from a line on, as plain text; `None` after the last line. `only` leaves out what
    /// other streams wrote.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn text_part(
        &self,
        step: StepId,
        from: u64,
        only: Option<Stream>,
    ) -> Result<Option<TextPart>, BackendError> {
        let part = self
            .dependencies
            .database
            .read(move |connection| {
                let chunks = logs::chunks_from(connection, step, from, CHUNKS_PER_PART)?;
                let mut part = TextPart { text: String::new(), next: from };
                for chunk in &chunks {
                    let skip = usize::try_from(part.next.saturating_sub(chunk.first)).unwrap_or(usize::MAX);
                    for line in chunk.lines()?.iter().skip(skip).filter(|line| only.is_none_or(|only| line.0 == only)) {
                        part.text.push_str(&line.2);
                        part.text.push('\n');
                    }
                    part.next = chunk.first + chunk.count;
                }
                Ok((!chunks.is_empty()).then_some(part))
            })
            .await;
        part.map_err(|error| backend_error(error, || "The run was deleted.".to_owned()))
    }
}

/// A window of a log that has so many lines in all.
fn log_window(
    connection: &mut SqliteConnection,
    step: StepId,
    total: u64,
    window: LogWindow,
) -> Result<LogPage, DatabaseError> {
    let most = |count: u32| Most { lines: count.min(LONGEST_WINDOW) as usize, bytes: WINDOW_BYTES };
    let end = total + 1;
    let lines = match window {
        LogWindow::Around(line, count) if line < end => {
            let most = most(count);
            let half = Most { lines: most.lines / 2, bytes: most.bytes / 2 };
            let mut lines = logs::lines_before(connection, step, line.max(1), half)?;
            let rest = Most { lines: most.lines - lines.lines.len(), ..half };
            lines.lines.extend(logs::lines_from(connection, step, line, rest)?.lines);
            lines
        }
        // A line that is not there is looked for at the end.
        LogWindow::Last(count) | LogWindow::Around(_, count) => logs::lines_before(connection, step, end, most(count))?,
        LogWindow::Before(line, count) => logs::lines_before(connection, step, line.clamp(1, end), most(count))?,
    };
    let groups = log_groups::around(connection, step, lines.first)?;
    Ok(LogPage { lines, groups, total })
}
