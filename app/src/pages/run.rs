//! A run: how it stands, its log, and what it was made of.

use leptos::prelude::*;

use super::{
    load, query, run_details, run_number,
    run_summary::{self, FailureLine},
    task_id,
};
use crate::{
    actions::backend,
    backend::{Backend, BackendError},
    components::{
        log_view::{LogPlace, LogView},
        page::Page,
        phase::{phase_favicon, phase_sign},
    },
    log_text::plain_text,
    model::{
        identifiers::{RunNumber, TaskId},
        log::Stream,
        phase::Phase,
        views::{LogPage, LogWindow, RunDetail},
    },
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

async fn read(backend: &dyn Backend, id: &TaskId, number: RunNumber, place: LogPlace) -> Result<RunData, BackendError> {
    let (run, log) = backend.run_with_log(id, number, place.window()).await?;
    let failure = if run.summary.phase != Phase::Failed {
        None
    } else if place == LogPlace::End {
        last_error(&log)
    } else {
        last_error(&backend.log(id, number, LogWindow::Last(FAILURE_LINES)).await?)
    };
    Ok(RunData { run, log, place, failure })
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
    let name = run.task_name.as_ref().map_or_else(|| run.task_id.to_string(), |name| name.as_str().to_owned());
    let title = format!("{} {name} · #{}", phase_sign(phase), run.summary.number);
    // Without JavaScript the page renews itself, unless somebody reads further up.
    let reload = (!phase.is_final() && place == LogPlace::End).then(|| {
        view! { <noscript inner_html=r#"<meta http-equiv="refresh" content="2">"#></noscript> }
    });
    view! {
        <Page title=title icon=phase_favicon(phase) wide=true>
            {reload}
            <div id="run-summary">{run_summary::view(&run, failure)}</div>
            <div class="run-columns">
                <LogView run=run.clone() page=log place=place />
                <aside id="run-details" aria-label="About this run">{run_details::view(&run)}</aside>
            </div>
        </Page>
    }
    .into_any()
}
