//! In which groups a line of a log is, by the marks in the lines before it. Groups are not stored: a program may mark what it
//! likes, and lines are stored as they are printed.

use app::{
    log_text::{
        Marked, find_marks,
        groups::{Group, Grouping, Sheet},
    },
    model::{
        identifiers::StepId,
        log::{EarlierGroup, LogLine},
    },
};
use diesel::SqliteConnection;

use super::{
    DatabaseError,
    logs::{self, Chunk},
    values,
};

/// How far back marks are looked for, in rows and in bytes: some fifty thousand lines of most logs, in a few milliseconds.
const ROWS: usize = 2000;
const BYTES: usize = 4 * 1024 * 1024;

/// The groups that a line is in, from the outermost. Of one that began too far before nothing is known.
///
/// # Errors
/// When the database does not answer, or a row is damaged.
pub fn around(connection: &mut SqliteConnection, step: StepId, line: u64) -> Result<Vec<EarlierGroup>, DatabaseError> {
    let (mut marks, mut bytes) = (Vec::new(), 0);
    for row in logs::chunks_before(connection, step, line)?.take(ROWS) {
        let row = row?;
        marks.extend(marks_before(&row, line)?.into_iter().rev());
        bytes += row.body.len();
        if bytes > BYTES {
            break;
        }
    }
    let (mut grouping, mut headings) = (Grouping::default(), Headings::default());
    for (number, mark) in marks.iter().rev() {
        grouping.take(*number, mark, &mut headings);
    }
    let groups = headings.0.into_iter().zip(grouping.open()).filter_map(|(heading, group)| {
        Some(EarlierGroup { first: group.first, heading: heading?, stays_open: group.stays_open })
    });
    Ok(groups.collect())
}

/// The lines of a row before one that may be marks, in order.
fn marks_before(row: &Chunk, line: u64) -> Result<Vec<(u64, LogLine)>, DatabaseError> {
    let mut found = Vec::new();
    find_marks(&row.body, |place, json| found.push((row.first + place as u64, json)))
        .map_err(|error| values::damaged(&error))?;
    found
        .into_iter()
        .take_while(|(number, _)| *number < line)
        .map(|(number, json)| Ok((number, serde_json::from_str(json).map_err(|error| values::damaged(&error))?)))
        .collect()
}

/// The headings of the groups that have not ended; what preparing printed has none.
#[derive(Default)]
struct Headings(Vec<Option<LogLine>>);

impl Sheet for Headings {
    fn line(&mut self, _: u64, _: &LogLine, _: &Marked<'_>) {}

    fn begin(&mut self, _: &Group, heading: Option<(&LogLine, &Marked<'_>)>) {
        self.0.push(heading.map(|(line, _)| line.clone()));
    }

    fn end(&mut self, _: &Group, _: &str) {
        self.0.pop();
    }

    fn take_back(&mut self, _: u64) {}
}
