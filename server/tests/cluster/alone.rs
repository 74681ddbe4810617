//! What would disturb other tests, or be disturbed by them: `infrastructure/scripts/test-cluster.sh` runs these by
//! themselves, one after the other.

use std::{
    collections::BTreeSet,
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use app::model::{lock::Lock, system_packages::SystemPackages};
use server::engine::{Cancel, Positions, RunPlan};

use crate::{
    place::{Namespace, variable},
    rules::{self, Place as _},
    server_process::{Server, wait},
    stoker::{assert_whole, cluster_facts, program, start, submit, unfinished, until_line},
};

/// Ends the API server, waits as many seconds as its argument says, and starts it again.
const RESTART: &str = "STOKER_TEST_RESTART_API_SERVER";

#[test]
#[expect(clippy::print_stderr, reason = "it must be seen")]
fn an_api_server_that_is_away_for_a_while_costs_no_line() {
    let Some(restart) = env::var_os(RESTART).filter(|command| !command.is_empty()) else {
        eprintln!(
            "\n==== SKIPPED: {RESTART} names no command, so it was NOT shown that runs survive the API server.\n"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &[]);
    // One that ends while the API server is away, one that goes on, and one that is started meanwhile.
    let mut tasks = vec![submit(&server, &program(300, 3.0)), submit(&server, &program(300, 12.0))];
    for task in &tasks {
        until_line(&server, task, "line 20");
    }
    let mut restarting =
        Command::new("sh").arg("-c").arg(restart).arg("restart").arg("8").stdout(Stdio::null()).spawn().unwrap();
    let page = |task: &str| server.page(&format!("/tasks/{task}/runs/1"));
    wait("the page to say it", || page(&tasks[1]).contains("The cluster does not answer since").then_some(()));
    assert_eq!(server.phase(&tasks[1]), "Running");
    assert!(server.page("/tasks").contains(&tasks[0]));
    assert!(server.page("/system").contains("System"));
    tasks.push(submit(&server, &program(20, 0.2)));
    wait("the new run's page to say why it waits", || page(&tasks[2]).contains("does not answer").then_some(()));
    for (task, lines) in tasks.iter().zip([300, 300, 20]) {
        assert_whole(&server, task, lines);
        assert!(!page(task).contains("does not answer"), "once it answers, nothing is said any more");
    }
    assert!(restarting.wait().unwrap().success());
}

/// Kilobytes of memory that a process has.
fn memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// All runs end truly, with few requests for each and none for each second; and memory does not grow with runs.
#[test]
#[expect(clippy::print_stderr, reason = "figures for people")]
fn fifty_runs_at_once_end_truly_and_cost_little() {
    const RUNS: usize = 50;
    /// Create workflow and secret, read two logs, remove. The rest is for logs that are read again.
    const REQUESTS_OF_A_RUN: u64 = 10;
    /// Watches, and lists for cleaning, however many runs there are.
    const REQUESTS_OF_ALL: u64 = 60;
    const PATIENCE: Duration = Duration::from_secs(240);
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["--cluster-runs", "50"]);
    let first = submit(&server, &program(20, 0.1));
    assert_whole(&server, &first, 20);
    let requests = || cluster_facts(&server)["requests"].as_u64().unwrap();
    let (before, memory_before, began) = (requests(), memory(&server), Instant::now());
    let tasks: Vec<String> = (0..RUNS).map(|_| submit(&server, &program(20, 0.1))).collect();
    let mut left: BTreeSet<&str> = tasks.iter().map(String::as_str).collect();
    while !left.is_empty() {
        assert!(began.elapsed() < PATIENCE, "{} of {RUNS} runs have not ended", left.len());
        std::thread::sleep(Duration::from_secs(1));
        left = unfinished(&server, &left);
    }
    let elapsed = began.elapsed();
    for task in &tasks {
        assert_whole(&server, task, 20);
    }
    let asked = requests() - before;
    let grown = memory(&server).saturating_sub(memory_before);
    eprintln!("{RUNS} runs in {:.0} s: {asked} requests, {grown} KiB more memory", elapsed.as_secs_f64());
    assert!(asked <= REQUESTS_OF_A_RUN * RUNS as u64 + REQUESTS_OF_ALL, "{asked} requests for {RUNS} runs");
    assert!(grown < 48 * 1024, "{grown} KiB more after {RUNS} runs");
}

/// A run with an environment of no other's: nothing is in it, and its lock is a remark.
fn with_own_environment(code: &str) -> RunPlan {
    let mut plan = rules::plan(code);
    plan.steps[0].lock = Lock(format!("# {}\n", plan.run));
    plan
}

/// The names of the environments on the volume.
fn environments(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let links = entries.filter(|entry| entry.file_type().unwrap().is_symlink());
    links.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Whether an environment is there behind its link, which leads to where pods have the volume.
fn is_whole(folder: &Path, key: &str) -> bool {
    let built = fs::read_link(folder.join(key)).unwrap();
    folder.join(built.file_name().unwrap()).join("complete").exists()
}

fn make_file_old(file: &Path) {
    let long_ago = SystemTime::now() - Duration::from_secs(30 * 24 * 3600);
    File::open(file).unwrap().set_modified(long_ago).unwrap();
}

/// Lets the environments look as if no run had used them for long, and the volume as if nobody had pruned it.
fn make_old(cache: &Path, keys: &[&str]) {
    for key in keys {
        make_file_old(&cache.join(format!("environments/{key}.used")));
    }
    let _ = fs::remove_file(cache.join("pruned"));
}

/// Where this machine has the volume of a claim.
#[expect(clippy::print_stderr, reason = "it must be seen")]
fn volume(claim: &str) -> Option<PathBuf> {
    let Some(volumes) = env::var_os("STOKER_TEST_VOLUMES").filter(|folder| !folder.is_empty()) else {
        eprintln!("\n==== SKIPPED: STOKER_TEST_VOLUMES names no folder, so it was NOT shown what leaves a volume.\n");
        return None;
    };
    Some(PathBuf::from(volumes).join(format!("{}-{claim}", variable("STOKER_TEST_NAMESPACE"))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn environments_leave_the_volume_when_no_run_has_used_them_for_long_but_not_those_in_use() {
    let Some(cache) = volume("stoker-cache") else { return };
    let folder = cache.join("environments");
    let place = Namespace::with(|settings| settings.conditions.prune_after = Some(7 * 24 * 3600)).await;
    let engine = place.engine();
    let run = async |plan: &RunPlan| {
        engine.start(plan).await.unwrap();
        let tale = rules::hear_out(&engine, plan, Positions::new()).await;
        assert_eq!(tale.lines(plan), ["done"]);
        rules::forget(&engine, &plan.run).await;
    };
    let pruned = || wait("the volume to be pruned", || cache.join("pruned").exists().then_some(()));

    let before = if folder.exists() { environments(&folder) } else { BTreeSet::new() };
    let unused = with_own_environment("print('> done')");
    run(&unused).await;
    let unused_key = environments(&folder).difference(&before).next().unwrap().clone();
    // Its environment is old when another run comes by, and it still runs.
    let long = with_own_environment(rules::UNTIL_STOPPED);
    engine.start(&long).await.unwrap();
    let begun = rules::begun(&engine, &long).await;
    let mut with_both = before.clone();
    with_both.insert(unused_key.clone());
    let used_key = environments(&folder).difference(&with_both).next().unwrap().clone();

    make_old(&cache, &[&unused_key, &used_key]);
    let other = with_own_environment("print('> done')");
    run(&other).await;
    pruned();
    let left = environments(&folder);
    assert!(!left.contains(&unused_key), "what no run has used for long is gone");
    assert!(left.contains(&used_key) && is_whole(&folder, &used_key), "what a program runs in stays");

    engine.cancel(&long.run, Cancel::WithGrace).await.unwrap();
    rules::hear_out(&engine, &long, begun.positions()).await;
    rules::forget(&engine, &long.run).await;
    make_old(&cache, &[&used_key]);
    run(&other_run(&other)).await;
    pruned();
    assert!(!environments(&folder).contains(&used_key), "it goes when the program has ended");
}

/// Another run with the same environment.
fn other_run(plan: &RunPlan) -> RunPlan {
    let mut other = rules::plan("print('> done')");
    other.steps[0].lock = plan.steps[0].lock.clone();
    other
}

/// A run of a program with system packages.
fn with_system_packages(names: &str, code: &str) -> RunPlan {
    let mut plan = rules::plan(code);
    plan.steps[0].definition.spec.system_packages = SystemPackages::parse(names).unwrap();
    plan
}

/// The set of these packages on the volume.
fn set_of(cache: &Path, names: &[&str]) -> PathBuf {
    let sets = fs::read_dir(cache.join("sets")).unwrap().map(|entry| entry.unwrap().path());
    let mut all = sets.filter(|set| {
        let packages = fs::read_to_string(set.join("packages")).unwrap_or_default();
        packages.lines().eq(names.iter().copied())
    });
    all.next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_set_that_no_run_has_used_for_long_leaves_the_volume_and_the_nix_store() {
    let (Some(cache), Some(store)) = (volume("stoker-cache"), volume("stoker-nix")) else { return };
    let flake = cache.join("packages-of-sets");
    fs::create_dir_all(&flake).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/packages/flake.nix"), flake.join("flake.nix"))
        .unwrap();
    let place = Namespace::with(|settings| {
        settings.conditions.prune_after = Some(7 * 24 * 3600);
        settings.conditions.nixpkgs = "path:/stoker/cache/packages-of-sets".to_owned();
        settings.conditions.preparation = vec![("NIX_CONFIG".to_owned(), "substituters =".to_owned())];
    })
    .await;
    let engine = place.engine();
    let unused = with_system_packages(
        "goodbye third",
        "import subprocess\nprint('>', subprocess.check_output(['goodbye'], text=True), end='')",
    );
    engine.start(&unused).await.unwrap();
    let tale = rules::hear_out(&engine, &unused, Positions::new()).await;
    assert_eq!(tale.lines(&unused), ["goodbye from the store"]);
    rules::forget(&engine, &unused.run).await;

    let set = set_of(&cache, &["goodbye", "third"]);
    let kept = fs::read_to_string(set.join("complete")).unwrap();
    let on_volume = |name: &str| {
        let path = kept.lines().find(|path| path.ends_with(name)).unwrap();
        store.join(path.strip_prefix("/nix/").unwrap())
    };
    let (goodbye, third) = (on_volume("-goodbye"), on_volume("-third"));
    assert!(goodbye.exists() && third.exists());

    // All that was built with it is old too when another run comes by, which keeps one of its packages by a set of its own.
    make_file_old(&set.with_extension("used"));
    for used in fs::read_dir(cache.join("environments")).unwrap().map(|entry| entry.unwrap().path()) {
        if used.extension().is_some_and(|extension| extension == "used") {
            make_file_old(&used);
        }
    }
    make_old(&cache, &[]);
    let other = with_system_packages("third", rules::UNTIL_STOPPED);
    engine.start(&other).await.unwrap();
    let begun = rules::begun(&engine, &other).await;
    wait("the Nix store to be cleaned", || (!goodbye.exists()).then_some(()));
    assert!(!set.exists(), "what kept it is gone");
    assert!(third.exists() && set_of(&cache, &["third"]).exists(), "what a program uses stays");
    wait("nothing to be left to clean", || (!cache.join("nix-store-garbage").exists()).then_some(()));
    engine.cancel(&other.run, Cancel::WithGrace).await.unwrap();
    rules::hear_out(&engine, &other, begun.positions()).await;
    rules::forget(&engine, &other.run).await;
}
