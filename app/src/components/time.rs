//! Points in time and lengths of time on a page. The `Ticker` island keeps them right while the page stays open.

use leptos::prelude::*;

use crate::{
    html::Html,
    model::{
        flow::timing::Span,
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
    at: Timestamp,
    /// The time of the request.
    now: Timestamp,
) -> impl IntoView {
    let mut html = Html::default();
    ago(&mut html, at, now);
    html.into_element()
}

/// The HTML of [`Ago`].
pub fn ago(html: &mut Html, at: Timestamp, now: Timestamp) {
    html.markup(r#"<time class="ago" datetime=""#).text(&at.to_rfc3339());
    html.markup(r#"" title=""#).text(&at.to_utc_text());
    html.markup(r#"" data-at=""#).value(at.0);
    html.markup(r#"">"#).text(&ago_text(now.millis_since(at))).markup("</time>");
}

/// How long a run took, or has taken so far.
#[component]
pub fn Duration(
    run: RunSummary,
    /// The time of the request.
    now: Timestamp,
) -> impl IntoView {
    let mut html = Html::default();
    duration(&mut html, &run, now);
    html.into_element()
}

/// How long something has taken so far.
#[component]
pub fn Elapsed(
    since: Timestamp,
    /// The time of the request.
    now: Timestamp,
) -> impl IntoView {
    let mut html = Html::default();
    elapsed(&mut html, since, now);
    html.into_element()
}

fn elapsed(html: &mut Html, since: Timestamp, now: Timestamp) {
    let millis = now.millis_since(since);
    html.markup(r#"<time class="duration" datetime=""#).text(&iso_duration(millis));
    html.markup(r#"" data-since=""#).value(since.0);
    html.markup(r#"">"#).text(&elapsed_text(millis)).markup("</time>");
}

/// The HTML of [`Duration`].
pub fn duration(html: &mut Html, run: &RunSummary, now: Timestamp) {
    let goes_on = run.finished_at.is_none() && !run.phase.is_final();
    match run.started_at.filter(|_| goes_on || run.finished_at.is_some()) {
        Some(from) => span(html, Span { from, to: run.finished_at }, now),
        None => drop(html.markup(r#"<span class="duration quiet">–</span>"#)),
    }
}

/// How long a stretch of time took, or has taken so far.
pub fn span(html: &mut Html, span: Span, now: Timestamp) {
    if span.to.is_none() {
        return elapsed(html, span.from, now);
    }
    let millis = span.millis(now);
    html.markup(r#"<time class="duration" datetime=""#).text(&iso_duration(millis));
    html.markup(r#"">"#).text(&duration_text(millis)).markup("</time>");
}

/// How long a stretch of time took, or has taken so far, in words.
pub fn span_words(span: Span, now: Timestamp) -> String {
    let millis = span.millis(now);
    if span.to.is_some() { duration_text(millis) } else { elapsed_text(millis) }
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
