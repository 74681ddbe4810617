//! How the time of a run's step divides: it waits for its turn, is prepared, and runs.

use crate::model::{phase::Phase, time::Timestamp, views::StepSummary};

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub from: Timestamp,
    /// Where it ends; `None` while it goes on.
    pub to: Option<Timestamp>,
}

impl Span {
    /// How long it took, or has taken so far, in milliseconds.
    #[must_use]
    pub fn millis(self, now: Timestamp) -> u64 {
        self.to.unwrap_or(now).millis_since(self.from)
    }
}

/// How the time of a step divides; `None` for what there was not, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// It was tried before, and waited to be tried again. The rest is about its last attempt.
    pub earlier: Option<Span>,
    /// It could have begun, and waited for its turn.
    pub waiting: Option<Span>,
    /// Its environment was made ready.
    pub preparing: Option<Span>,
    /// Its program ran.
    pub running: Option<Span>,
}

impl Timing {
    /// How the time of a step divides, one of `steps`, of a run that was asked for at this time.
    #[must_use]
    pub fn of(step: &StepSummary, steps: &[StepSummary], created_at: Timestamp) -> Self {
        // What was kept took its time in another run.
        if step.kept_from.is_some() || step.phase == Phase::Skipped {
            return Self::default();
        }
        let ready = ready_at(step, steps, created_at);
        let Some(started) = step.started_at else {
            return Self::before(step, ready.filter(|_| !step.phase.is_final()).map(|from| Span { from, to: None }));
        };
        let before = ready.filter(|ready| *ready < started).map(|from| Span { from, to: Some(started) });
        let preparing = Some(Span { from: started, to: step.prepared_at.or(step.finished_at) });
        let running = step.prepared_at.filter(|prepared| step.finished_at != Some(*prepared));
        let running = running.map(|from| Span { from, to: step.finished_at });
        Self { preparing, running, ..Self::before(step, before) }
    }

    /// Of what there was before a step's last attempt.
    fn before(step: &StepSummary, span: Option<Span>) -> Self {
        if step.attempt > 1 {
            Self { earlier: span, ..Self::default() }
        } else {
            Self { waiting: span, ..Self::default() }
        }
    }
}

/// When a step could have begun; `None` while it waits for others.
fn ready_at(step: &StepSummary, steps: &[StepSummary], created_at: Timestamp) -> Option<Timestamp> {
    let mut ready = created_at;
    for before in step.runs_after.iter().filter_map(|index| steps.get(*index)) {
        if !before.phase.is_final() {
            return None;
        }
        // Skipped steps have no end, and kept ones ended before.
        ready = before.finished_at.map_or(ready, |finished| ready.max(finished));
    }
    Some(ready)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::flow::{FlowStep, RunsWhen};

    fn step(key: &str, phase: Phase, times: [Option<i64>; 3]) -> StepSummary {
        let [started_at, prepared_at, finished_at] = times.map(|time| time.map(Timestamp));
        let FlowStep { key, name, .. } = FlowStep::example(key, &[]);
        StepSummary {
            key,
            name,
            phase,
            runs_after: Vec::new(),
            runs_when: RunsWhen::default(),
            placement: None,
            attempt: 1,
            started_at,
            prepared_at,
            finished_at,
            message: None,
            kept_from: None,
        }
    }

    fn after(before: usize, step: StepSummary) -> StepSummary {
        StepSummary { runs_after: vec![before], ..step }
    }

    fn spans(timing: Timing) -> [Option<(i64, Option<i64>)>; 3] {
        [timing.waiting, timing.preparing, timing.running]
            .map(|span| span.map(|span| (span.from.0, span.to.map(|to| to.0))))
    }

    #[test]
    fn time_divides_at_what_happened() {
        let steps = [
            step("a", Phase::Succeeded, [Some(10), Some(15), Some(40)]),
            after(0, step("b", Phase::Running, [Some(45), Some(46), None])),
            after(0, step("c", Phase::Pending, [None; 3])),
            after(1, step("d", Phase::Pending, [None; 3])),
            after(0, step("e", Phase::Running, [Some(40), None, None])),
        ];
        let divided = |index: usize| spans(Timing::of(&steps[index], &steps, Timestamp(5)));
        assert_eq!(divided(0), [Some((5, Some(10))), Some((10, Some(15))), Some((15, Some(40)))]);
        assert_eq!(divided(1), [Some((40, Some(45))), Some((45, Some(46))), Some((46, None))]);
        assert_eq!(divided(2), [Some((40, None)), None, None]);
        assert_eq!(divided(3), [None; 3], "it waits for another step, not for its turn");
        assert_eq!(divided(4), [None, Some((40, None)), None]);

        let again = StepSummary { attempt: 2, ..steps[1].clone() };
        let timing = Timing::of(&again, &steps, Timestamp(5));
        assert_eq!(timing.earlier, Some(Span { from: Timestamp(40), to: Some(Timestamp(45)) }));
        assert_eq!(timing.waiting, None);
    }

    #[test]
    fn what_did_not_run_took_no_time() {
        let failed = step("a", Phase::Failed, [Some(10), Some(40), Some(40)]);
        let kept = StepSummary {
            kept_from: crate::model::identifiers::RunNumber::new(1),
            ..step("b", Phase::Succeeded, [Some(1), Some(2), Some(3)])
        };
        let steps = [
            failed,
            kept,
            after(0, step("c", Phase::Skipped, [None; 3])),
            after(1, step("d", Phase::Succeeded, [Some(9), Some(9), Some(12)])),
            step("e", Phase::Cancelled, [None; 3]),
        ];
        let divided = |index: usize| spans(Timing::of(&steps[index], &steps, Timestamp(5)));
        assert_eq!(divided(0), [Some((5, Some(10))), Some((10, Some(40))), None], "it failed while it was prepared");
        assert_eq!([divided(1), divided(2), divided(4)], [[None; 3]; 3]);
        assert_eq!(divided(3)[0], Some((5, Some(9))), "from when the run was asked for");
    }
}
