//! The System page: how this Stoker is doing, and what it keeps.

use leptos::prelude::*;

use super::{load, parameter};
use crate::{
    actions::backend,
    backend::BackendError,
    components::{
        day_chart::DayChart,
        icon::checkpoint_icon,
        message::message,
        page::{Page, reload_without_script},
        time::{Ago, now},
    },
    model::{
        caches::{CacheEntry, CacheKind, CacheLedger, CacheName},
        checkpoint::CheckpointStatus,
        checks::{Check, CheckGroup},
        cluster::ClusterState,
        diagnostics::{Diagnostics, DiskSpace, EngineState, KeptRuns, LastChecks, RecentError, Versions},
        retention::Retention,
        sizes::bytes_text,
        time::{Timestamp, duration_text},
    },
    routes,
};

/// How many packages are named before the rest is folded away.
const NAMED_PACKAGES: usize = 4;

/// How this Stoker is doing.
#[component]
pub fn SystemPage() -> impl IntoView {
    load(async move { backend()?.diagnostics().await }, show)
}

fn show(diagnostics: Diagnostics) -> AnyView {
    let now = now();
    let Diagnostics { engine, cluster, checks, caches, runs, days, disk, versions, errors } = diagnostics;
    let is_unfinished = caches.is_counting || checks.under_way;
    view! {
        <Page title="System">
            <h1>"System"</h1>
            <div id="system-state" data-every=is_unfinished.then_some("1")>
                {is_unfinished.then(reload_without_script)}
                <div class="system-columns">
                    <section class="card" aria-labelledby="engine">
                        <h2 id="engine">"Engine"</h2>
                        {engine_facts(&engine)}
                    </section>
                    {cluster.map(|cluster| cluster_facts(cluster, now))}
                    <section class="card" aria-labelledby="storage">
                        <h2 id="storage">"Storage"</h2>
                        {storage(&caches, runs, disk)}
                    </section>
                    <section class="card" aria-labelledby="warm-starts">
                        <h2 id="warm-starts">"Warm starts"</h2>
                        <DayChart days />
                    </section>
                    <section class="card" aria-labelledby="versions">
                        <h2 id="versions">"Versions"</h2>
                        {version_facts(versions)}
                    </section>
                </div>
                <section class="card" aria-labelledby="checks">
                    <div class="card-head">
                        <h2 id="checks">"Checks"</h2>
                        <form method="post" action=routes::system()>
                            <button id="check-again" name="intent" value="check">"Check again"</button>
                        </form>
                    </div>
                    {check_list(&checks, now)}
                </section>
                {CacheKind::ALL.map(|kind| entries(kind, &caches, now)).collect_view()}
                <section aria-labelledby="errors">
                    <h2 id="errors">"Warnings and errors"</h2>
                    {error_list(errors, now)}
                </section>
            </div>
        </Page>
    }
    .into_any()
}

fn fact(term: &'static str, value: impl Into<String>) -> AnyView {
    let value: String = value.into();
    view! { <div><dt>{term}</dt><dd>{value}</dd></div> }.into_any()
}

fn engine_facts(engine: &EngineState) -> AnyView {
    let limits = &engine.limits;
    let memory =
        limits.memory.map_or_else(|| "no limit".to_owned(), |bytes| format!("{} a process", bytes_text(bytes)));
    view! {
        <dl class="spec-facts">
            {fact("Engine", engine.name.clone())}
            {fact("Running", format!("{} of at most {}", engine.running, limits.at_once))}
            {fact("Waiting", engine.queued.to_string())}
            {fact("Time limit", format!("{}, where the task sets none", length(limits.default_timeout.into())))}
            {fact("Memory", memory)}
            {fact("Log", format!("{} a run", bytes_text(limits.log)))}
            {fact("Unused caches", limits.prune_after.map_or_else(
                || "are kept".to_owned(),
                |after| format!("are removed after {}", length(after)),
            ))}
        </dl>
    }
    .into_any()
}

