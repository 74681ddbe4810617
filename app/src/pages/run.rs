//! A run: how it stands, its log, and what it was made of. Also what of its page changes while one looks at it, alone.

use std::sync::Arc;

use leptos::prelude::*;

use super::{load, query, run_details, run_number, run_summary, task_id};
use crate::{
    actions::backend,
    backend::{Backend, BackendError},
    components::{
        log_view::{LogPlace, LogView},
        page::{Page, page_title},
        phase::{phase_favicon, phase_sign},
    },
    html::Html,
    log_text::plain_text,
    model::{
        identifiers::{RunNumber, TaskId},
        log::Stream,
        phase::Phase,
        views::{LogPage, LogWindow, RunDetail},
    },
    page_context::Now,
};

/// In how many of the last lines the reason of a failure is looked for.
const FAILURE_LINES: u32 = 200;

/// A run.
#[component]
pub fn RunPage() -> impl IntoView {
    let (id, number) = (task_id(), run_number());
    let line = |name| query(name).and_then(|text| text.parse::<u64>().ok());
    let place = match (line("line"), line("before")) {
        (Some(line), _) => LogPlace::Line(line),
        (None, Some(line)) => LogPlace::Before(line),
        (None, None) => LogPlace::End,
    };
    load(async move { read(&*backend()?, &id?, number?, place).await }, show)
}

/// Everything that the page shows.
struct RunData {
    run: RunDetail,
    log: LogPage,
    place: LogPlace,
    failure: Option<FailureLine>,
}

/// The line that most likely says why a run failed.
pub struct FailureLine {
    /// Its number.
    pub number: u64,
    /// Its text, without colours.
    pub text: String,
}

async fn read(backend: &dyn Backend, id: &TaskId, number: RunNumber, place: LogPlace) -> Result<RunData, BackendError> {
    let (run, log) = backend.run_with_log(id, number, place.window()).await?;
    let failure = if run.summary.phase == Phase::Failed && place == LogPlace::End {
        last_error(&log)
    } else {
        failure_line(backend, id, &run).await?
    };
    Ok(RunData { run, log, place, failure })
}

/// The line that most likely says why a run failed, if it did.
async fn failure_line(
    backend: &dyn Backend,
    id: &TaskId,
    run: &RunDetail,
) -> Result<Option<FailureLine>, BackendError> {
    if run.summary.phase != Phase::Failed {
        return Ok(None);
    }
    Ok(last_error(&backend.log(id, run.summary.number, LogWindow::Last(FAILURE_LINES)).await?))
}

/// The last line of standard error that is not blank.
fn last_error(log: &LogPage) -> Option<FailureLine> {
    let numbered: Vec<_> = (log.lines.first..).zip(&log.lines.lines).collect();
    numbered.into_iter().rev().filter(|(_, line)| line.0 == Stream::Error).find_map(|(number, line)| {
        let text = plain_text(&line.2);
        (!text.trim().is_empty()).then(|| FailureLine { number, text: text.trim().to_owned() })
    })
}

fn show(data: RunData) -> AnyView {
    let RunData { run, log, place, failure } = data;
    let phase = run.summary.phase;
    // Without JavaScript the page renews itself, unless somebody reads further up.
    let reload = (!phase.is_final() && place == LogPlace::End).then(|| {
        view! { <noscript inner_html=r#"<meta http-equiv="refresh" content="2">"#></noscript> }
    });
    view! {
        <Page title=title(&run) icon=phase_favicon(phase) wide=true>
            {reload}
            <div id="run-summary">{run_summary::view(&run, failure)}</div>
            <div class="run-columns">
                <LogView run=run.clone() page=log place=place />
                <aside id="run-details" aria-label="About this run">
                    {changing_details(&run, true)}
                    {run_details::code(&run)}
                </aside>
            </div>
        </Page>
    }
    .into_any()
}

fn title(run: &RunDetail) -> String {
    let name = run.task_name.as_ref().map_or_else(|| run.task_id.to_string(), |name| name.as_str().to_owned());
    format!("{} {name} · #{}", phase_sign(run.summary.phase), run.summary.number)
}

/// The side's parts that change: how preparing goes, and, once that is known, what differs from the run before.
fn changing_details(run: &RunDetail, with_difference: bool) -> AnyView {
    let difference = with_difference.then(|| view! { <div id="run-difference">{run_details::difference(run)}</div> });
    view! { <div id="run-progress">{run_details::progress(run)}</div> {difference} }.into_any()
}

/// What changes of a run's page while one looks at it, but the log: the parts with their ids, title and icon. The browser
/// puts them in place of those that it shows.
///
/// # Errors
/// When there is no such run, or it cannot be read.
pub async fn changing_parts(
    backend: Arc<dyn Backend>,
    now: Now,
    id: &TaskId,
    number: RunNumber,
) -> Result<String, BackendError> {
    let run = backend.run(id, number).await?;
    let failure = failure_line(&*backend, id, &run).await?;
    let mut head = Html::default();
    head.markup("<title>").text(&page_title(&title(&run))).markup(r#"</title><link id="favicon" href=""#);
    head.markup(phase_favicon(run.summary.phase)).markup(r#"">"#);
    // A waiting run is looked at whenever the queue moves, and that changes nothing about what it is.
    let with_difference = run.summary.phase != Phase::Pending;
    let owner = Owner::new_root(None);
    let parts = owner.with(|| {
        provide_context(now);
        view! {
            <div id="run-summary">{run_summary::view(&run, failure)}</div>
            {changing_details(&run, with_difference)}
        }
        .to_html()
    });
    Ok(format!("{}{parts}", head.into_string()))
}
