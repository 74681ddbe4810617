//! The filters of the list of tasks, by its page.

use app::model::phase::Phase;

use crate::{
    run_list::{DAY, seed},
    support::TestApp,
};

#[tokio::test]
async fn each_filter_narrows_the_list_and_counts_its_choices() {
    let app = TestApp::new().await;
    seed(&app, "Old", 3, Phase::Failed, "local").await;
    app.clock.pass(2 * DAY);
    seed(&app, "Busy", 2, Phase::Running, "local").await;
    app.clock.pass(1000);
    seed(&app, "New", 4, Phase::Failed, "argo").await;
    app.clock.pass(1000);
    app.save(&[("name", "Draft"), ("code", "1")]).await;

    let all = app.get("/tasks").await;
    let last = ["All 4", "Active 1", "Running 1", "Failed 2", "Not run yet 1"];
    assert_eq!(all.choices("last-run"), last);
    assert_eq!(all.choices("engine"), ["All 4", "argo 1", "local 2"]);
    assert_eq!(all.choices("since"), ["Any time 4", "Last hour 3", "24 hours 3", "7 days 4", "30 days 4"]);
    for (filters, names) in [
        ("engine=argo", "New"),
        ("engine=local", "Busy, Old"),
        ("engine=local&since=24h", "Busy"),
        ("last=failed&since=7d", "New, Old"),
        ("since=1h", "Draft, New, Busy"),
        ("last=none&engine=local", ""),
        ("engine=nowhere", ""),
        ("engine=%20&since=2h", "Draft, New, Busy, Old"),
    ] {
        let page = app.get(&format!("/tasks?{filters}")).await;
        assert_eq!(page.texts(".task-name a").join(", "), names, "{filters}");
    }
    let none = app.get("/tasks?q=ew&last=none&engine=local").await;
    assert_eq!(none.texts(".empty p"), ["No task matches ew and the filters.", "Show all tasks"]);

    let failed = app.get("/tasks?q=ew&last=failed&since=24h").await;
    assert_eq!(failed.choices("last-run"), ["All 1", "Failed 1"]);
    assert_eq!(failed.choices("engine"), ["All 1", "argo 1", "local 0"]);
    assert_eq!(failed.texts(".filter a[aria-current]"), ["Failed 1", "All 1", "24 hours 1"]);
    assert_eq!(failed.attributes(".search input[name=since]", "value"), ["24h"], "a search keeps the filters");
    let engines = failed.attributes("[aria-labelledby=filter-engine] a", "href");
    assert_eq!(engines[1], "/tasks?q=ew&last=failed&engine=argo&since=24h");
    assert_eq!(app.get(&engines[1]).await.texts(".task-name a"), ["New"]);
}

#[tokio::test]
async fn what_there_is_only_one_of_is_not_offered() {
    let app = TestApp::new().await;
    seed(&app, "Only", 1, Phase::Succeeded, "local").await;
    assert!(app.get("/tasks").await.choices("engine").is_empty());
    assert_eq!(
        app.get("/flows?engine=local").await.texts(".empty .lead").len(),
        1,
        "the first flow is still to be made"
    );
}
