//! How a phase looks: always word, drawing and colour together.

use leptos::prelude::*;

use super::{icon::phase_icon, time::duration_words};
use crate::{
    model::{identifiers::TaskId, phase::Phase, time::Timestamp, views::RunSummary},
    routes,
};

/// The class that gives a phase its colour.
pub const fn phase_class(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "phase is-pending",
        Phase::Running => "phase is-running",
        Phase::Succeeded => "phase is-succeeded",
        Phase::Failed => "phase is-failed",
        Phase::Error => "phase is-error",
        Phase::Cancelled => "phase is-cancelled",
    }
}

/// The sign of a phase in a page's title.
pub const fn phase_sign(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "○",
        Phase::Running => "●",
        Phase::Succeeded => "✓",
        Phase::Failed | Phase::Error => "✗",
        Phase::Cancelled => "⊘",
    }
}

/// The icon of a page about a run in this phase.
pub const fn phase_favicon(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "/favicon-pending.svg",
        Phase::Running => "/favicon-running.svg",
        Phase::Succeeded => "/favicon-succeeded.svg",
        Phase::Failed | Phase::Error | Phase::Cancelled => "/favicon-failed.svg",
    }
}

/// A phase.
#[component]
pub fn PhaseBadge(
    /// Which one.
    phase: Phase,
) -> impl IntoView {
    view! { <span class=phase_class(phase)>{phase_icon(phase)} <span>{phase.word()}</span></span> }.into_any()
}

/// The last runs of a task as a row of small links, the latest at the end.
#[component]
pub fn RunStrip(
    /// The task.
    id: TaskId,
    /// Its runs, oldest first.
    runs: Vec<RunSummary>,
    /// The time of the request.
    now: Timestamp,
) -> impl IntoView {
    let marks = runs
        .into_iter()
        .map(|run| {
            let words = format!("Run #{}: {}, {}", run.number, run.phase.word(), duration_words(&run, now));
            let title = words.clone();
            view! {
                <li>
                    <a class=phase_class(run.phase) href=routes::run(&id, run.number) title=title>
                        {phase_icon(run.phase)}
                        <span class="visually-hidden">{words}</span>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="run-strip" aria-label="Last runs, the latest at the end">{marks}</ol> }.into_any()
}
