//! The task list.

use leptos::prelude::*;

use super::{load, query};
use crate::{
    actions::backend,
    components::{
        icon::phase_icons,
        page::Page,
        phase::{phase_badge, run_strip},
        time::{ago, duration, now},
    },
    examples,
    html::Html,
    model::{
        identifiers::Kind,
        time::Timestamp,
        views::{TaskPage, TaskQuery, TaskSummary},
    },
    routes,
};

/// Somewhat more than a row takes, so that rows are seldom moved while they grow.
const ROW_BYTES: usize = 3 * 1024;

/// The task list, newest activity first.
#[component]
pub fn TaskListPage() -> impl IntoView {
    let asked = TaskQuery {
        kind: Kind::Task,
        search: query("q").unwrap_or_default(),
        from: query("from").and_then(|text| routes::parse_cursor(&text)),
    };
    let search = asked.search.clone();
    load(async move { backend()?.list_tasks(&asked).await }, move |page| list(&search, page))
}

fn list(search: &str, page: TaskPage) -> AnyView {
    let now = now();
    let content = if page.none_at_all {
        view! { <NoTasksYet /> }.into_any()
    } else if page.tasks.is_empty() {
        nothing_found(search)
    } else {
        let mut rows = Html::with_capacity(page.tasks.len() * ROW_BYTES);
        for task in &page.tasks {
            row(&mut rows, task, now);
        }
        view! {
            {phase_icons()}
            <div class="card is-flush">
                <table class="table task-table">
                    <thead>
                        <tr>
                            <th scope="col">"Task"</th>
                            <th scope="col">"Last run"</th>
                            <th scope="col" class="task-history">"History"</th>
                            <th scope="col">"When"</th>
                            <th scope="col" class="number">"Duration"</th>
                            <th scope="col"><span class="visually-hidden">"Run"</span></th>
                        </tr>
                    </thead>
                    <tbody inner_html=rows.into_string()></tbody>
                </table>
            </div>
        }
        .into_any()
    };
    let to =
        |from| routes::tasks_page(&TaskQuery { search: search.to_owned(), from: Some(from), ..TaskQuery::default() });
    let newer = page.newer.map(|cursor| view! { <a rel="prev" href=to(cursor)>"← Newer"</a> });
    let older = page.older.map(|cursor| view! { <a rel="next" href=to(cursor)>"Older →"</a> });
    let pager = (newer.is_some() || older.is_some()).then(|| {
        view! { <nav class="pager" aria-label="Pages">{newer} {older}</nav> }
    });
    let searching = (!page.none_at_all).then(|| search_form(search));
    let title = if search.is_empty() { "Tasks".to_owned() } else { format!("{search} · Tasks") };
    view! {
        <Page title=title>
            <div class="page-head">
                <h1>"Tasks"</h1>
                {searching}
            </div>
            {content}
            {pager}
        </Page>
    }
    .into_any()
}

fn search_form(search: &str) -> AnyView {
    let clear = (!search.is_empty()).then(|| view! { <a href=routes::tasks()>"Clear"</a> });
    view! {
        <form class="search" role="search" method="get" action=routes::tasks()>
            <label class="visually-hidden" for="search">"Search tasks"</label>
            <input
                type="search"
                id="search"
                name="q"
                value=search.to_owned()
                placeholder="Name, id, code or package"
                maxlength="200"
                autocomplete="off"
            />
            <button>"Search"</button>
            {clear}
        </form>
    }
    .into_any()
}

/// A row is written by hand: with ten marks in each, rows as views would be most of the page's time.
fn row(html: &mut Html, task: &TaskSummary, now: Timestamp) {
    let TaskSummary { id, title, activity_at, recent, .. } = task;
    let title = title.as_str();
    let address = routes::task(id);

    html.markup(r#"<tr><td class="task-name is-wide"><a href=""#).text(&address).markup(r#"" dir="auto">"#).text(title);
    html.markup("</a>");
    if title != id.as_str() {
        html.markup(r#"<span class="task-id">"#).text(id.as_str()).markup("</span>");
    }

    html.markup(r#"</td><td class="task-phase">"#);
    match recent.last() {
        Some(run) => {
            html.markup(r#"<a class="run-link" href=""#).text(&routes::run(id, run.number)).markup(r#"">"#);
            phase_badge(html, run.phase);
            html.markup("</a>");
        }
        None => {
            html.markup(r#"<span class="quiet">Not run yet</span>"#);
        }
    }

    html.markup(r#"</td><td class="task-history">"#);
    // A history of one would say what stands beside it.
    if recent.len() > 1 {
        run_strip(html, id, recent, now);
    }

    html.markup(r#"</td><td class="task-when">"#);
    ago(html, recent.last().map_or(*activity_at, |run| run.started_at.unwrap_or(run.created_at)), now);

    html.markup(r#"</td><td class="task-duration number">"#);
    match recent.last() {
        Some(run) => duration(html, run, now),
        None => {
            html.markup(r#"<span class="quiet">–</span>"#);
        }
    }

    html.markup(r#"</td><td class="task-run"><form method="post" action=""#).text(&address);
    html.markup(r#""><button name="intent" value="run" aria-label="Run "#).text(title);
    html.markup(r#"">Run</button></form></td></tr>"#);
}

fn nothing_found(search: &str) -> AnyView {
    if search.is_empty() {
        return view! {
            <div class="empty">
                <p>"There are no more tasks here."</p>
                <p><a href=routes::tasks()>"Show the newest tasks"</a></p>
            </div>
        }
        .into_any();
    }
    view! {
        <div class="empty">
            <p>"No task matches " <strong dir="auto">{search.to_owned()}</strong> "."</p>
            <p>"Names, ids, code and packages were searched. " <a href=routes::tasks()>"Show all tasks"</a></p>
        </div>
    }
    .into_any()
}

/// What somebody sees who has just started: what this is, and three ways to see it work.
#[component]
fn NoTasksYet() -> impl IntoView {
    let examples = examples::ALL
        .iter()
        .map(|example| {
            view! {
                <li class="card">
                    <h3>{example.title}</h3>
                    <p>{example.sentence}</p>
                    <form method="post" action=routes::tasks()>
                        <input type="hidden" name="intent" value="example" />
                        <button name="example" value=example.key aria-label=format!("Run it: {}", example.title)>
                            "Run it"
                        </button>
                        <a
                            href=routes::new_task_from_example(example.key)
                            aria-label=format!("Look first: {}", example.title)
                        >
                            "Look first"
                        </a>
                    </form>
                </li>
            }
        })
        .collect_view();
    view! {
        <div class="empty welcome">
            <p class="lead">
                "A task is a Python program with its packages. Stoker runs it in a warm environment and shows its log live."
            </p>
            <p><a class="button is-primary" href=routes::new_task()>"Write your first task"</a></p>
            <h2>"Or start with an example"</h2>
            <ul class="examples">{examples}</ul>
        </div>
    }
    .into_any()
}