/// What is known of the cluster that runs go to.
fn cluster_facts(cluster: ClusterState, now: Timestamp) -> AnyView {
    let when = |at: Option<Timestamp>, never: &'static str| match at {
        Some(at) => view! { <Ago at now /> }.into_any(),
        None => never.into_any(),
    };
    let answers = cluster.lost_since.map(|since| view! { "not, since " <Ago at=since now /> });
    let number = |number: usize, what: &str| format!("{number} {what}");
    let pods: Vec<String> = cluster.pods.iter().map(|(phase, count)| number(*count, &phase.to_lowercase())).collect();
    let pods = if pods.is_empty() { "none".to_owned() } else { pods.join(", ") };
    let nodes = cluster.nodes.map(|nodes| {
        nodes.into_iter().map(|node| {
            let state = if node.is_ready { "" } else { ", not ready" };
            format!("{}: {}{state}", node.name, node.runtime)
        })
    });
    let nodes = nodes.map_or_else(|| "not known".to_owned(), |nodes| nodes.collect::<Vec<_>>().join("; "));
    let claims = cluster.claims.into_iter().map(|claim| {
        view! { <div><dt>{format!("Claim {}", claim.name)}</dt><dd>{claim.state}</dd></div> }
    });
    let trouble = cluster.last_trouble.map(|(at, text)| {
        view! { <div><dt>"Last trouble"</dt><dd><Ago at now /> ": " {text}</dd></div> }
    });
    view! {
        <section class="card" aria-labelledby="cluster">
            <h2 id="cluster">"Cluster"</h2>
            <dl class="spec-facts">
                {fact("Namespace", cluster.namespace)}
                <div><dt>"Answers"</dt><dd>{answers.map_or_else(|| "yes".into_any(), IntoAny::into_any)}</dd></div>
                <div>
                    <dt>"Argo controller"</dt>
                    <dd>"took a workflow up " {when(cluster.controller_seen, "not yet, since Stoker was started")}</dd>
                </div>
                {fact("Workflows", cluster.workflows.to_string())}
                {fact("Pods", pods)}
                {fact("Nodes", nodes)}
                {claims.collect_view()}
                {fact("Requests", format!("{} since Stoker was started", cluster.requests))}
                {trouble}
            </dl>
        </section>
    }
    .into_any()
}

/// A length of time that somebody chose: mostly a number of whole days.
fn length(seconds: u64) -> String {
    match (seconds / 86_400, seconds % 86_400) {
        (1, 0) => "1 day".to_owned(),
        (days, 0) if days > 0 => format!("{days} days"),
        _ => duration_text(seconds.saturating_mul(1000)),
    }
}

fn storage(caches: &CacheLedger, runs: KeptRuns, disk: Option<DiskSpace>) -> AnyView {
    let total = |kind| caches.of_kind(kind).map(|entry| entry.bytes).sum::<Option<u64>>();
    let disk = disk.map_or_else(
        || "unknown".to_owned(),
        |disk| format!("{} free of {}", bytes_text(disk.free), bytes_text(disk.total)),
    );
    let nix_store = caches.nix_store_bytes.map(|bytes| fact("Nix store", bytes_text(bytes)));
    let conda = caches.of_kind(CacheKind::Conda).next().map(|_| fact("conda", size(total(CacheKind::Conda))));
    let counted = match (caches.is_counting, caches.counted_at) {
        (true, _) => {
            view! { <p class="quiet">"Sizes are being counted. They appear here by themselves."</p> }.into_any()
        }
        (false, Some(at)) => view! { <p class="quiet">"Counted " <Ago at now=now() /> "."</p> }.into_any(),
        (false, None) => ().into_any(),
    };
    view! {
        <dl class="spec-facts">
            {fact("Disk", disk)}
            {fact("Runs", format!("{}, with {} of logs", runs.number, bytes_text(runs.log_bytes)))}
            {fact("Old runs", retention_words(runs.retention))}
            {fact("Environments", size(total(CacheKind::Environment)))}
            {conda}
            {fact("uv cache", size(caches.uv_bytes))}
            {nix_store}
        </dl>
        {counted}
    }
    .into_any()
}

/// How long runs are kept.
fn retention_words(Retention { runs, days, log_bytes }: Retention) -> String {
    let limits = [
        runs.map(|runs| format!("but the last {runs} of each task")),
        days.map(|days| format!("after {}", length(u64::from(days) * 86_400))),
        log_bytes.map(|bytes| format!("when all logs have more than {}", bytes_text(bytes))),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    if limits.is_empty() { "are kept".to_owned() } else { format!("are removed {}", limits.join(", or ")) }
}

fn size(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "–".to_owned(), bytes_text)
}

