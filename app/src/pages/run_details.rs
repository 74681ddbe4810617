//! The side of a run's page: how it was prepared, what it ran, and what differs from the run before.

use leptos::prelude::*;

use super::run_step::attempts;
use crate::{
    components::{
        code::CodeBlock,
        difference::Difference,
        icon::{checkpoint_icon, phase_icon},
        message::message,
        script_link::script_link,
        spec::SpecFacts,
        time::{Elapsed, now},
    },
    html::Html,
    model::{
        cache::{CacheReport, EnvironmentUse, SetReport, SetUse},
        checkpoint::{Checkpoint, CheckpointStatus},
        identifiers::Kind,
        lock::Lock,
        phase::Phase,
        sizes::bytes_text,
        step_address::StepAddress,
        time::duration_text,
        views::{KeptManifest, PreviousRun, RunDetail},
    },
    routes,
};

/// How the run was prepared.
pub fn progress(run: &RunDetail) -> AnyView {
    view! {
        {attempts(run)}
        {preparation(run)}
        {run.step.cache.as_ref().map(cache_report)}
        {run.step.lock.as_ref().map(|lock| versions(lock, run.step.python.as_deref()))}
    }
    .into_any()
}

/// What differs from the run before, if there is one.
pub fn difference(run: &RunDetail) -> AnyView {
    run.previous.as_ref().map(|previous| difference_from(run, previous)).into_any()
}

/// What the whole run was handed over as, if it was.
pub fn manifest(run: &RunDetail) -> AnyView {
    let Some(KeptManifest { bytes, text }) = &run.manifest else { return ().into_any() };
    let address = routes::manifest(&run.task_id, run.summary.number);
    let text =
        text.clone().map(|text| view! { <pre class="file-text" tabindex="0" aria-label="The manifest">{text}</pre> });
    view! {
        <details id="details-manifest" class="card">
            <summary>"Manifest as submitted " <span class="quiet">{bytes_text(*bytes)}</span></summary>
            <p>
                "What the cluster was given for the whole run. Code and variables are not in it. "
                <a href=address>"As plain text"</a>
            </p>
            {text}
        </details>
    }
    .into_any()
}

/// The code and the settings, which stay as they are.
pub fn code(run: &RunDetail) -> AnyView {
    view! {
        <details id="details-code" class="card">
            <summary>"Code and settings as they ran"</summary>
            <SpecFacts spec=run.step.spec.clone() />
            {script_link(&run.page())}
            <CodeBlock code=run.step.spec.code.as_str() label="The code as it ran" has_anchors=true />
        </details>
    }
    .into_any()
}

/// The checkpoints. Open while they are made and as soon as something is not well, closed otherwise.
fn preparation(run: &RunDetail) -> AnyView {
    let checkpoints = &run.step.checkpoints;
    let words = preparation_words(run);
    let items = checkpoints.iter().map(checkpoint_item).collect_view();
    let is_open = run.step.has_failed_preparation() || run.under_way().is_some();
    view! {
        <details id="details-preparation" class="card" open=is_open>
            <summary>"Preparation " <span class="quiet">{words}</span></summary>
            <ol class="checkpoints">{items}</ol>
        </details>
    }
    .into_any()
}

/// How far preparing has come, in a few words.
pub fn preparation_words(run: &RunDetail) -> String {
    let checkpoints = &run.step.checkpoints;
    let under_way = run.under_way();
    let has = |checkpoint: &Checkpoint, status| checkpoint.status == Some(status);
    let has_failed = run.step.has_failed_preparation();
    let warnings = checkpoints.iter().filter(|checkpoint| has(checkpoint, CheckpointStatus::Warning)).count();
    match (checkpoints.len(), warnings) {
        (0, _) => "not started".to_owned(),
        _ if under_way.is_some() => format!("{} of {}", checkpoints.len(), Checkpoint::COUNT),
        (_, _) if has_failed => "failed".to_owned(),
        (count, 0) => {
            let made = checkpoints.iter().filter(|checkpoint| !has(checkpoint, CheckpointStatus::Skipped)).count();
            let millis = checkpoints.iter().map(|checkpoint| checkpoint.millis).sum();
            let skipped = if made == count { String::new() } else { format!(", {} not needed", count - made) };
            format!("{made} ok{skipped}, {}", duration_text(millis))
        }
        (count, 1) => format!("{count} checks, 1 warning"),
        (count, warnings) => format!("{count} checks, {warnings} warnings"),
    }
}

fn checkpoint_item(checkpoint: &Checkpoint) -> AnyView {
    let Some(status) = checkpoint.status else {
        return under_way_item(checkpoint);
    };
    let (class, word) = match status {
        CheckpointStatus::Ok => ("is-ok", "ok"),
        CheckpointStatus::Skipped => ("is-skipped", "skipped"),
        CheckpointStatus::Warning => ("is-warning", "warning"),
        CheckpointStatus::Failed => ("is-failed", "failed"),
    };
    let advice = checkpoint.advice.as_deref().map(|text| message("checkpoint-advice", text));
    let tail = checkpoint.tail.clone().map(|tail| view! { <pre class="checkpoint-tail">{tail}</pre> });
    let more = checkpoint.code.as_deref().map(|code| {
        view! { <p class="checkpoint-more"><a href=routes::troubleshooting(code)>"More about this"</a></p> }
    });
    // What was skipped took no time.
    let duration = (status != CheckpointStatus::Skipped).then(|| duration_text(checkpoint.millis));
    let is_open = matches!(status, CheckpointStatus::Failed | CheckpointStatus::Warning);
    view! {
        <li class=class value=checkpoint.number.to_string()>
            <details open=is_open>
                <summary class="checkpoint-head">
                    {checkpoint_icon(status)}
                    {checkpoint_name(checkpoint)}
                    <span class="checkpoint-word">{word}</span>
                    <span class="duration">{duration}</span>
                </summary>
                {message("checkpoint-detail", &checkpoint.detail)}
                {tail}
                {advice}
                {more}
            </details>
        </li>
    }
    .into_any()
}

