//! A task: what it is, and its runs.

use leptos::prelude::*;

use super::{load, query, run_history::RunHistory, task_id};
use crate::{
    actions::backend,
    components::{
        code::CodeBlock,
        page::Page,
        script_link::script_link,
        spec::{ReadinessBadges, SpecFacts},
        time::{Ago, now},
    },
    model::{cache::Readiness, identifiers::TaskId, views::TaskDetail},
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
    let TaskDetail { id, spec, updated_at, runs, older_than, .. } = task;
    let history = RunHistory { id: &id, runs: &runs, older_than, is_older_page }.view(now);
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
                {actions(&id)}
            </div>
            <section aria-labelledby="runs">
                <h2 id="runs">"Runs"</h2>
                {history}
            </section>
            <section aria-labelledby="code-title">
                <h2 id="code-title">"Code"</h2>
                <ReadinessBadges readiness />
                <SpecFacts spec=spec.clone() />
                {script_link(&routes::task(&id))}
                <CodeBlock code=spec.code.as_str() label="The task's code" has_anchors=true />
            </section>
        </Page>
    }
    .into_any()
}

/// What can be done with a task, or with a flow.
pub fn actions(id: &TaskId) -> AnyView {
    view! {
        <form class="actions" method="post" action=routes::task(id)>
            <button class="is-primary" name="intent" value="run" data-key="r">"Run"</button>
            <a class="button" href=routes::edit_task(id, None) data-key="e">"Edit"</a>
            <a class="button is-quiet" href=routes::delete_task(id)>"Delete"</a>
        </form>
    }
    .into_any()
}
