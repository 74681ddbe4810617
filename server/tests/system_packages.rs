//! System packages for real: Debian's own Nix, the test's own tiny packages, the real binary, real Python.

#![expect(clippy::disallowed_methods, reason = "programs are started as people start them")]
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;
use sha2::{Digest as _, Sha256};

#[path = "support/server.rs"]
mod server_process;

use server_process::{Server, wait};

const STOKER: &str = env!("CARGO_BIN_EXE_stoker");

/// Settings of Nix for tests, which fetch nothing.
const NO_SUBSTITUTERS: &str = "substituters =\n";
/// As nix-portable has it: no write-ahead log, and locks of which nobody can tell whether their owner lives.
const DOTFILE_LOCKS: &str = "substituters =\nuse-sqlite-wal = false\n";

/// A Stoker with a Nix store of its own, and a `nix` that notes down what it is asked.
struct Kitchen {
    folder: tempfile::TempDir,
}

impl Kitchen {
    fn new() -> Self {
        let kitchen = Self { folder: tempfile::tempdir().unwrap() };
        let nix = server::programs::found_on_path(Path::new("nix"));
        assert!(nix.is_absolute(), "these tests need Nix (on Debian: apt-get install nix-bin)");
        kitchen.program("nix", &format!("echo \"$@\" >>{}\nexec {} \"$@\"", kitchen.calls().display(), nix.display()));
        kitchen
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> PathBuf {
        self.path("data")
    }

    fn cache(&self, name: &str) -> PathBuf {
        self.data().join("cache").join(name)
    }

    fn calls(&self) -> PathBuf {
        self.path("calls")
    }

    /// How often Nix was asked for something.
    fn asked(&self, word: &str) -> usize {
        let calls = fs::read_to_string(self.calls()).unwrap_or_default();
        calls.lines().filter(|line| line.split(' ').any(|part| part == word)).count()
    }

    /// Makes a program that the server finds.
    fn program(&self, name: &str, script: &str) -> PathBuf {
        let file = self.path("bin").join(name);
        fs::create_dir_all(self.path("bin")).unwrap();
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    fn search_path(&self) -> String {
        format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap())
    }

    fn serve(&self, options: &[&str]) -> Server {
        self.serve_by(Command::new(STOKER), options)
    }

    /// `program` is the stoker program, or one that becomes it.
    fn serve_by(&self, mut program: Command, options: &[&str]) -> Server {
        let flake = concat!("path:", env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/packages");
        program.env("PATH", self.search_path());
        if !program.get_envs().any(|(name, _)| name == "NIX_CONFIG") {
            program.env("NIX_CONFIG", NO_SUBSTITUTERS);
        }
        // What a test sets itself comes on the command line, which goes before the environment.
        program.env("STOKER_NIX", "own").env("STOKER_NIXPKGS", flake).env("STOKER_MINIMUM_FREE", "1");
        Server::start_by(program, &self.data(), options)
    }

    /// The only package set that there is.
    fn set(&self) -> PathBuf {
        let sets: Vec<PathBuf> = fs::read_dir(self.cache("sets"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect();
        assert_eq!(sets.len(), 1, "{sets:?}");
        sets[0].clone()
    }
}

/// A run that has ended.
struct Ended {
    phase: String,
    message: String,
    log: String,
}

/// Runs a program with system packages to its end.
fn run(server: &Server, packages: &str, code: &str) -> Ended {
    ended(server, &server.submit(&json!({"pythonCode": code, "systemDependencies": packages})))
}

fn ended(server: &Server, task: &str) -> Ended {
    let phase = server.until_final(task);
    let detail = server.json("GET", &format!("/api/v1/tasks/{task}"), None);
    let message = detail["runs"][0]["message"].as_str().unwrap_or_default().to_owned();
    Ended { phase, message, log: server.log(task) }
}

/// The output of the program among the lines of the log.
const CALL: &str =
    "import subprocess, sys\nprint(subprocess.run(sys.argv[1:] or ['hello'], capture_output=True, text=True).stdout)";

fn call(program: &str) -> String {
    CALL.replace("'hello'", &format!("{program:?}"))
}

fn assert_ran(run: &Ended, line: &str) {
    assert_eq!(run.phase, "Succeeded", "{}\n{}", run.message, run.log);
    assert!(run.log.lines().any(|found| found == line), "{line} is not in\n{}", run.log);
}

fn assert_failed(run: &Ended, message: &str, line: &str) {
    assert_eq!(run.phase, "Failed", "{}", run.log);
    assert!(run.message.starts_with(message), "{}\n{}", run.message, run.log);
    assert!(run.log.contains(line), "{line} is not in\n{}", run.log);
    assert!(run.log.contains("/help/troubleshooting#"), "{}", run.log);
}

#[test]
fn a_set_is_built_once_and_a_warm_run_starts_no_nix() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    let task = server.submit(&json!({"pythonCode": call("hello"), "systemDependencies": "hello tools.nested"}));
    let cold = ended(&server, &task);
    assert_ran(&cold, "hello from the store");
    let page = server.page(&format!("/tasks/{task}"));
    assert!(page.contains("environment ready") && page.contains("system packages ready"), "{page}");
    assert!(cold.log.contains("building '/nix/store/"), "what Nix says is in the log: {}", cold.log);
    let bytes: u64 = fs::read_to_string(kitchen.set().join("bytes")).unwrap().trim().parse().unwrap();
    assert!(bytes > 100, "what the System page says of the set's size: {bytes}");
    let calls = fs::read_to_string(kitchen.calls()).unwrap();
    // In another order it is the same set.
    assert_ran(&run(&server, "tools.nested hello", &call("nested")), "nested from the store");
    assert_eq!(fs::read_to_string(kitchen.calls()).unwrap(), calls, "a warm run starts no Nix");
    // Another Stoker on the same data finds it too.
    drop(server);
    let server = kitchen.serve(&[]);
    assert_ran(&run(&server, "hello tools.nested", &call("hello")), "hello from the store");
    assert_eq!(fs::read_to_string(kitchen.calls()).unwrap(), calls);
}

/// The store path of the only set.
fn package(kitchen: &Kitchen) -> PathBuf {
    let complete = fs::read_to_string(kitchen.set().join("complete")).unwrap();
    kitchen.cache("nix/own").join(complete.lines().next().unwrap().trim_start_matches('/'))
}

fn prune(kitchen: &Kitchen) -> String {
    let mut prune = Command::new(STOKER);
    prune.args(["cache", "prune", "--older-than", "0h", "--nix", "own", "--data"]).arg(kitchen.data());
    prune.env("PATH", kitchen.search_path()).env("NIX_CONFIG", NO_SUBSTITUTERS);
    String::from_utf8(prune.output().unwrap().stdout).unwrap()
}

fn until_idle(kitchen: &Kitchen) {
    wait("the steps to be forgotten", || {
        fs::read_dir(kitchen.data().join("steps")).unwrap().next().is_none().then_some(())
    });
}

#[test]
fn a_pruned_set_goes_from_the_store_too_and_is_made_again() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
    let package = package(&kitchen);
    assert!(package.exists());
    until_idle(&kitchen);
    let said = prune(&kitchen);
    assert!(said.contains("Removed package set"), "{said}");
    assert!(!package.exists(), "{said}");
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
}

#[test]
fn a_set_deleted_on_the_page_goes_from_the_store_too() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
    let (set, package) = (kitchen.set(), package(&kitchen));
    until_idle(&kitchen);
    let key = set.file_name().unwrap().to_str().unwrap();
    assert_eq!(server.request("POST", &format!("/system/sets/{key}/delete"), None).unwrap().0, 303);
    wait("the store to be cleaned", || (!package.exists()).then_some(()));
}

#[test]
fn what_could_not_be_cleaned_while_a_run_was_active_is_cleaned_later() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
    let package = package(&kitchen);
    until_idle(&kitchen);
    let gate = kitchen.path("gate");
    let code = format!("import os, time\nwhile not os.path.exists({gate:?}): time.sleep(0.01)");
    let other = server.submit(&json!({"pythonCode": code}));
    wait("the other run", || (server.phase(&other) == "Running").then_some(()));
    let said = prune(&kitchen);
    assert!(said.contains("Removed package set"), "{said}");
    assert!(said.contains("The Nix store was not cleaned: a run is active."), "{said}");
    assert!(package.exists());
    fs::write(&gate, "").unwrap();
    server.until_final(&other);
    until_idle(&kitchen);
    let said = prune(&kitchen);
    assert!(!package.exists(), "{said}");
}

