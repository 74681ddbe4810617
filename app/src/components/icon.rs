//! Small drawings. They repeat a word beside them, so they are hidden from screen readers.

use leptos::prelude::*;

use crate::{
    html::Html,
    model::{checkpoint::CheckpointStatus, phase::Phase},
};

/// The drawing of a phase.
pub fn phase_icon(html: &mut Html, phase: Phase) {
    html.markup(r#"<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">"#);
    html.markup(phase_strokes(phase)).markup("</svg>");
}

/// The drawings of all phases, shown by none of themselves: on a page with many, [`phase_icon_shared`] refers to them.
pub fn phase_icons() -> AnyView {
    let mut html = Html::default();
    html.markup(r#"<svg class="shared-icons" width="0" height="0" aria-hidden="true">"#);
    for phase in Phase::ALL {
        html.markup(r#"<symbol viewBox="0 0 16 16" id=""#).text(shared_id(phase)).markup(r#"">"#);
        html.markup(phase_strokes(phase)).markup("</symbol>");
    }
    html.markup("</svg>");
    html.into_element()
}

/// The drawing of a phase, on a page with [`phase_icons`].
pub fn phase_icon_shared(html: &mut Html, phase: Phase) {
    html.markup(r##"<svg class="icon" aria-hidden="true"><use href="#"##).text(shared_id(phase));
    html.markup(r#""/></svg>"#);
}

/// The id of the drawing of a phase, on a page with [`phase_icons`].
pub const fn shared_id(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "icon-pending",
        Phase::Running => "icon-running",
        Phase::Succeeded => "icon-succeeded",
        Phase::Failed => "icon-failed",
        Phase::Error => "icon-error",
        Phase::Cancelled => "icon-cancelled",
        Phase::Skipped => "icon-skipped",
    }
}

const fn phase_strokes(phase: Phase) -> &'static str {
    // Shapes differ, not only colours.
    match phase {
        Phase::Pending => r#"<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.3 1.6"/>"#,
        Phase::Running => {
            r#"<circle cx="8" cy="8" r="6" opacity=".35"/><path class="turning" d="M8 2a6 6 0 0 1 6 6"/>"#
        }
        Phase::Succeeded => r#"<circle cx="8" cy="8" r="6"/><path d="m5.2 8.2 2 2 3.6-4.2"/>"#,
        Phase::Failed => r#"<circle cx="8" cy="8" r="6"/><path d="m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4"/>"#,
        Phase::Error => r#"<path d="M8 1.9 14.4 13.4H1.6Z"/><path d="M8 6v3.4m0 1.7v.2"/>"#,
        Phase::Cancelled => r#"<circle cx="8" cy="8" r="6"/><path d="M4 12 12 4"/>"#,
        Phase::Skipped => r#"<circle cx="8" cy="8" r="6" stroke-dasharray="2.5 2.2"/><path d="M5.5 8h5"/>"#,
    }
}

/// The drawing of a checkpoint's status.
pub fn checkpoint_icon(status: CheckpointStatus) -> AnyView {
    drawing(match status {
        CheckpointStatus::Ok => r#"<path d="m3.5 8.5 3 3 6-7"/>"#,
        CheckpointStatus::Skipped => r#"<path d="M4 8h8"/>"#,
        CheckpointStatus::Warning => r#"<path d="M8 1.9 14.4 13.4H1.6Z"/><path d="M8 6v3.4m0 1.7v.2"/>"#,
        CheckpointStatus::Failed => r#"<path d="m4 4 8 8m0-8-8 8"/>"#,
    })
}

pub fn flame() -> AnyView {
    drawing(
        r#"<path d="M8 1.5c.4 2.6 3.9 4 3.9 8A3.9 3.9 0 0 1 8 14.5a3.9 3.9 0 0 1-3.9-4.2c0-2 1.2-2.9 1.6-4.6 1.2.5 1.7 1.4 1.8 2.2.8-1.6.9-3.9.5-6.4Z"/>"#,
    )
}

fn drawing(content: &'static str) -> AnyView {
    view! {
        <svg
            class="icon"
            viewBox="0 0 16 16"
            width="16"
            height="16"
            aria-hidden="true"
            inner_html=content
        ></svg>
    }
    .into_any()
}