fn version_facts(versions: Versions) -> AnyView {
    let Versions { stoker, uv, python, nix, sqlite } = versions;
    let found = |version: Option<String>| version.unwrap_or_else(|| "not found".to_owned());
    view! {
        <dl class="spec-facts">
            {fact("Stoker", stoker)}
            {fact("Python", found(python))}
            {fact("uv", found(uv))}
            {fact("Nix", found(nix))}
            {fact("SQLite", sqlite)}
        </dl>
    }
    .into_any()
}

fn check_list(checks: &LastChecks, now: Timestamp) -> AnyView {
    let under_way = checks.under_way.then(|| {
        view! { <p class="quiet">"The checks are under way. Their results appear here by themselves."</p> }
    });
    let Some(report) = &checks.report else {
        let never = (!checks.under_way).then(|| view! { <p class="quiet">"Not made yet."</p> });
        return view! { {under_way} {never} }.into_any();
    };
    let worst = match report.worst() {
        CheckpointStatus::Ok | CheckpointStatus::Skipped => "All is well",
        CheckpointStatus::Warning => "It works, with warnings",
        CheckpointStatus::Failed => "Something is broken",
    };
    let groups = report.by_group().into_iter().map(check_group).collect_view();
    view! {
        {under_way}
        <p>{worst} <span class="quiet">" · checked " <Ago at=report.at now /></span></p>
        <div class="check-groups">{groups}</div>
    }
    .into_any()
}

fn check_group((group, checks): (CheckGroup, Vec<&Check>)) -> AnyView {
    let items = checks.into_iter().map(check_item).collect_view();
    view! {
        <section>
            <h3>{group.title()}</h3>
            <ul class="checkpoints">{items}</ul>
        </section>
    }
    .into_any()
}

fn check_item(check: &Check) -> AnyView {
    let (class, word) = match check.status {
        CheckpointStatus::Ok => ("is-ok", "ok"),
        CheckpointStatus::Skipped => ("is-skipped", "skipped"),
        CheckpointStatus::Warning => ("is-warning", "warning"),
        CheckpointStatus::Failed => ("is-failed", "failed"),
    };
    view! {
        <li class=class>
            <p class="checkpoint-head">
                {checkpoint_icon(check.status)}
                <span class="checkpoint-name">{check.title.clone()}</span>
                <span class="checkpoint-word">{word}</span>
            </p>
            {message("checkpoint-detail", &check.detail)}
            {check.fix.as_deref().map(|fix| message("checkpoint-advice", fix))}
        </li>
    }
    .into_any()
}

