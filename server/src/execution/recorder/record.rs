//! Writes what a step's events lead to: lines, checkpoints, the cache report and the end, each batch in one transaction
//! with the position that was reached. So a server that is killed at any point goes on exactly where its rows end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use app::model::{
    identifiers::{RunId, StepId},
    log::Stream,
    phase::Phase,
    time::{Timestamp, duration_text},
};
use futures::StreamExt as _;

use super::{
    outcome,
    transcript::{Entry, StepFacts, Transcript},
};
use crate::{
    db::{
        Database, DatabaseError, checkpoints,
        logs::{self, Chunk},
        runs,
        steps::{self, ActiveStep, Outcome, RecordedStep, StepKeys},
    },
    engine::{Engine, EngineError, Observation, Order, RunPlan, StepEnd, StepEvent, StepEvents},
    execution::hints::Hints,
    runner::SecretKey,
};

/// At most so many lines, and about so many bytes, are stored in one row.
const CHUNK_LINES: u64 = 500;
const CHUNK_BYTES: usize = 64 * 1024;
/// Two writes are at least so far apart: a chatty program then costs a hundred transactions a second, not thousands.
const WRITE_INTERVAL: Duration = Duration::from_millis(10);

/// How following a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The run has ended, and everything is recorded.
    ToTheEnd,
    /// The engine stopped telling. The run may go on: follow it again.
    Interrupted,
}

/// Why recording stopped before the end.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The database did not take it. Recording can start again later.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// What is kept of the step cannot be read.
    #[error("what is kept of the step is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    /// The engine cannot tell what happens.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The step was deleted, or somebody else records it.
    #[error("the step is not ours to record any more")]
    NotOurs,
}

impl RecordError {
    /// True when recording would fail again and again.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Damaged(_) | Self::Database(DatabaseError::Unreadable(_)) => true,
            Self::Engine(error) => !error.may_pass,
            Self::Database(_) | Self::NotOurs => false,
        }
    }
}

#[derive(Clone)]
pub struct Recorder {
    database: Database,
    hints: Hints,
    secret_key: SecretKey,
}

/// A step that is being recorded.
struct Recording {
    keys: StepKeys,
    recorded: RecordedStep,
    /// Milliseconds until the next attempt, when this one fails and there is to be one.
    wait_when_failed: Option<i64>,
    attempts: Attempts,
    facts: StepFacts,
    transcript: Transcript,
    has_ended: bool,
}

impl Recorder {
    /// A recorder that writes to a database and tells viewers.
    #[must_use]
    pub fn new(database: Database, hints: Hints, secret_key: SecretKey) -> Self {
        Self { database, hints, secret_key }
    }

    /// Records a run's steps, or one of them, each from where it was left to its end.
    ///
    /// # Errors
    /// When the database does not take it, or the engine cannot tell; nothing is lost, and it can be called again.
    pub async fn follow(
        &self,
        engine: &dyn Engine,
        run: RunId,
        only: Option<StepId>,
        plan: &RunPlan,
    ) -> Result<Followed, RecordError> {
        let active = self.database.read(move |connection| steps::active(connection, run, only)).await?;
        let mut recordings = BTreeMap::new();
        for step in active {
            recordings.insert(step.keys.uid.clone(), self.begin(step, engine.order())?);
        }
        let followed = RunPlan {
            steps: plan.steps.iter().filter(|step| recordings.contains_key(&step.step)).cloned().collect(),
            ..plan.clone()
        };
        let positions = recordings
            .iter()
            .filter_map(|(uid, recording)| recording.recorded.cursor.clone().map(|cursor| (uid.clone(), cursor)));
        let mut observations = engine.observe(&followed, positions.collect());
        let mut written_at: Option<Instant> = None;
        while let Some(observation) = observations.next().await {
            let told = match observation? {
                Observation::Step(told) => told,
                Observation::Ended => {
                    return Ok(if recordings.values().all(|recording| recording.has_ended) {
                        Followed::ToTheEnd
                    } else {
                        Followed::Interrupted
                    });
                }
            };
            let Some(recording) = recordings.get_mut(&told.step) else { continue };
            let batch = read_batch(recording, told)?;
            let ended = batch.end.is_some();
            self.write(recording, batch).await?;
            match recording.transcript.partial().filter(|_| !ended) {
                Some((stream, text)) => self.hints.partial(recording.keys.id, stream, text),
                None => self.hints.changed(recording.keys.id),
            }
            if let Some(written_at) = written_at.filter(|_| !ended) {
                tokio::time::sleep(WRITE_INTERVAL.saturating_sub(written_at.elapsed())).await;
            }
            written_at = Some(Instant::now());
        }
        Ok(Followed::Interrupted)
    }

    fn begin(&self, step: ActiveStep, order: Order) -> Result<Recording, RecordError> {
        let transcript = Transcript::load(&step.recorded.recorder_state)?;
        if let Some((stream, text)) = transcript.partial() {
            self.hints.partial(step.keys.id, stream, text);
        }
        let attempts = Attempts { present: step.attempt, most: step.retries.count() + 1 };
        Ok(Recording {
            // An engine that orders the steps of a run also tries them again.
            wait_when_failed: step.retries.wait_after(step.attempt).filter(|_| order == Order::Stoker),
            attempts,
            facts: StepFacts { secrets: self.secret_key.of_step(&step.keys.uid), requested: step.requested },
            keys: step.keys,
            recorded: step.recorded,
            transcript,
            has_ended: false,
        })
    }

