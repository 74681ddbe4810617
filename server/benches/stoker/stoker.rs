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
        Self::start_with(data, tools, &[]).await
    }

    /// The same with further options.
    pub async fn start_with(data: &Path, tools: &Tools, options: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let child = Command::new(env!("CARGO_BIN_EXE_stoker"))
            .args(["serve", "--addr", &address, "--data"])
            .arg(data)
            .arg("--uv")
            .arg(&tools.uv)
            .args(["--log-limit", "2G"])
            .args(options)
            // The tests' packages stand for nixpkgs: what a warm run does is the same for any.
            .env("STOKER_NIX", "own")
            .env("STOKER_NIXPKGS", concat!("path:", env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/packages"))
            .env("NIX_CONFIG", "substituters =")
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

    /// Where a program of its only package set really is.
    pub fn program_of_set(&self, name: &str) -> PathBuf {
        let sets = std::fs::read_dir(self.data.join("cache/sets")).unwrap();
        let complete =
            sets.flatten().find_map(|set| std::fs::read_to_string(set.path().join("complete")).ok()).unwrap();
        let root = self.data.join("cache/nix/own");
        let paths = complete.lines().map(|path| root.join(path.trim_start_matches('/')).join("bin").join(name));
        paths.into_iter().find(|path| path.exists()).unwrap()
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
