//! A run: how it stands, its log, and what it was made of. Also what of its page changes while one looks at it, alone.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    load, run_details,
    run_log::{self, AskedLog},
    run_step,
    run_summary::{self, FailureLine},
    step_address,
};
use crate::{
    actions::backend,
    backend::{Backend, BackendError},
    components::{
        icon::phase_icons,
        log_lines::preparation_words,
        log_place::LogPlace,
        log_view::{LogView, ShownLog},
        outputs::{ShownOutput, outputs_view},
        page::{Page, page_title, reload_without_script},
        phase::{phase_favicon, phase_sign},
        step_list::{run_graph, step_table},
        timeline::timeline_legend,
    },
    html::Html,
    log_text::plain_text,
    model::{
        flow::output_view::{self, OutputView, bytes_to_read},
        log::Stream,
        phase::Phase,
        step_address::StepAddress,
        views::{LogPage, LogWindow, RunDetail},
    },
    page_context::Now,
};

/// Of how many outputs the content is shown.
const READ_OUTPUTS: usize = 10;

/// In how many of the last lines the reason of a failure is looked for.
const FAILURE_LINES: u32 = 200;

/// A run.
#[component]
pub fn RunPage() -> impl IntoView {
    let (address, asked) = (step_address(), AskedLog::from_address());
    load(async move { read(&*backend()?, &address?, asked).await }, show)
}

/// Everything that the page shows.
struct RunData {
    run: RunDetail,
    log: ShownLog,
    failure: Option<FailureLine>,
    outputs: Vec<ShownOutput>,
}

async fn read(backend: &dyn Backend, address: &StepAddress, asked: AskedLog) -> Result<RunData, BackendError> {
    let (run, log) = asked.read(backend, address).await?;
    let failure = run_log::failure(backend, &run, &log).await?;
    let outputs = outputs(backend, &run).await?;
    Ok(RunData { run, log, failure, outputs })
}

/// What the step that is shown has left, with the beginning of the first few.
async fn outputs(backend: &dyn Backend, run: &RunDetail) -> Result<Vec<ShownOutput>, BackendError> {
    let address = run.address();
    let mut shown = Vec::new();
    for output in backend.outputs(&address).await? {
        let view = match bytes_to_read(&output.name) {
            Some(_) if shown.len() >= READ_OUTPUTS => OutputView::Nothing,
            Some(most) => match backend.output(&address, &output.name, most).await {
                Ok(beginning) => output_view::view(&output.name, &beginning),
                // It may have gone in between, and the rest of the page is right without it.
                Err(_) => OutputView::Nothing,
            },
            None => output_view::view(&output.name, &[]),
        };
        shown.push(ShownOutput { output, view });
    }
    Ok(shown)
}

/// The line that most likely says why the step that is shown failed, if it did.
pub(super) async fn failure_line(backend: &dyn Backend, run: &RunDetail) -> Result<Option<FailureLine>, BackendError> {
    if run.step.phase != Phase::Failed {
        return Ok(None);
    }
    Ok(last_error(&backend.log(&run.address(), LogWindow::Last(FAILURE_LINES)).await?))
}

/// The last line of standard error that is not blank.
pub(super) fn last_error(log: &LogPage) -> Option<FailureLine> {
    let numbered: Vec<_> = (log.lines.first..).zip(&log.lines.lines).collect();
    numbered.into_iter().rev().filter(|(_, line)| line.0 == Stream::Error).find_map(|(number, line)| {
        let text = plain_text(&line.2);
        (!text.trim().is_empty()).then(|| FailureLine { number, text: text.trim().to_owned() })
    })
}