/// A checkpoint that is under way, with the time it has taken so far.
fn under_way_item(checkpoint: &Checkpoint) -> AnyView {
    let mut icon = Html::default();
    phase_icon(&mut icon, Phase::Running);
    view! {
        <li class="is-running" value=checkpoint.number.to_string()>
            <div class="checkpoint-head">
                {icon.into_element()}
                {checkpoint_name(checkpoint)}
                <span class="checkpoint-word">"under way"</span>
                <Elapsed since=checkpoint.at now=now() />
            </div>
        </li>
    }
    .into_any()
}

fn checkpoint_name(checkpoint: &Checkpoint) -> AnyView {
    let security = checkpoint.guards_security().then(|| {
        view! {
            <span class="checkpoint-mark" title="Keeps others from changing or replacing what the run uses">
                "security"
            </span>
        }
    });
    view! { <span class="checkpoint-name">{checkpoint.name.clone()} " " {security}</span> }.into_any()
}

fn cache_report(report: &CacheReport) -> AnyView {
    let environment = match report.environment {
        EnvironmentUse::Ready => "The environment was ready: nothing was installed.",
        EnvironmentUse::Built => "The environment was built for this run, and is kept for the next.",
        EnvironmentUse::Private => "The environment was built for this run alone, and removed after it.",
    };
    let short = match report.environment {
        EnvironmentUse::Ready => "warm",
        EnvironmentUse::Built => "built",
        EnvironmentUse::Private => "private",
    };
    let stages = report
        .stages
        .iter()
        .map(|stage| {
            view! { <tr><th scope="row">{stage.stage.clone()}</th><td class="number">{duration_text(stage.millis)}</td></tr> }
        })
        .collect_view();
    view! {
        <details id="details-cache" class="card" open>
            <summary>"Cache " <span class="quiet">{short}</span></summary>
            <p>{environment}</p>
            <table class="small-table">
                <tbody>
                    <tr><th scope="row">"Python packages"</th><td class="number">{report.requested.to_string()}</td></tr>
                    <tr><th scope="row">"From the cache"</th><td class="number">{report.from_cache.to_string()}</td></tr>
                    <tr><th scope="row">"Downloaded"</th><td class="number">{report.downloaded.to_string()}</td></tr>
                    {report.system.as_ref().map(system_rows)}
                    {stages}
                </tbody>
            </table>
        </details>
    }
    .into_any()
}

/// What Nix did for the system packages.
fn system_rows(report: &SetReport) -> AnyView {
    let row = |name: &'static str, value: String| {
        view! { <tr><th scope="row">{name}</th><td class="number">{value}</td></tr> }
    };
    let made = report.fetched + report.built;
    let state = match report.set {
        SetUse::Ready => "ready",
        SetUse::Built => "built",
    };
    let bytes = report.fetched_bytes.map(|bytes| row("Nix: download", bytes_text(bytes)));
    view! {
        {row("Nix: package set", state.to_owned())}
        {report.paths.map(|paths| row("Nix: paths present", paths.saturating_sub(made).to_string()))}
        {row("Nix: paths fetched", report.fetched.to_string())}
        {row("Nix: paths built", report.built.to_string())}
        {bytes}
    }
    .into_any()
}

fn versions(lock: &Lock, python: Option<&str>) -> AnyView {
    let packages = lock.packages();
    let words = match packages.len() {
        0 => "none".to_owned(),
        1 => "1 package".to_owned(),
        several => format!("{several} packages"),
    };
    let python = python.map(|version| view! { <tr><th scope="row">"Python"</th><td>{version.to_owned()}</td></tr> });
    let rows = packages
        .into_iter()
        .map(|package| view! { <tr><th scope="row">{package.name}</th><td>{package.version}</td></tr> })
        .collect_view();
    view! {
        <details id="details-versions" class="card">
            <summary>"Exact versions " <span class="quiet">{words}</span></summary>
            <table class="small-table"><tbody>{python} {rows}</tbody></table>
        </details>
    }
    .into_any()
}

fn difference_from(run: &RunDetail, previous: &PreviousRun) -> AnyView {
    let difference = Difference::of(run, previous);
    let title = format!("Changed since #{} ", previous.number);
    let address = routes::step(&StepAddress { number: previous.number, ..run.address() });
    let compare = (run.task_id.kind() == Kind::Task).then(|| {
        let address = routes::compare(&run.task_id, previous.number, run.summary.number);
        view! { " " <a href=address>"Compare them, with their logs"</a> }
    });
    if difference.is_empty() {
        return view! {
            <p class="card">
                "Nothing changed since " <a href=address>{format!("run #{}", previous.number)}</a> "." {compare}
            </p>
        }
        .into_any();
    }
    view! {
        <details id="details-difference" class="card">
            <summary>{title} <span class="quiet">{difference.words()}</span></summary>
            {difference.view()}
            {compare.map(|compare| view! { <p>{compare}</p> })}
        </details>
    }
    .into_any()
}