#[test]
fn twenty_cold_starts_at_once_build_the_set_once() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&["--workers", "20"]);
    let body = json!({"pythonCode": call("hello"), "systemDependencies": "hello"});
    let tasks: Vec<String> = (0..20).map(|_| server.submit(&body)).collect();
    for task in &tasks {
        assert_ran(&ended(&server, task), "hello from the store");
    }
    assert_eq!(kitchen.asked("build"), 1);
}

#[test]
fn compilers_find_the_headers_of_a_set() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    let code = "import os, subprocess
open('a.c', 'w').write('#include <answer.h>\\n#include <stdio.h>\\nint main() { printf(\"%d\\\\n\", ANSWER); }')
subprocess.run(['gcc', 'a.c', '-o', 'a'], check=True)
print('the answer is', subprocess.run('./a', capture_output=True, text=True).stdout, os.environ['STRANGE_VALUE'])
print(sorted(name for name in os.environ if name.startswith(('STOKER', 'NIX_BUILD', 'stdenv'))))";
    let run = run(&server, "answer", code);
    assert_ran(&run, "the answer is 42");
    assert!(run.log.contains(" it's $fine"), "{}", run.log);
    let left = "['STOKER_OUTPUT_DIR', 'STOKER_OUTPUT_LIMIT', 'STOKER_READABLE']";
    assert!(
        run.log.lines().any(|line| line == left),
        "nothing of the runner's is left but where outputs go: {}",
        run.log
    );
}

