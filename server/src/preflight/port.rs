//! The address to listen on: free, or held by the Stoker that uses this data folder.

use std::{io, net::SocketAddr};

use app::model::checks::CheckGroup;
use tokio::net::TcpListener;

use super::finding::{Finding, Subject};
use crate::config::{DataFolder, data_folder};

pub(super) const PORT: Subject = Subject::new("port", CheckGroup::Network, "Address");

pub(super) async fn finding(address: SocketAddr, data: DataFolder) -> Finding {
    if !address.ip().is_loopback() {
        return Finding::failed(
            format!("{address} can be reached from other machines, and whoever reaches Stoker can run programs."),
            "Choose an address of this machine alone, such as --addr 127.0.0.1:3000, and reach it through SSH.",
        );
    }
    match TcpListener::bind(address).await {
        Ok(_) if address.port() == 0 => Finding::ok("Any free port is taken."),
        Ok(_) => Finding::ok(format!("{address} is free.")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if data_folder::listening_at(&data) == Some(address) {
                Finding::ok(format!("The Stoker that uses this data folder listens on {address}."))
            } else {
                Finding::failed(
                    format!("Another program listens on {address}."),
                    format!(
                        "Stop that program (`ss -ltnp 'sport = :{}'` names it), or choose another address with --addr.",
                        address.port()
                    ),
                )
            }
        }
        Err(error) => Finding::failed(
            format!("Stoker cannot listen on {address}: {error}."),
            "Choose another address with --addr; ports below 1024 are for the administrator.",
        ),
    }
}
