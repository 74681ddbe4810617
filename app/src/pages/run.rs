//! A run: how it stands, its log, and what it was made of. Also what of its page changes while one looks at it, alone.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    load, query, run_details,
    run_summary::{self, FailureLine},
    step_address,
};
use crate::{
    actions::backend,
    backend::{Backend, BackendError},
    components::{
        log_search::SearchedLog,
        log_view::{LogPlace, LogView},
        page::{Page, page_title, reload_without_script},
        phase::{phase_favicon, phase_sign},
    },
    html::Html,
    log_text::plain_text,
    model::{
        log::Stream,
        log_search::LogQuery,
        phase::Phase,
        step_address::StepAddress,
        views::{LogPage, LogWindow, RunDetail},
    },
    page_context::Now,
};

/// In how many of the last lines the reason of a failure is looked for.
const FAILURE_LINES: u32 = 200;

/// A run.
#[component]
pub fn RunPage() -> impl IntoView {
    let address = step_address();
    let line = |name| query(name).and_then(|text| text.parse::<u64>().ok());
    let place = match (line("line"), line("before")) {
        (Some(line), _) => LogPlace::Line(line),
        (None, Some(line)) => LogPlace::Before(line),
        (None, None) => LogPlace::End,
    };
    let word = |name| query(name).unwrap_or_default();
    let search = LogQuery::parse(&word("q"), &word("only"), &word("show"));
    load(async move { read(&*backend()?, &address?, place, search).await }, show)
}

/// Everything that the page shows.
struct RunData {
    run: RunDetail,
    log: LogPage,
    place: LogPlace,
    searched: Option<SearchedLog>,
    failure: Option<FailureLine>,
}

async fn read(
    backend: &dyn Backend,
    address: &StepAddress,
    place: LogPlace,
    search: Option<LogQuery>,
) -> Result<RunData, BackendError> {
    let searched = match search {
        Some(query) => {
            let from = place.first_line();
            let found = backend.search_log(address, &query, from).await?;
            Some(SearchedLog { query, from, found })
        }
        None => None,
    };
    let place = searched.as_ref().and_then(SearchedLog::current_line).map_or(place, LogPlace::Line);
    let (run, log) = backend.run_with_log(address, place.window()).await?;
    let failure = if run.step.phase == Phase::Failed && place == LogPlace::End {
        last_error(&log)
    } else {
        failure_line(backend, address, &run).await?
    };
    Ok(RunData { run, log, place, searched, failure })
}

/// The line that most likely says why a run failed, if it did.
async fn failure_line(
    backend: &dyn Backend,
    address: &StepAddress,
    run: &RunDetail,
) -> Result<Option<FailureLine>, BackendError> {
    if run.step.phase != Phase::Failed {
        return Ok(None);
    }
    Ok(last_error(&backend.log(address, LogWindow::Last(FAILURE_LINES)).await?))
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
    let RunData { run, log, place, searched, failure } = data;
    let phase = run.summary.phase;
    // Without JavaScript the page renews itself, unless somebody reads further up.
    let is_followed = !phase.is_final() && place == LogPlace::End && searched.is_none();
    let reload = is_followed.then(reload_without_script);
    view! {
        <Page title=title(&run) icon=phase_favicon(phase) wide=true>
            {reload}
            <div id="run-summary">{run_summary::view(&run, failure)}</div>
            <div class="run-columns">
                <LogView run=run.clone() page=log place=place searched=searched />
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
    format!("{} {} · #{}", phase_sign(run.summary.phase), run.task_title, run.summary.number)
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
    address: &StepAddress,
) -> Result<String, BackendError> {
    let run = backend.run(address).await?;
    let failure = failure_line(&*backend, address, &run).await?;
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
