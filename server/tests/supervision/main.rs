//! What moves runs, over engines that fail, hang, stop telling and panic: real supervisor, real recorder, a real database
//! file; the engine is [`scripted::Scripted`].

#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::{sync::Arc, time::Duration};

use app::model::{
    flow::{Retries, RunsWhen, StepName},
    identifiers::{Kind, RunUid, StepId, TaskId},
    lock::Lock,
    phase::Phase,
    spec::{TaskDraft, TaskSpec},
    step_address::StepAddress,
    time::Timestamp,
    views::RunDetail,
};
use async_trait::async_trait;
use server::{
    clock::{SystemRandom, random_id, random_run_uid},
    db::{
        Database,
        logs::{self, Most},
        runs,
        steps::{self, NewStep},
        tasks, views,
    },
    engine::{Account, EndCause, Engines, StepEnd, StepEvent, Target},
    packages::resolver::{ResolveError, Resolver},
};
use tokio::{sync::Notify, task::JoinHandle};

#[path = "../support/assembled.rs"]
mod assembled;
mod scripted;
#[path = "../support/waiting.rs"]
mod waiting;

use scripted::{Answer, SECRET_KEY, Scripted, Told, end, line};
use waiting::until;

/// Without packages nothing is to be found out.
struct NoPackages;

#[async_trait]
impl Resolver for NoPackages {
    async fn lock(&self, _: &TaskSpec, _: &Target) -> Result<Lock, ResolveError> {
        Ok(Lock::default())
    }

    async fn known(&self, _: &TaskSpec, _: &Target) -> Option<Lock> {
        Some(Lock::default())
    }
}

/// A database, and what moves its runs.
struct Place {
    folder: tempfile::TempDir,
    database: Database,
    wake: Arc<Notify>,
    supervisor: JoinHandle<()>,
}

/// A run as its test knows it.
#[derive(Clone)]
struct Run {
    uid: RunUid,
    task: TaskId,
    steps: Vec<StepId>,
}

