//! When the steps of a run may begin: one function of the graph and of where each step stands. It decides for every
//! engine that leaves the order to Stoker.

use super::RunsWhen;
use crate::model::phase::Phase;

/// What becomes of a step that has not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It waits for others.
    Waits,
    /// It may begin.
    Begins,
    /// It will never run.
    Never(Because),
}

/// Why a step never runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// It runs only when all before it succeeded, and this one, by its index, did not.
    NotSucceeded(usize),
    /// It runs only when one of those before it failed, and none did.
    NoneFailed,
}

/// What becomes of a step that waits for these, by their indices, and that runs when they ended so. `phases` are those
/// of all steps of the run.
#[must_use]
pub fn turn(runs_after: &[usize], runs_when: RunsWhen, phases: &[Phase]) -> Turn {
    // An index without a phase cannot be; were there one, the step would wait for it.
    let phase = |step: &usize| phases.get(*step).copied().unwrap_or(Phase::Pending);
    let all_ended = runs_after.iter().all(|step| phase(step).is_final());
    let has_failed = |step: &usize| matches!(phase(step), Phase::Failed | Phase::Error);
    match runs_when {
        RunsWhen::AllSucceeded => {
            let other = runs_after.iter().find(|step| phase(step).is_final() && phase(step) != Phase::Succeeded);
            match other {
                Some(step) => Turn::Never(Because::NotSucceeded(*step)),
                None if all_ended => Turn::Begins,
                None => Turn::Waits,
            }
        }
        _ if !all_ended => Turn::Waits,
        RunsWhen::AnyFailed if !runs_after.iter().any(has_failed) => Turn::Never(Because::NoneFailed),
        RunsWhen::AllEnded | RunsWhen::AnyFailed => Turn::Begins,
    }
}

/// What a step of a run waits for.
#[derive(Debug, Clone, Copy)]
pub struct Waiting<'a> {
    /// The steps that it waits for, by their index.
    pub runs_after: &'a [usize],
    /// How those must have ended.
    pub runs_when: RunsWhen,
}

/// What happens next in a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Next {
    /// The steps that may begin, by their index.
    pub begin: Vec<usize>,
    /// The steps that will never run, and why, those first that others are skipped for.
    pub skip: Vec<(usize, Because)>,
}

/// What happens next in a run whose steps wait so, and stand so.
#[must_use]
pub fn next(steps: &[Waiting<'_>], phases: &[Phase]) -> Next {
    let mut phases = phases.to_vec();
    let mut next = Next::default();
    // A step that is skipped may settle what becomes of those after it.
    loop {
        let skipped = next.skip.len();
        next.begin.clear();
        for (index, step) in steps.iter().enumerate() {
            if phases.get(index) != Some(&Phase::Pending) {
                continue;
            }
            match turn(step.runs_after, step.runs_when, &phases) {
                Turn::Waits => {}
                Turn::Begins => next.begin.push(index),
                Turn::Never(because) => {
                    phases[index] = Phase::Skipped;
                    next.skip.push((index, because));
                }
            }
        }
        if next.skip.len() == skipped {
            return next;
        }
    }
}

/// Why a step was skipped, as it is shown. `name` gives a step's name, `phase` where it stands.
#[must_use]
pub fn skipped_message(because: Because, name: impl Fn(usize) -> String, phase: impl Fn(usize) -> Phase) -> String {
    match because {
        Because::NotSucceeded(step) => {
            let how = match phase(step) {
                Phase::Skipped => "was not run",
                Phase::Cancelled => "was cancelled",
                _ => "failed",
            };
            format!("Not run: `{}` {how}.", name(step))
        }
        Because::NoneFailed => "Not run: nothing before it failed.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Phase::{Cancelled, Failed, Pending, Running, Skipped, Succeeded};
    use RunsWhen::{AllEnded, AllSucceeded, AnyFailed};

    #[test]
    fn each_condition_decides_as_it_says() {
        for (when, phases, expected) in [
            (AllSucceeded, [Succeeded, Running], Turn::Waits),
            (AllSucceeded, [Succeeded, Succeeded], Turn::Begins),
            (AllSucceeded, [Failed, Running], Turn::Never(Because::NotSucceeded(0))),
            (AllSucceeded, [Succeeded, Skipped], Turn::Never(Because::NotSucceeded(1))),
            (AllEnded, [Failed, Running], Turn::Waits),
            (AllEnded, [Failed, Skipped], Turn::Begins),
            (AnyFailed, [Failed, Pending], Turn::Waits),
            (AnyFailed, [Failed, Succeeded], Turn::Begins),
            (AnyFailed, [Succeeded, Cancelled], Turn::Never(Because::NoneFailed)),
        ] {
            assert_eq!(turn(&[0, 1], when, &phases), expected, "{when:?} {phases:?}");
        }
        // A step that waits for nobody begins, but one for when something failed.
        assert_eq!([AllSucceeded, AllEnded].map(|when| turn(&[], when, &[])), [Turn::Begins; 2]);
    }

    #[test]
    fn what_is_skipped_settles_what_comes_after_it() {
        let steps = [
            (&[][..], AllSucceeded),
            (&[0][..], AllSucceeded),
            (&[1][..], AllSucceeded),
            (&[2][..], AllEnded),
            (&[0][..], AnyFailed),
            (&[1][..], AnyFailed),
        ];
        let steps = steps.map(|(runs_after, runs_when)| Waiting { runs_after, runs_when });
        let next = next(&steps, &[Failed, Pending, Pending, Pending, Pending, Pending]);
        assert_eq!(next.begin, [3, 4]);
        assert_eq!(next.skip, [(1, Because::NotSucceeded(0)), (2, Because::NotSucceeded(1)), (5, Because::NoneFailed)]);
    }

    #[test]
    fn a_skipped_step_says_why() {
        let words = |because, phase| skipped_message(because, |_| "load".to_owned(), |_| phase);
        assert_eq!(words(Because::NotSucceeded(0), Failed), "Not run: `load` failed.");
        assert_eq!(words(Because::NotSucceeded(0), Skipped), "Not run: `load` was not run.");
        assert_eq!(words(Because::NoneFailed, Succeeded), "Not run: nothing before it failed.");
    }
}
