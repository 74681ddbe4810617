//! The lists of tasks and of flows.

use leptos::prelude::*;

use super::{load, query, renewed_every};
use crate::{
    actions::backend,
    components::{
        filter::{filter, filter_link},
        icon::phase_icons,
        page::Page,
        phase::{phase_badge, run_strip},
        time::{ago, duration, now},
    },
    examples,
    html::Html,
    model::{
        identifiers::Kind,
        last_run::LastRun,
        run_list::Since,
        spec::EngineChoice,
        task_counts::TaskCounts,
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
    list_page(Kind::Task)
}

/// The list of flows, newest activity first.
#[component]
pub fn FlowListPage() -> impl IntoView {
    list_page(Kind::Flow)
}

fn list_page(kind: Kind) -> impl IntoView {
    let asked = TaskQuery {
        kind,
        search: query("q").unwrap_or_default(),
        last: query("last").and_then(|word| LastRun::parse(&word)),
        engine: query("engine").and_then(|name| EngineChoice::parse(&name).ok().flatten()),
        since: query("since").and_then(|word| Since::parse(&word)),
        from: query("from").and_then(|text| routes::parse_cursor(&text)),
    };
    let shown = TaskQuery { from: None, ..asked.clone() };
    load(async move { backend()?.list_tasks(&asked).await }, move |page| list(&shown, page))
}

/// A list's heading, and that of its first column.
const fn headings(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Task => ("Tasks", "Task"),
        Kind::Flow => ("Flows", "Flow"),
    }
}

/// Where a search looks: before one, and after it.
const fn searched(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Task => ("Name, id, code or package", "Names, ids, code and packages were searched. "),
        Kind::Flow => ("Name or id", "Names and ids were searched. "),
    }
}