impl Place {
    async fn with(engines: Engines) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), engines).await
    }

    async fn in_folder(folder: tempfile::TempDir, engines: Engines) -> Self {
        let database = Database::open(&folder.path().join("stoker.sqlite")).await.unwrap();
        let stoker = assembled::assemble(database.clone(), engines, Arc::new(NoPackages), SECRET_KEY).await;
        Self { folder, database, wake: stoker.wake().clone(), supervisor: stoker.move_runs() }
    }

    /// The supervisor dies here, and another one takes over.
    async fn restarted(self, engines: Engines) -> Self {
        self.supervisor.abort();
        let _ = self.supervisor.await;
        drop(self.database);
        Self::in_folder(self.folder, engines).await
    }

    async fn submit(&self, engine: &'static str, step_names: &'static [&'static str]) -> Run {
        self.submit_flow(engine, step_names, |_| {}).await
    }

    /// A run whose steps wait for each other, or are tried again.
    async fn submit_flow(
        &self,
        engine: &'static str,
        step_names: &'static [&'static str],
        change: fn(&mut [NewStep]),
    ) -> Run {
        let (task, uid) = (random_id(Kind::Task, &SystemRandom), random_run_uid(&SystemRandom));
        let (id, run_uid) = (task.clone(), uid.clone());
        let valid = TaskDraft { code: "pass".into(), ..TaskDraft::default() }.parse().unwrap();
        let made = self.database.write(move |connection| {
            let at = Timestamp(1);
            assert!(tasks::insert(connection, &id, &valid, at)?);
            let mut new = runs::NewRun::of_task(&run_uid, &id, valid.spec, None, engine, at);
            for name in step_names {
                let mut step = new.steps[0].clone();
                step.step.key = name.parse().unwrap();
                step.step.name = StepName::parse(name).unwrap();
                new.steps.push(step);
            }
            change(&mut new.steps);
            let created = runs::create(connection, &new)?;
            steps::of_run(connection, created.id)
        });
        let steps = made.await.unwrap();
        self.wake.notify_one();
        Run { uid, task, steps }
    }

    async fn look(&self, run: &Run) -> RunDetail {
        let run = run.clone();
        let look = self.database.read(move |connection| {
            let (task, number) = views::run_by_uid(connection, &run.uid)?;
            views::run(connection, &StepAddress::first(task, number))
        });
        look.await.unwrap()
    }

    async fn until(&self, run: &Run, what: &str, condition: impl Fn(&RunDetail) -> bool) -> RunDetail {
        let wait = async {
            loop {
                let seen = self.look(run).await;
                if condition(&seen) {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait)
            .await
            .unwrap_or_else(|_| panic!("waited too long for {what}"))
    }

    async fn ended(&self, run: &Run) -> RunDetail {
        self.until(run, "the end", |seen| seen.summary.phase.is_final()).await
    }

    async fn lines(&self, step: StepId) -> Vec<String> {
        let all = Most { lines: usize::MAX, bytes: usize::MAX };
        let lines = self.database.read(move |connection| logs::lines_from(connection, step, 1, all)).await.unwrap();
        lines.lines.into_iter().map(|line| line.2).collect()
    }

    async fn cancel(&self, run: &Run) {
        let (task, number) = (run.task.clone(), 1);
        let cancel = self.database.write(move |connection| {
            runs::request_cancel(
                connection,
                &task,
                app::model::identifiers::RunNumber::new(number).unwrap(),
                Timestamp(2),
            )
        });
        cancel.await.unwrap();
        self.wake.notify_one();
    }
}

fn one(engine: &Arc<Scripted>) -> Engines {
    Engines::of(engine.clone())
}

#[tokio::test]
async fn a_stream_that_stops_without_an_end_is_followed_on_and_nothing_is_forgotten() {
    let tale = vec![line(1, "a"), Told::Stops, line(1, "b"), Told::Waits, end(1, 0), Told::Ended];
    let engine = Arc::new(Scripted::new("local", 1, tale));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &[]).await;
    let seen = place.until(&run, "both lines", |seen| seen.state.lines == 2).await;
    assert_eq!(seen.summary.phase, Phase::Running);
    assert_eq!(engine.calls(&run.uid, "forget"), 0, "a run that goes on was let go");
    engine.go_on();
    assert_eq!(place.ended(&run).await.summary.phase, Phase::Succeeded);
    assert_eq!(place.lines(run.steps[0]).await, ["a", "b"]);
    until("its being forgotten", || engine.calls(&run.uid, "forget") == 1).await;
    assert_eq!(engine.calls(&run.uid, "start"), 1, "it was started again");
}

#[tokio::test]
async fn an_error_that_may_pass_is_waited_out_and_another_ends_the_run() {
    let tale = vec![line(1, "a"), Told::Breaks(Answer::Fails), line(1, "b"), end(1, 0), Told::Ended];
    let engine = Arc::new(Scripted::new("local", 1, tale));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &[]).await;
    assert_eq!(place.ended(&run).await.summary.phase, Phase::Succeeded);
    assert_eq!(place.lines(run.steps[0]).await, ["a", "b"]);

    let tale = vec![line(1, "a"), Told::Breaks(Answer::FailsForGood)];
    let engine = Arc::new(Scripted::new("local", 1, tale));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &[]).await;
    let seen = place.ended(&run).await;
    assert_eq!(seen.summary.phase, Phase::Error);
    assert_eq!(seen.summary.message.as_deref(), Some("The engine will not have it."));
    until("its being forgotten", || engine.calls(&run.uid, "forget") == 1).await;
}

