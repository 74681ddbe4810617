//! Follows a step: joins what the cluster says of its pod with what the pod says in its log, into the step's one tale.
//! The tale's end is the frame that says so; where there will never be one, it is what the cluster says of the container.

use std::{sync::Arc, time::Duration};

use app::model::{identifiers::RunUid, time::Timestamp};
use tokio::sync::{mpsc, watch};

use super::{
    cluster::Cluster,
    contact,
    cursor::{Part, Position},
    frames::Frame,
    log_reader::{self, Piece, Since},
    looks::Looks,
    names,
    pod_facts::{ContainerEnd, ContainerFacts, PodFacts},
    watch::{Attempt, AttemptSight},
};
use crate::{
    clock::SharedClock,
    engine::{Cursor, EndCause, EngineError, Observation, Observed, StepEnd, StepEvent, StepEvents, StepPlan},
    kubernetes::refusal,
};

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;
/// How often to look when nothing is said.
const LOOK: Duration = Duration::from_secs(1);
/// How long a workflow may be there without anybody having looked at it.
const PICKED_UP_WITHIN: Duration = Duration::from_secs(15);
/// How long a pod may take without a reason before the cluster is asked for one, and how often.
const EVENTS_AFTER: Duration = Duration::from_secs(5);
const EVENTS_AGAIN: Duration = Duration::from_secs(15);
/// The shortest and the longest pause before a log is opened again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often the log of a container that has ended is read for its last frame before the cluster's word must do: the
/// node may still be writing it.
const LAST_READINGS: u32 = 6;
/// How often that log may be refused: its node may not answer for a while.
const LAST_REFUSALS: u32 = 60;

/// Nobody listens any more.
#[derive(Debug)]
pub struct Unheard;

/// How a container's part of the tale ended.
struct PartEnd {
    at: Timestamp,
    end: StepEnd,
}

/// Follows one step.
pub struct Follower {
    cluster: Arc<Cluster>,
    clock: SharedClock,
    looks: Arc<Looks>,
    run: RunUid,
    attempt: Attempt,
    /// How many attempts there may be.
    most_attempts: u32,
    /// The step's template in the workflow.
    template: String,
    position: Position,
    /// True when it was told that this attempt has begun.
    says_begun: bool,
    /// When the last frame was, if this follower has seen one: a log that is opened again begins there.
    last_frame: Since,
    /// What the step waits for, as was last seen.
    waiting: Option<String>,
    /// True when the step's tale may say of something that it waits for.
    says_waiting: bool,
    node: Option<String>,
    /// Since when the cluster does not answer.
    lost_since: watch::Receiver<Option<Timestamp>>,
    /// True when something of the run was seen, by this follower or an earlier one.
    was_there: bool,
    changes: watch::Receiver<()>,
    told: mpsc::Sender<Result<Observation, EngineError>>,
}

impl Follower {
    /// For a step, from where it was left.
    #[must_use]
    pub fn new(
        cluster: Arc<Cluster>,
        clock: SharedClock,
        looks: Arc<Looks>,
        plan: &StepPlan,
        cursor: Option<&Cursor>,
        told: mpsc::Sender<Result<Observation, EngineError>>,
    ) -> Self {
        let position = Position::read(cursor);
        Self {
            changes: cluster.watch.changes(),
            lost_since: cluster.contact.lost_since(),
            run: plan.step.run(),
            attempt: Attempt { step: plan.step.clone(), number: position.attempt },
            most_attempts: plan.definition.retries.count() + 1,
            template: names::template(&plan.step),
            looks,
            position,
            says_begun: false,
            was_there: cursor.is_some(),
            last_frame: Since::Beginning,
            waiting: None,
            // By whoever followed it before.
            says_waiting: cursor.is_some(),
            node: None,
            cluster,
            clock,
            told,
        }
    }

