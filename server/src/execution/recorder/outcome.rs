//! Puts the end of a step into words: what happened, why, and what to do next.

use app::model::{
    flow::Retries,
    phase::Phase,
    sizes::bytes_text,
    time::{Timestamp, duration_text},
};

use super::transcript::Transcript;
use crate::{
    db::steps::Outcome,
    engine::{EndCause, StepEnd},
};

const SIGKILL: i32 = 9;

/// How the step ended.
#[must_use]
pub fn outcome(end: &StepEnd, transcript: &Transcript, at: Timestamp) -> Outcome {
    let (phase, message) = verdict(end, transcript);
    Outcome { phase, exit_code: end.exit_code.filter(|_| transcript.program_started()), message, at }
}

/// What is said after an attempt that failed and after which there is another one, in so many milliseconds.
#[must_use]
pub fn again_words(attempt: u32, retries: Retries, wait: i64) -> String {
    let when = match u64::try_from(wait).unwrap_or(0) {
        0 => "at once".to_owned(),
        wait => format!("in {}", duration_text(wait)),
    };
    format!("Attempt {attempt} of {} failed. The next one begins {when}.", retries.count() + 1)
}

fn verdict(end: &StepEnd, transcript: &Transcript) -> (Phase, Option<String>) {
    match &end.cause {
        EndCause::Cancelled => (Phase::Cancelled, Some("Cancelled, with everything it had started.".into())),
        EndCause::Timeout(seconds) => (
            Phase::Failed,
            Some(format!(
                "Stopped after its time limit of {seconds} s. Raise the timeout of the task, or let it do less."
            )),
        ),
        EndCause::PreparationTimeout(seconds) => (
            Phase::Failed,
            Some(format!(
                "Preparing the environment took longer than {seconds} s and was stopped. Run it again: what was downloaded is kept."
            )),
        ),
        EndCause::MemoryLimit(bytes) => {
            let what = if transcript.program_started() { "The program" } else { "Preparing the environment" };
            let limit = bytes_text(*bytes);
            (
                Phase::Failed,
                Some(format!(
                    "{what} needed more memory than its limit of {limit}, and was killed. Raise the memory limit of the task, or let it hold less at once."
                )),
            )
        }
        EndCause::NotStarted(reason) => {
            (Phase::Error, Some(format!("The run could not be started: {reason}. Run it again.")))
        }
        EndCause::Unrecorded(reason) => (
            Phase::Error,
            Some(format!(
                "Stopped, since what it printed could not be written down any more: {reason}. Check the disk that holds Stoker's data folder, then run it again."
            )),
        ),
        EndCause::Lost => (
            Phase::Error,
            Some("The run's process disappeared, so its result is unknown: the machine went down, or somebody killed it. Run it again.".into()),
        ),
        EndCause::Outside(message) => (Phase::Error, Some(message.clone())),
        EndCause::NotRun(message) => (Phase::Skipped, Some(message.clone())),
        EndCause::Program => program_verdict(end, transcript),
    }
}

fn program_verdict(end: &StepEnd, transcript: &Transcript) -> (Phase, Option<String>) {
    if !transcript.program_started() {
        let message = transcript.failed_checkpoint().map_or_else(
            || "The environment could not be prepared. The last lines of the log say why.".to_owned(),
            str::to_owned,
        );
        return (Phase::Failed, Some(message));
    }
    let message = match (end.exit_code, end.signal) {
        (Some(0), _) => return (Phase::Succeeded, None),
        (Some(code), _) if is_memory_error(transcript.last_error()) => {
            format!(
                "The program ran out of memory (exit code {code}). Let it hold less at once, or raise the memory limit."
            )
        }
        (Some(code), _) => format!("The program ended with exit code {code}."),
        (None, Some(SIGKILL)) if end.memory_ran_out => {
            "The machine ran out of memory and killed the program. Let it hold less at once.".to_owned()
        }
        (None, Some(SIGKILL)) => {
            "Something outside Stoker killed the program (signal 9, SIGKILL). Often that is for lack of memory."
                .to_owned()
        }
        (None, Some(signal)) => format!("The program was ended by signal {signal} ({}).", signal_words(signal)),
        (None, None) => "The program ended in an unknown way.".to_owned(),
    };
    (Phase::Failed, Some(message))
}

