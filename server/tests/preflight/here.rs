//! The checks of this machine.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use axum::{Router, http::StatusCode, routing::get};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

use super::support::{Report, nowhere, preflight, serve};

/// An index that has the package that is asked for.
async fn index() -> String {
    let url = serve(Router::new().route("/simple/pip/", get(async || "<html>"))).await;
    format!("{url}/simple")
}

#[tokio::test]
async fn all_is_in_order() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();
    let report = Report::of(preflight(&data).args(["--index-url", &index().await]).env("HOME", place.path())).await;
    let statuses = report.statuses();
    let keys: Vec<_> = statuses.iter().map(|(key, _)| *key).collect();
    let expected = ["uv", "python", "nix", "folder", "database", "disk", "port", "index", "binary-cache", "cluster"];
    assert_eq!(keys, expected);
    for (key, status) in statuses {
        // Whether there is a Nix, and how much room, is this machine's affair.
        if !["nix", "binary-cache", "disk", "cluster"].contains(&key) {
            assert_eq!(status, "ok", "{report:#?}");
        }
    }
    assert_eq!(report.status("cluster"), "skipped");
    assert!(report.words("uv").starts_with("uv "), "{report:#?}");
    // Nothing was made.
    assert_eq!(std::fs::read_dir(data).unwrap().count(), 0);
}

#[tokio::test]
async fn the_table_is_for_people() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let output = preflight(&data).args(["--only", "folder,port"]).output().await.unwrap();
    let expected = format!(
        "Storage\n  ✓ ok       Data folder  {} will be made at the first start.\n\nNetwork\n  ✓ ok       Address      \
         Any free port is taken.\n\n2 checks, nothing to do.\n",
        data.display()
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    assert_eq!(output.status.code(), Some(0));
}

#[tokio::test]
async fn a_missing_uv_is_said_once() {
    let place = tempfile::tempdir().unwrap();
    let report = Report::of(preflight(place.path()).args(["--only", "uv,python", "--uv", "/nowhere/uv"])).await;
    assert_eq!(report.statuses(), [("uv", "failed"), ("python", "skipped")]);
    assert_eq!(report.code, 1);
    assert!(report.words("uv").contains("Install uv"), "{report:#?}");
}

#[tokio::test]
async fn another_program_is_not_taken_for_uv() {
    let place = tempfile::tempdir().unwrap();
    let report = Report::of(preflight(place.path()).args(["--only", "uv", "--uv", "true"])).await;
    assert_eq!((report.code, report.status("uv")), (1, "failed"));
}

#[tokio::test]
async fn a_python_that_is_not_there() {
    let place = tempfile::tempdir().unwrap();
    let report = Report::of(preflight(place.path()).args(["--only", "python", "--python", "/nowhere/python"])).await;
    assert_eq!((report.code, report.status("python")), (1, "failed"));
    assert!(report.words("python").contains("Install Python 3.9 or newer"), "{report:#?}");
}

/// `stoker serve`, until it is dropped.
struct Started {
    child: Child,
    address: String,
}

