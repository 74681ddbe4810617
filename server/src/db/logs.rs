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
    schema::{log_chunks, runs, steps},
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
    pub(super) fn of_row((first, count, body): (i64, i32, String)) -> Self {
        Self { first: values::count(first), count: values::count(count.into()), body }
    }

    /// Reads the lines.
    ///
    /// # Errors
    /// When the row is damaged.
    pub fn lines(&self) -> Result<Vec<LogLine>, DatabaseError> {
        serde_json::from_str(&self.body).map_err(|error| values::damaged(&error))
    }
}

/// Appends a chunk, and counts it as its run's.
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
    let run = steps::table.filter(steps::id.eq(step.0)).select(steps::run_id);
    let bytes = i64::try_from(chunk.body.len()).unwrap_or(i64::MAX);
    diesel::update(runs::table.filter(runs::id.eq_any(run)))
        .set(runs::log_bytes.eq(runs::log_bytes + bytes))
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
    let chunks = rows.into_iter().map(Chunk::of_row);
    // The last chunk before the line may end before it.
    Ok(chunks.filter(|chunk| i64::try_from(chunk.first + chunk.count).unwrap_or(i64::MAX) > line).collect())
}

/// How much of a log to read. One line is read even when it is too long.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// So many lines.
    pub lines: usize,
    /// So many bytes of text.
    pub bytes: usize,
}

impl Most {
    /// Takes lines until one does not fit, and tells whether all did.
    fn take(&mut self, lines: impl Iterator<Item = LogLine>, taken: &mut Vec<LogLine>) -> bool {
        for line in lines {
            if !self.admits(&line, taken.is_empty()) {
                return false;
            }
            taken.push(line);
        }
        self.lines > 0
    }

    /// Whether a line fits; then there is less room after it.
    pub(super) fn admits(&mut self, line: &LogLine, is_first: bool) -> bool {
        let (lines, bytes) = (self.lines.checked_sub(1), self.bytes.checked_sub(line.2.len()));
        match (lines, bytes) {
            (Some(lines), Some(bytes)) => *self = Self { lines, bytes },
            (Some(lines), None) if is_first => *self = Self { lines, bytes: 0 },
            _ => return false,
        }
        true
    }
}

/// The lines from one on, as many as fit.
///
/// # Errors
/// When the database does not answer.
pub fn lines_from(
    connection: &mut SqliteConnection,
    step: StepId,
    first: u64,
    mut most: Most,
) -> Result<LogLines, DatabaseError> {
    let mut found = LogLines { first: first.max(1), lines: Vec::new() };
    loop {
        let chunks = chunks_from(connection, step, found.next(), 16)?;
        if chunks.is_empty() {
            return Ok(found);
        }
        for chunk in chunks {
            let skip = usize::try_from(found.next() - chunk.first).unwrap_or(usize::MAX);
            if !most.take(chunk.lines()?.into_iter().skip(skip), &mut found.lines) {
                return Ok(found);
            }
        }
    }
}

/// The chunks that begin before a line, from the last one back. They come in the order of the key, so what is not taken is not
/// read.
///
/// # Errors
/// When the database does not answer.
pub(super) fn chunks_before(
    connection: &mut SqliteConnection,
    step: StepId,
    line: u64,
) -> Result<impl Iterator<Item = Result<Chunk, DatabaseError>>, DatabaseError> {
    let rows = log_chunks::table
        .filter(log_chunks::step_id.eq(step.0))
        .filter(log_chunks::first_line.lt(i64::try_from(line).unwrap_or(i64::MAX)))
        .order(log_chunks::first_line.desc())
        .select((log_chunks::first_line, log_chunks::line_count, log_chunks::body))
        .load_iter::<(i64, i32, String), DefaultLoadingMode>(connection)?;
    Ok(rows.map(|row| Ok(Chunk::of_row(row?))))
}

/// The lines up to before one, as many as fit. `end` is at most the number after the last line.
///
/// # Errors
/// When the database does not answer.
pub fn lines_before(
    connection: &mut SqliteConnection,
    step: StepId,
    end: u64,
    mut most: Most,
) -> Result<LogLines, DatabaseError> {
    let mut lines = Vec::new();
    for chunk in chunks_before(connection, step, end)? {
        let chunk = chunk?;
        let count = usize::try_from(end - chunk.first).unwrap_or(usize::MAX);
        let before = chunk.lines()?.into_iter().take(count).collect::<Vec<_>>();
        if !most.take(before.into_iter().rev(), &mut lines) {
            break;
        }
    }
    lines.reverse();
    Ok(LogLines { first: end.saturating_sub(lines.len() as u64).max(1), lines })
}

/// How many lines a step has.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn line_count(connection: &mut SqliteConnection, step: StepId) -> Result<u64, DatabaseError> {
    Ok(values::count(steps::table.find(step.0).select(steps::line_count).get_result(connection)?))
}