#[test]
fn what_nix_cannot_do_is_said_by_name() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    let unknown = run(&server, "goodbye hell", "print(1)");
    assert_failed(&unknown, "Nix knows no package 'hell'. Near names: hello.", "Did you mean");
    let broken = run(&server, "broken", "print(1)");
    assert_failed(&broken, "The package 'broken' could not be built.", "these are the words of the builder");
    // Nothing of a set that failed is taken for one that is ready.
    assert_failed(&run(&server, "broken", "print(1)"), "The package 'broken' could not be built.", "builder");
    let group = run(&server, "tools", "print(1)");
    assert_failed(
        &group,
        "'tools' is a group of packages, or a part of one, and not a package.",
        "is not a derivation",
    );
}

#[test]
fn a_stage_that_takes_too_long_is_stopped() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&["--stage-timeout", "6"]);
    assert_failed(
        &run(&server, "slow", "print(1)"),
        "Nix could not make the packages ready: it took longer than 6 s and was stopped.",
        "System packages failed",
    );
}

#[test]
fn a_run_says_what_it_prepares_while_it_does() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    let task = server.submit(&json!({"pythonCode": "print(1)", "systemDependencies": "slow"}));
    let address = format!("/tasks/{task}/runs/1");
    let page = wait("Nix to build", || {
        let page = server.page(&address);
        page.contains("preparing: System packages (9 of 11)").then_some(page)
    });
    assert!(page.contains("Preparing: System packages …"), "beneath the log: {page}");
    assert!(page.contains("under way") && page.contains("9 of 11"), "{page}");
    assert_eq!(server.request("DELETE", &format!("/api/v1/tasks/{task}"), None).unwrap().0, 200);
    server.until_final(&task);
    let page = server.page(&address);
    assert!(page.contains("It was not finished when the run ended."), "{page}");
    assert!(!page.contains("under way") && !page.contains("preparing:"), "{page}");
}

#[test]
fn a_set_that_takes_long_holds_no_other_up() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&["--workers", "2"]);
    let slow = server.submit(&json!({"pythonCode": "print(1)", "systemDependencies": "slow"}));
    wait("Nix to build", || server.log(&slow).contains("building '/nix/store/").then_some(()));
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
    assert_eq!(server.phase(&slow), "Running");
    assert_eq!(server.request("DELETE", &format!("/api/v1/tasks/{slow}"), None).unwrap().0, 200);
}

