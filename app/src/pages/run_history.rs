//! The runs of a task or of a flow, as a table on its page.

use leptos::prelude::*;

use crate::{
    components::{
        phase::PhaseBadge,
        time::{Ago, Duration},
    },
    model::{
        identifiers::{RunNumber, TaskId},
        time::Timestamp,
        views::RunSummary,
    },
    routes,
};

/// A page of the runs of a task or of a flow.
pub struct RunHistory<'a> {
    pub id: &'a TaskId,
    /// Newest first.
    pub runs: &'a [RunSummary],
    /// Set when there are older ones: the number to continue below.
    pub older_than: Option<RunNumber>,
    /// Whether there are newer ones.
    pub is_older_page: bool,
}

impl RunHistory<'_> {
    pub fn view(&self, now: Timestamp) -> AnyView {
        let Self { id, runs, older_than, is_older_page } = *self;
        if runs.is_empty() && !is_older_page {
            return view! { <p class="empty">"Not run yet. Press Run, and its log appears live."</p> }.into_any();
        }
        let rows = runs.iter().map(|run| run_row(id, run, now)).collect_view();
        let newest =
            is_older_page.then(|| view! { <a rel="prev" href=format!("{}#runs", routes::task(id))>"← Newest"</a> });
        let older = older_than.map(|number| view! { <a rel="next" href=routes::task_older(id, number)>"Older →"</a> });
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
