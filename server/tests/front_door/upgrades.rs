//! Databases of each earlier schema open with nothing lost.
//!
//! `fixtures/schemas` has a dump of a database as it was right after each migration, with rows of that time and of all
//! times before. A migration that is no longer the newest needs one: read the dump before into `sqlite3`, apply the
//! migration's `up.sql`, add its row to `__diesel_schema_migrations`, insert rows that use what is new, `.dump`.

use std::{fs, path::Path};

use app::model::{
    cache::EnvironmentUse,
    checkpoint::CheckpointStatus,
    flow::{Placement, Retries, RunsWhen},
    identifiers::TaskId,
    phase::Phase,
    step_address::StepAddress,
    time::Timestamp,
    views::{RunDetail, RunOrigin, TaskDetail, TaskQuery},
};
use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _, migration::MigrationSource as _};
use server::db::{
    Database, DatabaseError, MIGRATIONS,
    logs::{self, Most},
    preparation, schema, views,
};

use crate::support::number;

/// When the rows were made that came with the first schema; those of the later ones are a day apart.
const FIRST_DAY: i64 = 1_709_210_200_000 + DAY;
const DAY: i64 = 86_400_000;

/// What came with each schema, looked at through the queries of today.
const ARRIVALS: [fn(&mut SqliteConnection); 12] = [
    tasks_runs_locks_and_logs,
    system_packages,
    reasons_of_checkpoints,
    counted_runs,
    checkpoints_under_way,
    several_steps,
    deleted_tasks,
    measured_logs,
    resources_and_engine,
    listed_runs,
    flows,
    manifests,
];

#[tokio::test]
async fn a_database_of_each_schema_opens_with_nothing_lost() {
    let dumps = dumps();
    assert_eq!(dumps.len(), ARRIVALS.len());
    for (index, dump) in dumps.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stoker.sqlite");
        let mut old = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
        old.batch_execute(&fs::read_to_string(dump).unwrap()).unwrap();
        drop(old);
        let database = Database::open(&path).await.unwrap_or_else(|error| panic!("{}: {error}", dump.display()));
        database
            .read(move |connection| {
                ARRIVALS[..=index].iter().for_each(|arrival| arrival(connection));
                Ok(())
            })
            .await
            .unwrap();
    }
}

/// The dumps, oldest first. They are of this program's migrations, and only the newest may lack one: databases that need
/// its successor do not exist yet.
pub fn dumps() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schemas");
    let mut dumps: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    dumps.sort();
    let migrations: Vec<Box<dyn diesel::migration::Migration<diesel::sqlite::Sqlite>>> =
        MIGRATIONS.migrations().unwrap();
    let migrations: Vec<String> = migrations.iter().map(|migration| migration.name().to_string()).collect();
    let dumped: Vec<_> = dumps.iter().map(|dump| dump.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(dumped, migrations[..dumped.len()]);
    assert!(dumped.len() + 1 >= migrations.len(), "a schema has no dump; the top of this file says how to make it");
    dumps
}

fn task_of(schema: usize) -> TaskId {
    format!("task-{schema:012x}").parse().unwrap()
}

fn task(connection: &mut SqliteConnection, id: &TaskId) -> TaskDetail {
    views::task(connection, id, None).unwrap()
}

fn run(connection: &mut SqliteConnection, id: &TaskId, run: u32) -> RunDetail {
    views::run(connection, &StepAddress::first(id.clone(), number(run))).unwrap()
}

fn log(connection: &mut SqliteConnection, run: &RunDetail) -> Vec<String> {
    let most = Most { lines: 100, bytes: 1 << 20 };
    let lines = logs::lines_from(connection, run.step.id, 1, most).unwrap().lines;
    lines.into_iter().map(|line| line.2).collect()
}

fn packages(run: &RunDetail) -> String {
    run.step.lock.as_ref().unwrap().0.clone()
}