#[test]
fn a_lock_that_a_killed_nix_left_holds_nobody_up() {
    let kitchen = Kitchen::new();
    let serve = || {
        let mut program = Command::new(STOKER);
        program.env("NIX_CONFIG", DOTFILE_LOCKS);
        kitchen.serve_by(program, &[])
    };
    let mut server = serve();
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
    server.kill();
    let lock = kitchen.cache("nix/own/nix/var/nix/db/db.sqlite.lock");
    fs::create_dir(&lock).unwrap();
    let server = serve();
    assert_ran(&run(&server, "goodbye", &call("goodbye")), "goodbye from the store");
    assert!(!lock.exists());
}

#[test]
fn a_lock_in_a_store_of_others_is_left_alone_and_waited_for_only_so_long() {
    let kitchen = Kitchen::new();
    // The whole server has a folder at /nix, so that it is the machine's own store to it.
    let root = kitchen.path("machine");
    fs::create_dir_all(&root).unwrap();
    let on_a_machine_with_nix = || {
        let mut program = Command::new(STOKER);
        // In there a sandbox would be one too many.
        program.env("NIX_CONFIG", format!("{DOTFILE_LOCKS}sandbox = false\n")).arg("inside").arg(&root).arg(STOKER);
        program
    };
    let server = kitchen.serve_by(on_a_machine_with_nix(), &["--nix", "nix"]);
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
    drop(server);
    let lock = root.join("nix/var/nix/db/db.sqlite.lock");
    fs::create_dir(&lock).unwrap();
    let server = kitchen.serve_by(on_a_machine_with_nix(), &["--nix", "nix", "--stage-timeout", "6"]);
    assert_failed(
        &run(&server, "goodbye", "print(1)"),
        "Nix could not make the packages ready: it took longer than 6 s and was stopped.",
        "--stage-timeout",
    );
    assert!(lock.exists());
    // The warm set needs no database.
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
}

#[test]
fn a_full_disk_and_a_read_only_store_are_told_apart() {
    let kitchen = Kitchen::new();
    let root = kitchen.cache("nix/own");
    fs::create_dir_all(&root).unwrap();
    let small = kitchen.program("small", &format!("mount -t tmpfs -o size=16m none {} && exec \"$@\"", root.display()));
    let mut program = Command::new("unshare");
    program.args(["--user", "--map-root-user", "--mount"]).arg(small).arg(STOKER);
    let server = kitchen.serve_by(program, &[]);
    assert_failed(
        &run(&server, "large", "print(1)"),
        "Nix could not make the packages ready: the disk is full.",
        "No space left",
    );
    drop(server);

    let server = kitchen.serve(&[]);
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
    drop(server);
    let store = root.join("nix");
    let read_only = kitchen.program(
        "read-only",
        &format!("mount --bind {0} {0} && mount -o remount,ro,bind {0} && exec \"$@\"", store.display()),
    );
    let mut program = Command::new("unshare");
    program.args(["--user", "--map-root-user", "--mount"]).arg(read_only).arg(STOKER);
    let server = kitchen.serve_by(program, &[]);
    assert_failed(&run(&server, "goodbye", "print(1)"), "The Nix store cannot be written.", "System packages failed");
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
}

/// Then nothing about the failure can be written down, until there is room again.
#[test]
fn a_full_disk_is_told_when_all_data_is_on_it() {
    let kitchen = Kitchen::new();
    let nix = server::programs::found_on_path(Path::new("nix"));
    let ended_build = kitchen.path("ended");
    let note = format!("case $1 in build) touch {};; esac", ended_build.display());
    kitchen.program("nix", &format!("status=0; {} \"$@\" || status=$?; {note}; exit $status", nix.display()));
    let (data, ballast) = (kitchen.data(), kitchen.path("data/ballast"));
    fs::create_dir_all(&data).unwrap();
    let small = format!(
        "mount -t tmpfs -o size=40m none {0} && head -c 8000000 /dev/zero >{1} || exit
(until [ -e {2} ]; do sleep 0.05; done; rm {1}) &
exec \"$@\"",
        data.display(),
        ballast.display(),
        ended_build.display()
    );
    let mut program = Command::new("unshare");
    program.args(["--user", "--map-root-user", "--mount"]).arg(kitchen.program("small", &small)).arg(STOKER);
    let server = kitchen.serve_by(program, &[]);
    assert_failed(&run(&server, "large", "print(1)"), "Nix could not make the packages ready: the disk is full.", "");
}

