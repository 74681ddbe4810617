//! Opening the database, and what is said when it does not go.

use std::path::Path;

use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_types::Text};
use server::db::{Database, DatabaseError};

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
async fn lists_never_scan_the_runs() {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("stoker.sqlite")).await.unwrap();
    let statements = [
        // The recent runs of the tasks on a page.
        "SELECT runs.number FROM runs JOIN tasks ON runs.task_id = tasks.id WHERE tasks.id IN (?, ?) AND runs.number > \
         tasks.last_run_number - 10 ORDER BY runs.task_id, runs.number",
        // A place in the queue.
        "SELECT count(*) FROM runs WHERE runs.phase IN ('Pending', 'Running') AND runs.phase = ? AND runs.id <= ?",
        // A page of the list.
        "SELECT id FROM tasks WHERE activity_at <= ? AND (activity_at < ? OR id < ?) ORDER BY activity_at DESC, id \
         DESC LIMIT 26",
    ];
    for statement in statements {
        let explain = format!("EXPLAIN QUERY PLAN {statement}");
        let plan = database.read(move |connection| Ok(diesel::sql_query(explain).load::<Row>(connection)?));
        let plan: Vec<String> = plan.await.unwrap().into_iter().map(|row| row.detail).collect();
        let scans = plan.iter().filter(|line| line.starts_with("SCAN") && !line.contains("runs_active")).count();
        assert_eq!(scans, 0, "{plan:?}");
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE FOR ORDER BY") && statement.contains("LIMIT")));
    }
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
