//! The probe: tiny real runs in the cluster, told stage by stage. The only proof that runs work there, and the only part
//! of pre-flight that makes something; it is gone afterwards.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use app::model::{
    cache::{CacheReport, EnvironmentUse},
    checkpoint::{Checkpoint, CheckpointStatus},
    checks::{Check, CheckGroup},
    flow::FlowStep,
    identifiers::{RunNumber, TaskId},
    lock::Lock,
    spec::TaskDraft,
};
use futures::StreamExt as _;

use super::finding::{Finding, Subject};
use crate::{
    clock::{Random, SharedClock, random_run_uid},
    engine::{
        EndCause, Engine as _, EngineError, Observation, Positions, RunPlan, StepEnd, StepEvent, StepPlan,
        argo::{ArgoEngine, settings::ArgoSettings},
    },
    execution::recorder::{
        outcome::outcome,
        transcript::{Entry, StepFacts, Transcript},
    },
    kubernetes::{Access, Refusal},
    runner::SecretKey,
};

/// How long one of the runs may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long one may wait for the same thing.
const STUCK: Duration = Duration::from_secs(20);
/// How long the cluster may take to remove what was made, and how often to look.
const REMOVAL: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(200);
/// A small package, so that there is something to fetch.
const LOCK: &str = "six==1.17.0 \
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274 \
    --hash=sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81\n";
const CODE: &str = "import six\nfor n in range(3):\n    print('probe', n, flush=True)\n";
const LINES: [&str; 3] = ["probe 0", "probe 1", "probe 2"];

const NOT_SO_FAR: &str = "The probe did not come so far.";

/// The stages, in order.
const CREATE: Subject = stage("probe-create", "Probe: accepted");
const SCHEDULED: Subject = stage("probe-scheduled", "Probe: placed");
const IMAGE: Subject = stage("probe-image", "Probe: image started");
const RUNTIME: Subject = stage("probe-runtime", "Probe: runtime");
const NETWORK: Subject = stage("probe-network", "Probe: network");
const VOLUMES: Subject = stage("probe-volumes", "Probe: volumes");
const LOG: Subject = stage("probe-log", "Probe: log followed");
const END: Subject = stage("probe-end", "Probe: end");
const DELETED: Subject = stage("probe-deleted", "Probe: deleted");

const fn stage(key: &'static str, title: &'static str) -> Subject {
    Subject::new(key, CheckGroup::Kubernetes, title)
}

/// What one run came to, with the time since it was begun.
#[derive(Default)]
struct Trial {
    accepted: Option<Duration>,
    placed: Option<(String, Duration)>,
    image: Option<Duration>,
    checkpoints: Vec<Checkpoint>,
    report: Option<CacheReport>,
    lines: Vec<String>,
    ended: Option<(StepEnd, Duration)>,
    /// Why it did not go on, or ended badly; in the user's words.
    problem: Option<String>,
}

/// Makes the runs, and tells how they went.
pub async fn probe(settings: ArgoSettings, access: &Access, clock: SharedClock, random: &dyn Random) -> Vec<Check> {
    let mut key = [0; 32];
    random.fill(&mut key);
    let key = SecretKey::new(key);
    let has_cache = settings.cache_claim.is_some();
    let engine = match ArgoEngine::new(settings, access, clock, key.clone()).await {
        Ok(engine) => engine,
        Err(Refusal { what, advice }) => return vec![Finding::failed(what, advice).of(CREATE)],
    };
    // By itself first, so that what it needs is fetched and built, whatever was there before.
    let first = run(&engine, &key, random, false).await;
    let mut checks = stages(&first);
    let volumes = match (&first.problem, has_cache) {
        (Some(_), _) => Finding::skipped(NOT_SO_FAR),
        (None, false) => Finding::warning(
            "No claim is named for environments, so each run fetches and installs its packages anew.",
            "Make a claim, and name it with --cache-claim.",
        ),
        (None, true) => volumes(&engine, &key, random).await,
    };
    checks.push(volumes.of(VOLUMES));
    checks.push(removed(&engine).await.of(DELETED));
    checks
}

