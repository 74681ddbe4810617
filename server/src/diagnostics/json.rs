//! Diagnostics as JSON, for the REST API and the command line.

use app::model::{
    caches::{CacheEntry, CacheKind, CacheLedger},
    checks::CheckReport,
    cluster::{ClusterState, NodeState},
    diagnostics::Diagnostics,
    time::Timestamp,
};
use serde_json::{Map, Value, json};

/// All of it.
#[must_use]
pub fn of(diagnostics: &Diagnostics) -> Value {
    let Diagnostics { engine, cluster, checks, caches, runs, days, disk, versions, errors } = diagnostics;
    let days: Vec<Value> = days
        .iter()
        .map(|day| json!({ "day": &day.day.to_rfc3339()[..10], "ready": day.ready, "built": day.built }))
        .collect();
    let errors: Vec<Value> = errors
        .iter()
        .map(|error| {
            let level = if error.is_error { "error" } else { "warning" };
            json!({ "at": error.at.to_rfc3339(), "level": level, "text": error.text })
        })
        .collect();
    json!({
        "engine": {
            "name": engine.name,
            "running": engine.running,
            "queued": engine.queued,
            "limits": {
                "atOnce": engine.limits.at_once,
                "defaultTimeoutSeconds": engine.limits.default_timeout,
                "memoryBytes": engine.limits.memory,
                "logBytes": engine.limits.log,
                "pruneAfterSeconds": engine.limits.prune_after,
            },
        },
        "cluster": cluster.as_ref().map(of_cluster),
        "checks": checks.report.as_ref().map(report),
        "checksUnderWay": checks.under_way,
        "caches": of_caches(caches),
        "runs": {
            "number": runs.number,
            "logBytes": runs.log_bytes,
            "keepRuns": runs.retention.runs,
            "keepDays": runs.retention.days,
            "keepLogBytes": runs.retention.log_bytes,
        },
        "days": days,
        "disk": disk.map(|disk| json!({ "freeBytes": disk.free, "totalBytes": disk.total })),
        "versions": versions,
        "errors": errors,
    })
}

fn of_cluster(cluster: &ClusterState) -> Value {
    let time = |at: Timestamp| at.to_rfc3339();
    json!({
        "namespace": cluster.namespace,
        "lostSince": cluster.lost_since.map(time),
        "controllerSeenAt": cluster.controller_seen.map(time),
        "workflows": cluster.workflows,
        "pods": cluster.pods.iter().map(|(phase, number)| (phase.clone(), json!(number))).collect::<Map<_, _>>(),
        "requests": cluster.requests,
        "lastTrouble": cluster.last_trouble.as_ref().map(|(at, text)| json!({ "at": time(*at), "text": text })),
        "nodes": cluster.nodes.as_ref().map(|nodes| {
            let node = |node: &NodeState| json!({ "name": node.name, "runtime": node.runtime, "ready": node.is_ready });
            nodes.iter().map(node).collect::<Vec<_>>()
        }),
        "claims": cluster.claims.iter().map(|claim| (claim.name.clone(), json!(claim.state))).collect::<Map<_, _>>(),
    })
}

fn report(report: &CheckReport) -> Value {
    json!({ "at": report.at.to_rfc3339(), "worst": report.worst(), "checks": report.checks })
}

/// What is kept between runs.
#[must_use]
pub fn of_caches(caches: &CacheLedger) -> Value {
    let of_kind = |kind| caches.of_kind(kind).map(entry).collect::<Vec<_>>();
    json!({
        "environments": of_kind(CacheKind::Environment),
        "packageSets": of_kind(CacheKind::PackageSet),
        "conda": of_kind(CacheKind::Conda),
        "uvBytes": caches.uv_bytes,
        "nixStoreBytes": caches.nix_store_bytes,
        "countedAt": caches.counted_at.map(Timestamp::to_rfc3339),
        "isCounting": caches.is_counting,
    })
}

fn entry(entry: &CacheEntry) -> Value {
    json!({
        "key": entry.name.key,
        "bytes": entry.bytes,
        "packages": entry.packages,
        "lastUsed": entry.last_used.to_rfc3339(),
        "inUseBy": entry.in_use_by,
        "set": entry.set,
    })
}
