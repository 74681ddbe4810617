//! Writes what a step's events lead to: lines, checkpoints, the cache report and the end, each batch in one transaction
//! with the position that was reached. So a server that is killed at any point goes on exactly where its rows end.

use std::time::{Duration, Instant};

use app::model::{
    identifiers::{RunId, StepId},
    log::Stream,
    time::Timestamp,
};
use futures::StreamExt as _;

use super::{
    outcome,
    transcript::{Entry, Reading, Transcript},
};
use crate::{
    db::{
        Database, DatabaseError, checkpoints,
        logs::{self, Chunk},
        runs,
        steps::{self, RecordedStep},
    },
    engine::{Engine, Observed, StepEnd, StepEvent},
    hints::Hints,
    runner::SecretKey,
};

/// At most so many lines, and about so many bytes, are stored in one row.
const CHUNK_LINES: u64 = 500;
const CHUNK_BYTES: usize = 64 * 1024;
/// Two writes are at least so far apart: a chatty program then costs a hundred transactions a second, not thousands.
const WRITE_INTERVAL: Duration = Duration::from_millis(10);

/// Why recording stopped before the end.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The database did not take it. Recording can start again later.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// What is kept of the step cannot be read.
    #[error("what is kept of the step is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    /// The step was deleted, or somebody else records it.
    #[error("the step is not ours to record any more")]
    NotOurs,
}

impl RecordError {
    /// True when recording would fail again and again.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Damaged(_) | Self::Database(DatabaseError::Unreadable(_)))
    }
}

/// Records steps.
#[derive(Clone)]
pub struct Recorder {
    database: Database,
    hints: Hints,
    secret_key: SecretKey,
}

impl Recorder {
    /// A recorder that writes to a database and tells viewers.
    #[must_use]
    pub fn new(database: Database, hints: Hints, secret_key: SecretKey) -> Self {
        Self { database, hints, secret_key }
    }

    /// Records a step from where it was left to its end.
    ///
    /// # Errors
    /// When the database does not take it; nothing is lost, and it can be called again.
    pub async fn follow(&self, engine: &dyn Engine, step: StepId) -> Result<(), RecordError> {
        let known = self.database.read(move |connection| {
            let (run, recorded) = steps::recorded(connection, step)?;
            Ok((run, recorded, runs::lock(connection, run)?))
        });
        let (run, mut recorded, lock) = known.await?;
        let requested = lock.map_or(0, |lock| lock.packages().len());
        let reading =
            Reading { secrets: self.secret_key.of_step(step), requested: u32::try_from(requested).unwrap_or(u32::MAX) };
        let mut transcript = Transcript::load(&recorded.recorder_state)?;
        if let Some((stream, text)) = transcript.partial() {
            self.hints.partial(run, stream, text);
        }
        let mut events = engine.observe(step, recorded.recorded_bytes);
        let mut written_at: Option<Instant> = None;
        while let Some(batch) = events.next().await {
            let result = read_batch(&mut transcript, &batch, &reading, &recorded)?;
            let ended = result.end.is_some();
            recorded = self.write(run, step, recorded, result).await?;
            match transcript.partial().filter(|_| !ended) {
                Some((stream, text)) => self.hints.partial(run, stream, text),
                None => self.hints.changed(run),
            }
            if let Some(written_at) = written_at.filter(|_| !ended) {
                tokio::time::sleep(WRITE_INTERVAL.saturating_sub(written_at.elapsed())).await;
            }
            written_at = Some(Instant::now());
        }
        Ok(())
    }

    async fn write(
        &self,
        run: RunId,
        step: StepId,
        before: RecordedStep,
        batch: Batch,
    ) -> Result<RecordedStep, RecordError> {
        let written = self.database.write(move |connection| {
            if !steps::advance(connection, step, &before, &batch.recorded)? {
                return Err(DatabaseError::NotFound);
            }
            for chunk in &batch.chunks {
                logs::append(connection, step, chunk)?;
            }
            for entry in &batch.others {
                match entry {
                    Entry::Checkpoint(checkpoint) => checkpoints::put(connection, step, checkpoint)?,
                    Entry::Report(report) => runs::set_cache_report(connection, run, report)?,
                    Entry::Line(..) => {}
                }
            }
            if let Some(outcome) = &batch.end {
                runs::finish(connection, run, outcome)?;
            } else if !batch.others.is_empty() {
                runs::touch(connection, run)?;
            }
            Ok(batch.recorded)
        });
        match written.await {
            Ok(recorded) => Ok(recorded),
            Err(DatabaseError::NotFound) => Err(RecordError::NotOurs),
            Err(error) => Err(error.into()),
        }
    }
}