/// A run to its end, and no further than patience goes. What is left of it is removed.
async fn run(engine: &ArgoEngine, key: &SecretKey, random: &dyn Random, use_cache: bool) -> Trial {
    let mut trial = Trial::default();
    let plan = match plan(random, use_cache) {
        Ok(plan) => plan,
        Err(problem) => return Trial { problem: Some(problem), ..trial },
    };
    match tokio::time::timeout(PATIENCE, follow(engine, key, &plan, &mut trial)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => trial.problem = Some(error.message),
        Err(_) => {
            let late = || format!("It had not ended after {} s.", PATIENCE.as_secs());
            trial.problem.get_or_insert_with(late);
        }
    }
    // What is left is told at the end.
    let _ = engine.forget(&plan.run).await;
    trial
}

fn plan(random: &dyn Random, use_cache: bool) -> Result<RunPlan, String> {
    let draft =
        TaskDraft { code: CODE.to_owned(), packages: "six==1.17.0".to_owned(), use_cache, ..TaskDraft::default() };
    let spec = draft.parse().map_err(|errors| format!("{errors:?}"))?.spec;
    let run = random_run_uid(random);
    let number = RunNumber::new(1).ok_or("There is no number for the run.")?;
    let step = StepPlan {
        step: run.step(NonZeroU32::MIN),
        definition: FlowStep::only(spec),
        lock: Lock(LOCK.to_owned()),
        readable: Vec::new(),
    };
    Ok(RunPlan { run, task: TaskId::from_random([0; 6]), number, steps: vec![step] })
}

async fn follow(engine: &ArgoEngine, key: &SecretKey, plan: &RunPlan, trial: &mut Trial) -> Result<(), EngineError> {
    let began = Instant::now();
    engine.start(plan).await?;
    trial.accepted = Some(began.elapsed());
    let facts = StepFacts { secrets: key.of_step(&plan.steps[0].step), requested: 1 };
    let (mut transcript, mut entries) = (Transcript::default(), Vec::new());
    let mut observations = engine.observe(plan, Positions::new());
    loop {
        let patience = if trial.problem.is_some() { STUCK } else { PATIENCE };
        let Ok(Some(observation)) = tokio::time::timeout(patience, observations.next()).await else { return Ok(()) };
        let Observation::Step(told) = observation? else { return Ok(()) };
        for observed in told.events {
            match &observed.event {
                StepEvent::Placed(node) => trial.placed = Some((node.clone(), began.elapsed())),
                StepEvent::Waiting(reason) => trial.problem.clone_from(reason),
                StepEvent::Output(_) => _ = trial.image.get_or_insert_with(|| began.elapsed()),
                _ => {}
            }
            transcript.read(observed.at, &observed.event, &facts, &mut entries);
            if let StepEvent::Ended(end) = &observed.event {
                trial.problem = outcome(end, &transcript, observed.at).message;
                trial.ended = Some((end.clone(), began.elapsed()));
            }
        }
        for entry in entries.drain(..) {
            match entry {
                Entry::Checkpoint(checkpoint) => trial.checkpoints.push(checkpoint),
                Entry::Report(report) => trial.report = Some(report),
                Entry::Line(_, _, text) if transcript.program_started() && text.starts_with("probe ") => {
                    trial.lines.push(text);
                }
                _ => {}
            }
        }
    }
}

/// What the first run shows. Where it stopped, its stage says why; those after it were not reached.
fn stages(trial: &Trial) -> Vec<Check> {
    let mut problem = trial.problem.as_deref();
    let mut or_problem = |done: Option<String>| match done {
        Some(detail) => Finding::ok(detail),
        None => match problem.take() {
            Some(words) => Finding::failed(words, "docs/troubleshooting.md says more of what stops runs in a cluster."),
            None => Finding::skipped(NOT_SO_FAR),
        },
    };
    let accepted = trial.accepted.map(|after| format!("The cluster took the workflow after {}.", seconds(after)));
    let placed = trial.placed.as_ref().map(|(node, after)| format!("On the node {node}, after {}.", seconds(*after)));
    let image = trial.image.map(|after| format!("Its containers began to work after {}.", seconds(after)));
    let mut checks =
        vec![or_problem(accepted).of(CREATE), or_problem(placed).of(SCHEDULED), or_problem(image).of(IMAGE)];
    for (subject, number) in [(RUNTIME, Checkpoint::CONTAINER_RUNTIME), (NETWORK, Checkpoint::NETWORK)] {
        let found = trial.checkpoints.iter().find(|checkpoint| checkpoint.number == number);
        checks.push(found.map_or_else(|| or_problem(None), of_checkpoint).of(subject));
    }
    let log = (trial.lines == LINES).then(|| format!("Its {} lines came, in order.", LINES.len()));
    checks.push(or_problem(log).of(LOG));
    let ended = trial.ended.as_ref().filter(|(end, _)| end.exit_code == Some(0) && end.cause == EndCause::Program);
    let ended = ended.map(|(_, after)| format!("With exit code 0, after {}.", seconds(*after)));
    checks.push(or_problem(ended).of(END));
    checks
}

