//! The main job without its pages: real uv, real Python, real processes, a real database file.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use app::model::{
    identifiers::{Kind, RunId, RunNumber, RunUid, StepId, TaskId},
    log::Stream,
    phase::Phase,
    spec::{TaskDraft, TaskSpec, ValidTask},
};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use server::{
    clock::{Clock as _, SystemClock, SystemRandom, random_id, random_run_uid},
    db::{
        Database,
        logs::{self, Most},
        runs, schema, tasks,
    },
    engine::Engines,
    packages::{
        pythons::Pythons,
        resolver::uv::{AT_ONCE, UvResolver},
    },
    runner::SecretKey,
};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

#[path = "support/assembled.rs"]
mod assembled;
#[path = "support/local_engine.rs"]
mod local_engine;
#[path = "support/process.rs"]
mod process;
#[path = "support/waiting.rs"]
mod waiting;

use local_engine::uv;
use process::is_gone;
use waiting::until;

/// A supervisor with everything below it, on a folder of its own.
struct Engine {
    database: Database,
    wake: Arc<Notify>,
    supervisor: JoinHandle<()>,
    /// Kept until the end of the test.
    folder: Option<tempfile::TempDir>,
}

async fn engine_in(folder: PathBuf, at_once: usize) -> Engine {
    engine_with_shim(env!("CARGO_BIN_EXE_stoker").into(), folder, at_once).await
}

/// `shim` is the program that is started as each step's shim.
async fn engine_with_shim(shim: PathBuf, folder: PathBuf, at_once: usize) -> Engine {
    let database = Database::open(&folder.join("stoker.sqlite")).await.unwrap();
    let pythons = Pythons::find(&uv(), &[]).await;
    let secret_key = SecretKey::keep_in(&folder.join("secret.key"), &SystemRandom).unwrap();
    let engine = local_engine::local_engine(folder.clone(), shim, pythons, at_once, secret_key.clone());
    let resolver = UvResolver {
        uv: uv(),
        cache: folder.join("cache/uv"),
        index_url: None,
        database: database.clone(),
        clock: Arc::new(SystemClock),
        turns: Semaphore::new(AT_ONCE),
    };
    let stoker =
        assembled::assemble(database.clone(), Engines::of(Arc::new(engine)), Arc::new(resolver), secret_key).await;
    Engine { database, wake: stoker.wake().clone(), supervisor: stoker.move_runs(), folder: None }
}

async fn engine() -> Engine {
    let folder = tempfile::tempdir().unwrap();
    let mut engine = engine_in(folder.path().to_owned(), 2).await;
    engine.folder = Some(folder);
    engine
}

fn spec(draft: TaskDraft) -> TaskSpec {
    draft.parse().unwrap().spec
}

fn code(code: &str) -> TaskSpec {
    spec(TaskDraft { code: code.into(), ..TaskDraft::default() })
}

/// A run as the test sees it.
struct Seen {
    phase: Phase,
    exit_code: Option<i32>,
    message: String,
    report: String,
    lines: Vec<(Stream, String)>,
}

impl Seen {
    fn program_lines(&self) -> Vec<(Stream, &str)> {
        self.lines
            .iter()
            .filter(|line| line.0 != Stream::Stoker)
            .map(|(stream, text)| (*stream, text.as_str()))
            .collect()
    }
}

impl Engine {
    async fn submit(&self, spec: TaskSpec) -> (RunId, StepId, TaskId, RunNumber) {
        let at = SystemClock.now();
        let task = random_id(Kind::Task, &SystemRandom);
        let (id, valid) = (task.clone(), ValidTask { name: None, spec });
        let created = self
            .database
            .write(move |connection| {
                assert!(tasks::insert(connection, &id, &valid, at)?);
                let uid = random_run_uid(&SystemRandom);
                runs::create(connection, &runs::NewRun::of_task(&uid, &id, valid.spec, None, "local", at))
            })
            .await
            .unwrap();
        self.wake.notify_one();
        (created.id, created.step, task, created.number)
    }

