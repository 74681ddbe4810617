//! Writes what a step's events lead to: lines, checkpoints, the cache report and the end, each batch in one transaction
//! with the position that was reached. So a server that is killed at any point goes on exactly where its rows end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use app::model::{
    flow::Retries,
    identifiers::{RunId, StepId, StepUid},
    log::Stream,
    phase::Phase,
    time::Timestamp,
};
use futures::StreamExt as _;

use super::{
    outcome,
    transcript::{Entry, StepFacts, Transcript},
};
use crate::{
    clock::SharedClock,
    db::{
        Database, DatabaseError, checkpoints,
        logs::{self, Chunk},
        queue::{self, KnownSteps},
        runs,
        steps::{self, ActiveStep, Outcome, RecordedStep, StepKeys},
    },
    engine::{EndCause, Engine, EngineError, Observation, Order, RunPlan, StepEnd, StepEvent, StepEvents},
    execution::{hints::Hints, turns},
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
    clock: SharedClock,
}

/// A step that is being recorded.
struct Recording {
    keys: StepKeys,
    recorded: RecordedStep,
    /// Who decides whether there is another attempt.
    order: Order,
    retries: Retries,
    /// Which attempt it is at, from 1.
    attempt: u32,
    /// False while it waits for its turn.
    has_begun: bool,
    facts: StepFacts,
    transcript: Transcript,
    has_ended: bool,
}

impl Recording {
    /// Milliseconds until the next attempt, when this one fails; `None` when Stoker makes no other one.
    fn wait_when_failed(&self) -> Option<i64> {
        self.retries.wait_after(self.attempt).filter(|_| self.order == Order::Stoker)
    }
}

/// The steps that are recorded, by the names by which their engine tells of them.
type Recordings = BTreeMap<StepUid, Recording>;

impl Recorder {
    /// A recorder that writes to a database and tells viewers.
    #[must_use]
    pub fn new(database: Database, hints: Hints, secret_key: SecretKey, clock: SharedClock) -> Self {
        Self { database, hints, secret_key, clock }
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
        let mut recordings = Recordings::new();
        for step in active {
            let recording = self.begin(step, engine.order())?;
            recordings.insert(recording.keys.uid.clone(), recording);
        }
        let mut known = KnownSteps::new();
        if engine.order() == Order::Engine {
            self.settle(run, &mut known, &mut recordings).await?;
        }
        let followed = RunPlan {
            steps: plan.steps.iter().filter(|step| is_recorded(&recordings, &step.step)).cloned().collect(),
            ..plan.clone()
        };
        let positions = recordings
            .iter()
            .filter_map(|(uid, recording)| recording.recorded.cursor.clone().map(|cursor| (uid.clone(), cursor)));
        let mut observations = engine.observe(&followed, positions.collect());
        let mut written_at: Option<Instant> = None;
        // What the engine would still tell of those that were settled meanwhile is not waited for.
        while recordings.values().any(|recording| !recording.has_ended) {
            let Some(observation) = observations.next().await else { return Ok(Followed::Interrupted) };
            let Observation::Step(told) = observation? else { return Ok(Followed::Interrupted) };
            let Some(recording) = recordings.get_mut(&told.step).filter(|recording| !recording.has_ended) else {
                continue;
            };
            let batch = read_batch(recording, told)?;
            let (ended, moved) = (batch.end.is_some(), batch.moves());
            self.write(recording, batch).await?;
            match recording.transcript.partial().filter(|_| !ended) {
                Some((stream, text)) => self.hints.partial(recording.keys.id, stream, text),
                None => self.hints.changed(recording.keys.id),
            }
            if moved && engine.order() == Order::Engine {
                self.settle(run, &mut known, &mut recordings).await?;
            }
            if let Some(written_at) = written_at.filter(|_| !ended) {
                tokio::time::sleep(WRITE_INTERVAL.saturating_sub(written_at.elapsed())).await;
            }
            written_at = Some(Instant::now());
        }
        Ok(Followed::ToTheEnd)
    }

    /// Ends the steps that will never begin, since others have ended: what their engine decides about them is no more than
    /// that, and comes later. Whoever looks at any step of the run is told.
    async fn settle(&self, run: RunId, known: &mut KnownSteps, recordings: &mut Recordings) -> Result<(), RecordError> {
        let before = known.clone();
        let look = move |connection: &mut _| queue::active_run(connection, run, &before);
        if let Some(active) = self.database.read(look).await? {
            let never = turns::settle(&self.database, &active, self.clock.now()).await?.never;
            for recording in recordings.values_mut() {
                recording.has_ended |= never.iter().any(|(step, _)| *step == recording.keys.id);
            }
            known.insert(run, active.steps);
        }
        let steps = known.get(&run).into_iter().flat_map(|steps| steps.iter());
        self.hints.changed_all(steps.map(|step| step.id));
        Ok(())
    }

