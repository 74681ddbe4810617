//! What finding and installing packages may see of the server's own environment. The rest stays with the server: a
//! package that is built runs code of its own.

/// Where programs are looked for.
pub const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Certificates, proxies, indexes, and settings of Nix.
const VARIABLES: [&str; 19] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_SYSTEM_CERTS",
    "NETRC",
    "NIX_CONFIG",
    "NIX_SSL_CERT_FILE",
];

/// Names and values, with this package index when there is one.
#[must_use]
pub fn variables(index_url: Option<&str>) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> =
        VARIABLES.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
    if let Some(url) = index_url {
        variables.retain(|(name, _)| name != "UV_DEFAULT_INDEX");
        variables.push(("UV_DEFAULT_INDEX".to_owned(), url.to_owned()));
    }
    variables
}