fn tasks_runs_locks_and_logs(connection: &mut SqliteConnection) {
    let id: TaskId = "task-00000000000a".parse().unwrap();
    let report = task(connection, &id);
    assert_eq!(report.name.unwrap().as_str(), "Old report");
    assert_eq!(report.spec.code.as_str(), "print('hello')\n");
    assert_eq!(report.spec.packages.iter().collect::<Vec<_>>(), ["numpy", "pandas>=2"]);
    assert!(report.spec.system_packages.is_empty());
    assert_eq!(report.spec.environment.to_string(), "A=1");
    assert_eq!(report.runs.iter().map(|run| run.phase).collect::<Vec<_>>(), [Phase::Failed, Phase::Succeeded]);
    let failed = run(connection, &id, 2);
    assert_eq!(failed.step.exit_code, Some(1));
    assert_eq!(failed.summary.message.as_deref(), Some("The program ended with exit code 1."));
    assert_eq!(failed.summary.finished_at, Some(Timestamp(1_709_210_100_289)));
    assert_eq!(packages(&failed), "numpy==2.1.0\n");
    assert_eq!(log(connection, &failed), ["hello", "oops"]);
    let [tools] = &failed.step.checkpoints[..] else { panic!("{:?}", failed.step.checkpoints) };
    assert_eq!((tools.name.as_str(), tools.status, tools.millis), ("Tools", Some(CheckpointStatus::Ok), 12));
    let lost = run(connection, &"task-00000000000b".parse().unwrap(), 1);
    assert_eq!((lost.summary.phase, lost.step.lock), (Phase::Error, None));

    let requirements = task(connection, &task_of(1));
    assert_eq!(requirements.revision, 3);
    assert_eq!(requirements.spec.requirements.as_ref().unwrap().as_str(), "six==1.16.0\n");
    assert_eq!(requirements.spec.timeout.map(app::model::spec::Timeout::seconds), Some(60));
    assert_eq!(requirements.spec.environment.to_string(), "A=1\nB=two words");
    assert!(!requirements.spec.use_cache);
    let private = run(connection, &task_of(1), 1);
    assert_eq!(private.step.spec, requirements.spec);
    assert_eq!(private.summary.created_at, Timestamp(FIRST_DAY));
    assert_eq!(log(connection, &private), ["one", "two", "three"]);
    let report = private.step.cache.unwrap();
    assert_eq!((report.environment, report.downloaded), (EnvironmentUse::Private, 1));
    assert_eq!((report.stages[0].stage.as_str(), report.stages[0].millis), ("packages", 720));
    assert_eq!(server::db::locks::find(connection, "0f3c").unwrap().unwrap().0, "numpy==2.1.0\n");
}

fn system_packages(connection: &mut SqliteConnection) {
    let names = ["ffmpeg", "jq"];
    assert_eq!(task(connection, &task_of(2)).spec.system_packages.iter().collect::<Vec<_>>(), names);
    assert_eq!(run(connection, &task_of(2), 1).step.spec.system_packages.iter().collect::<Vec<_>>(), names);
}

fn reasons_of_checkpoints(connection: &mut SqliteConnection) {
    let run = run(connection, &task_of(3), 1);
    let [tools, failed] = &run.step.checkpoints[..] else { panic!("{:?}", run.step.checkpoints) };
    assert_eq!((tools.status, &tools.code, &tools.tail), (Some(CheckpointStatus::Ok), &None, &None));
    assert_eq!((failed.number, failed.status), (11, Some(CheckpointStatus::Failed)));
    assert_eq!(failed.code.as_deref(), Some("packages-failed"));
    assert_eq!(failed.tail.as_deref(), Some("error: no such package"));
    assert_eq!(failed.advice.as_deref(), Some("Read the lines above."));
}

fn counted_runs(connection: &mut SqliteConnection) {
    let day = Timestamp(FIRST_DAY + 3 * DAY);
    let counted = preparation::by_day(connection, day, 1).unwrap();
    assert_eq!((counted[0].ready, counted[0].built), (1, 0));
}

fn checkpoints_under_way(connection: &mut SqliteConnection) {
    let run = run(connection, &task_of(5), 1);
    assert_eq!((run.summary.phase, run.step.phase), (Phase::Running, Phase::Running));
    assert_eq!(run.under_way().map(|checkpoint| checkpoint.name.as_str()), Some("System packages"));
    assert_eq!(log(connection, &run), ["Fetching …"]);
    // The recorder goes on where it stopped.
    assert_eq!(cursor(connection, &run).as_deref(), Some("1234"));
    // The engine knows it by the name that its folder has.
    assert_eq!(run.uid.as_str(), run.step.id.to_string());
}

fn cursor(connection: &mut SqliteConnection, run: &RunDetail) -> Option<String> {
    use diesel::{QueryDsl as _, RunQueryDsl as _};
    schema::steps::table.find(run.step.id.0).select(schema::steps::cursor).get_result(connection).unwrap()
}

fn several_steps(connection: &mut SqliteConnection) {
    let run = run(connection, &task_of(6), 1);
    assert_eq!(run.uid.as_str(), "run-1f1f1f1f1f1f1f1f1f1f");
    // The step that failed is shown first; the other one is found by its key.
    assert_eq!((run.summary.phase, run.step.phase, run.step.exit_code), (Phase::Failed, Phase::Failed, Some(3)));
    let address = StepAddress { step: Some("first".parse().unwrap()), ..StepAddress::first(task_of(6), number(1)) };
    let first = views::run(connection, &address).unwrap();
    assert_eq!((first.step.phase, first.step.exit_code), (Phase::Succeeded, Some(0)));
    assert_eq!(packages(&first), "six==1.16.0\n");
    assert_eq!(cursor(connection, &first).as_deref(), Some("99"));
    let names = steps(connection, &run);
    assert_eq!(names, [("first".to_owned(), None), ("second".to_owned(), Some("node-1".to_owned()))]);
}

