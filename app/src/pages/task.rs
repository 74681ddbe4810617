//! A task: what it is, and its runs.

use leptos::prelude::*;

use super::{load, query, task_id};
use crate::{
    actions::backend,
    components::{
        code::CodeBlock,
        page::Page,
        phase::PhaseBadge,
        spec::{ReadinessBadges, SpecFacts},
        time::{Ago, Duration, now},
    },
    model::{
        cache::Readiness,
        identifiers::TaskId,
        time::Timestamp,
        views::{RunSummary, TaskDetail},
    },
    routes,
};

/// A task with its runs.
#[component]
pub fn TaskPage() -> impl IntoView {
    let id = task_id();
    let older_than = query("older_than").and_then(|number| number.parse().ok());
    let data = async move {
        let backend = backend()?;
        let task = backend.task(&id?, older_than).await?;
        let readiness = backend.readiness(&task.spec).await;
        Ok((task, readiness))
    };
    load(data, move |(task, readiness)| show(task, readiness, older_than.is_some()))
}

fn show(task: TaskDetail, readiness: Readiness, is_older_page: bool) -> AnyView {
    let now = now();
    let title = task.title().to_string();
    let TaskDetail { id, spec, updated_at, .. } = task.clone();
    view! {
        <Page title=title.clone()>
            <div class="page-head">
                <div>
                    <h1 dir="auto">{title}</h1>
                    <p class="facts">
                        <span class="task-id">{id.to_string()}</span>
                        <span>"saved " <Ago at=updated_at now /></span>
                    </p>
                </div>
                <form class="actions" method="post" action=routes::task(&id)>
                    <button class="is-primary" name="intent" value="run">"Run"</button>
                    <a class="button" href=routes::edit_task(&id, None)>"Edit"</a>
                    <a class="button is-quiet" href=routes::delete_task(&id)>"Delete"</a>
                </form>
            </div>
            <section aria-labelledby="runs">
                <h2 id="runs">"Runs"</h2>
                {history(&task, is_older_page, now)}
            </section>
            <section aria-labelledby="code-title">
                <h2 id="code-title">"Code"</h2>
                <ReadinessBadges readiness />
                <SpecFacts spec=spec.clone() />
                <CodeBlock code=spec.code.as_str() label="The task's code" />
            </section>
        </Page>
    }
    .into_any()
}

fn history(task: &TaskDetail, is_older_page: bool, now: Timestamp) -> AnyView {
    if task.runs.is_empty() && !is_older_page {
        return view! { <p class="empty">"Not run yet. Press Run, and its log appears live."</p> }.into_any();
    }
    let rows = task.runs.iter().map(|run| run_row(&task.id, run, now)).collect_view();
    let newest =
        is_older_page.then(|| view! { <a rel="prev" href=format!("{}#runs", routes::task(&task.id))>"← Newest"</a> });
    let older =
        task.older_than.map(|number| view! { <a rel="next" href=routes::task_older(&task.id, number)>"Older →"</a> });
    let pager = (newest.is_some() || older.is_some()).then(|| {
        view! { <nav class="pager" aria-label="Pages of runs">{newest} {older}</nav> }
    });
    view! {
        <div class="card is-flush">
            <table class="table run-table">
                <thead>
                    <tr>
                        <th scope="col">"Run"</th>
                        <th scope="col">"Phase"</th>
                        <th scope="col">"When"</th>
                        <th scope="col" class="number">"Duration"</th>
                        <th scope="col">"Message"</th>
                        <th scope="col"><span class="visually-hidden">"Start again from it"</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {pager}
    }
    .into_any()
}

fn run_row(id: &TaskId, run: &RunSummary, now: Timestamp) -> AnyView {
    let number = run.number;
    let message = run.message.clone();
    let message_title = message.clone();
    let cancel = (!run.phase.is_final()).then(|| {
        view! {
            <form method="post" action=routes::run(id, number)>
                <button class="is-small" name="intent" value="cancel" aria-label=format!("Cancel run {number}")>
                    "Cancel"
                </button>
            </form>
        }
    });
    view! {
        <tr>
            <td class="run-number"><a href=routes::run(id, number)>"#" {number.to_string()}</a></td>
            <td class="run-phase"><PhaseBadge phase=run.phase /></td>
            <td class="run-when"><Ago at=run.started_at.unwrap_or(run.created_at) now /></td>
            <td class="run-duration number"><Duration run=run.clone() now /></td>
            <td class="run-message is-wide" title=message_title>{message}</td>
            <td class="run-edit">
                {cancel}
                <a href=routes::edit_task(id, Some(number)) aria-label=format!("Edit & Rerun run {number}")>
                    "Edit & Rerun"
                </a>
            </td>
        </tr>
    }
    .into_any()
}
