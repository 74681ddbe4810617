//! `stoker preflight --probe`, the real command.

use std::process::Command;

use serde_json::Value;

use crate::place::variable;

/// The status and the words of each stage.
fn probe(image: &str) -> Vec<(String, String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = variable("STOKER_TEST_SERVER_KUBECONFIG");
    let output = Command::new(env!("CARGO_BIN_EXE_stoker"))
        .args(["preflight", "--probe", "--json", "--only", "containerd", "--image", image, "--kubeconfig", &kubeconfig])
        .args(["--service-account", "stoker-executor", "--cache-claim", "stoker-cache", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .map(|check| (text(check, "key"), text(check, "status"), text(check, "detail")))
        .filter(|(key, ..)| key.starts_with("probe-"))
        .collect()
}

#[test]
fn where_all_is_well_each_stage_says_what_it_took() {
    let stages = probe(&variable("STOKER_TEST_IMAGE"));
    let keys: Vec<&str> = stages.iter().map(|(key, ..)| key.as_str()).collect();
    let expected = ["create", "scheduled", "image", "runtime", "network", "log", "end", "volumes", "deleted"];
    assert_eq!(keys, expected.map(|stage| format!("probe-{stage}")), "{stages:#?}");
    assert!(stages.iter().all(|(_, status, _)| status == "ok"), "{stages:#?}");
    assert!(stages[6].2.starts_with("With exit code 0, after "), "{stages:#?}");
    assert!(stages[7].2.contains("found on the node "), "{stages:#?}");
}

#[test]
fn the_stage_that_does_not_go_says_why() {
    let stages = probe("stoker.test/none:1");
    let statuses: Vec<&str> = stages.iter().map(|(_, status, _)| status.as_str()).collect();
    assert_eq!(statuses[..4], ["ok", "ok", "failed", "skipped"], "{stages:#?}");
    assert!(stages[2].2.starts_with("The image stoker.test/none:1 cannot be pulled"), "{stages:#?}");
    assert_eq!((stages[8].0.as_str(), statuses[8]), ("probe-deleted", "ok"), "{stages:#?}");
}