    async fn look(&self, run: RunId, step: StepId) -> Seen {
        self.database
            .read(move |connection| {
                use schema::{runs as run_table, steps as table};
                let (exit_code, report): (Option<i32>, Option<String>) =
                    table::table.find(step.0).select((table::exit_code, table::cache_report)).first(connection)?;
                let (phase, message): (String, Option<String>) =
                    run_table::table.find(run.0).select((run_table::phase, run_table::message)).first(connection)?;
                let lines = logs::lines_from(connection, step, 1, Most { lines: usize::MAX, bytes: usize::MAX })?.lines;
                Ok(Seen {
                    phase: phase.parse().unwrap(),
                    exit_code,
                    message: message.unwrap_or_default(),
                    report: report.unwrap_or_default(),
                    lines: lines.into_iter().map(|line| (line.0, line.2)).collect(),
                })
            })
            .await
            .unwrap()
    }

    async fn until(&self, (run, step): (RunId, StepId), condition: impl Fn(&Seen) -> bool) -> Seen {
        let wait = async {
            loop {
                let seen = self.look(run, step).await;
                if condition(&seen) {
                    return seen;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if let Ok(seen) = tokio::time::timeout(Duration::from_secs(120), wait).await {
            return seen;
        }
        let seen = self.look(run, step).await;
        panic!("not in time: {} {} {:#?}", seen.phase, seen.message, seen.lines)
    }

    async fn finished(&self, spec: TaskSpec) -> Seen {
        let (run, step, ..) = self.submit(spec).await;
        self.until((run, step), |seen| seen.phase.is_final()).await
    }

    async fn cancel(&self, task: TaskId, number: RunNumber) {
        self.database
            .write(move |connection| runs::request_cancel(connection, &task, number, SystemClock.now()))
            .await
            .unwrap();
        self.wake.notify_one();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn output_and_error_keep_their_order_and_their_voice() {
    let engine = engine().await;
    let seen = engine
        .finished(code(
            "import sys\nfor i in range(500):\n    print('out', i)\n    print('err', i, file=sys.stderr)\nsys.stdout.write('no newline')\n",
        ))
        .await;
    assert_eq!((seen.phase, seen.exit_code), (Phase::Succeeded, Some(0)), "{}", seen.message);
    let mut expected = Vec::new();
    for number in 0..500 {
        expected.push((Stream::Output, format!("out {number}")));
        expected.push((Stream::Error, format!("err {number}")));
    }
    expected.push((Stream::Output, "no newline".to_owned()));
    let program: Vec<_> = seen.lines.into_iter().filter(|line| line.0 != Stream::Stoker).collect();
    assert_eq!(program, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_are_told_apart() {
    let engine = engine().await;
    let failed = engine.finished(code("import sys\nprint('bye', file=sys.stderr)\nsys.exit(3)")).await;
    assert_eq!((failed.phase, failed.exit_code), (Phase::Failed, Some(3)));
    assert_eq!(failed.message, "The program ended with exit code 3.");
    let raised = engine.finished(code("1 / 0")).await;
    assert_eq!((raised.phase, raised.exit_code), (Phase::Failed, Some(1)));
    assert!(
        raised.program_lines().contains(&(Stream::Error, "ZeroDivisionError: division by zero")),
        "{:?}",
        raised.lines
    );
    let crashed = engine.finished(code("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")).await;
    assert!(crashed.message.contains("SIGSEGV"), "{}", crashed.message);
    let memory = engine.finished(code("raise MemoryError")).await;
    assert!(memory.message.contains("ran out of memory"), "{}", memory.message);
    let slow = TaskDraft {
        code: "import time\nprint('up')\ntime.sleep(600)".into(),
        timeout: "1".into(),
        ..TaskDraft::default()
    };
    let slow = engine.finished(spec(slow)).await;
    assert_eq!(slow.phase, Phase::Failed);
    assert!(slow.message.contains("time limit of 1 s"), "{}", slow.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_stops_the_whole_tree() {
    let engine = engine().await;
    let program = "import os, subprocess, sys, time\n\
        child = subprocess.Popen([sys.executable, '-c', 'import os, signal, time\\nos.setsid()\\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\\nprint(os.getpid(), flush=True)\\ntime.sleep(600)'])\n\
        time.sleep(600)\n";
    let (run, step, task, number) = engine.submit(code(program)).await;
    let seen = engine.until((run, step), |seen| !seen.program_lines().is_empty()).await;
    let child = seen.program_lines()[0].1.to_owned();
    assert!(PathBuf::from(format!("/proc/{child}")).exists());
    engine.cancel(task, number).await;
    let seen = engine.until((run, step), |seen| seen.phase.is_final()).await;
    assert_eq!(seen.phase, Phase::Cancelled);
    assert!(!PathBuf::from(format!("/proc/{child}")).exists(), "a process that hid is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_shim_is_told_and_leaves_nothing_behind() {
    let engine = engine().await;
    let program = "import os, time\nprint(os.getppid(), os.getpid())\ntime.sleep(600)\n";
    let (run, step, ..) = engine.submit(code(program)).await;
    let seen = engine.until((run, step), |seen| !seen.program_lines().is_empty()).await;
    let numbers: Vec<String> = seen.program_lines()[0].1.split(' ').map(str::to_owned).collect();
    assert!(std::process::Command::new("kill").args(["-KILL", &numbers[0]]).status().unwrap().success());
    let seen = engine.until((run, step), |seen| seen.phase.is_final()).await;
    assert_eq!(seen.phase, Phase::Error);
    assert!(seen.message.contains("disappeared"), "{}", seen.message);
    assert!(is_gone(&numbers[1]), "the program is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_shim_ends_before_it_began_is_told() {
    let folder = tempfile::tempdir().unwrap();
    // A fake: nothing makes the real one fail at the right instant each time.
    let engine = engine_with_shim("/bin/false".into(), folder.path().to_owned(), 1).await;
    let seen = engine.finished(code("pass")).await;
    assert_eq!(seen.phase, Phase::Error);
    assert!(seen.message.contains("ended before it began (exit status: 1)"), "{}", seen.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_has_one_shim_which_was_started_before_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (shim, started) = (folder.path().join("shim"), folder.path().join("started"));
    let script =
        format!("#!/bin/sh\necho $$ >>'{}'\nexec '{}' \"$@\"\n", started.display(), env!("CARGO_BIN_EXE_stoker"));
    std::fs::write(&shim, script).unwrap();
    std::fs::set_permissions(&shim, std::fs::Permissions::from_mode(0o755)).unwrap();
    let shims = || -> Vec<String> {
        std::fs::read_to_string(&started).unwrap_or_default().lines().map(str::to_owned).collect()
    };
    let engine = engine_with_shim(shim, folder.path().to_owned(), 1).await;
    let run = async || {
        let seen = engine.finished(code("import os\nprint(os.getppid())")).await;
        assert_eq!(seen.phase, Phase::Succeeded, "{}", seen.message);
        seen.program_lines()[0].1.to_owned()
    };
    let shims_are = async |count: usize| {
        until("shims", || shims().len() >= count).await;
        assert_eq!(shims().len(), count, "{:?}", shims());
    };
    run().await;
    // The second is for the next step.
    shims_are(2).await;
    assert_eq!(run().await, shims()[1]);
    shims_are(3).await;
    // One that has gone holds nobody up.
    assert!(std::process::Command::new("kill").args(["-KILL", &shims()[2]]).status().unwrap().success());
    until("the end of a shim", || is_gone(&shims()[2])).await;
    let last = run().await;
    assert!(shims().contains(&last) && last != shims()[2], "{last} of {:?}", shims());
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_are_installed_once_and_a_task_does_not_change_them_by_accident() {
    let engine = engine().await;
    // Who means to can: a task runs as the owner of these files, and may change their permissions first.
    let code = "import os, six
print(six.__version__)
folder = os.path.dirname(six.__file__)
for accident in [lambda: open(six.__file__, 'a'), lambda: open(folder + '/new.py', 'w'), lambda: os.remove(six.__file__)]:
    try:
        accident()
    except OSError as error:
        print('refused')
";
    let draft = TaskDraft { code: code.into(), packages: "six==1.16.0".into(), ..TaskDraft::default() };
    let cold = engine.finished(spec(draft.clone())).await;
    let said: Vec<&str> = cold.program_lines().into_iter().map(|line| line.1).collect();
    assert_eq!(said, ["1.16.0", "refused", "refused", "refused"], "{:?}", cold.lines);
    assert!(
        cold.report.contains(r#""environment":"built","requested":1,"from_cache":0,"downloaded":1"#),
        "{}",
        cold.report
    );
    let warm = engine.finished(spec(draft.clone())).await;
    assert!(
        warm.report.contains(r#""environment":"ready","requested":1,"from_cache":1,"downloaded":0"#),
        "{}",
        warm.report
    );
    let private = engine.finished(spec(TaskDraft { use_cache: false, ..draft })).await;
    assert!(
        private.report.contains(r#""environment":"private","requested":1,"from_cache":0,"downloaded":1"#),
        "{}",
        private.report
    );
}

/// Python that finds all words that could be secrets of the runner's: in the environments and arguments of the processes
/// above, and in the files of the step's folder.
const FIND_SECRETS: &str = "
import os, re
def read(place):
    try:
        if os.path.isfile(place):
            with open(place, 'rb') as file:
                return file.read()
    except OSError:
        pass
    return b''
def find():
    process, places, folder = os.getpid(), [], os.path.dirname(os.getcwd())
    while process > 0:
        places += [f'/proc/{process}/environ', f'/proc/{process}/cmdline']
        step = re.search(rb'STOKER_STEP=([^\\0]+)', read(f'/proc/{process}/environ'))
        folder = step[1].decode() if step else folder
        process = int(read(f'/proc/{process}/stat').rpartition(b')')[2].split()[1])
    for place, _, names in os.walk(folder):
        places += [os.path.join(place, name) for name in names]
    found = set()
    for place in places:
        found.update(re.findall(rb'[0-9a-f]{12,}', read(place)))
    return sorted(word.decode() for word in found)
";

/// A package whose build keeps what it finds, as a source archive.
fn nosy_package(place: &Path) -> Vec<u8> {
    let files = [
        (
            "pyproject.toml",
            "[project]\nname = 'nosy'\nversion = '1'\n[build-system]\nrequires = []\nbuild-backend = 'backend'\n\
             backend-path = ['.']\n"
                .to_owned(),
        ),
        ("PKG-INFO", "Metadata-Version: 2.2\nName: nosy\nVersion: 1\n".to_owned()),
        (
            "backend.py",
            [
                FIND_SECRETS,
                "
import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = 'nosy-1-py3-none-any.whl'
    with zipfile.ZipFile(os.path.join(folder, name), 'w') as wheel:
        wheel.writestr('nosy.py', f'FOUND = {find()!r}')
        wheel.writestr('nosy-1.dist-info/METADATA', 'Metadata-Version: 2.2\\nName: nosy\\nVersion: 1\\n')
        wheel.writestr('nosy-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        wheel.writestr('nosy-1.dist-info/RECORD', 'nosy.py,,\\n')
    return name
",
            ]
            .concat(),
        ),
    ];
    std::fs::create_dir_all(place.join("nosy-1")).unwrap();
    for (name, text) in files {
        std::fs::write(place.join("nosy-1").join(name), text).unwrap();
    }
    let archive = place.join("nosy-1.tar.gz");
    let mut tar = std::process::Command::new("tar");
    assert!(tar.arg("-C").arg(place).arg("-czf").arg(&archive).arg("nosy-1").status().unwrap().success());
    std::fs::read(archive).unwrap()
}

/// Answers every request with a file; gives the address.
fn serve(file: Vec<u8>) -> String {
    use std::io::{BufRead as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = std::io::BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", file.len());
            // uv may have gone away.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&file));
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_build_nor_the_program_can_speak_for_the_runner() {
    let engine = engine().await;
    let folder = engine.folder.as_ref().unwrap().path().to_owned();
    let address = serve(nosy_package(&folder.join("package")));
    let draft = TaskDraft {
        code: [FIND_SECRETS, "import nosy\nprint(*nosy.FOUND)\nprint(*find())"].concat(),
        packages: format!("nosy @ {address}/nosy-1.tar.gz"),
        ..TaskDraft::default()
    };
    let (run, step, ..) = engine.submit(spec(draft)).await;
    let seen = engine.until((run, step), |seen| seen.phase.is_final()).await;
    assert_eq!(seen.phase, Phase::Succeeded, "{} {:#?}", seen.message, seen.lines);
    let uid = engine.database.read(move |connection| {
        Ok(schema::runs::table.find(run.0).select(schema::runs::uid).get_result::<String>(connection)?)
    });
    let uid: RunUid = uid.await.unwrap().parse().unwrap();
    let secrets = SecretKey::keep_in(&folder.join("secret.key"), &SystemRandom).unwrap();
    let secrets = secrets.of_step(&uid.step(std::num::NonZeroU32::MIN));
    for (who, (_, found)) in ["the build", "the program"].into_iter().zip(seen.program_lines()) {
        // It does look: this one it may find.
        assert!(found.contains(&secrets.error_tag), "{who} found {found}");
        // What was said so far is in the folder, with the few secrets that it spent.
        let input = secrets.markers.input();
        let known = input.split_whitespace().filter(|secret| found.contains(secret)).count();
        assert!(
            known < 16 && !found.contains(input.split_whitespace().next_back().unwrap()),
            "{who} found {known} secrets"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_that_do_not_exist_are_explained() {
    let engine = engine().await;
    let draft = TaskDraft { code: "pass".into(), packages: "six==99.99".into(), ..TaskDraft::default() };
    let seen = engine.finished(spec(draft)).await;
    assert_eq!(seen.phase, Phase::Failed);
    assert!(seen.message.contains("six==99.99"), "{}", seen.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn hashes_in_a_requirements_file_are_kept_and_wrong_ones_refused() {
    let engine = engine().await;
    let wheel = "sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254";
    let with_hash = |hash: &str| {
        let requirements = format!("six==1.16.0 --hash={hash}");
        spec(TaskDraft { code: "import six".into(), requirements, ..TaskDraft::default() })
    };
    let (run, step, ..) = engine.submit(with_hash(wheel)).await;
    let seen = engine.until((run, step), |seen| seen.phase.is_final()).await;
    assert_eq!(seen.phase, Phase::Succeeded, "{}", seen.message);
    let inputs = engine.database.read(move |connection| runs::inputs(connection, run, None)).await.unwrap();
    let lock = inputs.steps[0].lock.clone().unwrap();
    assert_eq!(lock.0.matches("--hash=").count(), 1, "{}", lock.0);
    assert!(lock.0.contains(wheel), "{}", lock.0);
    let refused = engine.finished(with_hash(&format!("sha256:{}", "0".repeat(64)))).await;
    assert_eq!(refused.phase, Phase::Failed);
    assert!(refused.message.contains("None of the hashes"), "{}", refused.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_be_read_ends_and_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_in(folder.path().to_owned(), 1).await;
    let gate = folder.path().join("gate");
    let program = format!("import os, time\nwhile not os.path.exists({gate:?}): time.sleep(0.01)\n");
    let first = engine.submit(code(&program)).await;
    engine.until((first.0, first.1), |seen| seen.phase == Phase::Running).await;
    let second = engine.submit(code("pass")).await;
    let third = engine.submit(code("pass")).await;
    engine
        .database
        .write(move |connection| {
            let damaged = schema::steps::environment.eq("?");
            Ok(diesel::update(schema::steps::table.find(second.1.0)).set(damaged).execute(connection)?)
        })
        .await
        .unwrap();
    std::fs::write(&gate, "").unwrap();
    let seen = engine.until((second.0, second.1), |seen| seen.phase.is_final()).await;
    assert_eq!(seen.phase, Phase::Error);
    assert!(seen.message.contains("cannot be read"), "{}", seen.message);
    let seen = engine.until((third.0, third.1), |seen| seen.phase.is_final()).await;
    assert_eq!(seen.phase, Phase::Succeeded, "{}", seen.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_recording_is_damaged_is_stopped_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_in(folder.path().to_owned(), 1).await;
    let (run, step, ..) = engine.submit(code("import os, time\nprint(os.getpid())\ntime.sleep(600)")).await;
    let seen = engine.until((run, step), |seen| !seen.program_lines().is_empty()).await;
    let program = PathBuf::from(format!("/proc/{}", seen.program_lines()[0].1));
    engine.supervisor.abort();
    let _ = engine.supervisor.await;
    engine
        .database
        .write(move |connection| {
            let damaged = schema::steps::recorder_state.eq("{");
            Ok(diesel::update(schema::steps::table.find(step.0)).set(damaged).execute(connection)?)
        })
        .await
        .unwrap();
    drop(engine.database);
    let engine = engine_in(folder.path().to_owned(), 1).await;
    let seen = engine.until((run, step), |seen| seen.phase.is_final()).await;
    assert_eq!(seen.phase, Phase::Error);
    assert!(seen.message.contains("cannot be read"), "{}", seen.message);
    engine.until((run, step), |_| !program.exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_the_users_and_nothing_of_the_servers() {
    let engine = engine().await;
    let draft = TaskDraft {
        code: "import os\nfor name in sorted(os.environ):\n    print(name)\nprint(os.environ['MINE'])".into(),
        environment: "MINE=it's $(id) {{x}} \"q\"".into(),
        ..TaskDraft::default()
    };
    let seen = engine.finished(spec(draft)).await;
    let lines: Vec<&str> = seen.program_lines().into_iter().map(|line| line.1).collect();
    let names = ["HOME", "LANG", "MINE", "PATH", "PWD", "PYTHONUNBUFFERED", "TMPDIR"];
    let of_outputs = ["STOKER_OUTPUT_DIR", "STOKER_OUTPUT_LIMIT", "STOKER_READABLE"];
    let allowed =
        |name: &&str| names.contains(name) || of_outputs.contains(name) || *name == "LC_CTYPE" || *name == "OLDPWD";
    assert!(lines[..lines.len() - 1].iter().all(allowed), "{lines:?}");
    assert_eq!(lines.last(), Some(&"it's $(id) {{x}} \"q\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_run_at_once_than_allowed_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_in(folder.path().to_owned(), 1).await;
    let gate = folder.path().join("gate");
    let program = format!("import os, time\nwhile not os.path.exists({gate:?}): time.sleep(0.01)\n");
    let first = engine.submit(code(&program)).await;
    engine.until((first.0, first.1), |seen| seen.phase == Phase::Running).await;
    let second = engine.submit(code("pass")).await;
    let third = engine.submit(code("pass")).await;
    engine.until((second.0, second.1), |seen| seen.phase == Phase::Pending).await;
    std::fs::write(&gate, "").unwrap();
    for run in [&first, &second, &third] {
        let seen = engine.until((run.0, run.1), |seen| seen.phase.is_final()).await;
        assert_eq!(seen.phase, Phase::Succeeded);
    }
    let (second, third) = (second.0, third.0);
    let in_order = engine
        .database
        .read(move |connection| {
            let started = |connection: &mut diesel::SqliteConnection, run: RunId| {
                schema::runs::table.find(run.0).select(schema::runs::started_at).first::<Option<i64>>(connection)
            };
            let finished: Option<i64> =
                schema::runs::table.find(second.0).select(schema::runs::finished_at).first(connection)?;
            Ok(started(connection, third)? >= finished)
        })
        .await
        .unwrap();
    assert!(in_order);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_run_ends_when_it_is_cancelled_or_its_cancelling_was_only_noted() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine_in(folder.path().to_owned(), 1).await;
    let first = engine.submit(code("import time\ntime.sleep(600)")).await;
    engine.until((first.0, first.1), |seen| seen.phase == Phase::Running).await;
    let (run, step, task, number) = engine.submit(code("pass")).await;
    let noted = engine.submit(code("pass")).await.0;
    engine
        .database
        .write(move |connection| {
            diesel::update(schema::runs::table.find(noted.0))
                .set(schema::runs::cancel_requested_at.eq(1))
                .execute(connection)?;
            runs::request_cancel(connection, &task, number, SystemClock.now())
        })
        .await
        .unwrap();
    // Ended by the request itself: nobody has to look at the queue for it.
    assert_eq!(engine.look(run, step).await.phase, Phase::Cancelled);
    engine.wake.notify_one();
    let noted = engine.until((noted, step), |seen| seen.phase.is_final()).await;
    assert_eq!((noted.phase, noted.message.as_str()), (Phase::Cancelled, runs::CANCELLED_WAITING));
    engine.cancel(first.2, first.3).await;
    engine.until((first.0, first.1), |seen| seen.phase.is_final()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_dies_at_any_moment_loses_and_doubles_nothing() {
    // What has to be there before the supervisor dies: nothing, files of the step's folder, or lines.
    for moment in ["", "work/main.py", "lock", "started", "events", "line 0", "line 150", "line 299"] {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine_in(folder.path().to_owned(), 2).await;
        let counter = folder.path().join("count");
        let program = format!(
            "import time\nopen({counter:?}, 'a').write('x')\nfor i in range(300):\n    print('line', i)\n    time.sleep(0.001)\n"
        );
        let (run, step, ..) = engine.submit(code(&program)).await;
        let inputs = engine.database.read(move |connection| runs::inputs(connection, run, None)).await.unwrap();
        let step_folder = folder.path().join("steps").join(inputs.steps[0].uid.as_str());
        let reached = |seen: &Seen| {
            seen.phase.is_final()
                || step_folder.join(moment).exists()
                || seen.program_lines().iter().any(|line| line.1 == moment)
        };
        if !moment.is_empty() {
            engine.until((run, step), reached).await;
        }
        engine.supervisor.abort();
        let _ = engine.supervisor.await;
        drop(engine.database);
        let engine = engine_in(folder.path().to_owned(), 2).await;
        let seen = engine.until((run, step), |seen| seen.phase.is_final()).await;
        assert_eq!(seen.phase, Phase::Succeeded, "at {moment:?}: {}", seen.message);
        let expected: Vec<String> = (0..300).map(|number| format!("line {number}")).collect();
        let lines: Vec<String> = seen.program_lines().into_iter().map(|line| line.1.to_owned()).collect();
        assert_eq!(lines, expected, "at {moment:?}");
        assert_eq!(std::fs::read_to_string(counter).unwrap(), "x", "started twice, at {moment:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_output_is_kept_harmless() {
    let engine = engine().await;
    let program = "import sys\nw = sys.stdout.buffer.write\nw(b'\\xff\\xfe\\x00 binary\\n')\nw(b'\\r 10%\\r 50%\\r100%\\n')\nw(b'x' * 100000 + b'\\n')\nw(b'\\x1edeadbeef {\"program\":true}\\n')\nw('<b>{{x}}</b> \\u202e\\n'.encode())\n";
    let seen = engine.finished(code(program)).await;
    assert_eq!(seen.phase, Phase::Succeeded, "{} {:?}", seen.message, seen.lines);
    let lines: Vec<&str> = seen.program_lines().into_iter().map(|line| line.1).collect();
    assert_eq!(lines[0], "\u{fffd}\u{fffd}\0 binary");
    assert_eq!(lines[1], "100%");
    assert_eq!(lines[2..lines.len() - 2].concat(), "x".repeat(100_000));
    assert_eq!(lines[lines.len() - 2], "\u{1e}deadbeef {\"program\":true}");
    assert_eq!(lines[lines.len() - 1], "<b>{{x}}</b> \u{202e}");
}