    /// Tells the step's tale to its end.
    ///
    /// # Errors
    /// When it stops before.
    pub async fn follow(mut self) -> Result<(), Unheard> {
        loop {
            let part = self.position.part;
            let PartEnd { at, end } = match self.begun(part).await? {
                Ok(pod) => self.read(&pod, part).await?,
                Err(end) => PartEnd { at: self.clock.now(), end },
            };
            let has_succeeded = end.cause == EndCause::Program && end.exit_code == Some(0);
            if part == Part::Prepare && has_succeeded {
                self.position = Position::before(self.attempt.number, Part::Run);
                self.last_frame = Since::Beginning;
                continue;
            }
            let end = self.judge(end).await;
            if has_succeeded || !self.is_tried_again(&end).await {
                return self.tell(vec![Observed { at, event: StepEvent::Ended(end) }]).await;
            }
            self.attempt.number += 1;
            self.position = Position::before(self.attempt.number, Part::Prepare);
            self.last_frame = Since::Beginning;
            (self.says_begun, self.says_waiting) = (false, false);
            (self.node, self.waiting) = (None, None);
            self.tell(vec![Observed { at, event: StepEvent::AttemptEnded(end) }]).await?;
        }
    }

    /// Whether Argo makes another attempt after one that ended so.
    async fn is_tried_again(&self, end: &StepEnd) -> bool {
        if self.attempt.number >= self.most_attempts || matches!(end.cause, EndCause::Cancelled | EndCause::NotRun(_)) {
            return false;
        }
        let sight = self.look().await.unwrap_or_else(|_| self.cluster.watch.attempt(&self.run, &self.attempt));
        let may_go_on = sight.workflow.is_some_and(|workflow| {
            let is_over = workflow.end.is_some() || workflow.is_cancelled;
            !is_over || workflow.attempt(&self.template, self.attempt.number + 1).is_known
        });
        may_go_on || sight.has_next
    }

    async fn tell(&mut self, events: Vec<Observed>) -> Result<(), Unheard> {
        if events.is_empty() {
            return Ok(());
        }
        let next = Cursor(self.position.to_string());
        let told = Observation::Step(StepEvents { step: self.attempt.step.clone(), events, next });
        self.told.send(Ok(told)).await.map_err(|_| Unheard)
    }

    fn now(&self, event: StepEvent) -> Observed {
        Observed { at: self.clock.now(), event }
    }

    /// Waits until a container has begun, and tells for what. Gives the pod's name, or why there will be none.
    async fn begun(&mut self, part: Part) -> Result<Result<String, StepEnd>, Unheard> {
        let began_to_wait = tokio::time::Instant::now();
        let mut ask_events_at = began_to_wait + EVENTS_AFTER;
        loop {
            self.changes.mark_unchanged();
            let sight = self.cluster.watch.attempt(&self.run, &self.attempt);
            self.was_there |= sight.pod.is_some() || sight.workflow.is_some();
            let reason = if let Some(pod) = &sight.pod {
                self.tell_begun().await?;
                self.tell_place(pod).await?;
                if *pod.container(part) != ContainerFacts::Waiting {
                    self.waiting = None;
                    self.tell_waiting().await?;
                    return Ok(Ok(pod.name.clone()));
                }
                if let Some(failed) = &pod.failed {
                    return Ok(Err(StepEnd::by(EndCause::Outside(failed.clone()))));
                }
                // The container before it has ended without success, and was not heard to its end.
                if let (Part::Run, ContainerFacts::Ended(end)) = (part, pod.container(Part::Prepare))
                    && end.exit_code != Some(0)
                {
                    return Ok(Err(of_container(end)));
                }
                match &pod.waiting {
                    None if tokio::time::Instant::now() > ask_events_at => {
                        ask_events_at = tokio::time::Instant::now() + EVENTS_AGAIN;
                        self.cluster.warning_of(&pod.name).await
                    }
                    reason => reason.clone(),
                }
            } else {
                if let Some(end) = self.without_pod(&sight).await {
                    return Ok(Err(end));
                }
                sight.workflow.as_ref().and_then(|workflow| {
                    let is_ignored = !workflow.is_picked_up && began_to_wait.elapsed() > PICKED_UP_WITHIN;
                    let ignored = || "The workflow is not picked up: is the Argo controller running?".to_owned();
                    let waits = || workflow.attempt(&self.template, self.attempt.number).waits;
                    is_ignored.then(ignored).or_else(waits).or_else(|| workflow.message.clone())
                })
            };
            if reason.is_some() && reason != self.waiting {
                self.waiting = reason;
                self.tell_waiting().await?;
            }
            tokio::select! {
                () = self.told.closed() => return Err(Unheard),
                () = tokio::time::sleep(LOOK) => {}
                Ok(()) = self.changes.changed() => {}
                Ok(()) = self.lost_since.changed() => self.tell_waiting().await?,
            }
        }
    }