#[test]
fn too_little_free_space_is_said_before_anything_is_built() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&["--minimum-free", "1000000G"]);
    let run = run(&server, "hello", "print(1)");
    assert_failed(&run, "Only ", "Disk space failed.");
    assert_eq!(kitchen.asked("build"), 0);
}

#[test]
fn a_damaged_set_is_noticed_and_built_again() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    let again = |expected: usize| {
        assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
        assert_eq!(kitchen.asked("build"), expected);
    };
    again(1);
    // The profile is gone: nothing would keep the packages in the store.
    fs::remove_file(kitchen.set().join("package")).unwrap();
    again(2);
    // A path is gone from the store, though Nix believes it to be there.
    let path = fs::read_to_string(kitchen.set().join("complete")).unwrap().lines().next().unwrap().to_owned();
    let path = kitchen.cache("nix/own").join(path.trim_start_matches('/'));
    assert!(Command::new("chmod").arg("-R").arg("u+w").arg(&path).status().unwrap().success());
    fs::remove_dir_all(&path).unwrap();
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
    // Whoever built it was killed half-way.
    fs::write(kitchen.set().join("complete"), "").unwrap();
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
}

#[test]
fn a_damaged_python_environment_is_noticed_and_built_again() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    let body = json!({"pythonCode": "import six\nprint('six is', six.__name__)", "dependencies": "six"});
    assert_ran(&ended(&server, &server.submit(&body)), "six is six");
    let link = fs::read_dir(kitchen.cache("environments"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .find(|entry| entry.file_type().unwrap().is_symlink())
        .unwrap();
    let site = fs::read_dir(link.path().join("lib")).unwrap().next().unwrap().unwrap().path().join("site-packages");
    fs::set_permissions(&site, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(site.join("six.py")).unwrap();
    let run = ended(&server, &server.submit(&body));
    assert_ran(&run, "six is six");
    assert!(run.log.contains("The environment in the cache is damaged"), "{}", run.log);
    // A link that leads nowhere.
    fs::remove_file(link.path()).unwrap();
    std::os::unix::fs::symlink("/nowhere", link.path()).unwrap();
    assert_ran(&ended(&server, &server.submit(&body)), "six is six");
}

#[test]
fn a_damaged_environment_is_left_to_the_program_that_runs_in_it() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    let (ready, gate) = (kitchen.path("ready"), kitchen.path("gate"));
    let code = format!(
        "import os, sys, time, importlib.metadata
if not os.path.exists({gate:?}):
    open({ready:?}, 'w')
    while not os.path.exists({gate:?}): time.sleep(0.01)
print('six is', importlib.metadata.version('six'))"
    );
    let body = json!({"pythonCode": code, "dependencies": "six==1.16.0"});
    let first = server.submit(&body);
    wait("the program", || ready.exists().then_some(()));
    let link = fs::read_dir(kitchen.cache("environments"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_symlink())
        .unwrap();
    let built = fs::read_link(&link).unwrap();
    let site = fs::read_dir(link.join("lib")).unwrap().next().unwrap().unwrap().path().join("site-packages");
    fs::set_permissions(&site, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(site.join("six.py")).unwrap();
    let second = server
        .submit(&json!({"pythonCode": "import six\nprint('second', six.__version__)", "dependencies": "six==1.16.0"}));
    assert_ran(&ended(&server, &second), "second 1.16.0");
    assert_ne!(fs::read_link(&link).unwrap(), built);
    fs::write(&gate, "").unwrap();
    assert_ran(&ended(&server, &first), "six is 1.16.0");
}

#[test]
fn what_a_set_calls_like_the_runners_tools_is_for_the_program_alone() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    let code = "import six, subprocess\nprint('tee ends with', subprocess.run(['tee']).returncode)";
    let body = json!({"pythonCode": code, "dependencies": "six", "systemDependencies": "shadow"});
    assert_ran(&ended(&server, &server.submit(&body)), "tee ends with 9");
}

#[test]
fn without_nix_a_run_says_what_to_install() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&["--nix", "none"]);
    assert_failed(
        &run(&server, "hello", "print(1)"),
        "System packages need Nix, and there is none.",
        "stoker nix install",
    );
    // Tasks without system packages need none.
    assert_ran(&run(&server, "", "print('fine')"), "fine");
}

