//! How a phase looks: always word, drawing and colour together.

use leptos::prelude::*;

use super::{
    icon::{phase_icon, phase_icon_shared},
    time::duration_words,
};
use crate::{
    html::Html,
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
        Phase::Skipped => "phase is-skipped",
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
        Phase::Skipped => "–",
    }
}

/// The icon of a page about a run in this phase.
pub const fn phase_favicon(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "/favicon-pending.svg",
        Phase::Running => "/favicon-running.svg",
        Phase::Succeeded => "/favicon-succeeded.svg",
        Phase::Failed | Phase::Error | Phase::Cancelled | Phase::Skipped => "/favicon-failed.svg",
    }
}

#[component]
pub fn PhaseBadge(phase: Phase) -> impl IntoView {
    let mut html = Html::default();
    phase_badge(&mut html, phase);
    html.into_element()
}

/// The HTML of [`PhaseBadge`].
pub fn phase_badge(html: &mut Html, phase: Phase) {
    html.markup(r#"<span class=""#).markup(phase_class(phase)).markup(r#"">"#);
    phase_icon(html, phase);
    html.markup("<span>").text(phase.word()).markup("</span></span>");
}

/// A phase, on a page with [`phase_icons`](super::icon::phase_icons).
pub fn phase_badge_shared(html: &mut Html, phase: Phase) {
    html.markup(r#"<span class=""#).markup(phase_class(phase)).markup(r#"">"#);
    phase_icon_shared(html, phase);
    html.markup("<span>").text(phase.word()).markup("</span></span>");
}

/// The last runs of a task as a row of small links, the latest at the end, on a page with
/// [`phase_icons`](super::icon::phase_icons). A link's title is also its name for screen readers: there is no other
/// text in it.
pub fn run_strip(html: &mut Html, id: &TaskId, runs: &[RunSummary], now: Timestamp) {
    html.markup(r#"<ol class="run-strip" aria-label="Last runs, the latest at the end">"#);
    for run in runs {
        html.markup(r#"<li><a class=""#).markup(phase_class(run.phase));
        html.markup(r#"" href=""#).text(&routes::run(id, run.number));
        html.markup(r#"" title="Run #"#).value(run.number);
        html.markup(": ").text(run.phase.word());
        html.markup(", ").text(&duration_words(run, now)).markup(r#"">"#);
        phase_icon_shared(html, run.phase);
        html.markup("</a></li>");
    }
    html.markup("</ol>");
}