    /// How the attempt ends for which there is no pod; `None` when there may still be one. The watch may be behind, so
    /// before that is said, the cluster itself is asked.
    async fn without_pod(&mut self, sight: &AttemptSight) -> Option<StepEnd> {
        if !self.is_over(sight) {
            return None;
        }
        let sight = self.look().await.ok()?;
        if !self.is_over(&sight) || sight.pod.is_some() {
            return None;
        }
        // Whoever removed it, the program had ended before.
        if let Some(end) = self.cluster.watch.attempt(&self.run, &self.attempt).end {
            return Some(of_container(&end));
        }
        let Some(workflow) = sight.workflow else {
            let deleted = "The run's workflow was deleted by somebody outside Stoker. Run it again.";
            return Some(StepEnd::by(if self.was_there {
                EndCause::Outside(deleted.to_owned())
            } else {
                EndCause::Lost
            }));
        };
        let attempt = workflow.attempt(&self.template, self.attempt.number);
        let reason = attempt.message.or(workflow.message);
        let reason = || reason.as_deref().unwrap_or("Argo gives no reason. Run it again.");
        Some(StepEnd::by(if workflow.is_cancelled {
            EndCause::Cancelled
        } else if attempt.was_left_out {
            EndCause::NotRun(format!(
                "Not run: by Argo's account, those before it did not end as it needs. {}",
                reason()
            ))
        } else if self.says_begun || self.position.part == Part::Run {
            EndCause::Outside(
                "The run's pod was removed by somebody outside Stoker, or with its node. Run it again.".to_owned(),
            )
        } else {
            EndCause::Outside(format!("The run's workflow ended without a pod: {}", reason()))
        }))
    }

    /// Whether there will be no pod of the attempt any more, unless one is there.
    fn is_over(&self, sight: &AttemptSight) -> bool {
        let by_workflow = sight.workflow.as_ref().is_none_or(|workflow| {
            workflow.end.is_some()
                || workflow.is_cancelled
                || workflow.attempt(&self.template, self.attempt.number).is_over
        });
        by_workflow || sight.has_next || self.position.part == Part::Run
    }

    /// What the cluster itself says of the attempt, now.
    async fn look(&self) -> Result<AttemptSight, kube::Error> {
        Ok(self.looks.look().await?.of(&self.attempt))
    }

    async fn tell_begun(&mut self) -> Result<(), Unheard> {
        if std::mem::replace(&mut self.says_begun, true) {
            return Ok(());
        }
        let event = self.now(StepEvent::Began);
        self.tell(vec![event]).await
    }

    async fn tell_place(&mut self, pod: &PodFacts) -> Result<(), Unheard> {
        if pod.node.is_none() || pod.node == self.node {
            return Ok(());
        }
        self.node.clone_from(&pod.node);
        let node = pod.node.clone().unwrap_or_default();
        let runtime = self.cluster.container_runtime(&node).await;
        let container = runtime.map(|runtime| format!("A container of {runtime}, on the node {node}."));
        let events = [Some(StepEvent::Placed(node)), container.map(StepEvent::Container)];
        self.tell(events.into_iter().flatten().map(|event| self.now(event)).collect()).await
    }

