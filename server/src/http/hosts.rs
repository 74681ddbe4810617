//! The names under which browsers may reach this server. Any other name in a request means that a foreign web page
//! made its own name point here (DNS rebinding).

use std::net::IpAddr;

/// The names under which browsers may reach this server.
#[derive(Debug, Clone)]
pub struct Hosts {
    port: u16,
    others: Vec<String>,
}

impl Hosts {
    /// This machine's own names with this port, and those others, each `name` (with any port) or `name:port`.
    #[must_use]
    pub fn new(port: u16, others: &[String]) -> Self {
        Self { port, others: others.iter().map(|host| host.trim().to_ascii_lowercase()).collect() }
    }

    /// Whether a request's `Host` is one of them.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let (name, port) = split(&host);
        let has_our_port = match port {
            Some(port) => port.parse() == Ok(self.port),
            None => self.port == 80,
        };
        has_our_port && is_loopback(name) || self.others.iter().any(|other| *other == host || other == name)
    }
}

/// Name and port of a `Host` header: `[::1]:3000`, `localhost:3000`, `localhost`.
fn split(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

fn is_loopback(name: &str) -> bool {
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name == "localhost" || address.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_names_are_allowed() {
        let hosts = Hosts::new(3000, &["Stoker.example".to_owned(), "proxy:8443".to_owned()]);
        for host in [
            "localhost:3000",
            "LOCALHOST:3000",
            "127.0.0.1:3000",
            "127.9.9.9:3000",
            "[::1]:3000",
            "stoker.example",
            "stoker.example:443",
            "proxy:8443",
        ] {
            assert!(hosts.allow(host), "{host}");
        }
        for host in [
            "",
            "evil.example:3000",
            "localhost",
            "localhost:3001",
            "127.0.0.1",
            "127.0.0.1.evil.example:3000",
            "localhost.evil.example:3000",
            "proxy",
            "proxy:80",
            "10.0.0.1:3000",
            "[::1]",
        ] {
            assert!(!hosts.allow(host), "{host}");
        }
        assert!(Hosts::new(80, &[]).allow("localhost"));
    }
}