/// A table of what is kept of a kind. Conda is told of only where it is.
fn entries(kind: CacheKind, caches: &CacheLedger, now: Timestamp) -> AnyView {
    let (id, title, empty) = match kind {
        CacheKind::Environment => (
            "environments",
            "Environments",
            "None yet. The first run with new packages builds one, and later runs start in it.",
        ),
        CacheKind::PackageSet => {
            ("sets", "Package sets", "None yet. The first run with new system packages makes one.")
        }
        CacheKind::Conda => ("conda", "conda", ""),
    };
    let rows: Vec<_> = caches.of_kind(kind).map(|entry| row(entry, now)).collect();
    let content = if rows.is_empty() {
        if empty.is_empty() {
            return ().into_any();
        }
        view! { <p class="empty">{empty}</p> }.into_any()
    } else {
        view! {
            <div class="card is-flush">
                <table class="table cache-table">
                    <thead>
                        <tr>
                            <th scope="col">"Packages"</th>
                            <th scope="col">"Key"</th>
                            <th scope="col">"Last used"</th>
                            <th scope="col" class="number">"Size"</th>
                            <th scope="col"><span class="visually-hidden">"Delete"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <section aria-labelledby=id>
            <h2 id=id>{title}</h2>
            {content}
        </section>
    }
    .into_any()
}

fn row(entry: &CacheEntry, now: Timestamp) -> AnyView {
    let CacheEntry { name, bytes, last_used, in_use_by, set, .. } = entry;
    let set = set.as_ref().map(|set| {
        view! { <span class="quiet" title=set.to_string()>" with set " {set.short().to_owned()}</span> }
    });
    let last_use = match in_use_by {
        0 => view! { <Ago at=*last_used now /> }.into_any(),
        1 => view! { "in use by a run" }.into_any(),
        several => view! { "in use by " {several.to_string()} " runs" }.into_any(),
    };
    let delete = (*in_use_by == 0).then(|| {
        view! { <a href=routes::delete_cache(name) aria-label=format!("Delete {name}")>"Delete"</a> }
    });
    view! {
        <tr>
            <td class="cache-packages is-wide">{packages(entry)} {set}</td>
            <td class="cache-key"><span class="task-id" title=name.key.to_string()>{name.key.short().to_owned()}</span></td>
            <td class="cache-use">{last_use}</td>
            <td class="cache-size number">{size(*bytes)}</td>
            <td class="cache-delete">{delete}</td>
        </tr>
    }
    .into_any()
}

fn packages(entry: &CacheEntry) -> AnyView {
    match entry.packages.as_deref() {
        None => view! { <span class="quiet">"being counted"</span> }.into_any(),
        Some([]) if entry.name.kind == CacheKind::Conda => view! { "conda" }.into_any(),
        Some([]) => view! { <span class="quiet">"no packages"</span> }.into_any(),
        Some(all) if all.len() <= NAMED_PACKAGES => all.join(", ").into_any(),
        Some(all) => {
            let named = all[..NAMED_PACKAGES - 1].join(", ");
            view! {
                <details id=format!("packages-{}", entry.name.key)>
                    <summary>{named} {format!(" and {} more", all.len() + 1 - NAMED_PACKAGES)}</summary>
                    {all.join(", ")}
                </details>
            }
            .into_any()
        }
    }
}

fn error_list(errors: Vec<RecentError>, now: Timestamp) -> AnyView {
    if errors.is_empty() {
        return view! { <p class="empty">"None since Stoker was started."</p> }.into_any();
    }
    let items = errors
        .into_iter()
        .map(|error| {
            let (class, word) = if error.is_error { ("is-failed", "error") } else { ("is-warning", "warning") };
            view! {
                <li class=class>
                    <span class="error-word">{word}</span>
                    <Ago at=error.at now />
                    <code>{error.text}</code>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="error-list card is-flush">{items}</ol> }.into_any()
}

/// Asks before deleting an environment or a package set.
#[component]
pub fn DeleteCachePage() -> impl IntoView {
    let name = cache_name();
    load(
        async move {
            let name = name?;
            let gone = BackendError::NotFound(format!("There is no {name} any more."));
            let found = backend()?.diagnostics().await?.caches.entries.into_iter().find(|entry| entry.name == name);
            found.ok_or(gone)
        },
        ask_delete,
    )
}

/// What the address names.
fn cache_name() -> Result<CacheName, BackendError> {
    let kind = parameter("kind").parse::<CacheKind>().map_err(|error| BackendError::NotFound(format!("{error}.")))?;
    let key = parameter("key").parse().map_err(|error| BackendError::NotFound(format!("{error}.")))?;
    Ok(CacheName { kind, key })
}

fn ask_delete(entry: CacheEntry) -> AnyView {
    let name = entry.name.clone();
    if entry.in_use_by > 0 {
        return view! {
            <Page title=format!("The {name} is in use")>
                <h1>{format!("The {name} is in use")}</h1>
                <p>"It can be deleted when no run uses it any more."</p>
                <p><a href=routes::system()>"Back to the system page"</a></p>
            </Page>
        }
        .into_any();
    }
    let what_goes = match name.kind {
        CacheKind::Environment => "The next run that needs it builds it again, in the same versions.",
        CacheKind::PackageSet => {
            "The environments that were built with it go too. The next run that needs them builds them again."
        }
        CacheKind::Conda => "The next run that needs it installs it again.",
    };
    view! {
        <Page title=format!("Delete {name}?")>
            <h1>{format!("Delete {name}?")}</h1>
            <p>{packages(&entry)}</p>
            <p>{what_goes}</p>
            <form class="actions" method="post" action=routes::delete_cache(&name)>
                <button class="is-danger">"Delete it"</button>
                <a class="button" href=routes::system()>"Keep it"</a>
            </form>
        </Page>
    }
    .into_any()
}
