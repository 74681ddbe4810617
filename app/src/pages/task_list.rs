//! The task list.

use leptos::prelude::*;

use super::{load, query};
use crate::{
    actions::backend,
    components::{
        page::Page,
        phase::{PhaseBadge, RunStrip},
        time::{Ago, Duration, now},
    },
    examples,
    model::{
        time::Timestamp,
        views::{TaskPage, TaskQuery, TaskSummary},
    },
    routes,
};

/// The task list, newest activity first.
#[component]
pub fn TaskListPage() -> impl IntoView {
    let asked = TaskQuery {
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
        let rows = page.tasks.into_iter().map(|task| row(task, now)).collect_view();
        view! {
            <div class="table-frame">
                <table class="task-table">
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
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    let to = |from| routes::tasks_page(&TaskQuery { search: search.to_owned(), from: Some(from) });
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

fn row(task: TaskSummary, now: Timestamp) -> AnyView {
    let TaskSummary { id, name, activity_at, recent, .. } = task;
    let title = name.map_or_else(|| id.to_string(), |name| name.as_str().to_owned());
    let address = routes::task(&id);
    let run_label = format!("Run {title}");
    let is_named = title != id.as_str();
    let last = recent.last().cloned();
    let (phase, when, duration) = match last {
        Some(run) => (
            view! {
                <a class="run-link" href=routes::run(&id, run.number)><PhaseBadge phase=run.phase /></a>
            }
            .into_any(),
            view! { <Ago at=run.started_at.unwrap_or(run.created_at) now /> }.into_any(),
            view! { <Duration run now /> }.into_any(),
        ),
        None => (
            view! { <span class="quiet">"Not run yet"</span> }.into_any(),
            view! { <Ago at=activity_at now /> }.into_any(),
            view! { <span class="quiet">"–"</span> }.into_any(),
        ),
    };
    let under = is_named.then(|| view! { <span class="task-id">{id.to_string()}</span> });
    view! {
        <tr>
            <td class="task-name">
                <a href=address.clone() dir="auto">{title}</a>
                {under}
            </td>
            <td class="task-phase">{phase}</td>
            <td class="task-history"><RunStrip id=id runs=recent now /></td>
            <td class="task-when">{when}</td>
            <td class="task-duration number">{duration}</td>
            <td class="task-run">
                <form method="post" action=address>
                    <button name="intent" value="run" aria-label=run_label>"Run"</button>
                </form>
            </td>
        </tr>
    }
    .into_any()
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
                <li>
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
        <div class="empty is-welcome">
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
