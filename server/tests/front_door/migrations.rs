//! Migrations: there and back, and from a database of the first days.

use std::{collections::BTreeMap, path::Path};

use app::model::{identifiers::TaskId, phase::Phase, views::TaskQuery};
use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection,
    sql_types::{Bool, Text},
};
use diesel_migrations::MigrationHarness as _;
use server::db::{
    Database, MIGRATIONS,
    logs::{self, Most},
    views,
};

use crate::support::number;

fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(&path.to_string_lossy()).unwrap()
}

/// Tables with their columns, each as `type` or `type?` when it may be null.
fn columns(connection: &mut SqliteConnection) -> BTreeMap<String, BTreeMap<String, String>> {
    #[derive(QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        of_table: String,
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Bool)]
        required: bool,
    }
    let statement = "SELECT m.name AS of_table, c.name AS name, c.type AS kind, c.\"notnull\" AS required FROM \
                     sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE \
                     'sqlite_%' AND m.name NOT LIKE '__diesel_%'";
    let rows: Vec<Column> = diesel::sql_query(statement).load(connection).unwrap();
    let mut tables: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for row in rows {
        let kind = format!("{}{}", row.kind, if row.required { "" } else { "?" });
        tables.entry(row.of_table).or_default().insert(row.name, kind);
    }
    tables
}

#[test]
fn every_migration_goes_back_and_forth() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(&folder.path().join("x.sqlite"));
    connection.run_pending_migrations(MIGRATIONS).unwrap();
    let all = columns(&mut connection);
    connection.revert_all_migrations(MIGRATIONS).unwrap();
    assert!(columns(&mut connection).is_empty());
    connection.run_pending_migrations(MIGRATIONS).unwrap();
    assert_eq!(columns(&mut connection), all);
}

/// The same map from `schema.rs`, read as text: `table! { name (key) { column -> Type, } }`.
fn columns_of_schema() -> BTreeMap<String, BTreeMap<String, String>> {
    let source = include_str!("../../src/db/schema.rs");
    let mut tables = BTreeMap::new();
    for block in source.split("diesel::table!").skip(1) {
        let mut lines = block.lines().skip(1).map(str::trim);
        let name = lines.next().unwrap().split_whitespace().next().unwrap().to_owned();
        let columns: BTreeMap<String, String> = lines
            .map_while(|line| line.trim_end_matches(',').split_once(" -> "))
            .map(|(column, kind)| (column.to_owned(), sqlite_type(kind)))
            .collect();
        tables.insert(name, columns);
    }
    tables
}

fn sqlite_type(kind: &str) -> String {
    if let Some(inner) = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>')) {
        return format!("{}?", sqlite_type(inner));
    }
    match kind {
        "Text" => "TEXT",
        "Bool" => "BOOLEAN",
        "Integer" => "INTEGER",
        "BigInt" => "BIGINT",
        other => panic!("{other}"),
    }
    .to_owned()
}

#[test]
fn the_schema_is_what_the_migrations_give() {
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(&folder.path().join("x.sqlite"));
    connection.run_pending_migrations(MIGRATIONS).unwrap();
    let mut migrated = columns(&mut connection);
    // Row ids must be INTEGER for SQLite, and hold 64 bits for all that.
    for table in ["runs", "steps"] {
        migrated.get_mut(table).unwrap().insert("id".to_owned(), "BIGINT".to_owned());
    }
    assert_eq!(migrated, columns_of_schema());
}

/// Runs from before the column say in their reports how they came to their environments.
#[test]
fn older_runs_are_counted_by_what_their_reports_say() {
    #[derive(QueryableByName)]
    struct Use {
        #[diesel(sql_type = diesel::sql_types::Nullable<Text>)]
        environment_use: Option<String>,
    }
    let folder = tempfile::tempdir().unwrap();
    let mut connection = connect(&folder.path().join("x.sqlite"));
    connection.run_pending_migrations(MIGRATIONS).unwrap();
    while connection.revert_last_migration(MIGRATIONS).unwrap().to_string() != "20261123144500" {}
    diesel::sql_query("INSERT INTO tasks (id, code, created_at, updated_at, activity_at) VALUES ('t', '', 0, 0, 0)")
        .execute(&mut connection)
        .unwrap();
    for (number, report) in [(1, r#"'{"environment":"built"}'"#), (2, "NULL"), (3, "'damaged'")] {
        let insert = format!(
            "INSERT INTO runs (task_id, number, phase, created_at, engine, use_cache, cache_report, code, dependencies, \
             environment) VALUES ('t', {number}, 'Failed', 0, 'local', 1, {report}, '', '', '')"
        );
        diesel::sql_query(insert).execute(&mut connection).unwrap();
        diesel::sql_query("INSERT INTO steps (run_id, name, phase) VALUES (last_insert_rowid(), 'main', 'Failed')")
            .execute(&mut connection)
            .unwrap();
    }
    connection.run_pending_migrations(MIGRATIONS).unwrap();
    let rows: Vec<Use> =
        diesel::sql_query("SELECT environment_use FROM steps ORDER BY id").load(&mut connection).unwrap();
    let uses: Vec<Option<&str>> = rows.iter().map(|row| row.environment_use.as_deref()).collect();
    assert_eq!(uses, [Some("built"), None, None]);
}

/// `first-schema.sqlite` was made by the first migration alone: two tasks, three runs, one log.
#[tokio::test]
async fn a_database_of_the_first_schema_opens_with_nothing_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stoker.sqlite");
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/first-schema.sqlite"), &path).unwrap();
    assert!(!columns(&mut connect(&path))["tasks"].contains_key("system_dependencies"));
    let database = Database::open(&path).await.unwrap();
    let id: TaskId = "task-00000000000a".parse().unwrap();
    let wanted = id.clone();
    let (page, task, run, lines) = database
        .read(move |connection| {
            let keys = views::run_keys(connection, &wanted, Some(number(2)))?;
            Ok((
                views::task_page(connection, &TaskQuery::default())?,
                views::task(connection, &wanted, None)?,
                views::run(connection, &wanted, number(2))?,
                logs::lines_from(connection, keys.step, 1, Most { lines: 100, bytes: 1 << 20 })?,
            ))
        })
        .await
        .unwrap();
    assert_eq!(page.tasks.iter().map(|task| task.recent.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(task.name.unwrap().as_str(), "Old report");
    assert_eq!(task.spec.code.as_str(), "print('hello')\n");
    assert_eq!(task.spec.packages.iter().collect::<Vec<_>>(), ["numpy", "pandas>=2"]);
    assert!(task.spec.system_packages.is_empty());
    assert_eq!(task.spec.environment.to_string(), "A=1");
    assert_eq!(task.runs.iter().map(|run| run.phase).collect::<Vec<_>>(), [Phase::Failed, Phase::Succeeded]);
    assert_eq!(run.step.exit_code, Some(1));
    assert_eq!(run.summary.message.as_deref(), Some("The program ended with exit code 1."));
    assert_eq!(run.step.lock.unwrap().packages().len(), 1);
    assert_eq!(lines.lines.iter().map(|line| line.2.as_str()).collect::<Vec<_>>(), ["hello", "oops"]);
}
