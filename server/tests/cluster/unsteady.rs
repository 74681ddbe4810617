//! A way to the cluster that breaks again and again: a proxy that cuts each connection after a while.

use std::{fs, path::PathBuf, time::Duration};

use kube::config::Kubeconfig;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::place::variable;

/// The way. It is closed when this is dropped.
pub struct UnsteadyWay {
    folder: tempfile::TempDir,
    proxy: JoinHandle<()>,
}

impl UnsteadyWay {
    /// Opens one on which no connection lives longer than this.
    pub async fn open(longest: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let text = fs::read_to_string(variable("STOKER_TEST_SERVER_KUBECONFIG")).unwrap();
        let config = Kubeconfig::from_yaml(&text).unwrap();
        let server = config.clusters[0].cluster.as_ref().unwrap().server.clone().unwrap();
        let target = server.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let folder = tempfile::tempdir().unwrap();
        // The server's certificate must be good for this address too: that of a cluster on this machine is.
        fs::write(folder.path().join("kubeconfig"), text.replace(&server, &format!("https://{address}"))).unwrap();
        let proxy = tokio::spawn(async move {
            while let Ok((mut from, _)) = listener.accept().await {
                let target = target.clone();
                tokio::spawn(async move {
                    if let Ok(mut to) = TcpStream::connect(target).await {
                        // Cut in the middle of whatever goes on.
                        let _ = tokio::time::timeout(longest, copy_bidirectional(&mut from, &mut to)).await;
                    }
                });
            }
        });
        Self { folder, proxy }
    }

    /// A kubeconfig that goes this way.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }
}

impl Drop for UnsteadyWay {
    fn drop(&mut self) {
        self.proxy.abort();
    }
}