fn steps(connection: &mut SqliteConnection, run: &RunDetail) -> Vec<(String, Option<String>)> {
    use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
    let of_run: i64 =
        schema::steps::table.find(run.step.id.0).select(schema::steps::run_id).get_result(connection).unwrap();
    schema::steps::table
        .filter(schema::steps::run_id.eq(of_run))
        .order(schema::steps::position)
        .select((schema::steps::name, schema::steps::place))
        .load(connection)
        .unwrap()
}

fn deleted_tasks(connection: &mut SqliteConnection) {
    let gone = views::task(connection, &task_of(7), None);
    assert!(matches!(gone, Err(DatabaseError::NotFound)), "{gone:?}");
    let listed = views::task_page(connection, &TaskQuery::default(), Timestamp(i64::MAX)).unwrap().tasks;
    let listed: Vec<TaskId> = listed.into_iter().map(|task| task.id).collect();
    assert!(listed.contains(&task_of(6)), "{listed:?}");
    assert!(!listed.contains(&task_of(7)));
}

fn measured_logs(connection: &mut SqliteConnection) {
    use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
    let mut bytes_of = |id: &TaskId| -> i64 {
        let run = schema::runs::table.filter(schema::runs::task_id.eq(id.as_str()));
        run.select(schema::runs::log_bytes).get_result(connection).unwrap()
    };
    assert_eq!(bytes_of(&task_of(8)), 4242);
    assert!(bytes_of(&task_of(1)) > 0, "logs from before are measured");
}

fn resources_and_engine(connection: &mut SqliteConnection) {
    let spec = task(connection, &task_of(9)).spec;
    assert_eq!(spec.resources.cpu_request.unwrap().to_string(), "0.5");
    assert_eq!(spec.resources.memory_limit.unwrap().to_string(), "2Gi");
    assert_eq!(spec.engine.as_ref().unwrap().as_str(), "argo");
    assert_eq!(run(connection, &task_of(9), 1).step.spec, spec);
    assert!(task(connection, &task_of(8)).spec.resources.is_empty(), "tasks from before leave it to the server");
}

fn listed_runs(connection: &mut SqliteConnection) {
    let id: TaskId = "task-000000000010".parse().unwrap();
    let runs = task(connection, &id).runs;
    assert_eq!(runs.iter().map(|run| run.phase).collect::<Vec<_>>(), [Phase::Cancelled, Phase::Succeeded]);
    let step = run(connection, &id, 2).step;
    assert_eq!((step.key.as_str(), step.name.as_str(), step.phase), ("main", "main", Phase::Cancelled));
}

fn flows(connection: &mut SqliteConnection) {
    let id: TaskId = "flow-000000000011".parse().unwrap();
    let flow = views::flow(connection, &id, None).unwrap();
    assert_eq!(flow.flow.name().as_str(), "Nightly");
    assert_eq!(flow.flow.description().unwrap().as_str(), "Each night.");
    assert_eq!(flow.runs.iter().map(|run| run.phase).collect::<Vec<_>>(), [Phase::Cancelled, Phase::Failed]);
    let [load, report] = flow.flow.steps() else { panic!("{:?}", flow.flow) };
    assert_eq!(load.placement, Some(Placement { x: 10, y: 20 }));
    assert_eq!((report.name.as_str(), report.runs_when), ("Report", RunsWhen::AllEnded));
    assert_eq!((&report.runs_after[..], report.retries), (&[load.key.clone()][..], Retries::new(2, 10, 2).unwrap()));

    let failed = run(connection, &id, 1);
    assert_eq!((failed.step.key.as_str(), failed.step.attempt), ("report", 2));
    let attempts: Vec<_> = failed.step.attempts.iter().map(|attempt| (attempt.number, attempt.exit_code)).collect();
    assert_eq!((attempts, log(connection, &failed)), (vec![(1, Some(3))], vec!["one".to_owned(), "two".to_owned()]));
    let restarted = run(connection, &id, 2);
    assert_eq!(restarted.origin, Some(RunOrigin::Restart(number(1))));
    let steps: Vec<_> = restarted.steps.iter().map(|step| (step.phase, step.kept_from)).collect();
    assert_eq!(steps, [(Phase::Succeeded, Some(number(1))), (Phase::Skipped, None)]);
    assert_eq!(restarted.manifest, None, "what was submitted before that was kept is not known");
}

fn manifests(connection: &mut SqliteConnection) {
    let run = run(connection, &"task-000000000012".parse().unwrap(), 1);
    let manifest = run.manifest.unwrap();
    assert_eq!(
        manifest.text.as_deref(),
        Some("kind: Workflow\nmetadata:\n  name: stoker-1-run-0000000000000000c1a1\n")
    );
}
