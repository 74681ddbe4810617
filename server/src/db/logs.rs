//! Log lines: appended in chunks by the recorder, read by number by everybody else.

use app::model::{
    identifiers::StepId,
    log::{LogLine, LogLines},
};
use diesel::{
    ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection, connection::DefaultLoadingMode,
};

use super::{
    DatabaseError,
    schema::{log_chunks, steps},
    values,
};

/// Lines as stored: `body` is the JSON array of a [`LogLines`]' lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Number of the first line.
    pub first: u64,
    /// How many lines.
    pub count: u64,
    /// The lines, as JSON.
    pub body: String,
}

impl Chunk {
    /// Reads the lines.
    ///
    /// # Errors
    /// When the row is damaged.
    pub fn lines(&self) -> Result<Vec<LogLine>, DatabaseError> {
        serde_json::from_str(&self.body).map_err(|error| values::damaged(&error))
    }
}

/// Appends a chunk.
///
/// # Errors
/// When its lines are already there, or the database does not answer.
pub fn append(connection: &mut SqliteConnection, step: StepId, chunk: &Chunk) -> Result<(), DatabaseError> {
    diesel::insert_into(log_chunks::table)
        .values((
            log_chunks::step_id.eq(step.0),
            log_chunks::first_line.eq(i64::try_from(chunk.first).unwrap_or(i64::MAX)),
            log_chunks::line_count.eq(i32::try_from(chunk.count).unwrap_or(i32::MAX)),
            log_chunks::body.eq(&chunk.body),
        ))
        .execute(connection)?;
    Ok(())
}

/// The chunk that holds a line and at most `limit - 1` chunks after it. Empty when the line is not there yet.
///
/// # Errors
/// When the database does not answer.
pub fn chunks_from(
    connection: &mut SqliteConnection,
    step: StepId,
    line: u64,
    limit: u32,
) -> Result<Vec<Chunk>, DatabaseError> {
    let line = i64::try_from(line).unwrap_or(i64::MAX);
    let start: Option<i64> = log_chunks::table
        .filter(log_chunks::step_id.eq(step.0))
        .filter(log_chunks::first_line.le(line))
        .select(diesel::dsl::max(log_chunks::first_line))
        .get_result(connection)?;
    let rows = log_chunks::table
        .filter(log_chunks::step_id.eq(step.0))
        .filter(log_chunks::first_line.ge(start.unwrap_or(line)))
        .order(log_chunks::first_line)
        .select((log_chunks::first_line, log_chunks::line_count, log_chunks::body))
        // In the order of the key, so what is not taken is not read.
        .load_iter::<(i64, i32, String), DefaultLoadingMode>(connection)?
        .take(usize::try_from(limit).unwrap_or(usize::MAX))
        .collect::<Result<Vec<_>, _>>()?;
    let chunks = rows.into_iter().map(|(first, count, body)| Chunk {
        first: values::count(first),
        count: values::count(count.into()),
        body,
    });
    // The last chunk before the line may end before it.
    Ok(chunks.filter(|chunk| i64::try_from(chunk.first + chunk.count).unwrap_or(i64::MAX) > line).collect())
}

/// So many lines from one on.
///
/// # Errors
/// When the database does not answer.
pub fn lines_from(
    connection: &mut SqliteConnection,
    step: StepId,
    first: u64,
    count: u64,
) -> Result<LogLines, DatabaseError> {
    let first = first.max(1);
    let mut found = LogLines { first, lines: Vec::new() };
    while (found.lines.len() as u64) < count {
        let chunks = chunks_from(connection, step, found.next(), 16)?;
        if chunks.is_empty() {
            break;
        }
        for chunk in chunks {
            let skip = usize::try_from(found.next() - chunk.first).unwrap_or(usize::MAX);
            found.lines.extend(chunk.lines()?.into_iter().skip(skip));
        }
    }
    found.lines.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    Ok(found)
}

/// How many lines a step has.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn line_count(connection: &mut SqliteConnection, step: StepId) -> Result<u64, DatabaseError> {
    Ok(values::count(steps::table.find(step.0).select(steps::line_count).get_result(connection)?))
}