#[tokio::test]
async fn starting_is_tried_again_until_it_went_or_cannot_go() {
    let tale = || vec![line(1, "a"), end(1, 0), Told::Ended];
    let engine = Arc::new(Scripted::new("local", 1, tale()).starts(&[Answer::Fails, Answer::Panics]));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &[]).await;
    assert_eq!(place.ended(&run).await.summary.phase, Phase::Succeeded);
    assert_eq!(engine.calls(&run.uid, "start"), 3);

    let engine = Arc::new(Scripted::new("local", 1, tale()).starts(&[Answer::FailsForGood]));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &[]).await;
    let seen = place.ended(&run).await;
    assert_eq!((seen.summary.phase, seen.step.phase), (Phase::Error, Phase::Error));
    assert_eq!(seen.summary.message.as_deref(), Some("The engine will not have it."));
    assert_eq!(engine.calls(&run.uid, "observe"), 0);
}

#[tokio::test]
async fn why_a_run_cannot_be_started_now_is_shown_until_it_is() {
    let tale = || vec![Told::Waits, line(1, "a"), end(1, 0), Told::Ended];
    let engine = Arc::new(Scripted::new("local", 1, tale()).starts(&[Answer::Fails; 2]));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &[]).await;
    let seen = place.until(&run, "the reason", |seen| seen.step.waiting_for.is_some()).await;
    assert_eq!(seen.step.waiting_for.as_deref(), Some("The engine is away."));
    let seen = place.until(&run, "the start", |seen| seen.step.waiting_for.is_none()).await;
    assert_eq!((seen.summary.phase, engine.calls(&run.uid, "start")), (Phase::Running, 3));
    engine.go_on();
    assert_eq!(place.ended(&run).await.summary.phase, Phase::Succeeded);

    let engine = Arc::new(Scripted::new("local", 1, tale()).starts(&[Answer::Fails; 1000]));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &[]).await;
    place.until(&run, "the reason", |seen| seen.step.waiting_for.is_some()).await;
    place.cancel(&run).await;
    assert_eq!(place.ended(&run).await.summary.phase, Phase::Cancelled);
    until("its being forgotten", || engine.calls(&run.uid, "forget") > 0).await;
}

#[tokio::test]
async fn an_engine_whose_own_books_differ_is_quoted() {
    let books = |succeeded| Account { succeeded, words: "The books differ.".into() };
    for (exit_code, succeeded, message) in [
        (0, true, None),
        (0, false, Some("The books differ.")),
        (3, false, Some("The program ended with exit code 3.")),
        (3, true, Some("The program ended with exit code 3. The books differ.")),
    ] {
        let tale = vec![end(1, exit_code), Told::Ended];
        let engine = Arc::new(Scripted::new("local", 1, tale).accounts(books(succeeded)));
        let place = Place::with(one(&engine)).await;
        let run = place.submit("local", &[]).await;
        until("its being forgotten", || engine.calls(&run.uid, "forget") == 1).await;
        let seen = place.look(&run).await;
        assert_eq!(seen.summary.message.as_deref(), message, "{exit_code}, {succeeded}");
        assert_eq!(seen.summary.phase, if exit_code == 0 { Phase::Succeeded } else { Phase::Failed });
    }
}

#[tokio::test]
async fn what_an_engine_hands_over_is_kept_as_it_was_first() {
    let tale = || vec![Told::Waits, line(1, "a"), end(1, 0), Told::Ended];
    let first = Arc::new(Scripted::new("local", 1, tale()).hands_over("first: true\n"));
    let place = Place::with(one(&first)).await;
    let run = place.submit("local", &[]).await;
    let text = |seen: &RunDetail| seen.manifest.as_ref().and_then(|manifest| manifest.text.clone());
    let seen = place.until(&run, "the manifest", |seen| seen.manifest.is_some()).await;
    assert_eq!((seen.summary.phase, text(&seen).as_deref()), (Phase::Running, Some("first: true\n")));
    // Nothing else is recorded, so another server starts it once more; its engine may be set up otherwise by now.
    let second = Arc::new(Scripted::new("local", 1, tale()).hands_over("second: true\n"));
    let place = place.restarted(one(&second)).await;
    until("the second start", || second.calls(&run.uid, "start") == 1).await;
    second.go_on();
    assert_eq!(text(&place.ended(&run).await).as_deref(), Some("first: true\n"));

    let alone = Arc::new(Scripted::new("local", 1, vec![line(1, "a"), end(1, 0), Told::Ended]));
    let place = Place::with(one(&alone)).await;
    let run = place.submit("local", &[]).await;
    assert_eq!(place.ended(&run).await.manifest, None);
}

