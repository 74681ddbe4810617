//! The log of a run, as the address of a page asks for it: which part of it, and searched for what.

use super::{queries, query, run, run_summary::FailureLine};
use crate::{
    backend::{Backend, BackendError},
    components::{log_place::LogPlace, log_search::SearchedLog, log_view::ShownLog},
    model::{log_search::LogQuery, phase::Phase, step_address::StepAddress, views::RunDetail},
};

/// What the address asks for.
pub struct AskedLog {
    place: LogPlace,
    search: Option<LogQuery>,
}

impl AskedLog {
    /// Reads it from the address.
    pub fn from_address() -> Self {
        let word = |name| query(name).unwrap_or_default();
        let text = word("q");
        // The form has been changed since: it goes on nowhere.
        let is_new = queries("was").first().is_some_and(|was| *was != text);
        Self {
            place: if is_new { LogPlace::End } else { LogPlace::parse(query) },
            search: LogQuery::parse(&text, &word("only"), &word("show")),
        }
    }

    /// Reads the run with what is asked for of its log.
    pub async fn read(
        self,
        backend: &dyn Backend,
        address: &StepAddress,
    ) -> Result<(RunDetail, ShownLog), BackendError> {
        let Self { place, search } = self;
        let searched = match search {
            Some(query) => {
                let from = place.search_from(&query);
                let found = backend.search_log(address, &query, from).await?;
                Some(SearchedLog { query, from, found })
            }
            None => None,
        };
        let place = searched.as_ref().and_then(SearchedLog::current_line).map_or(place, LogPlace::line);
        let (run, page) = backend.run_with_log(address, place.window()).await?;
        Ok((run, ShownLog { page, place, searched }))
    }
}

/// The line that most likely says why a step failed, if it did.
pub async fn failure(
    backend: &dyn Backend,
    run: &RunDetail,
    log: &ShownLog,
) -> Result<Option<FailureLine>, BackendError> {
    if run.step.phase == Phase::Failed && log.place == LogPlace::End {
        return Ok(run::last_error(&log.page));
    }
    run::failure_line(backend, run).await
}