impl Started {
    fn new(data: &Path) -> Self {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_stoker"));
        command.args(["serve", "--addr", "127.0.0.1:0", "--data"]).arg(data).env("RUST_LOG", "error");
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("Stoker is at http://").and_then(|rest| rest.split(' ').next());
        let address = address.unwrap_or_else(|| panic!("it prints where it is: {line}")).to_owned();
        Self { child, address }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_port_may_be_held_by_the_stoker_of_this_folder_only() {
    let place = tempfile::tempdir().unwrap();
    let (ours, other) = (place.path().join("ours"), place.path().join("other"));
    let running = Started::new(&ours);
    let look = async |data: &Path| {
        Report::of(preflight(data).args(["--only", "port,storage", "--addr", &running.address])).await
    };
    let report = look(&ours).await;
    assert_eq!([report.status("port"), report.status("folder"), report.status("database")], ["ok", "ok", "ok"]);
    assert!(report.words("port").contains("The Stoker that uses this data folder"), "{report:#?}");
    let report = look(&other).await;
    assert_eq!((report.code, report.status("port")), (1, "failed"));
    assert!(report.words("port").contains("Another program listens on"), "{report:#?}");
    // What a Stoker noted counts for nothing once it has ended.
    let address = running.address.clone();
    drop(running);
    let taken = std::net::TcpListener::bind(&address).unwrap();
    let report = Report::of(preflight(&ours).args(["--only", "port", "--addr", &address])).await;
    assert_eq!(report.status("port"), "failed");
    drop(taken);
}

#[tokio::test]
async fn an_address_that_others_reach_fails() {
    let place = tempfile::tempdir().unwrap();
    let report = Report::of(preflight(place.path()).args(["--only", "port", "--addr", "0.0.0.0:0"])).await;
    assert_eq!((report.code, report.status("port")), (1, "failed"));
}

/// Root may write everywhere; so the command is started without that power, which threads give up one by one.
fn look_without_privileges(looks: Vec<(PathBuf, &'static str)>) -> Vec<Report> {
    let thread = std::thread::spawn(move || {
        if rustix::process::geteuid().is_root() {
            remove_capability_from_bounding_set(CapabilitySet::DAC_OVERRIDE).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let look =
            |(data, only): &(PathBuf, &str)| runtime.block_on(Report::of(preflight(data).args(["--only", only])));
        looks.iter().map(look).collect()
    });
    thread.join().unwrap()
}

#[test]
fn what_cannot_be_written_fails() {
    let place = tempfile::tempdir().unwrap();
    let (locked, guarded) = (place.path().join("locked"), place.path().join("guarded"));
    for folder in [&locked, &guarded] {
        std::fs::create_dir(folder).unwrap();
    }
    std::fs::write(guarded.join("stoker.sqlite"), "").unwrap();
    for (path, mode) in [(&locked, 0o500), (&guarded.join("stoker.sqlite"), 0o400)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let reports = look_without_privileges(vec![
        (locked.clone(), "folder"),
        (locked.join("below"), "folder"),
        (guarded, "database"),
    ]);
    let [there, below, database] = reports.as_slice() else { panic!("three were asked for: {reports:#?}") };
    assert_eq!((there.code, there.status("folder")), (1, "failed"));
    assert!(there.words("folder").contains("cannot be written: Permission denied"), "{there:#?}");
    assert!(there.words("folder").contains("name another folder with --data"), "{there:#?}");
    assert!(below.words("folder").contains("cannot be made, since"), "{below:#?}");
    assert!(database.words("database").contains("The database file cannot be written."), "{database:#?}");
}

#[tokio::test]
async fn a_folder_that_is_a_file_or_open_to_others() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    let report = Report::of(preflight(&file).args(["--only", "folder"])).await;
    assert!(report.words("folder").contains("is a file, not a folder"), "{report:#?}");
    let report = Report::of(preflight(&file.join("below")).args(["--only", "folder"])).await;
    assert_eq!((report.code, report.status("folder")), (1, "failed"));
    let open = place.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let report = Report::of(preflight(&open).args(["--only", "folder"])).await;
    assert_eq!((report.code, report.status("folder")), (2, "warning"));
    assert!(report.words("folder").contains("chmod 700"), "{report:#?}");
}

#[tokio::test]
async fn a_database_is_looked_at_and_left_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("stoker.sqlite");
    let look = async || Report::of(preflight(place.path()).args(["--only", "database"])).await;
    std::fs::write(&path, "").unwrap();
    let report = look().await;
    assert!(report.words("database").contains("The next start brings it up to date"), "{report:#?}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    drop(Started::new(place.path()));
    let report = look().await;
    assert!(report.words("database").contains("is up to date"), "{report:#?}");
    std::fs::write(&path, "nonsense".repeat(1000)).unwrap();
    let report = look().await;
    assert_eq!((report.code, report.status("database")), (1, "failed"));
    assert!(report.words("database").contains("The database file is damaged. Restore it"), "{report:#?}");
}

#[tokio::test]
async fn a_database_of_a_newer_stoker_fails() {
    use diesel::{Connection as _, RunQueryDsl as _};
    let place = tempfile::tempdir().unwrap();
    drop(Started::new(place.path()));
    let path = place.path().join("stoker.sqlite");
    let mut connection = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')")
        .execute(&mut connection)
        .unwrap();
    let report = Report::of(preflight(place.path()).args(["--only", "database"])).await;
    assert_eq!((report.code, report.status("database")), (1, "failed"));
    assert!(report.words("database").contains("Install the newer Stoker again"), "{report:#?}");
}

#[tokio::test]
async fn an_index_that_does_not_answer_and_one_that_is_none() {
    let place = tempfile::tempdir().unwrap();
    let look =
        async |url: &str| Report::of(preflight(place.path()).args(["--only", "index", "--index-url", url])).await;
    let report = look(&nowhere().await).await;
    assert_eq!((report.code, report.status("index")), (1, "failed"));
    let words = report.words("index");
    assert!(words.contains("Connection refused") && words.contains("proxy variables"), "{words}");
    let report = look(&serve(Router::new()).await).await;
    assert!(report.words("index").contains("answers with 404 Not Found"), "{report:#?}");
    let mut command = preflight(place.path());
    let report = Report::of(command.args(["--only", "index"]).env("UV_DEFAULT_INDEX", "somewhere")).await;
    assert!(report.words("index").contains("is no URL"), "{report:#?}");
}

#[tokio::test]
async fn a_folder_that_only_seems_writable_and_too_little_space_fail() {
    let place = tempfile::tempdir().unwrap();
    let mut command = preflight(Path::new("/proc/stoker"));
    command.args(["--only", "folder"]);
    let report = Report::of(&mut command).await;
    assert_eq!((report.code, report.status("folder")), (1, "failed"), "{report:#?}");
    let mut command = preflight(place.path());
    let report = Report::of(command.args(["--only", "disk", "--minimum-free", "1000T"])).await;
    assert_eq!((report.code, report.status("disk")), (1, "failed"));
    assert!(report.words("disk").contains("--minimum-free"), "{report:#?}");
}

#[tokio::test]
async fn an_index_without_the_package_asked_for_is_one_too() {
    let place = tempfile::tempdir().unwrap();
    let url = serve(Router::new().route("/simple/", get(async || "<html>"))).await;
    let mut command = preflight(place.path());
    // As uv takes it from its own variable, with a name.
    let report =
        Report::of(command.args(["--only", "index"]).env("UV_DEFAULT_INDEX", format!("ours={url}/simple"))).await;
    assert_eq!((report.code, report.words("index")), (0, format!("{url}/simple/ answers. ")));
}

#[tokio::test]
async fn the_password_of_an_index_is_used_and_never_shown() {
    async fn guarded(headers: axum::http::HeaderMap) -> StatusCode {
        // base64 of `name:secret`
        let right = headers.get("authorization").is_some_and(|value| value == "Basic bmFtZTpzZWNyZXQ=");
        if right { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
    }
    let url = serve(Router::new().route("/pip/", get(guarded))).await;
    let place = tempfile::tempdir().unwrap();
    let look =
        async |url: &str| Report::of(preflight(place.path()).args(["--only", "index", "--index-url", url])).await;
    let report = look(&url).await;
    assert!(report.words("index").contains("https://NAME:PASSWORD@HOST"), "{report:#?}");
    let report = look(&url.replace("http://", "http://name:secret@")).await;
    assert_eq!((report.code, report.words("index")), (0, format!("{url}/ answers. ")));
}

#[tokio::test]
async fn a_word_that_names_no_check_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let output = preflight(place.path()).args(["--only", "everything"]).output().await.unwrap();
    // Not 2: that would mean that there are only warnings.
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("there is no check `everything`") && said.contains("containerd"), "{said}");
}
