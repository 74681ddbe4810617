//! The server under measurement: the real binary on a folder and a port of its own.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{baselines::Tools, client::Client};

/// A running server; it is stopped when dropped.
pub struct Stoker {
    child: Child,
    address: String,
    /// Its data folder.
    pub data: PathBuf,
}

impl Stoker {
    /// Starts it on a data folder, and waits until it answers.
    pub async fn start(data: &Path, tools: &Tools) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let child = Command::new(env!("CARGO_BIN_EXE_stoker"))
            .args(["serve", "--addr", &address, "--data"])
            .arg(data)
            .arg("--uv")
            .arg(&tools.uv)
            .args(["--log-limit", "2G"])
            .env("RUST_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let stoker = Self { child, address, data: data.to_owned() };
        let client = stoker.client();
        for _ in 0..500 {
            if client.is_up().await {
                return stoker;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server does not answer");
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(&self.address)
    }

    /// Its resident memory in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Stoker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
