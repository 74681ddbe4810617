//! The runs of a task or of a flow, as a table on its page.

use leptos::prelude::*;

use super::run_summary::beside_field;
use crate::{
    components::{
        phase::PhaseBadge,
        time::{Ago, Duration},
    },
    model::{
        identifiers::{Kind, RunNumber, TaskId},
        time::Timestamp,
        views::{RunSummary, TaskDetail},
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
    /// The run that is shown beside the code.
    pub shown: Option<RunNumber>,
}

impl<'a> RunHistory<'a> {
    /// The runs of a task that were read with it.
    pub fn of_task(task: &'a TaskDetail, shown: Option<RunNumber>, is_older_page: bool) -> Self {
        Self { id: &task.id, runs: &task.runs, older_than: task.older_than, is_older_page, shown }
    }

    pub fn view(&self, now: Timestamp) -> AnyView {
        let Self { id, runs, older_than, is_older_page, shown } = *self;
        if runs.is_empty() && !is_older_page {
            return view! { <p class="empty">"Not run yet. Press Run, and its log appears live."</p> }.into_any();
        }
        let rows = runs.iter().map(|run| run_row(id, run, shown, now)).collect_view();
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

/// A run's row, with an id at which the browser renews it.
pub fn run_row(id: &TaskId, run: &RunSummary, shown: Option<RunNumber>, now: Timestamp) -> AnyView {
    let number = run.number;
    let is_shown = shown == Some(number);
    let compare = shown.filter(|_| !is_shown).map(|shown| {
        let label = format!("Compare run {number} with run {shown}");
        let (older, newer) = (number.min(shown), number.max(shown));
        view! { <a class="run-compare" href=routes::compare(id, older, newer) aria-label=label>"Compare"</a> }
    });
    let (address, back) = match id.kind() {
        Kind::Task => (routes::task_beside(id, number), Some(beside_field())),
        Kind::Flow => (routes::run(id, number), None),
    };
    let message = run.message.clone();
    let message_title = message.clone();
    let cancel = (!run.phase.is_final()).then(|| {
        view! {
            <form method="post" action=routes::run(id, number)>
                {back}
                <button class="is-small" name="intent" value="cancel" aria-label=format!("Cancel run {number}")>
                    "Cancel"
                </button>
            </form>
        }
    });
    view! {
        <tr id=format!("run-row-{number}") class=is_shown.then_some("is-chosen")>
            <td class="run-number">
                <a href=address aria-current=is_shown.then_some("true")>"#" {number.to_string()}</a>
            </td>
            <td class="run-phase"><PhaseBadge phase=run.phase /></td>
            <td class="run-when"><Ago at=run.started_at.unwrap_or(run.created_at) now /></td>
            <td class="run-duration number"><Duration run=run.clone() now /></td>
            <td class="run-message is-wide" title=message_title>{message}</td>
            <td class="run-edit">
                {cancel}
                {compare}
                <a href=routes::edit_task(id, Some(number)) aria-label=format!("Edit & Rerun run {number}")>
                    "Edit & Rerun"
                </a>
            </td>
        </tr>
    }
    .into_any()
}
