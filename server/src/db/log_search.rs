//! Searching the lines of a log. They are read in order, a chunk at a time, and only what a page shows is kept.

use std::{borrow::Cow, collections::VecDeque};

use app::{
    log_text::Matcher,
    model::{
        identifiers::StepId,
        log::{LogLine, Stream},
        log_search::{LogMatch, LogQuery, LogSearch, SearchFrom},
        time::Timestamp,
    },
};
use diesel::{
    ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection, connection::DefaultLoadingMode,
};
use serde::Deserialize;

use super::{DatabaseError, logs::Most, schema::log_chunks, values};

/// A line of a chunk as it stands in JSON, read without copying its text.
#[derive(Deserialize)]
struct StoredLine<'json>(Stream, Timestamp, #[serde(borrow)] Cow<'json, str>);

/// Looks through a whole log, and tells what is found from a line on, or before it. `most` is how much of it a page shows.
///
/// # Errors
/// When the database does not answer, or a row is damaged.
pub fn search(
    connection: &mut SqliteConnection,
    step: StepId,
    query: &LogQuery,
    from: SearchFrom,
    most: Most,
) -> Result<LogSearch, DatabaseError> {
    let matcher = Matcher::new(query);
    let mut found = Found { from, most, search: LogSearch::default(), before: VecDeque::new() };
    let rows = log_chunks::table
        .filter(log_chunks::step_id.eq(step.0))
        .order(log_chunks::first_line)
        .select((log_chunks::first_line, log_chunks::body))
        .load_iter::<(i64, String), DefaultLoadingMode>(connection)?;
    for row in rows {
        let (first, body) = row?;
        if matcher.rules_out(&body) {
            continue;
        }
        let lines: Vec<StoredLine<'_>> = serde_json::from_str(&body).map_err(|error| values::damaged(&error))?;
        for (number, StoredLine(stream, at, text)) in (values::count(first)..).zip(lines) {
            if matcher.matches(stream, &text) {
                found.add(number, query.only_matches.then(|| LogLine(stream, at, text.into_owned())));
            }
        }
    }
    Ok(found.finish())
}

/// What is found so far.
struct Found {
    from: SearchFrom,
    /// How much more a page takes.
    most: Most,
    search: LogSearch,
    /// The last matches before `from`, as many as a page shows.
    before: VecDeque<u64>,
}

impl Found {
    /// Takes the next match; its text too when only matches are shown.
    fn add(&mut self, number: u64, line: Option<LogLine>) {
        let search = &mut self.search;
        search.total += 1;
        let from = match self.from {
            SearchFrom::Before(line) if number < line => {
                search.previous = search.current.map(|last| last.line);
                search.current = Some(LogMatch { line: number, place: search.total });
                return;
            }
            SearchFrom::Before(_) => {
                search.next.get_or_insert(number);
                return;
            }
            SearchFrom::At(line) => line,
        };
        if number < from {
            search.previous = Some(number);
            if self.before.len() >= self.most.lines {
                self.before.pop_front();
            }
            self.before.push_back(number);
            return;
        }
        if search.current.is_none() {
            search.current = Some(LogMatch { line: number, place: search.total });
        } else if search.next.is_none() {
            search.next = Some(number);
        }
        if let Some(line) = line
            && search.later.is_none()
        {
            if self.most.admits(&line, search.lines.is_empty()) {
                search.lines.push((number, line));
            } else {
                search.later = Some(number);
            }
        }
    }

    fn finish(self) -> LogSearch {
        LogSearch { earlier: self.before.front().copied(), ..self.search }
    }
}
