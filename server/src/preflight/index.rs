//! The package index: that it answers.

use app::model::checks::CheckGroup;
use reqwest::{StatusCode, Url};

use super::{
    finding::{Finding, Subject},
    web,
};

pub(super) const INDEX: Subject = Subject::new("index", CheckGroup::Network, "Package index");

/// uv's own default.
const PYPI: &str = "https://pypi.org/simple/";
/// The variables by which uv is told another, the stronger first.
const VARIABLES: [&str; 2] = ["UV_DEFAULT_INDEX", "UV_INDEX_URL"];
/// What an index answers with: <https://packaging.python.org/en/latest/specifications/simple-repository-api/>.
const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
/// A package that nearly every index has. Its page is small; the page of all packages can be many megabytes.
const PACKAGE: &str = "pip/";

const ADDRESS_FIX: &str =
    "Check the address: give that of the index's list of packages with --index-url, such as https://HOST/simple/.";

pub(super) async fn finding(configured: Option<String>) -> Finding {
    let text = configured.or_else(of_environment).unwrap_or_else(|| PYPI.to_owned());
    let Ok(mut index) = Url::parse(&text) else {
        return Finding::failed("The package index's address is no URL.", ADDRESS_FIX);
    };
    if !index.path().ends_with('/') {
        index.set_path(&format!("{}/", index.path()));
    }
    match index.scheme() {
        "http" | "https" => ask(&index).await,
        "file" if index.to_file_path().is_ok_and(|folder| folder.is_dir()) => {
            Finding::ok(format!("{index} is a folder of this machine."))
        }
        "file" => Finding::failed(format!("{index} is not there."), "Make that folder, or give another --index-url."),
        other => Finding::failed(format!("Package indexes are not asked by `{other}`."), ADDRESS_FIX),
    }
}

/// uv takes the name away that may stand before the address, as in `name=https://…`.
fn of_environment() -> Option<String> {
    let value = VARIABLES.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    match value.split_once('=') {
        Some((name, url)) if !name.contains(['/', ':']) => Some(url.to_owned()),
        _ => Some(value),
    }
}

async fn ask(index: &Url) -> Finding {
    let shown = web::shown(index);
    let mut status = None;
    // An index may be there without that package; then its list of packages must be.
    for path in [PACKAGE, ""] {
        let Ok(url) = index.join(path) else { continue };
        match web::get(url, ACCEPT).await {
            Ok(answer) if answer.status().is_success() => return Finding::ok(format!("{shown} answers.")),
            Ok(answer) => status = Some(answer.status()),
            Err(error) => {
                return Finding::failed(format!("{shown} does not answer: {}.", error.cause), error.fix);
            }
        }
        if status != Some(StatusCode::NOT_FOUND) {
            break;
        }
    }
    let status = status.unwrap_or_default();
    let detail = format!("{shown} answers with {status}.");
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Finding::failed(
            detail,
            "Put name and password into the address (https://NAME:PASSWORD@HOST/simple/), or ask who runs the index.",
        ),
        status if status.is_server_error() => Finding::failed(
            detail,
            "The index has trouble of its own: try again later, or use another with --index-url.",
        ),
        _ => Finding::failed(detail, ADDRESS_FIX),
    }
}
