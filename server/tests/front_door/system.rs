//! The System page, its actions, and the same over the REST API, over real folders.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    pin::pin,
    time::{Duration, SystemTime},
};

use app::model::{
    cache::{CacheReport, EnvironmentUse},
    caches::{CacheKind, CacheName},
    checkpoint::CheckpointStatus,
    identifiers::StepId,
    time::Timestamp,
};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use diesel::{ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _};
use serde_json::{Value, json};
use server::{
    db::{preparation, schema, steps},
    engine::local::caches::{
        hold,
        prune::{Prune, RemovalError},
    },
};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::support::{Answer, PLAIN, TestApp};

const OLD: &str = "0000000000000000000000000000000a";
const NEW: &str = "0000000000000000000000000000000b";
const SET: &str = "0000000000000000000000000000000c";

/// What a runner leaves below the cache folder.
struct Caches<'a>(&'a TestApp);

impl Caches<'_> {
    fn environments(&self) -> PathBuf {
        self.0.caches.folders().of_kind(CacheKind::Environment)
    }

    fn sets(&self) -> PathBuf {
        self.0.caches.folders().of_kind(CacheKind::PackageSet)
    }

    /// A folder as it is while it is being built.
    fn partial(&self, key: &str, step: &str) -> PathBuf {
        let folder = self.environments().join(format!(".built-{key}-{step}"));
        fs::create_dir_all(folder.join("lib/python3.12/site-packages/six-1.16.0.dist-info")).unwrap();
        folder
    }

    /// An environment, published and read-only, last used at a time.
    fn environment(&self, key: &str, used: Timestamp, set: Option<&str>) -> PathBuf {
        let folder = self.partial(key, "1");
        fs::write(folder.join("complete"), vec![b'1'; 100_000]).unwrap();
        if let Some(set) = set {
            fs::write(folder.join("set"), format!("{set}\n")).unwrap();
        }
        for part in ["lib/python3.12/site-packages/six-1.16.0.dist-info", "lib/python3.12/site-packages", "lib", ""] {
            fs::set_permissions(folder.join(part), fs::Permissions::from_mode(0o555)).unwrap();
        }
        let link = self.environments().join(key);
        symlink(&folder, &link).unwrap();
        touch(&self.environments().join(format!("{key}.used")), used);
        link
    }

    /// A package set, last used at a time.
    fn set(&self, key: &str, used: Timestamp) -> PathBuf {
        let folder = self.sets().join(key);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("packages"), "gcc\nvim\n").unwrap();
        fs::write(folder.join("complete"), "/nix/store/x\n").unwrap();
        touch(&self.sets().join(format!("{key}.used")), used);
        folder
    }

    /// A step's folder, as the engine lays it out.
    fn step(&self, step: &str, variables: &[(&str, &str)]) -> PathBuf {
        let folder = self.0.caches.folders().steps().join(step);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("orders.json"), json!({ "command": [], "environment": variables }).to_string()).unwrap();
        folder
    }

    async fn prune(&self, unused_since: Timestamp) -> usize {
        self.0.caches.prune(Prune { unused_since, dry_run: false }).await.unwrap().len()
    }

    /// Everything in the folder of environments, but locks and times of use.
    fn left(&self) -> Vec<String> {
        let names = fs::read_dir(self.environments()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.retain(|name| Path::new(name).extension().is_none_or(|ending| ending != "used"));
        names.sort();
        names
    }
}

fn touch(file: &Path, at: Timestamp) {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap());
    fs::File::create(file).unwrap().set_modified(at).unwrap();
}

fn days_ago(app: &TestApp, days: i64) -> Timestamp {
    Timestamp(server::clock::Clock::now(&*app.clock).0 - days * 86_400_000)
}