    async fn write(&self, recording: &mut Recording, batch: Batch) -> Result<(), RecordError> {
        let (keys, before, after) = (recording.keys.clone(), recording.recorded.clone(), batch.recorded.clone());
        let has_ended = batch.end.is_some();
        let written = self.database.write(move |connection| {
            if !steps::advance(connection, keys.id, &before, &batch.recorded)? {
                return Err(DatabaseError::NotFound);
            }
            for chunk in &batch.chunks {
                logs::append(connection, keys.id, chunk)?;
            }
            for entry in &batch.others {
                keep(connection, keys.id, entry)?;
            }
            if let Some(End { outcome, again_at }) = &batch.end {
                let goes_on = match again_at {
                    Some(time) => steps::try_again(connection, &keys, outcome, *time)?,
                    None => false,
                };
                if !goes_on {
                    steps::finish(connection, &keys, outcome)?;
                }
            } else if !batch.others.is_empty() {
                runs::touch(connection, keys.run)?;
            }
            Ok(())
        });
        match written.await {
            Ok(()) => {
                recording.recorded = after;
                recording.has_ended = has_ended;
                Ok(())
            }
            Err(DatabaseError::NotFound) => Err(RecordError::NotOurs),
            Err(error) => Err(error.into()),
        }
    }
}

/// Keeps what is told of a step beside its lines.
fn keep(connection: &mut diesel::SqliteConnection, step: StepId, entry: &Entry) -> Result<(), DatabaseError> {
    match entry {
        Entry::Checkpoint(checkpoint) => checkpoints::put(connection, step, checkpoint),
        Entry::Report(report) => steps::set_cache_report(connection, step, report),
        Entry::Waiting(reason) => steps::set_waiting(connection, step, reason.as_deref()),
        Entry::Placed(place) => steps::set_place(connection, step, place),
        Entry::Attempt(attempt) => steps::set_attempt(connection, step, *attempt),
        Entry::Line(..) => Ok(()),
    }
}

/// What one batch of events leads to.
struct Batch {
    recorded: RecordedStep,
    chunks: Vec<Chunk>,
    others: Vec<Entry>,
    end: Option<End>,
}

/// How an attempt of a step ended.
struct End {
    outcome: Outcome,
    /// When there may be another one; `None` when it was the last.
    again_at: Option<Timestamp>,
}

/// Which attempt of how many.
#[derive(Clone, Copy)]
struct Attempts {
    present: u32,
    most: u32,
}

fn read_batch(recording: &mut Recording, told: StepEvents) -> Result<Batch, serde_json::Error> {
    let Recording { transcript, facts, recorded: before, wait_when_failed, attempts, .. } = recording;
    let known = transcript.under_way();
    let mut chunks = Chunks::starting_at(before.line_count + 1);
    let mut others = Vec::new();
    let mut end = None;
    let mut entries = Vec::new();
    for observed in &told.events {
        transcript.read(observed.at, &observed.event, facts, &mut entries);
        for entry in entries.drain(..) {
            match entry {
                Entry::Line(stream, at, text) => chunks.push(stream, at, &text)?,
                other => others.push(other),
            }
        }
        if let StepEvent::Ended(how) = &observed.event {
            let outcome = finish(how, transcript, observed.at, &mut chunks)?;
            let wait = wait_when_failed.filter(|_| matches!(outcome.phase, Phase::Failed | Phase::Error));
            if let Some(wait) = wait {
                chunks.push(Stream::Stoker, observed.at, &again_words(*attempts, wait))?;
            }
            end = Some(End { again_at: wait.map(|wait| Timestamp(observed.at.0 + wait)), outcome });
        }
    }
    // Of those that begin and end in one batch, as all do in a warm run, only the end is written.
    others.extend(transcript.under_way().filter(|begun| Some(begun) != known.as_ref()).map(Entry::Checkpoint));
    let (chunks, next) = chunks.finish();
    let recorded = RecordedStep { cursor: Some(told.next), recorder_state: transcript.store()?, line_count: next - 1 };
    Ok(Batch { recorded, chunks, others, end })
}

/// The end of the step; anything but success is also said in the log, so that a saved log tells the whole story.
fn finish(
    how: &StepEnd,
    transcript: &Transcript,
    at: Timestamp,
    chunks: &mut Chunks,
) -> Result<Outcome, serde_json::Error> {
    let outcome = outcome::outcome(how, transcript, at);
    if let Some(message) = outcome.message.as_deref().filter(|_| transcript.failed_checkpoint().is_none()) {
        chunks.push(Stream::Stoker, at, message)?;
    }
    Ok(outcome)
}

/// What is said in the log after an attempt after which there is another one.
fn again_words(Attempts { present, most }: Attempts, wait: i64) -> String {
    let when = match u64::try_from(wait).unwrap_or(0) {
        0 => "at once".to_owned(),
        wait => format!("in {}", duration_text(wait)),
    };
    format!("Attempt {present} of {most} failed. The next one begins {when}.")
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