#[tokio::test]
async fn one_slow_answer_holds_no_other_run_up() {
    let tale = || vec![line(1, "a"), Told::Waits, end(1, 0), Told::Ended];
    let slow = Scripted::new("slow", 1, tale()).cancels(&[Answer::Hangs]).never_tells_what_it_keeps();
    let (slow, stuck) = (Arc::new(slow), Arc::new(Scripted::new("stuck", 1, tale()).starts(&[Answer::Hangs])));
    let quick = Arc::new(Scripted::new("quick", 1, vec![line(1, "q"), end(1, 0), Told::Ended]));
    let place = Place::with(Engines::of(slow.clone()).and(stuck.clone()).and(quick.clone())).await;
    let (hanging, never) = (place.submit("slow", &[]).await, place.submit("stuck", &[]).await);
    place.until(&hanging, "a line", |seen| seen.state.lines == 1).await;
    place.cancel(&hanging).await;
    until("the cancel that hangs", || slow.calls(&hanging.uid, "cancel") == 1).await;
    until("the start that hangs", || stuck.calls(&never.uid, "start") == 1).await;
    for _ in 0..3 {
        let run = place.submit("quick", &[]).await;
        assert_eq!(place.ended(&run).await.summary.phase, Phase::Succeeded);
    }
    assert_eq!(slow.calls(&hanging.uid, "cancel"), 1, "asked again before the first answer");
    slow.go_on();
    place.ended(&hanging).await;
    assert_eq!(place.look(&never).await.summary.phase, Phase::Running);
}

#[tokio::test]
async fn a_cancel_that_fails_is_asked_for_again() {
    let cancelled = Told::Event(1, StepEvent::Ended(StepEnd::by(EndCause::Cancelled)));
    let tale = vec![line(1, "a"), Told::Waits, cancelled, Told::Ended];
    let engine = Arc::new(Scripted::new("local", 1, tale).cancels(&[Answer::Fails, Answer::Panics]));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &[]).await;
    place.until(&run, "a line", |seen| seen.state.lines == 1).await;
    place.cancel(&run).await;
    until("three tries", || engine.calls(&run.uid, "cancel") >= 3).await;
    engine.go_on();
    assert_eq!(place.ended(&run).await.summary.phase, Phase::Cancelled);
}

#[tokio::test]
async fn what_could_not_be_forgotten_goes_later_and_what_is_active_stays() {
    let tale = vec![line(1, "a"), Told::Waits, end(1, 0), Told::Ended];
    let deleted = random_run_uid(&SystemRandom);
    let engine = Arc::new(Scripted::new("local", 2, tale).forgets(&[Answer::Fails]));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &[]).await;
    place.until(&run, "a line", |seen| seen.state.lines == 1).await;
    engine.go_on();
    place.ended(&run).await;
    until("the try that fails", || engine.calls(&run.uid, "forget") == 1).await;

    let tale = vec![line(1, "a"), Told::Waits, end(1, 0), Told::Ended];
    let next = Scripted::new("local", 2, tale).keeps(run.uid.clone()).keeps(deleted.clone());
    let next = Arc::new(next);
    let place = place.restarted(one(&next)).await;
    let active = place.submit("local", &[]).await;
    place.until(&active, "a line", |seen| seen.state.lines == 1).await;
    for gone in [&run.uid, &deleted] {
        until("its being forgotten", || next.calls(gone, "forget") == 1).await;
    }
    assert_eq!(next.calls(&active.uid, "forget"), 0);
}

