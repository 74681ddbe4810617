//! Stands before every route: refuses requests that a foreign web page may have caused, and sends the headers that
//! keep a page to itself.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::http::state::AppState;

/// The nonce of this request: scripts in its page carry it, so that no other script runs.
#[derive(Debug, Clone)]
pub struct PageNonce(pub Arc<str>);

/// Refuses what may come from a foreign web page; adds a nonce to the request, and headers to the response.
pub async fn guard(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let nonce = new_nonce(&state);
    let mut response = if let Some(refusal) = refusal(&state, &request) {
        refusal.into_response(&request)
    } else {
        request.extensions_mut().insert(PageNonce(nonce.clone()));
        next.run(request).await
    };
    add_headers(response.headers_mut(), &nonce);
    response
}

fn new_nonce(state: &AppState) -> Arc<str> {
    let mut bytes = [0; 16];
    state.random.fill(&mut bytes);
    BASE64_STANDARD.encode(bytes).into()
}

/// Why a request is refused.
enum Refusal {
    Host,
    Origin,
}

impl Refusal {
    fn into_response(self, request: &Request) -> Response {
        let (status, sentence) = match self {
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "Stoker does not answer under this name. Use the address that it printed at its start, or start it \
                 with --allowed-host and this name.",
            ),
            Self::Origin => (
                StatusCode::FORBIDDEN,
                "This request came from another web site, so Stoker did not do it. Open Stoker's own page and try \
                 again there.",
            ),
        };
        if request.uri().path().starts_with("/api/") {
            (status, Json(serde_json::json!({ "detail": sentence }))).into_response()
        } else {
            (status, sentence).into_response()
        }
    }
}

fn refusal(state: &AppState, request: &Request) -> Option<Refusal> {
    let headers = request.headers();
    let host = match headers.get(header::HOST) {
        Some(host) => host.to_str().unwrap_or_default(),
        None => request.uri().authority().map(http::uri::Authority::as_str).unwrap_or_default(),
    };
    if !state.hosts.allow(host) {
        return Some(Refusal::Host);
    }
    let changes_nothing = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        && !headers.contains_key(header::UPGRADE);
    if changes_nothing || (comes_from_same_site(headers) && has_origin(headers, host)) {
        None
    } else {
        Some(Refusal::Origin)
    }
}

/// What the browser says about where the request comes from. Programs say nothing.
fn comes_from_same_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none")
}

/// Whether the page that sent the request, if one did, has our host.
fn has_origin(headers: &HeaderMap, host: &str) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let origin = origin.to_str().unwrap_or_default();
    let origin_host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    origin_host.is_some_and(|origin_host| origin_host.eq_ignore_ascii_case(host))
}

fn add_headers(headers: &mut HeaderMap, nonce: &str) {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' \
         data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
