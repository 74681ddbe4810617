//! The command, in surroundings of a test's own, and what it printed.

use std::{path::Path, process::Output};

use axum::Router;
use serde_json::Value;
use tokio::{net::TcpListener, process::Command};

/// What would lead the command to this machine's own surroundings.
const FOREIGN: [&str; 16] = [
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "ALL_PROXY",
    "https_proxy",
    "http_proxy",
    "all_proxy",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "STOKER_UV",
    "STOKER_INDEX_URL",
    "STOKER_PYTHON",
    "STOKER_KUBE_CONTEXT",
    "STOKER_NAMESPACE",
    "STOKER_CLAIMS",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
];

/// `stoker preflight` with a folder as its data folder, and as the home that has no kubeconfig.
pub fn preflight(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stoker"));
    command.args(["preflight", "--data"]).arg(data).env("STOKER_ADDR", "127.0.0.1:0").kill_on_drop(true);
    command.env("HOME", data);
    for name in FOREIGN {
        command.env_remove(name);
    }
    command
}

/// What programs learn.
#[derive(Debug)]
pub struct Report {
    /// The exit code.
    pub code: i32,
    json: Value,
}

impl Report {
    /// Asks for JSON, and reads it.
    pub async fn of(command: &mut Command) -> Self {
        let Output { status, stdout, stderr } = command.arg("--json").output().await.unwrap();
        let json = serde_json::from_slice(&stdout);
        let json = json.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&stderr)));
        Self { code: status.code().unwrap(), json }
    }

    fn check(&self, key: &str) -> &Value {
        let mut checks = self.json["checks"].as_array().unwrap().iter();
        checks.find(|check| check["key"] == key).unwrap_or_else(|| panic!("no {key} in {:#}", self.json))
    }

    /// The keys and statuses of all checks.
    pub fn statuses(&self) -> Vec<(&str, &str)> {
        let checks = self.json["checks"].as_array().unwrap().iter();
        checks.map(|check| (check["key"].as_str().unwrap(), check["status"].as_str().unwrap())).collect()
    }

    /// How one check stands.
    pub fn status(&self, key: &str) -> &str {
        self.check(key)["status"].as_str().unwrap()
    }

    /// What one check says, with its fix behind.
    pub fn words(&self, key: &str) -> String {
        let check = self.check(key);
        format!("{} {}", check["detail"].as_str().unwrap(), check["fix"].as_str().unwrap_or_default())
    }

    /// The status of the whole.
    pub fn worst(&self) -> &str {
        self.json["status"].as_str().unwrap()
    }
}

/// Answers at an address of its own until the test ends.
pub async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// An address at which nobody listens.
pub async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
