//! Whose turn it is in a run: which of its waiting steps may begin, and which never will. One decision for all engines:
//! for those that leave the order to Stoker, and for what is said of steps that were not run.

use app::model::{flow::order, identifiers::StepId, phase::Phase, time::Timestamp};

use crate::db::{
    Database, DatabaseError,
    queue::ActiveRun,
    runs,
    steps::{self, Outcome},
};

/// What is said of a step that was cancelled while it waited to be tried again.
const CANCELLED_AGAIN: &str = "Cancelled while it waited for its next attempt.";

/// What becomes of the steps of a run that wait.
#[derive(Debug, Default)]
pub struct Turns {
    /// Those that may begin.
    pub ready: Vec<StepId>,
    /// Those that never will, and how they thereby ended.
    pub never: Vec<(StepId, Outcome)>,
}

/// What becomes of the steps of this run that wait, now.
#[must_use]
pub fn turns(run: &ActiveRun, at: Timestamp) -> Turns {
    let ended = |phase, message| Outcome { phase, exit_code: None, message: Some(message), at };
    if run.cancel_requested {
        let words = |step| if run.not_before.contains_key(&step) { CANCELLED_AGAIN } else { runs::CANCELLED_WAITING };
        let never = run.steps_in(Phase::Pending).map(|step| (step, ended(Phase::Cancelled, words(step).to_owned())));
        return Turns { ready: Vec::new(), never: never.collect() };
    }
    let mut phases = run.phases.clone();
    let next = run.next();
    let mut never = Vec::new();
    for (step, because) in next.skip {
        phases[step] = Phase::Skipped;
        let name = |step: usize| run.steps[step].name.clone();
        let message = order::skipped_message(because, name, |step| phases[step]);
        never.push((run.steps[step].id, ended(Phase::Skipped, message)));
    }
    let may_begin = |step: &StepId| run.is_due(*step, at) && !run.unlocked.contains(step);
    let ready = next.begin.iter().map(|step| run.steps[*step].id).filter(may_begin);
    Turns { ready: ready.collect(), never }
}

/// Ends the steps of a run that never will begin, and gives what became of all.
///
/// # Errors
/// When the database does not answer.
pub async fn settle(database: &Database, run: &ActiveRun, at: Timestamp) -> Result<Turns, DatabaseError> {
    let turns = turns(run, at);
    if !turns.never.is_empty() {
        let (id, never) = (run.id, turns.never.clone());
        database.write(move |connection| steps::finish_waiting(connection, id, &never)).await?;
    }
    Ok(turns)
}
