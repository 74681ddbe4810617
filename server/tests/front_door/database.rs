//! Opening the database, and what is said when it does not go.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use app::model::{
    run_list::Since,
    spec::EngineChoice,
    step_address::StepAddress,
    time::Timestamp,
    views::{TaskCursor, TaskQuery},
};
use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::{InstrumentationEvent, SimpleConnection as _},
    sql_types::Text,
};
use server::db::{
    Database, DatabaseError,
    logs::{self, Most},
    preparation, views,
};

use crate::upgrades::dumps;

fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(&path.to_string_lossy()).unwrap()
}

fn execute(connection: &mut SqliteConnection, statement: &str) {
    diesel::sql_query(statement).execute(connection).unwrap();
}

async fn refusal(path: &Path) -> DatabaseError {
    match Database::open(path).await {
        Ok(_) => panic!("it was opened"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoker.sqlite");
    std::fs::write(&path, "this is no database".repeat(500)).unwrap();
    assert!(matches!(refusal(&path).await, DatabaseError::Damaged));
}

#[tokio::test]
async fn a_database_of_a_newer_stoker_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoker.sqlite");
    drop(Database::open(&path).await.unwrap());
    let insert = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231235959')";
    execute(&mut connect(&path), insert);
    let error = refusal(&path).await;
    assert!(matches!(error, DatabaseError::Newer), "{error:?}");
}

#[tokio::test]
async fn a_database_that_another_program_holds_is_named_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoker.sqlite");
    let mut holder = connect(&path);
    execute(&mut holder, "BEGIN EXCLUSIVE");
    execute(&mut holder, "CREATE TABLE mine (x)");
    assert!(matches!(refusal(&path).await, DatabaseError::Locked));
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_with_a_sentence() {
    let error = refusal(Path::new("/nonexistent/folder/stoker.sqlite")).await;
    assert!(error.to_string().contains("could not be opened"), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_named_so_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("stoker.sqlite")).await.unwrap();
    let write = database.write(|connection| {
        diesel::sql_query("PRAGMA max_page_count = 1").execute(connection)?;
        diesel::sql_query("CREATE TABLE large AS SELECT randomblob(1000000) AS x").execute(connection)?;
        Ok(())
    });
    assert!(matches!(write.await, Err(DatabaseError::Full)));
    let count = database.read(|connection| {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            name: String,
        }
        let rows: Vec<Row> =
            diesel::sql_query("SELECT name FROM sqlite_master WHERE name = 'large'").load(connection)?;
        Ok(rows.into_iter().map(|row| row.name).collect::<Vec<_>>())
    });
    assert!(count.await.unwrap().is_empty());
}

#[tokio::test]
async fn what_pages_read_never_scans_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoker.sqlite");
    let dump = std::fs::read_to_string(dumps().pop().unwrap()).unwrap();
    connect(&path).batch_execute(&dump).unwrap();
    execute(&mut connect(&path), "UPDATE runs SET phase = 'Pending' WHERE phase = 'Running'");
    let database = Database::open(&path).await.unwrap();
    let statements = plans(&database, read_as_pages_do).await;
    assert!(statements.len() > 15, "the statements are seen: {statements:#?}");
    for (statement, plan) in statements {
        // A page of the list walks along its index, what waits or runs has an index of its own that is short, and who
        // asks whether there is anything stops at the first row.
        let limited = statement.contains("LIMIT");
        let is_short = |line: &String| {
            line.contains("runs_active")
                || (limited && line.contains("USING INDEX"))
                || statement.starts_with("SELECT EXISTS")
        };
        let scans = plan.iter().any(|line| line.starts_with("SCAN") && !is_short(line));
        let sorts = limited && plan.iter().any(|line| line.contains("TEMP B-TREE FOR ORDER BY"));
        assert!(!scans && !sorts, "{statement}\n{plan:#?}");
    }
}

/// The statements that a reading makes, each with the way that SQLite goes for it.
pub async fn plans<F>(database: &Database, reading: F) -> Vec<(String, Vec<String>)>
where
    F: FnOnce(&mut SqliteConnection) -> Result<(), DatabaseError> + Send + 'static,
{
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let explained = database.read(|connection| {
        let statements = Arc::new(Mutex::new(Vec::new()));
        let noted = statements.clone();
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                noted.lock().unwrap().push(query.to_string());
            }
        });
        reading(connection)?;
        let statements: Vec<String> = std::mem::take(&mut *statements.lock().unwrap());
        connection.set_instrumentation(|_: InstrumentationEvent<'_>| ());
        let plan = |statement: String| {
            let rows: Vec<Row> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(connection)?;
            Ok((statement, rows.into_iter().map(|row| row.detail).collect()))
        };
        statements.into_iter().map(plan).collect()
    });
    explained.await.unwrap()
}

/// Every query behind the pages that people keep open: the list and its pages, a task, a run, its log and its state.
fn read_as_pages_do(connection: &mut SqliteConnection) -> Result<(), DatabaseError> {
    let now = Timestamp(i64::MAX);
    let page = views::task_page(connection, &TaskQuery::default(), now)?;
    let last = page.tasks.last().unwrap();
    for newer in [false, true] {
        let from = Some(TaskCursor { newer, activity_at: last.activity_at, id: last.id.clone() });
        views::task_page(connection, &TaskQuery { from: from.clone(), ..TaskQuery::default() }, now)?;
        let (engine, since) = (EngineChoice::parse("local").unwrap(), Some(Since::Week));
        views::task_page(connection, &TaskQuery { from, engine, since, ..TaskQuery::default() }, now)?;
    }
    for task in &page.tasks {
        let number = views::task(connection, &task.id, None)?.runs[0].number;
        let address = StepAddress::first(task.id.clone(), number);
        let run = views::run(connection, &address)?;
        let keys = views::step_keys(connection, &address)?;
        views::run_state(connection, keys.step)?;
        logs::lines_from(connection, keys.step, 1, Most { lines: 10, bytes: 1000 })?;
        assert_eq!(run.step.id, keys.step);
    }
    preparation::by_day(connection, page.tasks[0].activity_at, 30)?;
    Ok(())
}

#[tokio::test]
async fn the_version_changes_with_every_commit_whoever_makes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoker.sqlite");
    let database = Database::open(&path).await.unwrap();
    let lock = |key: &'static str| format!("INSERT INTO locks (key, body, created_at) VALUES ('{key}', '', 0)");
    let empty = database.version().unwrap();
    assert_eq!(database.version().unwrap(), empty);

    database.write(move |connection| Ok(diesel::sql_query(lock("ours")).execute(connection)?)).await.unwrap();
    let ours = database.version().unwrap();
    assert_ne!(ours, empty);

    execute(&mut connect(&path), &lock("theirs"));
    let theirs = database.version().unwrap();
    assert_ne!(theirs, ours);

    let mut holder = connect(&path);
    execute(&mut holder, "BEGIN IMMEDIATE");
    execute(&mut holder, &lock("unfinished"));
    assert_eq!(database.version().unwrap(), theirs, "nothing is committed, and nobody waits");
}