/// The page, once all sizes on it are counted.
async fn counted_page(app: &TestApp) -> Answer {
    loop {
        let page = app.get("/system").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        // As long as something is missing, the page renews itself.
        let is_renewed = !page.attributes("#system-state[data-every]", "id").is_empty();
        assert_eq!(page.text.contains(r#"http-equiv="refresh""#), is_renewed, "{}", page.text);
        if !is_renewed && !page.text.contains("being counted") {
            return page;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_the_api_tell_the_same() {
    let app = TestApp::new().await;
    let caches = Caches(&app);
    caches.environment(OLD, days_ago(&app, 3), Some(SET));
    caches.set(SET, days_ago(&app, 2));
    caches.step("7", &[("STOKER_ENVIRONMENT_KEY", OLD), ("STOKER_SET_KEY", SET)]);
    let (_, run) = app.save_and_run(&PLAIN).await;
    app.start(run.run).await;
    app.save_and_run(&PLAIN).await;
    let subscriber = tracing_subscriber::registry().with(app.errors.listener(app.clock.clone()));
    tracing::subscriber::with_default(subscriber, || tracing::error!(error = "<b>", "It broke"));

    let page = counted_page(&app).await;
    assert!(page.text_of("section[aria-labelledby=engine]").contains("1 of at most 2"));
    assert_eq!(page.texts(".cache-packages")[0], "six 1.16.0 with set 00000000");
    assert_eq!(page.texts(".cache-packages")[1], "gcc, vim");
    assert_eq!(page.texts(".cache-use"), ["in use by a run", "in use by a run"]);
    assert!(page.texts(".cache-delete a").is_empty());
    assert_eq!(page.text_of(".error-list code"), "It broke error=\"<b>\"");
    assert!(page.text_of("section[aria-labelledby=checks]").contains("Not made yet."));

    let answer = app.api(Method::GET, "/diagnostics", Value::Null).await;
    assert_eq!(answer.status, StatusCode::OK);
    let all = answer.json();
    assert_eq!(all["engine"]["running"], 1);
    assert_eq!(all["engine"]["queued"], 1);
    assert_eq!(all["engine"]["limits"]["pruneAfterSeconds"], 90 * 86_400);
    let environment = &all["caches"]["environments"][0];
    assert_eq!(environment["key"], OLD);
    assert_eq!(environment["packages"], json!(["six 1.16.0"]));
    assert_eq!(environment["inUseBy"], 1);
    assert_eq!(environment["lastUsed"], days_ago(&app, 3).to_rfc3339());
    assert!(environment["bytes"].as_u64().unwrap() >= 100_000);
    assert_eq!(all["caches"]["packageSets"][0]["packages"], json!(["gcc", "vim"]));
    assert_eq!(
        all["errors"][0],
        json!({
            "at": server::clock::Clock::now(&*app.clock).to_rfc3339(), "level": "error", "text": "It broke error=\"<b>\""
        })
    );
    assert_eq!(all["days"].as_array().unwrap().len(), 14);
    assert!(all["disk"]["freeBytes"].as_u64().unwrap() > 0);
    assert!(all["versions"]["sqlite"].as_str().unwrap().starts_with("3."));
}

#[tokio::test]
async fn check_again_shows_what_is_found_now() {
    let app = TestApp::new().await;
    app.checker.finds(CheckpointStatus::Failed);
    let answer = app.post_form("/system", &[("intent", "check")]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/system"));
    let page = app.get("/system").await;
    assert!(page.text_of(".checkpoints .is-failed").contains("Install uv."));
    assert_eq!(app.api(Method::GET, "/diagnostics", Value::Null).await.json()["checks"]["worst"], "failed");
    app.checker.finds(CheckpointStatus::Ok);
    app.post_form("/system", &[("intent", "check")]).await;
    assert!(app.get("/system").await.text_of(".checkpoints .is-ok").contains("What was found."));
    assert_eq!(app.post_form("/system", &[]).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_is_deleted_after_a_question() {
    let app = TestApp::new().await;
    let caches = Caches(&app);
    let link = caches.environment(OLD, days_ago(&app, 1), None);
    let address = app.get("/system").await.attributes(".cache-delete a", "href").remove(0);
    let question = app.get(&address).await;
    assert!(question.text_of("h1").contains("Delete environment 00000000?"));
    let answer = app.post_form(&address, &[]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/system"));
    assert!(fs::symlink_metadata(link).is_err());
    while !caches.left().is_empty() {
        tokio::task::yield_now().await;
    }
    let page = app.get_after(&answer, "/system").await;
    assert_eq!(page.text_of(".is-notice"), "The environment was deleted.");
    assert_eq!(app.post_form(&address, &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_step_uses_is_not_deleted() {
    let app = TestApp::new().await;
    let caches = Caches(&app);
    let environment = caches.environment(OLD, days_ago(&app, 1), Some(SET));
    let set = caches.set(SET, days_ago(&app, 1));
    let step = caches.step("7", &[("STOKER_ENVIRONMENT_KEY", OLD)]);
    let (of_environment, of_set) = (format!("/system/environments/{OLD}/delete"), format!("/system/sets/{SET}/delete"));
    for address in [&of_environment, &of_set] {
        let refused = app.post_form(address, &[]).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.text_of(".is-refusal").contains("a run uses"), "{}", refused.text);
        assert!(environment.exists() && set.exists());
    }
    fs::remove_dir_all(step).unwrap();
    assert_eq!(app.post_form(&of_set, &[]).await.status, StatusCode::SEE_OTHER);
    assert!(!environment.exists() && !set.exists(), "what was built with a set goes with it");
}

/// Between a step's decision to use an environment and the moment in which its folder is there, deleting waits.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_just_being_staged_is_not_deleted() {
    let app = TestApp::new().await;
    let caches = Caches(&app);
    let environment = caches.environment(OLD, days_ago(&app, 1), None);
    let name = CacheName { kind: CacheKind::Environment, key: OLD.parse().unwrap() };
    let staging = hold::for_use(app.caches.folders().cache()).unwrap();
    let mut deleting = pin!(app.caches.delete(name));
    // Deleting has begun when its lock is waited for; the system lists that with an arrow, and the file by its number.
    let file = format!(":{} ", fs::metadata(app.caches.folders().cache().join("prune.lock")).unwrap().ino());
    let is_waited_for = |lock: &str| lock.contains("->") && lock.contains(&file);
    while !fs::read_to_string("/proc/locks").unwrap().lines().any(is_waited_for) {
        assert!(futures::poll!(deleting.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    caches.step("7", &[("STOKER_ENVIRONMENT_KEY", OLD)]);
    drop(staging);
    assert!(matches!(deleting.await, Err(RemovalError::InUse(1))));
    assert!(environment.exists());
}

#[tokio::test]
async fn a_foreign_page_deletes_nothing() {
    let app = TestApp::new().await;
    let link = Caches(&app).environment(OLD, days_ago(&app, 1), None);
    let request = Request::post(format!("/system/environments/{OLD}/delete"))
        .header(header::ORIGIN, "http://evil.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(app.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::FORBIDDEN);
    assert!(link.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn prune_takes_what_is_old_and_nothing_that_is_used() {
    let app = TestApp::new().await;
    let caches = Caches(&app);
    let (old, new) =
        (caches.environment(OLD, days_ago(&app, 40), None), caches.environment(NEW, days_ago(&app, 20), None));
    let step = caches.step("7", &[("STOKER_ENVIRONMENT_KEY", OLD)]);
    assert_eq!(caches.prune(days_ago(&app, 30)).await, 0);
    assert!(old.exists() && new.exists());
    // A private environment is the step's own: the shared one of the same key is not in use.
    caches.step("7", &[("STOKER_ENVIRONMENT_KEY", OLD), ("STOKER_PRIVATE", "1")]);
    assert_eq!(caches.prune(days_ago(&app, 30)).await, 1);
    assert!(!old.exists() && new.exists());
    // Orders that cannot be read: nothing is known of what is in use, so nothing goes.
    fs::write(step.join("orders.json"), "{").unwrap();
    let everything = Prune { unused_since: Timestamp(i64::MAX), dry_run: false };
    assert!(app.caches.prune(everything).await.is_err());
    assert!(new.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_goes_with_its_environments_and_not_while_one_is_new() {
    let app = TestApp::new().await;
    let caches = Caches(&app);
    let set = caches.set(SET, days_ago(&app, 40));
    let environment = caches.environment(NEW, days_ago(&app, 20), Some(SET));
    assert_eq!(caches.prune(days_ago(&app, 30)).await, 0);
    assert!(set.exists() && environment.exists());
    assert_eq!(caches.prune(days_ago(&app, 10)).await, 2);
    assert!(!set.exists() && caches.left().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn prune_always_takes_what_is_left_of_builds_and_removals() {
    let app = TestApp::new().await;
    let caches = Caches(&app);
    caches.environment(NEW, days_ago(&app, 1), None);
    let building = caches.partial(OLD, "run-0123456789abcdef0123-1");
    caches.step("run-0123456789abcdef0123-1", &[("STOKER_ENVIRONMENT_KEY", OLD)]);
    let (dead, deleted) = (caches.partial(OLD, "6"), caches.environments().join(".deleted-built-x"));
    fs::rename(caches.partial(OLD, "5"), &deleted).unwrap();
    symlink("/nothing/there", caches.environments().join("dangling")).unwrap();
    let unfinished_set = caches.sets().join(SET);
    fs::create_dir_all(&unfinished_set).unwrap();
    // A `stoker cache warm` that was killed: nobody holds its lock.
    let abandoned = caches.step("warm-run-0123456789abcdef0123-1", &[("STOKER_ENVIRONMENT_KEY", NEW)]);
    assert_eq!(caches.prune(days_ago(&app, 30)).await, 5);
    assert!(
        building.exists() && !dead.exists() && !deleted.exists() && !unfinished_set.exists() && !abandoned.exists()
    );
    assert_eq!(
        caches.left(),
        [format!(".built-{OLD}-run-0123456789abcdef0123-1"), format!(".built-{NEW}-1"), NEW.to_owned()]
    );
    assert_eq!(caches.prune(days_ago(&app, 30)).await, 0);
    // One that was whole and has lost its link, since it is damaged: step 7 may run in it.
    let damaged = caches.partial(OLD, "4");
    fs::write(damaged.join("complete"), "1").unwrap();
    assert_eq!(caches.prune(days_ago(&app, 30)).await, 0);
    fs::write(caches.partial(NEW, "3").join("complete"), "1").unwrap();
    assert_eq!(caches.prune(days_ago(&app, 30)).await, 1);
    assert!(damaged.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_removes_nothing() {
    let app = TestApp::new().await;
    let caches = Caches(&app);
    let old = caches.environment(OLD, days_ago(&app, 40), None);
    let dead = caches.partial(NEW, "6");
    let found = app.caches.prune(Prune { unused_since: days_ago(&app, 30), dry_run: true }).await.unwrap();
    assert_eq!(found.len(), 2);
    assert!(old.exists() && dead.exists());
}

/// Gives a step a cache report of this kind, and a time.
async fn prepared(app: &TestApp, step: StepId, at: Timestamp, environment: EnvironmentUse) {
    let report =
        CacheReport { environment, requested: 0, from_cache: 0, downloaded: 0, system: None, stages: Vec::new() };
    let write = app.database.write(move |connection| {
        steps::set_cache_report(connection, step, &report)?;
        diesel::update(schema::steps::table.find(step.0))
            .set(schema::steps::created_at.eq(at.0))
            .execute(connection)?;
        Ok(())
    });
    write.await.unwrap();
}

#[tokio::test]
async fn runs_are_counted_by_day_and_by_what_they_found() {
    let app = TestApp::new().await;
    let uses = [
        (0, EnvironmentUse::Ready),
        (0, EnvironmentUse::Ready),
        (0, EnvironmentUse::Built),
        (0, EnvironmentUse::Private),
        (13, EnvironmentUse::Built),
        (14, EnvironmentUse::Ready),
    ];
    for (days, environment) in uses {
        let (_, keys) = app.save_and_run(&PLAIN).await;
        prepared(&app, keys.step, days_ago(&app, days), environment).await;
    }
    app.save_and_run(&PLAIN).await;
    let days = app.api(Method::GET, "/diagnostics", Value::Null).await.json()["days"].clone();
    assert_eq!(days[13], json!({ "day": "2024-02-29", "ready": 2, "built": 1 }));
    assert_eq!(days[0], json!({ "day": "2024-02-16", "ready": 0, "built": 1 }));
    let page = app.get("/system").await;
    assert!(page.text_of(".day-chart figcaption").contains("50 % of 4 runs"));
}

/// The query is answered from its index alone: it stays fast however many runs there are, and however long they are.
#[tokio::test]
async fn counting_runs_by_day_reads_no_run() {
    #[derive(diesel::QueryableByName)]
    struct Plan {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }
    let app = TestApp::new().await;
    let explain = format!("EXPLAIN QUERY PLAN {}", preparation::COUNT.replace('?', "0"));
    let plan = app.database.read(move |connection| Ok(diesel::sql_query(explain).load::<Plan>(connection)?));
    let plan: Vec<String> = plan.await.unwrap().into_iter().map(|step| step.detail).collect();
    assert!(plan[0].starts_with("SEARCH steps USING COVERING INDEX steps_prepared"), "{plan:?}");
}