    /// Tells what the step waits for; that the cluster does not answer goes before everything else.
    async fn tell_waiting(&mut self) -> Result<(), Unheard> {
        let lost = self.lost_since.borrow_and_update().map(contact::lost_words);
        let reason = lost.or_else(|| self.waiting.clone());
        let says_nothing_new = reason.is_none() && !self.says_waiting;
        if says_nothing_new {
            return Ok(());
        }
        self.says_waiting = reason.is_some();
        let event = self.now(StepEvent::Waiting(reason));
        self.tell(vec![event]).await
    }

    /// Reads a container's log to its last frame, however often the way there breaks.
    async fn read(&mut self, pod: &str, part: Part) -> Result<PartEnd, Unheard> {
        let mut pause = SHORTEST_PAUSE;
        let (mut last_readings, mut refusals) = (0, 0);
        loop {
            // Asked before reading: a container that had ended by then has written all it ever will.
            let container = self.container(part);
            let follow = matches!(container, Some(ContainerFacts::Running | ContainerFacts::Waiting));
            // The last readings take all there is: nothing may hang on a clock.
            let since = if follow { self.last_frame } else { Since::Beginning };
            match log_reader::open(&self.cluster.pods, pod, part, follow, since).await {
                Ok(mut reader) => {
                    let before = self.position.number;
                    loop {
                        let piece = tokio::select! {
                            piece = reader.next() => piece,
                            Ok(()) = self.lost_since.changed() => {
                                self.tell_waiting().await?;
                                continue;
                            }
                        };
                        let frames = match piece {
                            Piece::Frames(frames) => frames,
                            Piece::End => {
                                last_readings += u32::from(!follow);
                                break;
                            }
                            Piece::Cut => break,
                        };
                        match self.take(frames, since).await? {
                            Taken::All => {}
                            Taken::TooLate => {
                                self.last_frame = Since::Beginning;
                                break;
                            }
                            Taken::End(end) => return Ok(end),
                        }
                    }
                    if self.position.number > before {
                        pause = SHORTEST_PAUSE;
                    }
                }
                Err(error) if refusal::is_missing(&error) => last_readings += u32::from(!follow),
                Err(error) => {
                    refusals += u32::from(!follow && refusal::is_answer(&error));
                    tracing::debug!(step.uid = %self.attempt.step, %error, "A log could not be opened; trying again");
                }
            }
            if (last_readings >= LAST_READINGS || refusals >= LAST_REFUSALS)
                && let Some(end) = self.end_without_frame(part).await?
            {
                return Ok(end);
            }
            self.pause(pause).await?;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn container(&self, part: Part) -> Option<ContainerFacts> {
        let sight = self.cluster.watch.attempt(&self.run, &self.attempt);
        sight.pod.map(|pod| pod.container(part).clone())
    }

    /// Tells what is new in these frames.
    async fn take(&mut self, frames: Vec<Frame>, since: Since) -> Result<Taken, Unheard> {
        let mut events = Vec::new();
        let mut end = None;
        for frame in frames {
            if frame.number <= self.position.number {
                continue;
            }
            if frame.number > self.position.number + 1 {
                // What lies between may well be there, before the time from which was read.
                if since != Since::Beginning {
                    self.tell(events).await?;
                    return Ok(Taken::TooLate);
                }
                let lost = frame.lines.saturating_sub(self.position.lines);
                events.push(Observed { at: frame.observed.at, event: StepEvent::Lost(lost_words(lost)) });
            }
            self.position.number = frame.number;
            self.position.lines = frame.lines_after();
            self.last_frame = Since::Frame(frame.observed.at);
            match frame.observed.event {
                StepEvent::Ended(how) => end = Some(PartEnd { at: frame.observed.at, end: how }),
                event => events.push(Observed { at: frame.observed.at, event }),
            }
        }
        self.tell(events).await?;
        Ok(end.map_or(Taken::All, Taken::End))
    }

    /// The end of a container whose log will never tell it. `None` when the cluster cannot be asked now, or the
    /// container goes on after all.
    async fn end_without_frame(&mut self, part: Part) -> Result<Option<PartEnd>, Unheard> {
        let Ok(sight) = self.look().await else { return Ok(None) };
        let (at, end) = match sight.pod.as_ref().map(|pod| (pod, pod.container(part))) {
            Some((_, ContainerFacts::Ended(end))) => (end.at, of_container(end)),
            Some((PodFacts { failed: Some(why), .. }, _)) => (None, StepEnd::by(EndCause::Outside(why.clone()))),
            Some(_) => return Ok(None),
            None => match self.without_pod(&sight).await {
                Some(end) => (None, end),
                None => return Ok(None),
            },
        };
        let event = self.now(StepEvent::Lost(
            "The end of the log cannot be had any more: what was printed last may be missing.".to_owned(),
        ));
        self.tell(vec![event]).await?;
        Ok(Some(PartEnd { at: at.unwrap_or_else(|| self.clock.now()), end }))
    }

    /// Who asked the container to end, it cannot know: a cancel is one only when it was ours. Nor does it always hear that
    /// it was asked: the signal may reach the program before it reaches the shim.
    async fn judge(&self, end: StepEnd) -> StepEnd {
        // Whether memory ran out is known for the whole node only, and is no reason for a SIGTERM.
        let is_kill = match end.signal {
            Some(SIGTERM) => true,
            Some(SIGKILL) => !end.memory_ran_out,
            _ => false,
        };
        let was_killed = end.cause == EndCause::Program && is_kill;
        if end.cause != EndCause::Cancelled && !was_killed {
            return end;
        }
        let sight = self.look().await.unwrap_or_else(|_| self.cluster.watch.attempt(&self.run, &self.attempt));
        if sight.workflow.as_ref().is_some_and(|workflow| workflow.is_cancelled) {
            return StepEnd { cause: EndCause::Cancelled, ..end };
        }
        let pod = sight.pod.as_ref();
        let failed = pod.and_then(|pod| pod.failed.clone());
        let is_removed = failed.is_some() || pod.is_none_or(|pod| pod.is_being_removed);
        if was_killed && !is_removed {
            return end;
        }
        let cause = EndCause::Outside(failed.unwrap_or_else(|| {
            "Somebody outside Stoker, or the cluster itself, removed the run's pod while it ran. Run it again."
                .to_owned()
        }));
        StepEnd { cause, ..end }
    }

    async fn pause(&mut self, pause: Duration) -> Result<(), Unheard> {
        tokio::select! {
            () = self.told.closed() => Err(Unheard),
            () = tokio::time::sleep(pause) => Ok(()),
            Ok(()) = self.lost_since.changed() => self.tell_waiting().await,
        }
    }
}

/// What became of some frames.
enum Taken {
    /// They were told, as far as they were new.
    All,
    /// Some are missing before them.
    TooLate,
    /// The last one was among them.
    End(PartEnd),
}

fn lost_words(lines: u64) -> String {
    match lines {
        0 => "A part of a line cannot be had any more: the cluster keeps only the newest part of a log.".to_owned(),
        1 => "1 line cannot be had any more: the cluster keeps only the newest part of a log.".to_owned(),
        lines => format!("{lines} lines cannot be had any more: the cluster keeps only the newest part of a log."),
    }
}

fn of_container(end: &ContainerEnd) -> StepEnd {
    let limit = end.memory_limit.filter(|_| end.memory_ran_out);
    StepEnd {
        cause: limit.map_or(EndCause::Program, EndCause::MemoryLimit),
        exit_code: end.exit_code,
        signal: end.signal,
        memory_ran_out: end.memory_ran_out,
    }
}