fn show(data: RunData) -> AnyView {
    let RunData { run, log, failure, outputs } = data;
    let phase = run.summary.phase;
    // Without JavaScript the page renews itself, unless somebody reads further up.
    let is_followed = !phase.is_final() && log.place == LogPlace::End && log.searched.is_none();
    let reload = is_followed.then(reload_without_script);
    let steps = run.has_several_steps().then(|| {
        view! {
            {phase_icons()}
            <section class="steps-section" aria-labelledby="steps">
                {graph(&run)}
                <div class="card-head">
                    <h2 id="steps">"Steps"</h2>
                    {timeline_legend()}
                </div>
                {table(&run)}
            </section>
        }
    });
    let failure = failure.as_ref();
    let (summary, step) = (summary(&run, failure), step(&run, failure, &outputs));
    view! {
        <Page title=title(&run) icon=phase_favicon(phase) wide=true>
            {reload}
            {summary}
            {steps}
            {step}
            <div class="run-columns">
                <LogView run=run.clone() log=log at=run.page() />
                <aside id="run-details" aria-label=if run.has_several_steps() { "About this step" } else { "About this run" }>
                    {progress(&run)}
                    {difference(&run)}
                    {run_details::code(&run)}
                    {manifest(&run)}
                </aside>
            </div>
            {left(&run, &outputs)}
        </Page>
    }
    .into_any()
}

/// The title of the browser's tab.
pub(super) fn title(run: &RunDetail) -> String {
    let step = if run.has_several_steps() { format!(" · {}", run.step.name.as_str()) } else { String::new() };
    format!("{} {} · #{}{step}", phase_sign(run.summary.phase), run.task_title, run.summary.number)
}

// The parts of the page that change while one looks at it. Each is an element with an id, at which the browser puts it in
// place; where it has nothing to show, it is empty.

fn summary(run: &RunDetail, failure: Option<&FailureLine>) -> AnyView {
    view! { <div id="run-summary">{run_summary::view(run, failure)}</div> }.into_any()
}

fn graph(run: &RunDetail) -> AnyView {
    run_graph(run)
}

fn table(run: &RunDetail) -> AnyView {
    view! { <div id="run-steps" class="card is-flush" tabindex="0" role="region" aria-label="Table of steps">{step_table(run)}</div> }.into_any()
}

fn step(run: &RunDetail, failure: Option<&FailureLine>, outputs: &[ShownOutput]) -> AnyView {
    view! { <div id="run-step">{run_step::view(run, failure, outputs.len())}</div> }.into_any()
}

/// It stands at what preparing printed, in the log.
fn prepared(run: &RunDetail) -> AnyView {
    view! { <span id="run-prepared">{preparation_words(run)}</span> }.into_any()
}

pub(super) fn progress(run: &RunDetail) -> AnyView {
    view! { <div id="run-progress">{run_details::progress(run)}</div> }.into_any()
}

pub(super) fn difference(run: &RunDetail) -> AnyView {
    view! { <div id="run-difference">{run_details::difference(run)}</div> }.into_any()
}

fn manifest(run: &RunDetail) -> AnyView {
    view! { <div id="run-manifest">{run_details::manifest(run)}</div> }.into_any()
}

fn left(run: &RunDetail, outputs: &[ShownOutput]) -> AnyView {
    view! { <div id="run-outputs">{outputs_view(&run.page(), outputs)}</div> }.into_any()
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
    let failure = failure_line(&*backend, &run).await?;
    let outputs = outputs(&*backend, &run).await?;
    let failure = failure.as_ref();
    Ok(changed_parts(&run, now, || {
        view! {
            {summary(&run, failure)}
            {run.has_several_steps().then(|| view! { {graph(&run)} {table(&run)} })}
            {step(&run, failure, &outputs)}
            {prepared(&run)}
            {progress(&run)}
            // A waiting run is looked at whenever the queue moves, and that changes nothing about what it is.
            {(run.summary.phase != Phase::Pending).then(|| difference(&run))}
            {manifest(&run)}
            {left(&run, &outputs)}
        }
        .into_any()
    }))
}

/// Title and icon of a run's page, with parts of it, as the browser takes them.
pub(super) fn changed_parts(run: &RunDetail, now: Now, parts: impl FnOnce() -> AnyView) -> String {
    let mut head = Html::default();
    head.markup("<title>").text(&page_title(&title(run))).markup(r#"</title><link id="favicon" href=""#);
    head.markup(phase_favicon(run.summary.phase)).markup(r#"">"#);
    let parts = Owner::new_root(None).with(|| {
        provide_context(now);
        parts().to_html()
    });
    format!("{}{parts}", head.into_string())
}
