//! How a phase looks: always word, drawing and colour together.

use std::fmt::Write as _;

use leptos::prelude::*;

use super::{
    icon::{phase_icon, phase_icon_html},
    time::duration_words,
};
use crate::{
    html::escape,
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
    // As one text: with ten marks a task they are most of the list, and a view each would be most of its time.
    let mut marks = String::new();
    for run in &runs {
        let words = escape(&format!("Run #{}: {}, {}", run.number, run.phase.word(), duration_words(run, now)));
        let (class, href, icon) = (phase_class(run.phase), routes::run(&id, run.number), phase_icon_html(run.phase));
        // Writing to a `String` cannot fail.
        let _ = write!(
            marks,
            r#"<li><a class="{class}" href="{href}" title="{words}" aria-label="{words}">{icon}</a></li>"#
        );
    }
    view! { <ol class="run-strip" aria-label="Last runs, the latest at the end" inner_html=marks></ol> }.into_any()
}
