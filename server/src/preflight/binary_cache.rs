//! The cache from which Nix fetches packages that are built already.

use app::model::checks::CheckGroup;
use reqwest::Url;

use super::{
    finding::{Finding, Subject},
    nix::Found,
    web,
};
use crate::nix::provider::Provider;

pub(super) const BINARY_CACHE: Subject = Subject::new("binary-cache", CheckGroup::Network, "Nix binary cache");

/// What every Nix asks by default.
const CACHE: &str = "https://cache.nixos.org/nix-cache-info";

pub(super) async fn finding(provider: Found) -> Finding {
    if provider.await == Provider::None {
        return Finding::skipped("Without Nix it is not asked.");
    }
    let Ok(url) = Url::parse(CACHE) else { return Finding::skipped("No binary cache is configured.") };
    let shown = web::shown(&url);
    match web::get(url, "*/*").await {
        Ok(answer) if answer.status().is_success() => Finding::ok(format!("{shown} answers.")),
        Ok(answer) => {
            missing(&format!("{shown} answers with {}.", answer.status()), "Check the proxy, and try again later.")
        }
        Err(error) => missing(&format!("{shown} does not answer: {}.", error.cause), error.fix),
    }
}

fn missing(detail: &str, fix: &str) -> Finding {
    Finding::warning(format!("{detail} New system packages would be built here, which takes long, or not be had."), fix)
}