/// A file, and its digest.
fn digest_of(file: &Path) -> String {
    format!("{:x}", Sha256::digest(fs::read(file).unwrap()))
}

#[test]
fn conda_is_installed_once_by_its_own_installer() {
    let kitchen = Kitchen::new();
    // A fake: the real installer is a hundred megabytes of somebody else's network. It is called as the real one is.
    let record = kitchen.path("conda-was-installed");
    let installer = kitchen.program(
        "fake-miniforge.sh",
        &format!(
            "[ \"$1 $2\" = '-b -p' ] || exit 9
mkdir -p \"$3/bin\"
printf '#!/bin/sh\\necho conda in %s\\n' \"$3\" >\"$3/bin/conda\"
chmod +x \"$3/bin/conda\"
echo once >>{}",
            record.display()
        ),
    );
    let (url, digest) = (format!("file://{}", installer.display()), digest_of(&installer));
    let server = kitchen.serve(&["--conda-url", &url, "--conda-sha256", &digest]);
    for _ in 0..2 {
        let run = run(&server, "conda hello", &call("conda"));
        assert_eq!(run.phase, "Succeeded", "{}", run.log);
        assert!(run.log.contains(&format!("conda in {}", kitchen.cache("conda").display())), "{}", run.log);
    }
    assert_eq!(fs::read_to_string(record).unwrap(), "once\n");
    drop(server);
    let server = kitchen.serve(&["--conda-url", &url, "--conda-sha256", &"0".repeat(64)]);
    let run = run(&server, "conda", "print(1)");
    assert_failed(&run, "The conda installer is not the file that was expected.", &digest);
}

#[test]
fn nix_portable_is_installed_checked_and_used() {
    let kitchen = Kitchen::new();
    // A fake: the real one is in no package registry. It has the real one's folders, and insists on its variables.
    let fake = kitchen.program(
        "fake-nix-portable",
        &format!(
            "[ \"$NP_RUNTIME\" = bwrap ] && [ \"$1\" = nix ] || {{ echo \"wrong call: $NP_RUNTIME $*\" >&2; exit 9; }}
exec {STOKER} inside \"$NP_LOCATION/.nix-portable\" \"$@\""
        ),
    );
    let install = |digest: &str| {
        let url = format!("file://{}", fake.display());
        let mut command = Command::new(STOKER);
        command.args(["nix", "install", "--url", &url, "--sha256", digest, "--data"]).arg(kitchen.data());
        command.output().unwrap()
    };
    let refused = install(&"0".repeat(64));
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not 0000"), "{refused:?}");
    assert!(!kitchen.cache("nix/bin/nix-portable").exists());
    let installed = install(&digest_of(&fake));
    assert!(installed.status.success(), "{installed:?}");
    let server = kitchen.serve(&["--nix", "portable"]);
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
    assert_ran(&run(&server, "hello", &call("hello")), "hello from the store");
}

#[test]
fn a_run_tells_what_its_preparation_found() {
    let kitchen = Kitchen::new();
    let server = kitchen.serve(&[]);
    let task = server.submit(&json!({"pythonCode": "print(1)", "systemDependencies": "hell"}));
    assert_eq!(server.until_final(&task), "Failed");
    let html = server.page(&format!("/tasks/{task}/runs/1"));
    for words in
        ["Disk space", "Network", "Nix database", "Near names: hello", "/help/troubleshooting#nix-unknown-package"]
    {
        assert!(html.contains(words), "{words} is not in the page");
    }
}
