//! Points in time and lengths of time on a page. The `Ticker` island keeps them right while the page stays open.

use leptos::prelude::*;

use crate::{
    model::{
        time::{Timestamp, ago_text, duration_text, elapsed_text},
        views::RunSummary,
    },
    page_context::Now,
};

/// The time of the request.
pub fn now() -> Timestamp {
    use_context::<Now>().map_or(Timestamp(0), |Now(now)| now)
}

/// How long ago something was; the exact time is in the title.
#[component]
pub fn Ago(
    /// When it was.
    at: Timestamp,
    /// The time of the request.
    now: Timestamp,
) -> impl IntoView {
    view! {
        <time class="ago" datetime=at.to_rfc3339() title=at.to_utc_text() data-at=at.0.to_string()>
            {ago_text(now.millis_since(at))}
        </time>
    }
    .into_any()
}

/// How long a run took, or has taken so far.
#[component]
pub fn Duration(
    /// The run.
    run: RunSummary,
    /// The time of the request.
    now: Timestamp,
) -> impl IntoView {
    match (run.started_at, run.finished_at) {
        (Some(started), Some(finished)) => {
            let millis = finished.millis_since(started);
            view! {
                <time class="duration" datetime=iso_duration(millis)>
                    {duration_text(millis)}
                </time>
            }
            .into_any()
        }
        (Some(started), None) if !run.phase.is_final() => {
            let millis = now.millis_since(started);
            view! {
                <time class="duration" datetime=iso_duration(millis) data-since=started.0.to_string()>
                    {elapsed_text(millis)}
                </time>
            }
            .into_any()
        }
        _ => view! { <span class="duration quiet">"–"</span> }.into_any(),
    }
}

/// How long a run took, in a sentence.
pub fn duration_words(run: &RunSummary, now: Timestamp) -> String {
    match (run.started_at, run.finished_at) {
        (Some(started), Some(finished)) => duration_text(finished.millis_since(started)),
        (Some(started), None) if !run.phase.is_final() => format!("for {}", elapsed_text(now.millis_since(started))),
        (None, _) if !run.phase.is_final() => "not started".to_owned(),
        _ => "no duration".to_owned(),
    }
}

fn iso_duration(millis: u64) -> String {
    format!("PT{}.{:03}S", millis / 1000, millis % 1000)
}
