//! The resolver's process: what it sees, what becomes of what it started, and how many there are at once.
//! uv is a fake here, a shell script: the real one neither hangs nor tells its environment.

#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use app::model::spec::{TaskDraft, TaskSpec};
use server::{
    clock::SystemClock,
    db::Database,
    engine::{Interpreter, Target},
    packages::resolver::{
        Resolver as _,
        uv::{AT_ONCE, UvResolver},
    },
};
use tokio::sync::Semaphore;

#[path = "support/process.rs"]
mod process;
#[path = "support/waiting.rs"]
mod waiting;

use process::is_gone;
use waiting::until;

/// A resolver with a script for uv, in a folder.
async fn resolver(folder: &Path, script: &str) -> Arc<UvResolver> {
    let uv = folder.join("uv");
    fs::write(&uv, format!("#!/bin/sh\ncd {}\n{script}\n", folder.display())).unwrap();
    fs::set_permissions(&uv, fs::Permissions::from_mode(0o755)).unwrap();
    Arc::new(UvResolver {
        uv,
        cache: folder.join("cache"),
        index_url: Some("http://index.example/simple".into()),
        database: Database::open(&folder.join("stoker.sqlite")).await.unwrap(),
        clock: Arc::new(SystemClock),
        turns: Semaphore::new(AT_ONCE),
    })
}

fn target() -> Target {
    let interpreter = Interpreter::Here("/usr/bin/python3".into());
    Target { python: "3.12.4".into(), platform: "test".into(), interpreter }
}

fn packages(packages: &str) -> TaskSpec {
    TaskDraft { code: "pass".into(), packages: packages.into(), ..TaskDraft::default() }.parse().unwrap().spec
}

#[tokio::test]
async fn the_servers_environment_stays_with_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(folder.path(), "env >environment; echo six==1.16.0").await;
    assert_eq!(resolver.lock(&packages("six"), &target()).await.unwrap().0, "six==1.16.0\n");
    let environment = fs::read_to_string(folder.path().join("environment")).unwrap();
    assert!(environment.contains("UV_DEFAULT_INDEX=http://index.example/simple\n"), "{environment}");
    // Cargo sets it for tests, so it is in this process's own environment.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    assert!(!environment.contains("CARGO_MANIFEST_DIR"), "{environment}");
}

#[tokio::test]
async fn nothing_goes_on_when_nobody_waits_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(folder.path(), "sleep 600 &\necho $! >unfinished; mv unfinished number; wait").await;
    let asked = tokio::spawn(async move { resolver.lock(&packages("six"), &target()).await });
    let number = folder.path().join("number");
    until("the build", || number.exists()).await;
    let build = fs::read_to_string(number).unwrap();
    asked.abort();
    until("its end", || is_gone(build.trim())).await;
}

#[tokio::test]
async fn only_so_many_resolve_at_once() {
    let folder = tempfile::tempdir().unwrap();
    // Each notes how many there are with it, and stays until the gate opens.
    let script = "mkdir -p here; touch here/$$; ls here | wc -l >>counts; while [ ! -e gate ]; do sleep 0.01; done; rm here/$$; echo six==1.16.0";
    let resolver = resolver(folder.path(), script).await;
    let asked: Vec<_> = (0..3 * AT_ONCE)
        .map(|number| {
            let resolver = resolver.clone();
            tokio::spawn(async move { resolver.lock(&packages(&format!("six<{}", 2 + number)), &target()).await })
        })
        .collect();
    let counts = || fs::read_to_string(folder.path().join("counts")).unwrap_or_default();
    until("the first ones", || counts().lines().count() == AT_ONCE).await;
    fs::write(folder.path().join("gate"), "").unwrap();
    for asked in asked {
        asked.await.unwrap().unwrap();
    }
    let most = counts().lines().map(|count| count.trim().parse::<usize>().unwrap()).max();
    assert!(most <= Some(AT_ONCE), "{most:?}");
}

#[tokio::test]
async fn who_waited_for_the_same_lock_takes_the_one_that_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(folder.path(), "echo called >>calls; echo six==1.16.0").await;
    let asked: Vec<_> = (0..5 * AT_ONCE)
        .map(|_| {
            let resolver = resolver.clone();
            tokio::spawn(async move { resolver.lock(&packages("six"), &target()).await })
        })
        .collect();
    for asked in asked {
        assert_eq!(asked.await.unwrap().unwrap().0, "six==1.16.0\n");
    }
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    assert!(calls.lines().count() <= AT_ONCE, "{calls}");
}

#[tokio::test]
async fn a_lock_is_made_for_its_target_and_kept_for_that_alone() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = resolver(folder.path(), "echo \"$@\" >>calls; echo six==1.16.0").await;
    let elsewhere = Target {
        python: "3.11.2".into(),
        platform: "a cluster's image".into(),
        interpreter: Interpreter::Elsewhere("x86_64-manylinux_2_36".into()),
    };
    for target in [target(), elsewhere.clone(), target(), elsewhere] {
        resolver.lock(&packages("six"), &target).await.unwrap();
    }
    let calls = fs::read_to_string(folder.path().join("calls")).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(calls[0].contains("--python /usr/bin/python3 "), "{calls:?}");
    assert!(calls[1].contains("--python-version 3.11.2 --python-platform x86_64-manylinux_2_36 "), "{calls:?}");
}
