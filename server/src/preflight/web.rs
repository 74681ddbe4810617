//! Asking a web server whether it answers, with the machine's proxy and certificate variables respected.

use std::time::Duration;

use reqwest::{Client, Response, Url, header::ACCEPT};

use crate::root_cause::root_cause;

/// How long a server may take to be connected to, and to answer.
const CONNECTING: Duration = Duration::from_secs(3);
const ANSWERING: Duration = Duration::from_secs(6);

/// The beginning of an answer; its body is not read.
pub(super) async fn get(url: Url, accept: &str) -> Result<Response, NoAnswer> {
    // Another part of the program may have chosen the cryptography already; then that choice holds.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().connect_timeout(CONNECTING).timeout(ANSWERING).build().map_err(NoAnswer::of)?;
    client.get(url).header(ACCEPT, accept).send().await.map_err(NoAnswer::of)
}

/// Why there is no answer: the cause in the system's words, and what to do.
pub(super) struct NoAnswer {
    pub cause: String,
    pub fix: &'static str,
}

impl NoAnswer {
    fn of(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let cause = root_cause(&error);
        let fix = if cause.contains("certificate") {
            "If a proxy of yours makes the certificates, name its authority's file in SSL_CERT_FILE."
        } else {
            "Check the address, the network, and the proxy variables (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)."
        };
        Self { cause: if error.is_timeout() { "it took too long".to_owned() } else { cause }, fix }
    }
}

/// An address as it may be shown: without a password.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Only addresses that can have none refuse.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let url = Url::parse("https://user:secret@index.example/simple/?token=secret").unwrap();
        assert_eq!(shown(&url), "https://index.example/simple/");
    }
}