fn of_checkpoint(checkpoint: &Checkpoint) -> Finding {
    let advice = checkpoint.advice.clone().unwrap_or_else(|| "docs/troubleshooting.md says more.".to_owned());
    match checkpoint.status {
        Some(CheckpointStatus::Failed) => Finding::failed(&checkpoint.detail, advice),
        Some(CheckpointStatus::Warning) => Finding::warning(&checkpoint.detail, advice),
        _ => Finding::ok(&checkpoint.detail),
    }
}

/// What one run writes into the volume, the next one must find.
async fn volumes(engine: &ArgoEngine, key: &SecretKey, random: &dyn Random) -> Finding {
    let mut built_in = None;
    for _ in 0..2 {
        let trial = run(engine, key, random, true).await;
        let node = trial.placed.map(|(node, _)| node).unwrap_or_default();
        let after = trial.ended.map(|(_, after)| seconds(after)).unwrap_or_default();
        match (trial.problem, trial.report.map(|report| report.environment), built_in) {
            (Some(problem), ..) => {
                return Finding::failed(
                    problem,
                    "Check the claims, and that the pods' user may write into their volumes.",
                );
            }
            (None, Some(EnvironmentUse::Ready), None) => {
                return Finding::ok(format!(
                    "What an earlier run wrote was found on the node {node}; a run with a ready environment took {after}."
                ));
            }
            (None, Some(EnvironmentUse::Ready), Some((first, cold))) => {
                return Finding::ok(format!(
                    "What a run wrote on the node {first} in {cold}, the next one found on the node {node} in {after}."
                ));
            }
            (None, _, None) => built_in = Some((node, after)),
            (None, _, Some((first, _))) => {
                return Finding::warning(
                    format!("What a run wrote on the node {first}, the next one did not find on the node {node}."),
                    "Use a volume that all nodes share (ReadWriteMany), or keep runs on one node.",
                );
            }
        }
    }
    Finding::skipped(NOT_SO_FAR)
}

/// That nothing is left in the cluster.
async fn removed(engine: &ArgoEngine) -> Finding {
    let began = Instant::now();
    while began.elapsed() < REMOVAL {
        if engine.has_nothing().await {
            return Finding::ok(format!("Workflows, pods and secrets were gone {} later.", seconds(began.elapsed())));
        }
        tokio::time::sleep(LOOK).await;
    }
    Finding::warning(
        format!("After {} s, something of the probe is still there.", REMOVAL.as_secs()),
        "Look for it with `kubectl get workflows,pods --selector app.kubernetes.io/managed-by=stoker`.",
    )
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stage_that_stopped_says_why_and_the_next_were_not_reached() {
        let trial = Trial {
            accepted: Some(Duration::from_millis(1260)),
            problem: Some("No node has room.".to_owned()),
            ..Trial::default()
        };
        let checks = stages(&trial);
        let said: Vec<_> = checks.iter().map(|check| (check.status, check.detail.as_str())).collect();
        assert_eq!(said[0], (CheckpointStatus::Ok, "The cluster took the workflow after 1.3 s."));
        assert_eq!(said[1], (CheckpointStatus::Failed, "No node has room."));
        assert!(said[2..].iter().all(|said| *said == (CheckpointStatus::Skipped, NOT_SO_FAR)));
    }
}
