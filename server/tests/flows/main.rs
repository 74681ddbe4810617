//! Flows on the local engine: in their order, with their data, through failures, cancels and the end of the server.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

#[path = "../support/assembled.rs"]
mod assembled;
#[path = "../support/local_engine.rs"]
mod local_engine;
mod locks;
mod place;
mod random;
#[path = "../support/waiting.rs"]
mod waiting;

use app::{
    backend::{Backend as _, BackendError},
    model::{
        flow::RunsWhen,
        phase::Phase::{Cancelled, Failed, Pending, Running, Skipped, Succeeded},
        step_address::StepAddress,
        views::RunOrigin,
    },
};
use place::{Place, of, phases, step};

/// Waits for a file, then ends.
fn waits_for(file: &std::path::Path) -> String {
    format!("import os, time\nwhile not os.path.exists('{}'):\n    time.sleep(0.01)\n", file.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diamond_passes_its_data_along() {
    let place = Place::new(2).await;
    let (id, run) = place
        .finished(&[
            step("report", "print(read_step_output('left') + read_step_output('Step right'))", &["left", "right"]),
            step("load", "write_step_output({'rows': 3})", &[]),
            step(
                "left",
                "import stoker\nstoker.write_step_output(stoker.read_step_output('load')['rows'] * 2)",
                &["load"],
            ),
            step("right", "write_step_output(read_step_output('load')['rows'] * 100)", &["load"]),
        ])
        .await;
    assert_eq!(run.summary.phase, Succeeded, "{:?}", run.steps);
    assert_eq!(place.log(&id, run.summary.number, "report").await.last().unwrap(), "306");
    let (load, left, report) = (of(&run, "load"), of(&run, "left"), of(&run, "report"));
    assert!(load.finished_at <= left.started_at && left.finished_at <= report.started_at);
    let address = StepAddress { step: Some("load".parse().unwrap()), ..StepAddress::first(id, run.summary.number) };
    let outputs = place.service.outputs(&address).await.unwrap();
    assert_eq!((outputs[0].name.as_str(), outputs[0].bytes), ("output.json", 11));
    assert_eq!(place.service.output(&address, "output.json", 1000).await.unwrap(), br#"{"rows": 3}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_reads_those_before_it_and_its_own_run_only() {
    let place = Place::new(2).await;
    let refused = "try:\n    read_step_output('beside')\nexcept ValueError as error:\n    print(error)\n";
    let steps = [
        step("first", "write_step_output(1, 'one')", &[]),
        step("beside", "write_step_output(2)", &[]),
        step("second", "print(read_step_output('first'), read_step_output('first', 'one'))", &["first"]),
        step("third", &format!("{refused}print(read_step_output('first', 'one'))"), &["second"]),
        step(
            "files",
            "import os\nopen(os.path.join(os.environ['STOKER_OUTPUT_DIR'], 'a.txt'), 'w').write('by file')",
            &[],
        ),
        step("reader", "import stoker\nprint(open(stoker.output_path('files', 'a.txt')).read())", &["files"]),
        step(
            "large",
            "try:\n    write_step_output('x' * (65 << 20))\nexcept ValueError as error:\n    print(error)",
            &[],
        ),
        step("named", "try:\n    write_step_output(1, '../x')\nexcept ValueError as error:\n    print(error)", &[]),
    ];
    let (id, run) = place.finished(&steps).await;
    assert_eq!(run.summary.phase, Succeeded, "{:?}", run.steps);
    let number = run.summary.number;
    assert_eq!(place.log(&id, number, "second").await.last().unwrap(), "None 1");
    let third = place.log(&id, number, "third").await;
    assert!(third[third.len() - 2].ends_with("It can read those before it: first, second."), "{third:?}");
    assert_eq!(third.last().unwrap(), "1");
    assert_eq!(place.log(&id, number, "reader").await.last().unwrap(), "by file");
    let large = place.log(&id, number, "large").await;
    assert!(large.last().unwrap().contains("at most 67,108,864 are kept"), "{large:?}");
    assert!(place.log(&id, number, "named").await.last().unwrap().contains("cannot name an output"));

    // The next run sees nothing of this one.
    place
        .save_over(
            Some(&id),
            &[step("first", "pass", &[]), step("second", "print(read_step_output('first', 'one'))", &["first"])],
        )
        .await;
    let number = place.start(&id).await;
    assert_eq!(place.ended(&id, number).await.summary.phase, Succeeded);
    assert_eq!(place.log(&id, number, "second").await.last().unwrap(), "None");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_stops_what_depends_on_it_and_nothing_else() {
    let place = Place::new(2).await;
    let (_, run) = place
        .finished(&[
            step("fails", "raise SystemExit(3)", &[]),
            step("works", "pass", &[]),
            step("after", "pass", &["fails", "works"]),
            step("later", "pass", &["after"]),
            step("beside", "pass", &["works"]),
            step("always", "pass", &["fails", "works"]).when(RunsWhen::AllEnded),
            step("mends", "pass", &["fails"]).when(RunsWhen::AnyFailed),
            step("idle", "pass", &["works"]).when(RunsWhen::AnyFailed),
        ])
        .await;
    assert_eq!(phases(&run), [Failed, Succeeded, Skipped, Skipped, Succeeded, Succeeded, Succeeded, Skipped]);
    assert_eq!(run.summary.phase, Failed);
    let words = |key| of(&run, key).message.clone().unwrap_or_default();
    assert_eq!(words("after"), "Not run: `Step fails` failed.");
    assert_eq!(words("later"), "Not run: `Step after` was not run.");
    assert_eq!(words("idle"), "Not run: nothing before it failed.");
    assert_eq!(run.summary.message.as_deref(), Some("Step fails: The program ended with exit code 3."));
    assert_eq!(run.step.key.as_str(), "fails", "the failed step is shown first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_tried_again_as_it_says_and_keeps_each_attempts_log() {
    let place = Place::new(2).await;
    let counter = place.folder.join("count");
    let code = format!(
        "import os\nopen({counter:?}, 'a').write('x')\nn = os.path.getsize({counter:?})\nprint('attempt', n)\nprint(sorted(os.listdir(os.environ['STOKER_OUTPUT_DIR'])))\nwrite_step_output(n, f'o{{n}}')\nif n < 3: raise SystemExit(n)\n"
    );
    let (id, run) = place
        .finished(&[
            step("flaky", &code, &[]).retries(3, 0),
            step("after", "print(read_step_output('flaky', 'o3'))", &["flaky"]),
        ])
        .await;
    assert_eq!(phases(&run), [Succeeded, Succeeded], "{run:#?}");
    let number = run.summary.number;
    assert_eq!(place.log(&id, number, "after").await.last().unwrap(), "3");
    let address = StepAddress { step: Some("flaky".parse().unwrap()), ..StepAddress::first(id.clone(), number) };
    let flaky = place.service.run(&address).await.unwrap().step;
    let attempts: Vec<_> =
        flaky.attempts.iter().map(|attempt| (attempt.number, attempt.phase, attempt.exit_code)).collect();
    assert_eq!((flaky.attempt, attempts), (3, vec![(1, Failed, Some(1)), (2, Failed, Some(2))]));
    let log = place.log(&id, number, "flaky").await;
    for attempt in &flaky.attempts {
        let own = &log[usize::try_from(attempt.first_line).unwrap() - 1..];
        let said = own.iter().position(|line| *line == format!("attempt {}", attempt.number)).unwrap();
        assert_eq!(own[said + 1], "[]", "an attempt begins without outputs");
        assert!(own.iter().any(|line| line.starts_with(&format!("Attempt {} of 4 failed.", attempt.number))));
    }
    assert_eq!(log.iter().filter(|line| line.starts_with("attempt ")).count(), 3);

    // The last failure is the step's.
    let (_, run) = place.finished(&[step("never", "raise SystemExit(7)", &[]).retries(1, 0)]).await;
    assert_eq!((run.summary.phase, run.step.attempt, run.step.exit_code), (Failed, 2, Some(7)));
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_stops_what_runs_and_begins_nothing_more() {
    let place = Place::new(2).await;
    let never = place.folder.join("never");
    let steps = [
        step("done", "pass", &[]),
        step("runs", &waits_for(&never), &["done"]),
        step("waits", "pass", &["runs"]),
        step("cleans", "pass", &["runs"]).when(RunsWhen::AllEnded),
        step("again", "raise SystemExit(1)", &[]).retries(5, 3600),
    ];
    let id = place.save(&steps).await;
    let number = place.start(&id).await;
    place.until(&id, number, |run| of(run, "runs").phase == Running && of(run, "again").attempt == 2).await;
    place.service.cancel_run(&id, number).await.unwrap();
    let run = place.ended(&id, number).await;
    assert_eq!(phases(&run), [Succeeded, Cancelled, Cancelled, Cancelled, Cancelled]);
    assert_eq!(run.summary.phase, Cancelled);
    assert!(matches!(place.service.cancel_run(&id, number).await, Err(BackendError::Conflict(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_from_what_failed() {
    let place = Place::new(2).await;
    let mended = place.folder.join("mended");
    let counter = place.folder.join("count");
    let steps = [
        step("load", &format!("open({counter:?}, 'a').write('x')\nwrite_step_output('loaded')"), &[]),
        step(
            "fails",
            &format!("import os\nif not os.path.exists({mended:?}): raise SystemExit(1)\nwrite_step_output('mended')"),
            &["load"],
        ),
        step("after", "print(read_step_output('load'), read_step_output('fails'))", &["fails"]),
    ];
    let (id, first) = place.finished(&steps).await;
    assert_eq!(phases(&first), [Succeeded, Failed, Skipped]);
    std::fs::write(&mended, "").unwrap();
    let number = place.service.restart(&id, first.summary.number).await.unwrap();
    let second = place.ended(&id, number).await;
    assert_eq!(phases(&second), [Succeeded; 3], "{second:#?}");
    assert_eq!(of(&second, "load").kept_from, Some(first.summary.number));
    assert_eq!(second.origin, Some(RunOrigin::Restart(first.summary.number)));
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "x", "what was kept is not run again");
    assert_eq!(place.log(&id, number, "after").await.last().unwrap(), "loaded mended");

    // Where nothing failed, there is nothing to go on with.
    assert!(matches!(place.service.restart(&id, number).await, Err(BackendError::Conflict(_))));

    // One step alone, with what that run has put out, and without.
    let alone = place.service.run_step(&id, &"after".parse().unwrap(), Some(number)).await.unwrap();
    let run = place.ended(&id, alone).await;
    assert_eq!((run.summary.phase, run.origin), (Succeeded, Some(RunOrigin::StepOf(number))));
    assert_eq!(place.log(&id, alone, "after").await.last().unwrap(), "loaded mended");
    let alone = place.service.run_step(&id, &"after".parse().unwrap(), None).await.unwrap();
    let run = place.ended(&id, alone).await;
    assert_eq!(phases(&run), [Skipped, Skipped, Succeeded]);
    assert_eq!(place.log(&id, alone, "after").await.last().unwrap(), "None None");
    // It does not know the whole flow, so the flow is not made from it; once more it is the same step alone.
    assert!(matches!(place.service.flow_of_run(&id, alone).await, Err(BackendError::Conflict(_))));
    let again = place.service.rerun(&id, alone).await.unwrap();
    assert_eq!(phases(&place.ended(&id, again).await), [Skipped, Skipped, Succeeded]);
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "x");

    // The frozen definition once more, all of it.
    let again = place.service.rerun(&id, number).await.unwrap();
    assert_eq!(phases(&place.ended(&id, again).await), [Succeeded; 3]);
    assert_eq!(std::fs::read_to_string(&counter).unwrap(), "xx");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_stays_however_often_a_run_is_gone_on_with() {
    let place = Place::new(2).await;
    let mended = place.folder.join("mended");
    let steps = [
        step("kept", "write_step_output('of the first run')", &[]),
        step("fails", &format!("import os\nif not os.path.exists('{}'): raise SystemExit(1)", mended.display()), &[]),
        step("reads", "print(read_step_output('kept'))", &["kept", "fails"]),
    ];
    let (id, first) = place.finished(&steps).await;
    let second = place.service.restart(&id, first.summary.number).await.unwrap();
    assert_eq!(phases(&place.ended(&id, second).await), [Succeeded, Failed, Skipped]);
    std::fs::write(&mended, "").unwrap();
    let third = place.service.restart(&id, second).await.unwrap();
    assert_eq!(phases(&place.ended(&id, third).await), [Succeeded; 3]);
    assert_eq!(place.log(&id, third, "reads").await.last().unwrap(), "of the first run");
}

#[tokio::test(flavor = "multi_thread")]
async fn outputs_go_with_their_run() {
    let place = Place::new(2).await;
    let (id, run) = place.finished(&[step("load", "write_step_output(1)", &[]), step("quiet", "pass", &[])]).await;
    let outputs = place.folder.join("outputs").join(run.uid.as_str());
    assert!(outputs.join("load/output.json").exists());
    // What is empty goes when the engine lets go of the run.
    place.until_there_is_no(&outputs.join("quiet")).await;
    place.service.delete_task(&id).await.unwrap();
    place.until_there_is_no(&outputs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_steps_run_beside_each_other_and_after_each_other() {
    let place = Place::new(8).await;
    let wide: Vec<_> = (0..200).map(|number| step(&format!("s{number}"), "pass", &[])).collect();
    let (_, run) = place.finished(&wide).await;
    assert_eq!(phases(&run), vec![Succeeded; 200]);
    let mut deep = vec![step("s0", "write_step_output(0)", &[])];
    deep.extend((1..200).map(|number| {
        let before = format!("s{}", number - 1);
        step(&format!("s{number}"), &format!("write_step_output(read_step_output({before:?}) + 1)"), &[&before])
    }));
    deep.push(step("end", "print(read_step_output('s199'))", &["s199"]));
    let (id, run) = place.finished(&deep).await;
    assert_eq!(phases(&run), vec![Succeeded; 201]);
    assert_eq!(place.log(&id, run.summary.number, "end").await.last().unwrap(), "199");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_flow_does_not_starve_others() {
    let place = Place::new(1).await;
    let go = place.folder.join("go");
    let mut steps = vec![step("first", &waits_for(&go), &[])];
    steps.extend((0..60).map(|number| step(&format!("s{number}"), "import time; time.sleep(0.05)", &["first"])));
    let wide = place.save(&steps).await;
    let number = place.start(&wide).await;
    place.until(&wide, number, |run| of(run, "first").phase == Running).await;
    let small = place.save(&[step("only", "pass", &[])]).await;
    let small_number = place.start(&small).await;
    std::fs::write(&go, "").unwrap();
    let small_run = place.ended(&small, small_number).await;
    assert_eq!(small_run.summary.phase, Succeeded);
    let wide_run = place.look(&wide, number).await;
    let left = phases(&wide_run).iter().filter(|phase| **phase == Pending).count();
    assert!(left > 50, "the run of one step had to wait for the flow: {left} steps are left");
    place.service.cancel_run(&wide, number).await.unwrap();
    place.ended(&wide, number).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_at_any_moment_brings_a_flow_to_its_true_end() {
    for moment in 0..10 {
        let place = Place::new(2).await;
        let counter = place.folder.join("count");
        let code = |key: &str| {
            format!(
                "import time\nopen({counter:?}, 'a').write('{key}')\ntime.sleep(0.05)\nprint('{key}')\nwrite_step_output('{key}')\n"
            )
        };
        let mut steps = vec![step("a", &code("a"), &[])];
        for (key, before) in [("b", "a"), ("c", "a"), ("d", "b"), ("e", "c"), ("f", "d")] {
            steps.push(step(key, &code(key), &[before]));
        }
        let flaky = place.folder.join("flaky");
        steps.push(
            step(
                "g",
                &format!(
                    "import os\nif not os.path.exists({flaky:?}):\n    open({flaky:?}, 'w')\n    raise SystemExit(1)\n"
                ),
                &["a"],
            )
            .retries(1, 0),
        );
        let id = place.save(&steps).await;
        let number = place.start(&id).await;
        // After so many steps have ended, and in the middle of whatever runs then.
        if moment > 0 {
            let ended = moment * 7 / 10;
            place.until(&id, number, |run| phases(run).iter().filter(|phase| phase.is_final()).count() >= ended).await;
        }
        let place = place.killed_and_started(2).await;
        let run = place.ended(&id, number).await;
        assert_eq!(phases(&run), vec![Succeeded; 7], "at moment {moment}: {run:#?}");
        let mut started: Vec<char> = std::fs::read_to_string(&counter).unwrap().chars().collect();
        started.sort_unstable();
        assert_eq!(started, ['a', 'b', 'c', 'd', 'e', 'f'], "at moment {moment}");
        for key in ["a", "b", "c", "d", "e", "f"] {
            let log = place.log(&id, number, key).await;
            assert_eq!(log.iter().filter(|line| *line == key).count(), 1, "at moment {moment}: {log:?}");
        }
    }
}
