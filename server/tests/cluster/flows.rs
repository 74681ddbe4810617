//! Flows in a cluster: what `server/tests/flows` shows of the local engine, smaller, where Argo's controller orders the
//! steps and tries them again.

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

use app::{
    backend::Backend as _,
    model::{
        flow::RunsWhen,
        identifiers::TaskId,
        phase::Phase::{Cancelled, Failed, Pending, Running, Skipped, Succeeded},
        step_address::StepAddress,
        views::RunDetail,
    },
};
use kube::api::ListParams;
use server::{
    clock::{Random as _, SystemRandom},
    runner::SecretKey,
};

use crate::{
    flow_place::{self, Step, of, phases, step},
    place::{engine_with, variable, workflows, workflows_of_task},
};

/// A place of the run's own that all attempts of all its steps can write, unlike the folder of a step's outputs.
const SHARED: &str = "import os, sys, time
shared = os.path.dirname(os.environ['STOKER_OUTPUT_DIR'])
def count(name, folder=shared):
    with open(os.path.join(folder, name), 'a') as file:
        file.write('x')
        return file.tell()
";

/// A Stoker that uses the cluster, and may be killed.
struct Place {
    stoker: flow_place::Place,
    folder: tempfile::TempDir,
    key: [u8; 32],
}

impl Place {
    async fn new() -> Self {
        let mut key = [0; 32];
        SystemRandom.fill(&mut key);
        let folder = tempfile::tempdir().unwrap();
        Self { stoker: Self::on(folder.path(), key).await, folder, key }
    }

    async fn on(folder: &Path, key: [u8; 32]) -> flow_place::Place {
        let engine = engine_with(key, |settings| settings.results_folder = results()).await;
        flow_place::Place::with_engine(folder.to_owned(), engine, SecretKey::new(key)).await
    }

    /// Ends it without a word, and begins again on the same folder.
    async fn killed_and_started(self) -> Self {
        let Self { stoker, folder, key } = self;
        stoker.supervisor.abort();
        let _ = stoker.supervisor.await;
        Self { stoker: Self::on(folder.path(), key).await, folder, key }
    }
}

/// Where this machine has the volume of outputs, if it has it.
fn results() -> Option<PathBuf> {
    let volumes = env::var_os("STOKER_TEST_VOLUMES").filter(|folder| !folder.is_empty())?;
    Some(Path::new(&volumes).join(format!("{}-stoker-results", variable("STOKER_TEST_NAMESPACE"))))
}

fn messages(run: &RunDetail) -> Vec<&str> {
    run.steps.iter().map(|step| step.message.as_deref().unwrap_or_default()).collect()
}

/// The log of a step, without what preparing said.
async fn printed(place: &Place, id: &TaskId, run: &RunDetail, step: &str) -> Vec<String> {
    let log = place.stoker.log(id, run.summary.number, step).await;
    log.into_iter().filter_map(|line| line.strip_prefix("> ").map(str::to_owned)).collect()
}