/// What one batch of events leads to.
struct Batch {
    recorded: RecordedStep,
    chunks: Vec<Chunk>,
    others: Vec<Entry>,
    end: Option<runs::Outcome>,
}

fn read_batch(
    transcript: &mut Transcript,
    events: &[Observed],
    reading: &Reading,
    before: &RecordedStep,
) -> Result<Batch, serde_json::Error> {
    let known = transcript.under_way();
    let mut chunks = Chunks::starting_at(before.line_count + 1);
    let mut others = Vec::new();
    let mut end = None;
    let mut entries = Vec::new();
    for observed in events {
        transcript.read(observed.at, &observed.event, reading, &mut entries);
        for entry in entries.drain(..) {
            match entry {
                Entry::Line(stream, at, text) => chunks.push(stream, at, &text)?,
                other => others.push(other),
            }
        }
        if let StepEvent::Ended(how) = &observed.event {
            end = Some(finish(how, transcript, observed.at, &mut chunks)?);
        }
    }
    // Of those that begin and end in one batch, as all do in a warm run, only the end is written.
    others.extend(transcript.under_way().filter(|begun| Some(begun) != known.as_ref()).map(Entry::Checkpoint));
    let recorded_bytes = events.last().map_or(before.recorded_bytes, |observed| observed.next);
    let (chunks, next) = chunks.finish();
    let recorded = RecordedStep { recorded_bytes, recorder_state: transcript.store()?, line_count: next - 1 };
    Ok(Batch { recorded, chunks, others, end })
}

/// The end of the run; anything but success is also said in the log, so that a saved log tells the whole story.
fn finish(
    how: &StepEnd,
    transcript: &Transcript,
    at: Timestamp,
    chunks: &mut Chunks,
) -> Result<runs::Outcome, serde_json::Error> {
    let outcome = outcome::outcome(how, transcript, at);
    if let Some(message) = outcome.message.as_deref().filter(|_| transcript.failed_checkpoint().is_none()) {
        chunks.push(Stream::Stoker, at, message)?;
    }
    Ok(outcome)
}

/// Lines on their way into rows.
struct Chunks {
    done: Vec<Chunk>,
    open: Chunk,
}

impl Chunks {
    fn starting_at(first: u64) -> Self {
        Self { done: Vec::new(), open: Chunk { first, count: 0, body: String::new() } }
    }

    fn push(&mut self, stream: Stream, at: Timestamp, text: &str) -> Result<(), serde_json::Error> {
        if self.open.count >= CHUNK_LINES || self.open.body.len() >= CHUNK_BYTES {
            self.close();
        }
        self.open.body.push(if self.open.count == 0 { '[' } else { ',' });
        // Written piece by piece: this is the hot path of a chatty program.
        self.open.body.push_str(&serde_json::to_string(&(stream, at, text))?);
        self.open.count += 1;
        Ok(())
    }

    fn close(&mut self) {
        let next = Chunk { first: self.open.first + self.open.count, count: 0, body: String::new() };
        let mut full = std::mem::replace(&mut self.open, next);
        if full.count > 0 {
            full.body.push(']');
            self.done.push(full);
        }
    }

    /// The rows, and the number of the line after them.
    fn finish(mut self) -> (Vec<Chunk>, u64) {
        self.close();
        (self.done, self.open.first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_lines_in_json() {
        let mut chunks = Chunks::starting_at(5);
        for number in 0..=CHUNK_LINES {
            chunks.push(Stream::Output, Timestamp(1), &format!("\"{number}\"")).unwrap();
        }
        let (rows, next) = chunks.finish();
        assert_eq!((rows.len(), next), (2, 5 + CHUNK_LINES + 1));
        assert_eq!((rows[1].first, rows[1].count), (5 + CHUNK_LINES, 1));
        assert_eq!(rows[1].lines().unwrap()[0].2, format!("\"{CHUNK_LINES}\""));
    }
}
