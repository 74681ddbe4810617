//! What the tests of pages share: a page as a browser without JavaScript gets it.

use std::sync::Arc;

use app::{App, backend::Backend, model::time::Timestamp, page_context::Now, shell};
use axum::{body::Body, http::Request};
use leptos::prelude::*;

/// The time of every request.
pub const NOW: Timestamp = Timestamp(1_709_210_096_789);

/// What a user may have typed to be markup where it is not escaped.
pub const EVIL: &str = "</title><script>alert(1)</script>";

/// Status and HTML of a page over a backend; `more` provides what else the page is handed.
pub async fn render(
    backend: Arc<dyn Backend>,
    address: &str,
    more: impl Fn() + Clone + Send + Sync + 'static,
) -> (u16, String) {
    // As a server does at its start; this also sets up what runs the pages' futures.
    assert!(!leptos_axum::generate_route_list(App).is_empty());
    let options = LeptosOptions::builder().output_name("app").site_pkg_dir("pkg/0").build();
    let context = move || {
        provide_context(backend.clone());
        provide_context(Now(NOW));
        more();
    };
    let render = leptos_axum::render_app_async_with_context(context, move || shell(options.clone()));
    let response = render(Request::get(address).body(Body::empty()).unwrap()).await;
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 1 << 24).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// What is true of every page, whatever users typed.
pub fn assert_sound(address: &str, html: &str) {
    assert!(!html.contains("<script>alert"), "{address}: user text is never markup");
    assert!(!html.contains(" style=") && !html.contains(" onclick="), "{address}: the policy forbids these");
    assert_eq!(html.matches("<h1").count(), 1, "{address}");
    // Drawings have titles of their own.
    let head = html.split("</head>").next().unwrap();
    assert_eq!(head.matches("<title>").count(), 1, "{address}");
    assert!(html.contains(r##"href="#main""##) && html.contains(r#"href="/pkg/0/app.css""#), "{address}");
}
