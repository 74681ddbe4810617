//! Pages: what each is handed besides its address, and how one is shown again after a form was refused.

use std::time::Duration;

use app::page_context::{FlowFormState, Notice, Now, Refusal, RefusedName, TaskFormState};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts, uri::PathAndQuery},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use leptos::{
    nonce::Nonce,
    prelude::{provide_context, use_context},
};

use super::{error_page::error_page, notice::Done, preferences, security::PageNonce};
use crate::http::state::AppState;

/// A page that takes longer has met a fault.
const LONGEST: Duration = Duration::from_secs(30);

/// What a page is handed after a form on it was refused.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    /// What was typed of a task, with the messages at its fields.
    pub form: Option<TaskFormState>,
    /// The same of a flow.
    pub flow_form: Option<FlowFormState>,
    /// What was typed as a new name, and why it was not taken.
    pub name: Option<RefusedName>,
    /// Why the action was refused.
    pub refusal: Option<String>,
}

/// Hands a page what it needs besides its address.
pub fn provider(state: AppState, extra: Extra) -> impl Fn() + Clone + Send + Sync + 'static {
    move || {
        provide_context((*state.facts).clone());
        provide_context(Now(state.clock.now()));
        if let Some(parts) = use_context::<Parts>() {
            provide_context(state.backend(&parts));
            provide_context(preferences::of(&parts.headers));
            if let Some(done) = Done::of(&parts.headers) {
                provide_context(Notice(done.sentence()));
            }
            if let Some(PageNonce(nonce)) = parts.extensions.get() {
                provide_context(Nonce::from_value(nonce.clone()));
            }
        }
        if let Some(form) = extra.form.clone() {
            provide_context(form);
        }
        if let Some(form) = extra.flow_form.clone() {
            provide_context(form);
        }
        if let Some(name) = extra.name.clone() {
            provide_context(name);
        }
        if let Some(refusal) = extra.refusal.clone() {
            provide_context(Refusal(refusal));
        }
    }
}

/// Shows the page at an address once more, with this status unless the page itself has an error to tell.
/// `parts` are those of the request that was refused.
pub async fn show(state: &AppState, mut parts: Parts, address: &str, status: StatusCode, extra: Extra) -> Response {
    parts.method = Method::GET;
    if let Ok(address) = address.parse::<PathAndQuery>() {
        parts.uri = address.into();
    }
    let options = state.options.clone();
    let render =
        leptos_axum::render_app_async_with_context(provider(state.clone(), extra), move || app::shell(options.clone()));
    let mut response = render(Request::from_parts(parts, Body::empty())).await;
    if response.status().is_success() {
        *response.status_mut() = status;
    }
    response
}

/// What no route takes: a file of the browser's part, or nothing.
pub async fn fallback(State(state): State<AppState>, request: Request) -> Response {
    let path = request.uri().path();
    // Browsers ask for this name where no page names an icon, as for a raw log.
    let file = if path == "/favicon.ico" { "/favicon.svg" } else { path };
    if let Some(file) = state.site.respond(request.method(), file, request.headers()) {
        return file;
    }
    if path.starts_with("/pkg/") {
        return (StatusCode::NOT_FOUND, "There is no such file. Reload the page: it names the present ones.")
            .into_response();
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() < path.len() && trimmed.starts_with('/') && !trimmed.starts_with("//") {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        return Redirect::permanent(&format!("{trimmed}{query}")).into_response();
    }
    let (parts, _) = request.into_parts();
    let address = parts.uri.to_string();
    show(&state, parts, &address, StatusCode::NOT_FOUND, Extra::default()).await
}

/// Ends a page that takes too long.
pub async fn limit_time(request: Request, next: Next) -> Response {
    let Some(limit) = time_limit(request.method()) else { return next.run(request).await };
    tokio::time::timeout(limit, next.run(request)).await.unwrap_or_else(|_| {
        tracing::error!("A page took longer than {} s", limit.as_secs());
        error_page(
            StatusCode::SERVICE_UNAVAILABLE,
            "Stoker is busy",
            "The page could not be made in time. Wait a moment, then reload it.",
        )
    })
}

/// Pages only show; actions (which come by `POST`, beside the pages) may look up package versions, and that has a
/// longer limit of its own.
fn time_limit(method: &Method) -> Option<Duration> {
    matches!(*method, Method::GET | Method::HEAD).then_some(LONGEST)
}

/// Pages show the state of the moment, and to this user only.
pub async fn finish(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_a_time_limit_and_actions_have_none() {
        assert_eq!(time_limit(&Method::GET), Some(LONGEST));
        assert_eq!(time_limit(&Method::POST), None);
    }
}