/// A page of a list; `shown` says of what.
fn list(shown: &TaskQuery, page: TaskPage) -> AnyView {
    let (title, column) = headings(shown.kind);
    let now = now();
    let is_active = page.tasks.iter().any(|task| task.recent.last().is_some_and(|run| !run.phase.is_final()));
    let content = if page.none_at_all {
        match shown.kind {
            Kind::Task => view! { <NoTasksYet /> }.into_any(),
            Kind::Flow => view! { <NoFlowsYet /> }.into_any(),
        }
    } else if page.tasks.is_empty() {
        nothing_found(shown)
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
                            <th scope="col">{column}</th>
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
    let to = |from| routes::tasks_page(&TaskQuery { from: Some(from), ..shown.clone() });
    let newer = page.newer.map(|cursor| view! { <a rel="prev" href=to(cursor)>"← Newer"</a> });
    let older = page.older.map(|cursor| view! { <a rel="next" href=to(cursor)>"Older →"</a> });
    let pager = (newer.is_some() || older.is_some()).then(|| {
        view! { <nav class="pager" aria-label="Pages">{newer} {older}</nav> }
    });
    let filters = (!page.none_at_all).then(|| filters(shown, &page.counts));
    let searching = (!page.none_at_all).then(|| search_form(shown));
    let tab_title = if shown.search.is_empty() { title.to_owned() } else { format!("{} · {title}", shown.search) };
    // A new task is offered on every page.
    let new_flow = (shown.kind == Kind::Flow && !page.none_at_all)
        .then(|| view! { <a class="button" href=routes::new_flow()>"New flow"</a> });
    view! {
        <Page title=tab_title>
            <div class="page-head">
                <h1>{title}</h1>
                {searching}
                {new_flow}
            </div>
            <div id="list" data-every=renewed_every(is_active)>
                {filters}
                {content}
                {pager}
            </div>
        </Page>
    }
    .into_any()
}

fn filters(shown: &TaskQuery, counts: &TaskCounts) -> AnyView {
    let last = counts.last.iter().map(|(choice, count)| {
        let (choice, word) = (*choice, choice.map_or("All", LastRun::word));
        let address = routes::tasks_page(&TaskQuery { last: choice, ..shown.clone() });
        filter_link(word.to_owned(), *count, address, choice == shown.last)
    });
    let engines = counts.engines.iter().map(|(choice, count)| {
        let word = choice.as_ref().map_or("All", EngineChoice::as_str);
        let address = routes::tasks_page(&TaskQuery { engine: choice.clone(), ..shown.clone() });
        filter_link(word.to_owned(), *count, address, *choice == shown.engine)
    });
    let ages = counts.ages.iter().map(|(choice, count)| {
        let (choice, words) = (*choice, choice.map_or("Any time", Since::words));
        let address = routes::tasks_page(&TaskQuery { since: choice, ..shown.clone() });
        filter_link(words.to_owned(), *count, address, choice == shown.since)
    });
    view! {
        <nav class="filters" aria-label="Filters">
            {filter("Last run", last.collect())} {filter("Engine", engines.collect())} {filter("Since", ages.collect())}
        </nav>
    }
    .into_any()
}

fn search_form(shown: &TaskQuery) -> AnyView {
    let all = routes::list(shown.kind);
    let filters = shown
        .filters()
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view();
    let clear = (!shown.search.is_empty()).then(|| view! { <a href=all.clone()>"Clear"</a> });
    view! {
        <form class="search" role="search" method="get" action=all>
            <label class="visually-hidden" for="search">{format!("Search {}s", shown.kind.word())}</label>
            <input
                type="search"
                id="search"
                name="q"
                value=shown.search.clone()
                placeholder=searched(shown.kind).0
                maxlength="200"
                autocomplete="off"
            />
            {filters}
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

fn nothing_found(shown: &TaskQuery) -> AnyView {
    let (one, all) = (shown.kind.word(), routes::list(shown.kind));
    if !shown.is_filtered() {
        return view! {
            <div class="empty">
                <p>{format!("There are no more {one}s here.")}</p>
                <p><a href=all>{format!("Show the newest {one}s")}</a></p>
            </div>
        }
        .into_any();
    }
    let searched_for = (!shown.search.is_empty()).then(|| {
        view! { <strong dir="auto">{shown.search.clone()}</strong> " and " }
    });
    if !shown.filters().is_empty() {
        return view! {
            <div class="empty">
                <p>{format!("No {one} matches ")} {searched_for} "the filters."</p>
                <p><a href=all>{format!("Show all {one}s")}</a></p>
            </div>
        }
        .into_any();
    }
    view! {
        <div class="empty">
            <p>{format!("No {one} matches ")} <strong dir="auto">{shown.search.clone()}</strong> "."</p>
            <p>{searched(shown.kind).1} <a href=all>{format!("Show all {one}s")}</a></p>
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
            let look = routes::new_task_from_example(example.key);
            example_card(Kind::Task, example.key, example.title, example.sentence, look)
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

/// The same for flows.
#[component]
fn NoFlowsYet() -> impl IntoView {
    let examples = examples::FLOWS
        .iter()
        .map(|example| {
            let look = routes::new_flow_from_example(example.key);
            example_card(Kind::Flow, example.key, example.title, example.sentence, look)
        })
        .collect_view();
    view! {
        <div class="empty welcome">
            <p class="lead">
                "A flow is several Python programs, its steps, that run in an order and hand data to each other."
            </p>
            <p><a class="button is-primary" href=routes::new_flow()>"Make your first flow"</a></p>
            <h2>"Or start with an example"</h2>
            <ul class="examples">{examples}</ul>
        </div>
    }
    .into_any()
}

/// An example: run at once, or looked at first.
fn example_card(kind: Kind, key: &'static str, title: &'static str, sentence: &'static str, look: String) -> AnyView {
    view! {
        <li class="card">
            <h3>{title}</h3>
            <p>{sentence}</p>
            <form method="post" action=routes::list(kind)>
                <input type="hidden" name="intent" value="example" />
                <button name="example" value=key aria-label=format!("Run it: {title}")>"Run it"</button>
                <a href=look aria-label=format!("Look first: {title}")>"Look first"</a>
            </form>
        </li>
    }
    .into_any()
}