/// Whether the last line of a traceback names a lack of memory: Python's own error, or the one that numpy makes of it
/// (`numpy._core._exceptions._ArrayMemoryError: Unable to allocate …`; before numpy 2 in `numpy.core`).
fn is_memory_error(line: &str) -> bool {
    let class = line.split(':').next().unwrap_or(line).trim_end();
    matches!(class.rsplit('.').next(), Some("MemoryError" | "_ArrayMemoryError"))
}

fn signal_words(signal: i32) -> &'static str {
    match signal {
        1 => "SIGHUP, hang-up",
        2 => "SIGINT, interrupted",
        4 => "SIGILL, an instruction that this processor does not have",
        6 => "SIGABRT, it gave up by itself",
        7 => "SIGBUS, a memory error",
        8 => "SIGFPE, an arithmetic error",
        11 => "SIGSEGV, a crash in native code",
        13 => "SIGPIPE, it wrote to a closed pipe",
        15 => "SIGTERM, asked to end",
        24 => "SIGXCPU, out of processor time",
        25 => "SIGXFSZ, a file too large",
        _ => "see signal(7)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::StepEvent,
        execution::recorder::transcript::StepFacts,
        runner::{Secrets, markers::MarkerSecrets},
    };

    fn message(
        cause: EndCause,
        exit_code: Option<i32>,
        signal: Option<i32>,
        memory_ran_out: bool,
        error: &str,
    ) -> (Phase, String) {
        let facts = StepFacts {
            secrets: Secrets { markers: MarkerSecrets::new(|_| "m".into()), error_tag: "e".into() },
            requested: 0,
        };
        let mut transcript = Transcript::default();
        let mut entries = Vec::new();
        let start = StepEvent::Output(b"\x1em [{\"program\":true}]\n".to_vec());
        transcript.read(Timestamp(0), &start, &facts, &mut entries);
        transcript.read(Timestamp(0), &StepEvent::Error(error.into()), &facts, &mut entries);
        let end = StepEnd { cause, exit_code, signal, memory_ran_out };
        let outcome = outcome(&end, &transcript, Timestamp(1));
        (outcome.phase, outcome.message.unwrap_or_default())
    }

    #[test]
    fn ends_are_told_apart() {
        use EndCause::{Cancelled, Lost, MemoryLimit, Program, Timeout};
        assert_eq!(message(Program, Some(0), None, false, ""), (Phase::Succeeded, String::new()));
        assert_eq!(message(Program, Some(3), None, false, "").1, "The program ended with exit code 3.");
        assert!(message(Program, Some(1), None, false, "MemoryError\n").1.contains("ran out of memory"));
        for error in [
            "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 7.28 TiB for an array\n",
            "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 7.28 TiB for an array\n",
        ] {
            assert!(message(Program, Some(1), None, false, error).1.contains("ran out of memory"), "{error}");
        }
        assert!(!message(Program, Some(1), None, false, "MemoryErrors: 0\n").1.contains("memory"));
        assert!(message(Program, None, Some(9), true, "").1.contains("machine ran out of memory"));
        assert!(message(Program, None, Some(9), false, "").1.contains("outside Stoker"));
        assert!(message(Program, None, Some(11), false, "").1.contains("SIGSEGV"));
        assert!(message(Timeout(5), None, Some(15), false, "").1.contains("time limit of 5 s"));
        assert!(message(MemoryLimit(64 << 20), None, Some(9), true, "").1.contains("its limit of 64.0 MiB,"));
        assert_eq!(message(Cancelled, None, Some(15), false, "").0, Phase::Cancelled);
        assert_eq!(message(Lost, None, None, false, "").0, Phase::Error);
    }
}