/// Waits until Argo's own account was compared, and the run let go of.
async fn let_go(id: &TaskId) {
    let gone = async {
        while workflows_of_task(id.as_str()).await > 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(90), gone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_diamond_is_a_graph_of_argos_and_passes_its_data_along() {
    let place = Place::new().await;
    let id = place
        .stoker
        .save(&[
            step("load_data", "write_step_output({'rows': 3})", &[]),
            step("in", "write_step_output(read_step_output('load_data')['rows'] * 2)", &["load_data"]),
            step("2nd", "write_step_output(read_step_output('load_data')['rows'] * 100)", &["load_data"]),
            step("report", "print('>', read_step_output('in') + read_step_output('Step 2nd'))", &["2nd", "in"]),
        ])
        .await;
    let number = place.stoker.start(&id).await;
    let early = place.stoker.until(&id, number, |run| of(run, "load_data").phase != Pending).await;
    assert_eq!(phases(&early)[1..], [Pending; 3], "only those begin that wait for nobody");
    let run = place.stoker.until(&id, number, |run| of(run, "in").phase == Succeeded).await;
    assert_eq!(of(&run, "report").finished_at, None);
    let of_task = ListParams::default().labels(&format!("stoker/task={id}"));
    let workflow = workflows().await.list(&of_task).await.unwrap().items.remove(0);
    let nodes = workflow.data["status"]["nodes"].as_object().unwrap();
    let names: BTreeSet<_> = nodes.values().filter_map(|node| node["displayName"].as_str()).collect();
    assert!(names.is_superset(&BTreeSet::from(["load-data", "step-in", "step-2nd"])), "{names:?}");
    assert!(!workflow.data.to_string().contains("write_step_output"), "no word of a user's is in the workflow");

    let run = place.stoker.ended(&id, number).await;
    assert_eq!(phases(&run), [Succeeded; 4], "{:?}", run.steps);
    assert_eq!(printed(&place, &id, &run, "report").await, ["306"]);
    let (load, second, report) = (of(&run, "load_data"), of(&run, "2nd"), of(&run, "report"));
    assert!(load.finished_at <= second.started_at && second.finished_at <= report.started_at);
    if let Some(results) = results() {
        let address =
            StepAddress { step: Some("load_data".parse().unwrap()), ..StepAddress::first(id.clone(), number) };
        let outputs = place.stoker.service.outputs(&address).await.unwrap();
        assert_eq!((outputs[0].name.as_str(), outputs[0].bytes), ("output.json", 11));
        let folder = results.join(SecretKey::new(place.key).instance()).join(run.uid.as_str());
        assert!(folder.join("load_data/output.json").exists());
        place.stoker.service.delete_task(&id).await.unwrap();
        place.stoker.until_there_is_no(&folder).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_stops_what_depends_on_it_and_nothing_else() {
    let place = Place::new().await;
    let (id, run) = place
        .stoker
        .finished(&[
            step("fails", "raise SystemExit(3)", &[]),
            step("works", "pass", &[]),
            step("after", "pass", &["fails", "works"]),
            step("later", "pass", &["after"]),
            step("always", "pass", &["fails", "works"]).when(RunsWhen::AllEnded),
            step("mends", "pass", &["fails", "works"]).when(RunsWhen::AnyFailed),
            step("idle", "pass", &["works"]).when(RunsWhen::AnyFailed),
            step("last", "pass", &["later"]).when(RunsWhen::AllEnded),
        ])
        .await;
    assert_eq!(phases(&run), [Failed, Succeeded, Skipped, Skipped, Succeeded, Succeeded, Skipped, Succeeded]);
    assert_eq!(
        messages(&run)[2..],
        [
            "Not run: `Step fails` failed.",
            "Not run: `Step after` was not run.",
            "",
            "",
            "Not run: nothing before it failed.",
            ""
        ]
    );
    assert_eq!(run.step.key.as_str(), "fails", "the failed step is shown first");
    let_go(&id).await;
    let run = place.stoker.look(&id, run.summary.number).await;
    let message = run.summary.message.unwrap();
    assert_eq!(message, "Step fails: The program ended with exit code 3.", "Argo's own account agrees");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn argo_tries_a_step_again_and_each_attempt_has_its_log() {
    let place = Place::new().await;
    let code = format!(
        "{SHARED}n = count('tries')
print('> attempt', n, os.listdir(os.environ['STOKER_OUTPUT_DIR']))
write_step_output(n, f'o{{n}}')
sys.exit(n if n < 2 else 0)"
    );
    let steps = [
        step("flaky", &code, &[]).retries(2, 1),
        step("after", "print('>', read_step_output('flaky', 'o2'))", &["flaky"]),
    ];
    let (id, run) = place.stoker.finished(&steps).await;
    assert_eq!(phases(&run), [Succeeded, Succeeded], "{run:#?}");
    assert_eq!(printed(&place, &id, &run, "flaky").await, ["attempt 1 []", "attempt 2 []"]);
    assert_eq!(printed(&place, &id, &run, "after").await, ["2"]);
    let address =
        StepAddress { step: Some("flaky".parse().unwrap()), ..StepAddress::first(id.clone(), run.summary.number) };
    let flaky = place.stoker.service.run(&address).await.unwrap().step;
    let attempts: Vec<_> =
        flaky.attempts.iter().map(|attempt| (attempt.number, attempt.phase, attempt.exit_code)).collect();
    assert_eq!((flaky.attempt, attempts), (2, vec![(1, Failed, Some(1))]));
    let log = place.stoker.log(&id, run.summary.number, "flaky").await;
    assert!(log.iter().any(|line| line == "Attempt 1 of 3 failed. The next one begins in 1.0 s."), "{log:?}");
    let_go(&id).await;
    assert_eq!(place.stoker.look(&id, run.summary.number).await.summary.message, None, "Argo's own account agrees");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_stops_what_runs_and_begins_nothing_more() {
    let place = Place::new().await;
    let steps = [
        step("runs", "import time\nprint('> begun', flush=True)\ntime.sleep(600)", &[]),
        step("waits", "pass", &["runs"]),
        step("cleans", "pass", &["runs"]).when(RunsWhen::AllEnded),
        step("again", "raise SystemExit(1)", &[]).retries(5, 3600),
        step("never", "pass", &["again"]),
    ];
    let id = place.stoker.save(&steps).await;
    let number = place.stoker.start(&id).await;
    let run = place.stoker.until(&id, number, |run| of(run, "again").attempt == 2).await;
    assert_eq!(["runs", "again", "never"].map(|key| of(&run, key).phase), [Running, Pending, Pending]);
    let begun = async {
        while printed(&place, &id, &run, "runs").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), begun).await.unwrap();
    place.stoker.service.cancel_run(&id, number).await.unwrap();
    let run = place.stoker.ended(&id, number).await;
    assert_eq!(phases(&run), [Cancelled; 5], "{:?}", messages(&run));
    assert_eq!(run.summary.phase, Cancelled);
    let_go(&id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_in_the_middle_brings_a_flow_to_its_true_end() {
    let mut place = Place::new().await;
    let code = |key: &str| {
        format!(
            "{SHARED}count('began-{key}')\nfor n in range(60):\n    print('> {key}', n, flush=True)\n    time.sleep(0.05)"
        )
    };
    let flaky = format!("{SHARED}print('> attempt')\nsys.exit(count('tries') < 2)");
    let ends = format!(
        "{SHARED}print('>', sorted((name, os.path.getsize(os.path.join(shared, name))) for name in os.listdir(shared) if name.startswith('began')))"
    );
    let steps: [Step; 4] = [
        step("a", &code("a"), &[]),
        step("b", &code("b"), &["a"]),
        step("flaky", &flaky, &[]).retries(1, 0),
        step("ends", &ends, &["b", "flaky"]),
    ];
    let id = place.stoker.save(&steps).await;
    let number = place.stoker.start(&id).await;
    // Right after it was accepted, while a step prints, between attempts, and when the last one may begin.
    place = place.killed_and_started().await;
    for key in ["a", "flaky", "b"] {
        let run = place.stoker.until(&id, number, |run| of(run, key).phase != Pending).await;
        if key != "flaky" {
            while printed(&place, &id, &run, key).await.len() < 10 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        place = place.killed_and_started().await;
    }
    place.stoker.until(&id, number, |run| of(run, "b").phase == Succeeded).await;
    place = place.killed_and_started().await;
    let run = place.stoker.ended(&id, number).await;
    assert_eq!(phases(&run), [Succeeded; 4], "{run:#?}");
    for key in ["a", "b"] {
        let expected: Vec<String> = (0..60).map(|number| format!("{key} {number}")).collect();
        assert_eq!(printed(&place, &id, &run, key).await, expected);
    }
    assert_eq!(printed(&place, &id, &run, "flaky").await, ["attempt"; 2]);
    assert_eq!(printed(&place, &id, &run, "ends").await, ["[('began-a', 1), ('began-b', 1)]"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_from_what_failed() {
    let place = Place::new().await;
    let load = format!("{SHARED}write_step_output(count('loads', os.path.dirname(shared)))");
    let fails = format!("{SHARED}write_step_output('mended')\nsys.exit(count('tries', os.path.dirname(shared)) < 2)");
    let steps = [
        step("load", &load, &[]),
        step("fails", &fails, &["load"]),
        step("after", "print('>', read_step_output('load'), read_step_output('fails'))", &["fails", "load"]),
    ];
    let (id, first) = place.stoker.finished(&steps).await;
    assert_eq!(phases(&first), [Succeeded, Failed, Skipped], "{:?}", messages(&first));
    let number = place.stoker.service.restart(&id, first.summary.number).await.unwrap();
    let second = place.stoker.ended(&id, number).await;
    assert_eq!(phases(&second), [Succeeded; 3], "{second:#?}");
    assert_eq!(of(&second, "load").kept_from, Some(first.summary.number));
    assert_eq!(printed(&place, &id, &second, "after").await, ["1 mended"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_steps_run_beside_each_other() {
    let place = Place::new().await;
    let keys: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    let mut steps: Vec<_> = keys.iter().map(|key| step(key, "write_step_output(1)\nprint('> done')", &[])).collect();
    let all: Vec<&str> = keys.iter().map(String::as_str).collect();
    let sum = format!("print('>', sum(read_step_output(key) for key in {keys:?}))");
    steps.push(step("sum", &sum, &all).when(RunsWhen::AllEnded));
    let (id, run) = place.stoker.finished(&steps).await;
    assert_eq!(phases(&run), vec![Succeeded; 21], "{:?}", messages(&run));
    assert_eq!(printed(&place, &id, &run, "sum").await, ["20"]);
    for key in keys {
        assert_eq!(printed(&place, &id, &run, &key).await, ["done"], "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_keeps_no_outputs_says_so() {
    let mut key = [0; 32];
    SystemRandom.fill(&mut key);
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_with(key, |settings| settings.results_claim = None).await;
    let place = flow_place::Place::with_engine(folder.path().to_owned(), engine, SecretKey::new(key)).await;
    let code = "try:\n    write_step_output(1)\nexcept RuntimeError as error:\n    print(error)";
    let (id, run) = place.finished(&[step("only", code, &[])]).await;
    let log = place.log(&id, run.summary.number, "only").await;
    assert!(log.last().unwrap().starts_with("This cluster keeps no outputs, so steps cannot pass data on"), "{log:?}");
}