#[tokio::test]
async fn a_supervisor_that_dies_at_any_point_loses_and_doubles_nothing() {
    let numbers = ["0", "1", "2", "3", "4"];
    for point in 0..=numbers.len() {
        let mut tale: Vec<Told> = numbers.iter().map(|number| line(1, number)).collect();
        tale.extend([end(1, 0), Told::Ended]);
        let mut first = tale.clone();
        first.insert(point, Told::Waits);
        let place = Place::with(one(&Arc::new(Scripted::new("local", 1, first)))).await;
        let run = place.submit("local", &[]).await;
        place
            .until(&run, "the point", |seen| seen.state.lines == point as u64 && seen.summary.phase == Phase::Running)
            .await;
        let engine = Arc::new(Scripted::new("local", 1, tale));
        let place = place.restarted(one(&engine)).await;
        assert_eq!(place.ended(&run).await.summary.phase, Phase::Succeeded);
        assert_eq!(place.lines(run.steps[0]).await, numbers, "at {point}");
        let again = engine.calls(&run.uid, "start");
        assert_eq!(again, u32::from(point == 0), "at {point}: started again though something is recorded");
    }
}

#[tokio::test]
async fn each_run_stays_with_its_engine_and_places_are_counted_for_each() {
    let tale = || vec![line(1, "a"), Told::Waits, end(1, 0), Told::Ended];
    let (one, two) = (Arc::new(Scripted::new("one", 1, tale())), Arc::new(Scripted::new("two", 2, tale())));
    let place = Place::with(Engines::of(one.clone()).and(two.clone())).await;
    let (first, second) = (place.submit("one", &[]).await, place.submit("one", &[]).await);
    let (third, fourth) = (place.submit("two", &[]).await, place.submit("two", &[]).await);
    let stranger = place.submit("gone", &[]).await;
    for run in [&first, &third, &fourth] {
        place.until(run, "a line", |seen| seen.state.lines == 1).await;
    }
    assert_eq!(place.look(&second).await.summary.phase, Phase::Pending);
    assert_eq!(place.look(&stranger).await.summary.phase, Phase::Pending);
    place.cancel(&stranger).await;
    assert_eq!(place.ended(&stranger).await.summary.phase, Phase::Cancelled);
    one.go_on();
    place.ended(&second).await;
    assert_eq!((one.calls(&second.uid, "start"), two.calls(&second.uid, "start")), (1, 0));
    assert_eq!(place.look(&third).await.summary.phase, Phase::Running);
    two.go_on();
    place.ended(&fourth).await;
}

#[tokio::test]
async fn a_run_ends_with_its_last_step_and_as_its_steps_did() {
    let tale =
        vec![line(1, "a"), end(1, 0), line(2, "b"), Told::Waits, end(2, 3), line(3, "c"), end(3, 0), Told::Ended];
    let engine = Arc::new(Scripted::new("local", 1, tale));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &["second", "third"]).await;
    let seen = place.until(&run, "the first step's end", |seen| seen.steps[0].phase.is_final()).await;
    assert_eq!((seen.steps[0].phase, seen.summary.phase), (Phase::Succeeded, Phase::Running));
    // Its first step is not followed again, and no line of it comes twice.
    let place = place.restarted(one(&engine)).await;
    engine.go_on();
    let seen = place.ended(&run).await;
    assert_eq!(seen.summary.phase, Phase::Failed);
    assert_eq!(seen.summary.message.as_deref(), Some("second: The program ended with exit code 3."));
    for (step, expected) in run.steps.iter().zip(["a", "b", "c"]) {
        assert_eq!(place.lines(*step).await[0], expected);
    }
}

#[tokio::test]
async fn what_a_step_waits_for_and_where_it_is_are_shown() {
    let event = |event| Told::Event(1, event);
    let tale = vec![
        event(StepEvent::Waiting(Some("No node has room for it.".into()))),
        Told::Waits,
        event(StepEvent::Waiting(None)),
        event(StepEvent::Placed("node-7".into())),
        event(StepEvent::Lost("3 lines are gone.".into())),
        end(1, 0),
        Told::Ended,
    ];
    let engine = Arc::new(Scripted::new("local", 1, tale));
    let place = Place::with(one(&engine)).await;
    let run = place.submit("local", &[]).await;
    let seen = place.until(&run, "the reason", |seen| seen.step.waiting_for.is_some()).await;
    assert_eq!(seen.step.waiting_for.as_deref(), Some("No node has room for it."));
    engine.go_on();
    let seen = place.ended(&run).await;
    assert_eq!((seen.step.waiting_for, seen.step.place.as_deref()), (None, Some("node-7")));
    assert_eq!(place.lines(run.steps[0]).await[0], "3 lines are gone.");
}