    fn begin(&self, step: ActiveStep, order: Order) -> Result<Recording, RecordError> {
        let transcript = Transcript::load(&step.recorded.recorder_state)?;
        if let Some((stream, text)) = transcript.partial() {
            self.hints.partial(step.keys.id, stream, text);
        }
        // An engine that orders the steps of a run also tries them again: all attempts are one step to it.
        let uid = match order {
            Order::Engine => step.keys.uid.first_attempt(),
            Order::Stoker => step.keys.uid.clone(),
        };
        Ok(Recording {
            order,
            retries: step.retries,
            attempt: step.attempt,
            has_begun: step.phase == Phase::Running,
            facts: StepFacts { secrets: self.secret_key.of_step(&uid), requested: step.requested },
            keys: StepKeys { uid, ..step.keys },
            recorded: step.recorded,
            transcript,
            has_ended: false,
        })
    }

    async fn write(&self, recording: &mut Recording, batch: Batch) -> Result<(), RecordError> {
        let (keys, before, after) = (recording.keys.clone(), recording.recorded.clone(), batch.recorded.clone());
        let order = recording.order;
        let written = self.database.write(move |connection| {
            if !steps::advance(connection, keys.id, &before, &batch.recorded)? {
                return Err(DatabaseError::NotFound);
            }
            for chunk in &batch.chunks {
                logs::append(connection, keys.id, chunk)?;
            }
            for entry in &batch.others {
                keep(connection, &keys, entry)?;
            }
            if let Some(End { outcome, again_at }) = &batch.end {
                // Of an engine that tries again itself, the tale goes on.
                let cursor = batch.recorded.cursor.as_ref().filter(|_| order == Order::Engine);
                let goes_on = match again_at {
                    Some(time) => steps::try_again(connection, &keys, outcome, *time, cursor)?,
                    None => false,
                };
                if !goes_on {
                    steps::finish(connection, &keys, outcome)?;
                }
                return Ok(if goes_on && cursor.is_some() { After::BeginsAgain } else { After::HasEnded });
            }
            if !batch.others.is_empty() {
                runs::touch(connection, keys.run)?;
            }
            Ok(After::GoesOn)
        });
        match written.await {
            Ok(written) => {
                recording.recorded = after;
                match written {
                    After::GoesOn => {}
                    After::HasEnded => recording.has_ended = true,
                    After::BeginsAgain => {
                        recording.recorded.recorder_state.clear();
                        recording.transcript = Transcript::default();
                        recording.attempt += 1;
                        recording.has_begun = false;
                    }
                }
                Ok(())
            }
            Err(DatabaseError::NotFound) => Err(RecordError::NotOurs),
            Err(error) => Err(error.into()),
        }
    }
}

/// Keeps what is told of a step beside its lines.
fn keep(connection: &mut diesel::SqliteConnection, keys: &StepKeys, entry: &Entry) -> Result<(), DatabaseError> {
    let step = keys.id;
    match entry {
        Entry::Checkpoint(checkpoint) => checkpoints::put(connection, step, checkpoint),
        Entry::Report(report) => steps::set_cache_report(connection, step, report),
        Entry::Waiting(reason) => steps::set_waiting(connection, step, reason.as_deref()),
        Entry::Placed(place) => steps::set_place(connection, step, place),
        Entry::Began(at) => runs::begin_step(connection, keys.run, step, *at),
        Entry::Line(..) => Ok(()),
    }
}

fn is_recorded(recordings: &Recordings, step: &StepUid) -> bool {
    recordings.get(step).is_some_and(|recording| !recording.has_ended)
}

/// How it is with a step after a batch.
enum After {
    /// More will be told of it.
    GoesOn,
    /// More will be told of its next attempt.
    BeginsAgain,
    /// Nothing more is recorded of it.
    HasEnded,
}

/// What one batch of events leads to.
struct Batch {
    recorded: RecordedStep,
    chunks: Vec<Chunk>,
    others: Vec<Entry>,
    end: Option<End>,
}

impl Batch {
    /// Whether the step stands elsewhere after it.
    fn moves(&self) -> bool {
        self.end.is_some() || self.others.iter().any(|entry| matches!(entry, Entry::Began(_)))
    }
}

/// How an attempt of a step ended.
struct End {
    outcome: Outcome,
    /// When there may be another one; `None` when it was the last.
    again_at: Option<Timestamp>,
}

fn read_batch(recording: &mut Recording, told: StepEvents) -> Result<Batch, serde_json::Error> {
    let wait_when_failed = recording.wait_when_failed();
    let Recording { transcript, facts, recorded: before, retries, attempt, has_begun, .. } = recording;
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
                other => {
                    *has_begun |= matches!(other, Entry::Began(_));
                    others.push(other);
                }
            }
        }
        let (StepEvent::Ended(how) | StepEvent::AttemptEnded(how)) = &observed.event else { continue };
        let mut outcome = finish(how, transcript, observed.at, &mut chunks)?;
        if how.cause == EndCause::Cancelled && !*has_begun {
            outcome.message = Some(runs::CANCELLED_WAITING.to_owned());
        }
        let wait = match observed.event {
            StepEvent::AttemptEnded(_) => Some(retries.wait_after(*attempt).unwrap_or_default()),
            _ => wait_when_failed.filter(|_| matches!(outcome.phase, Phase::Failed | Phase::Error)),
        };
        if let Some(wait) = wait {
            chunks.push(Stream::Stoker, observed.at, &outcome::again_words(*attempt, *retries, wait))?;
        }
        end = Some(End { again_at: wait.map(|wait| Timestamp(observed.at.0 + wait)), outcome });
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
