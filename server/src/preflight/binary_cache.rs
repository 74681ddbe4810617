//! The cache from which Nix fetches packages that are built already.

use app::model::checks::CheckGroup;
use reqwest::Url;

use super::{
    finding::{Finding, Subject},
    nix::Found,
    web,
};
use crate::packages::nix::provider::Provider;

pub(super) const BINARY_CACHE: Subject = Subject::new("binary-cache", CheckGroup::Network, "Nix binary cache");

/// What every Nix asks by default.
const CACHE: &str = "https://cache.nixos.org";
/// The settings of the machine's Nix.
const SETTINGS: &str = "/etc/nix/nix.conf";

pub(super) async fn finding(provider: Found) -> Finding {
    if provider.await == Provider::None {
        return Finding::skipped("Without Nix it is not asked.");
    }
    let settings = [std::fs::read_to_string(SETTINGS).ok(), std::env::var("NIX_CONFIG").ok()];
    let Some(url) = first_cache(settings.iter().flatten().map(String::as_str)) else {
        return Finding::skipped("Nix is set to ask no binary cache.");
    };
    let shown = web::shown(&url);
    match web::get(url, "*/*").await {
        Ok(answer) if answer.status().is_success() => Finding::ok(format!("{shown} answers.")),
        Ok(answer) => {
            missing(&format!("{shown} answers with {}.", answer.status()), "Check the proxy, and try again later.")
        }
        Err(error) => missing(&format!("{shown} does not answer: {}.", error.cause), error.fix),
    }
}

/// The first cache that Nix asks over the network, by its settings, of which the later ones count.
fn first_cache<'a>(settings: impl Iterator<Item = &'a str>) -> Option<Url> {
    let named = settings.flat_map(str::lines).filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "substituters").then_some(value)
    });
    let mut caches = named.last().unwrap_or(CACHE).split_whitespace();
    let cache = caches.find(|cache| cache.starts_with("http"))?;
    Url::parse(&format!("{}/nix-cache-info", cache.split('?').next()?.trim_end_matches('/'))).ok()
}

fn missing(detail: &str, fix: &str) -> Finding {
    Finding::warning(format!("{detail} New system packages would be built here, which takes long, or not be had."), fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_the_one_that_nix_asks() {
        let cache = |settings: &[&str]| first_cache(settings.iter().copied()).map(|url| url.to_string());
        assert_eq!(cache(&[]).as_deref(), Some("https://cache.nixos.org/nix-cache-info"));
        assert_eq!(cache(&["substituters =\n"]), None);
        let machine = "# ours\nsubstituters = file:///x https://one.example/?priority=1 https://two.example\ncores = 2";
        assert_eq!(cache(&[machine]).as_deref(), Some("https://one.example/nix-cache-info"));
        assert_eq!(cache(&[machine, "substituters = "]), None);
    }
}