/// An engine that orders the steps is not waited for where the graph says it all.
#[tokio::test]
async fn what_never_runs_is_known_without_the_engines_word() {
    let tale = vec![line(1, "a"), Told::Event(2, StepEvent::Began), Told::Waits, end(1, 1), Told::Waits];
    let engine = Arc::new(Scripted::new("local", 1, tale));
    let place = Place::with(one(&engine)).await;
    let run = place
        .submit_flow("local", &["beside", "after", "last"], |steps| {
            let [main, beside, after] = [0, 1, 2].map(|step: usize| steps[step].step.key.clone());
            steps[1].step.runs_after = vec![main.clone()];
            steps[1].step.runs_when = RunsWhen::AnyFailed;
            steps[2].step.runs_after = vec![main];
            steps[3].step.runs_after = vec![beside, after];
        })
        .await;
    let seen = place.until(&run, "a line", |seen| seen.state.lines == 1).await;
    let phases = |seen: &RunDetail| seen.steps.iter().map(|step| step.phase).collect::<Vec<_>>();
    assert_eq!(phases(&seen)[2..], [Phase::Pending; 2]);
    place.until(&run, "the second", |seen| seen.steps[1].phase == Phase::Running).await;
    engine.go_on();
    let seen = place.until(&run, "the first's end", |seen| seen.steps[0].phase == Phase::Failed).await;
    let seen = if phases(&seen)[3] == Phase::Skipped {
        seen
    } else {
        place.until(&run, "what is settled by it", |seen| seen.steps[3].phase == Phase::Skipped).await
    };
    assert_eq!(phases(&seen), [Phase::Failed, Phase::Running, Phase::Skipped, Phase::Skipped]);
    assert_eq!(seen.steps[2].message.as_deref(), Some("Not run: `main` failed."));
    assert_eq!(seen.steps[3].message.as_deref(), Some("Not run: `after` was not run."));
}

#[tokio::test]
async fn attempts_that_an_engine_makes_are_told_apart() {
    let failed = StepEnd { exit_code: Some(7), ..StepEnd::by(EndCause::Program) };
    let tale = vec![
        line(1, "first"),
        Told::Event(1, StepEvent::AttemptEnded(failed)),
        Told::Waits,
        Told::Event(1, StepEvent::Began),
        line(1, "second"),
        end(1, 0),
        Told::Ended,
    ];
    let engine = Arc::new(Scripted::new("local", 1, tale));
    let place = Place::with(one(&engine)).await;
    let run = place.submit_flow("local", &[], |steps| steps[0].step.retries = Retries::new(2, 5, 1).unwrap()).await;
    let seen = place.until(&run, "the second attempt", |seen| seen.step.attempt == 2).await;
    assert_eq!((seen.summary.phase, seen.steps[0].phase), (Phase::Running, Phase::Pending));
    engine.go_on();
    let seen = place.ended(&run).await;
    assert_eq!((seen.summary.phase, seen.step.exit_code), (Phase::Succeeded, Some(0)));
    let attempts: Vec<_> =
        seen.step.attempts.iter().map(|attempt| (attempt.number, attempt.phase, attempt.exit_code)).collect();
    assert_eq!(attempts, [(1, Phase::Failed, Some(7))]);
    let said = ["first", "The program ended with exit code 7.", "Attempt 1 of 3 failed. The next one begins in 5.0 s."];
    assert_eq!(place.lines(run.steps[0]).await, [&said[..], &["second"]].concat());
    assert_eq!(engine.calls(&run.uid, "start"), 1);
}
