//! What can go wrong in a cluster, each with a real cause.

use std::time::Duration;

use app::model::resources::Memory;
use kube::api::DeleteParams;
use server::engine::{Cancel, EndCause, Positions, RunPlan, SharedEngine, StepEvent};

use crate::{
    place::{Namespace, broken_claim, of, pods, powerless_account, workflows},
    rules::{self, Place as _, Tale},
    unsteady::UnsteadyWay,
};

pub async fn started(place: &Namespace, code: &str) -> (SharedEngine, RunPlan) {
    let (engine, plan) = (place.engine(), rules::plan(code));
    engine.start(&plan).await.unwrap();
    (engine, plan)
}

pub fn reason(tale: &Tale) -> Option<&str> {
    tale.events()
        .find_map(|event| if let StepEvent::Waiting(Some(reason)) = event { Some(reason.as_str()) } else { None })
}

pub fn outside(tale: &Tale, plan: &RunPlan) -> String {
    match tale.end(plan).cause {
        EndCause::Outside(words) => words,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_image_that_is_not_there_is_named() {
    let place = Namespace::with(|settings| settings.images.default.name = "stoker.test/none:1".to_owned()).await;
    let (engine, plan) = started(&place, "print('> never')").await;
    let tale = rules::listen(&engine, &plan, Positions::new(), |tale| reason(tale).is_some()).await;
    let said = reason(&tale).unwrap();
    assert!(said.starts_with("The image stoker.test/none:1 cannot be pulled: "), "{said}");
    engine.cancel(&plan.run, Cancel::WithGrace).await.unwrap();
    let rest = rules::hear_out(&engine, &plan, tale.positions()).await;
    assert_eq!(rest.end(&plan).cause, EndCause::Cancelled);
    rules::forget(&engine, &plan.run).await;
}

#[tokio::test]
async fn a_volume_that_cannot_be_mounted_is_named() {
    let claim = broken_claim().await;
    let place = Namespace::with(|settings| settings.cache_claim = Some(claim)).await;
    let (engine, plan) = started(&place, "print('> never')").await;
    let names_it = |event: &StepEvent| {
        matches!(event, StepEvent::Waiting(Some(said)) if said.starts_with(
            "A volume cannot be mounted into the pod: MountVolume.SetUp failed for volume "
        ))
    };
    let tale = rules::listen(&engine, &plan, Positions::new(), |tale| tale.events().any(names_it)).await;
    engine.cancel(&plan.run, Cancel::WithGrace).await.unwrap();
    let rest = rules::hear_out(&engine, &plan, tale.positions()).await;
    assert_eq!(rest.end(&plan).cause, EndCause::Cancelled);
    rules::forget(&engine, &plan.run).await;
}

#[tokio::test]
async fn what_no_node_has_room_for_is_said_with_how_much_it_asks() {
    let place = Namespace::new().await;
    let mut plan = rules::plan("print('> never')");
    plan.steps[0].definition.spec.resources.memory_request = Memory::parse("900Gi").unwrap();
    let engine = place.engine();
    engine.start(&plan).await.unwrap();
    let tale = rules::listen(&engine, &plan, Positions::new(), |tale| reason(tale).is_some()).await;
    let said = reason(&tale).unwrap();
    assert!(said.starts_with("No node has room for the pod, whose program asks for 900Gi of memory"), "{said}");
    engine.cancel(&plan.run, Cancel::WithGrace).await.unwrap();
    assert_eq!(rules::hear_out(&engine, &plan, tale.positions()).await.end(&plan).cause, EndCause::Cancelled);
    rules::forget(&engine, &plan.run).await;
}

#[tokio::test]
async fn a_program_that_needs_more_memory_than_its_limit_is_told_so() {
    let place = Namespace::with(|settings| settings.resources.memory_limit = Some(Memory::of_bytes(64 << 20))).await;
    let (engine, plan) = started(&place, "print('> begun', flush=True)\nkept = b'x' * (512 << 20)").await;
    let tale = rules::hear_out(&engine, &plan, Positions::new()).await;
    let end = tale.end(&plan);
    assert_eq!((end.cause, end.signal), (EndCause::MemoryLimit(64 << 20), Some(9)));
    assert_eq!(tale.lines(&plan), ["begun"]);
    rules::forget(&engine, &plan.run).await;
}

#[tokio::test]
async fn a_program_cannot_write_into_environments() {
    let place = Namespace::new().await;
    let code = "import pathlib, sys
for place in [pathlib.Path(sys.prefix), *pathlib.Path(sys.prefix).glob('lib/python*/site-packages'), pathlib.Path(sys.prefix).parent]:
    try:
        place.chmod(0o755)
        (place / 'planted.py').write_text('')
        print('> written', place)
    except OSError as error:
        print('>', error.strerror)";
    let (engine, plan) = started(&place, code).await;
    let tale = rules::hear_out(&engine, &plan, Positions::new()).await;
    assert_eq!(tale.lines(&plan), ["Read-only file system"; 3]);
    rules::forget(&engine, &plan.run).await;
}

#[tokio::test]
async fn what_only_preparing_may_know_stays_there() {
    let secret = "https://me:pa55@index.example/simple";
    let given = vec![("UV_EXTRA_INDEX_URL".to_owned(), secret.to_owned())];
    let place = Namespace::with(|settings| settings.conditions.preparation = given).await;
    let code = "import os, pathlib
told = [path for path in pathlib.Path('/stoker').rglob('*') if path.is_file() and os.access(path, os.R_OK)
        and b'pa' + b'55' in path.read_bytes()]
print('>', [str(path) for path in told], 'pa' + '55' in str(os.environ))
print('>', os.path.exists('/var/run/secrets/kubernetes.io'))";
    let (engine, plan) = started(&place, code).await;
    let tale = rules::hear_out(&engine, &plan, Positions::new()).await;
    assert_eq!(tale.lines(&plan), ["[] False", "False"]);
    rules::forget(&engine, &plan.run).await;
}

#[tokio::test]
async fn a_pod_that_somebody_deletes_is_no_cancel() {
    let place = Namespace::new().await;
    let (engine, plan) = started(&place, rules::UNTIL_STOPPED).await;
    let begun = rules::begun(&engine, &plan).await;
    let pods = pods().await;
    for pod in pods.list(&of(&plan)).await.unwrap() {
        pods.delete(&pod.metadata.name.unwrap(), &DeleteParams::default()).await.unwrap();
    }
    let rest = rules::hear_out(&engine, &plan, begun.positions()).await;
    let words = outside(&rest, &plan);
    assert!(words.contains("outside Stoker"), "{words}");
    rules::forget(&engine, &plan.run).await;
}

/// Whether what it printed last is there or lost, that is said, and the program's own end is known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_is_removed_at_once_at_its_end_has_ended_as_its_program_did() {
    const LINES: usize = 3000;
    let place = Namespace::new().await;
    let code = format!("for n in range({LINES}):\n    print('>', n)\nraise SystemExit(3)");
    let (engine, plan) = started(&place, &code).await;
    let (pods, at_once) = (pods().await, DeleteParams::default().grace_period(0));
    let removing = async {
        loop {
            for pod in pods.list(&of(&plan)).await.unwrap() {
                let statuses = pod.status.and_then(|status| status.container_statuses).unwrap_or_default();
                let main = statuses.into_iter().find(|status| status.name == "main");
                if main.and_then(|main| main.state?.terminated).is_some() {
                    return pods.delete(&pod.metadata.name.unwrap(), &at_once).await.unwrap();
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let (tale, _) = tokio::join!(rules::hear_out(&engine, &plan, Positions::new()), removing);
    let end = tale.end(&plan);
    assert_eq!((end.cause, end.exit_code), (EndCause::Program, Some(3)));
    let lines = tale.lines(&plan);
    assert!(lines.iter().enumerate().all(|(number, line)| *line == number.to_string()), "each once, in order");
    let says_lost = tale.events().any(|event| matches!(event, StepEvent::Lost(_)));
    assert_eq!(lines.len() < LINES, says_lost, "{} of {LINES} lines", lines.len());
    rules::forget(&engine, &plan.run).await;
}

/// Argo's own container may not tell its controller how the step went, so by Argo's account the workflow failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_argo_says_of_a_run_later_is_compared() {
    let place = Namespace::new().await;
    let (engine, plan) = started(&place, "print('> well')").await;
    let powerless = powerless_account().await;
    let without_rights = Namespace::with(|settings| settings.service_account = Some(powerless)).await;
    let (other_engine, other_plan) = started(&without_rights, "print('> well')").await;
    for (engine, plan, succeeded) in [(engine, plan, true), (other_engine, other_plan, false)] {
        let tale = rules::hear_out(&engine, &plan, Positions::new()).await;
        assert_eq!((tale.end(&plan).exit_code, tale.lines(&plan)), (Some(0), vec!["well".to_owned()]));
        let account = engine.account(&plan.run).await.unwrap();
        assert_eq!(account.succeeded, succeeded, "{account:?}");
        assert!(account.words.starts_with("Argo's own account differs: it says that the run's workflow "));
        rules::forget(&engine, &plan.run).await;
    }
}

#[tokio::test]
async fn an_image_of_another_version_is_refused_in_words() {
    let place = Namespace::with(|settings| settings.version = "0.0.1".to_owned()).await;
    let (engine, plan) = started(&place, "print('> never')").await;
    let tale = rules::hear_out(&engine, &plan, Positions::new()).await;
    let words = outside(&tale, &plan);
    assert!(words.contains("the server is Stoker 0.0.1. Make the image of the same version"), "{words}");
    rules::forget(&engine, &plan.run).await;
}

#[tokio::test]
async fn a_workflow_that_somebody_deletes_ends_its_run() {
    let place = Namespace::new().await;
    let (engine, plan) = started(&place, rules::UNTIL_STOPPED).await;
    let begun = rules::begun(&engine, &plan).await;
    let workflows = workflows().await;
    for workflow in workflows.list(&of(&plan)).await.unwrap() {
        workflows.delete(&workflow.metadata.name.unwrap(), &DeleteParams::background()).await.unwrap();
    }
    let rest = rules::hear_out(&engine, &plan, begun.positions()).await;
    let words = outside(&rest, &plan);
    assert!(words.contains("outside Stoker"), "{words}");
}

/// No connection lives longer than a second, and each line comes once, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_when_connections_are_cut() {
    let way = UnsteadyWay::open(Duration::from_secs(1)).await;
    let place = Namespace::reached_by(way.kubeconfig(), |_| {}).await;
    let code = "import time\nfor n in range(4000):\n    print('>', n, flush=True)\n    time.sleep(0.002)";
    let plan = rules::plan(code);
    let engine = place.engine();
    while let Err(error) = engine.start(&plan).await {
        assert!(error.may_pass, "{error}");
    }
    let tale = rules::hear_out(&engine, &plan, Positions::new()).await;
    let lines = tale.lines(&plan);
    let lost = tale.events().filter(|event| matches!(event, StepEvent::Lost(_))).count();
    assert_eq!((lines.len(), lost), (4000, 0));
    assert!(lines.iter().enumerate().all(|(number, line)| *line == number.to_string()));
    while engine.forget(&plan.run).await.is_err() {}
}

/// Far more than the node keeps of a log, as fast as it can: what is not recorded is counted as lost, at its place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_is_recorded_or_counted_as_lost() {
    const LINES: usize = 400_000;
    let place = Namespace::new().await;
    let code = format!("for n in range({LINES}):\n    print('>', n, 'x' * 90)");
    let (engine, plan) = started(&place, &code).await;
    let tale = rules::hear_out(&engine, &plan, Positions::new()).await;
    let numbers: Vec<usize> = tale
        .lines(&plan)
        .iter()
        .filter_map(|line| line.strip_suffix(&"x".repeat(90))?.trim_end().parse().ok())
        .collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "none is doubled, and all are in order");
    let lost: usize = tale
        .events()
        .filter_map(|event| {
            if let StepEvent::Lost(words) = event { words.split(' ').next()?.parse::<usize>().ok() } else { None }
        })
        .sum();
    // A line that a gap tears counts on neither side, or on one.
    let gaps = tale.events().filter(|event| matches!(event, StepEvent::Lost(_))).count();
    let counted = numbers.len() + lost;
    assert!(counted.abs_diff(LINES) <= 2 * gaps, "{} recorded, {lost} lost in {gaps} gaps", numbers.len());
    rules::forget(&engine, &plan.run).await;
}
