//! Who may ask, and what keeps a page to itself.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};

use crate::support::{HOST, PLAIN, TestApp};

async fn status(app: &TestApp, method: &str, path: &str, headers: &[(&str, &str)]) -> StatusCode {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.body(Body::empty()).unwrap()).await.status
}

#[tokio::test]
async fn only_our_own_names_are_answered() {
    let app = TestApp::new().await;
    for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "stoker.example"] {
        assert_eq!(status(&app, "GET", "/tasks", &[("host", host)]).await, StatusCode::OK, "{host}");
    }
    for host in ["evil.example:3000", "localhost:3001", "127.0.0.1.evil.example:3000", "\u{7f}", ""] {
        let got = status(&app, "GET", "/tasks", &[("host", host.trim_matches('\u{7f}'))]).await;
        assert_eq!(got, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    let request = Request::get("/api/v1/tasks").header(header::HOST, "evil.example").body(Body::empty()).unwrap();
    assert!(app.send(request).await.json()["detail"].as_str().unwrap().contains("--allowed-host"));
}

#[tokio::test]
async fn other_web_sites_change_nothing() {
    let app = TestApp::new().await;
    let id = app.save(&PLAIN).await;
    let paths = [format!("/tasks/{id}/delete"), format!("/api/v1/tasks/{id}/run"), "/actions/delete_task".to_owned()];
    let own = format!("http://{HOST}");
    for path in &paths {
        for headers in [
            [("origin", "http://evil.example"), ("x-x", "")],
            [("origin", "null"), ("x-x", "")],
            [("origin", "http://localhost:3000"), ("x-x", "")],
            [("sec-fetch-site", "cross-site"), ("x-x", "")],
            [("sec-fetch-site", "same-site"), ("origin", own.as_str())],
        ] {
            assert_eq!(status(&app, "POST", path, &headers).await, StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
    }
    assert_eq!(app.get(&format!("/tasks/{id}")).await.status, StatusCode::OK, "it is still there");
    let delete = format!("/api/v1/tasks/{id}/delete");
    assert_eq!(status(&app, "DELETE", &delete, &[("origin", "http://evil.example")]).await, StatusCode::FORBIDDEN);
    let own = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(status(&app, "DELETE", &delete, &own).await, StatusCode::OK);
}

#[tokio::test]
async fn other_web_sites_read_no_log() {
    let app = TestApp::new().await;
    let (id, _) = app.save_and_run(&PLAIN).await;
    let path = format!("/tasks/{id}/runs/1/log/socket");
    let headers = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("origin", "http://evil.example"),
    ];
    assert_eq!(status(&app, "GET", &path, &headers).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn only_scripts_of_the_page_itself_run() {
    let app = TestApp::new().await;
    let (id, _) = app.save_and_run(&PLAIN).await;
    let mut nonces = Vec::new();
    for path in ["/tasks".to_owned(), format!("/tasks/{id}/runs/1"), "/nothing".to_owned()] {
        let page = app.get(&path).await;
        let policy = page.header(header::CONTENT_SECURITY_POLICY).to_owned();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        assert!(nonce.len() >= 22, "{nonce}");
        let scripts = page.texts("script").len();
        assert!(scripts > 0);
        assert_eq!(page.attributes("script", "nonce"), vec![nonce.clone(); scripts], "{path}");
        assert!(page.attributes("[style]", "style").is_empty(), "styles in attributes would be refused");
        assert!(page.texts("style").is_empty());
        nonces.push(nonce);
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 3, "each page has its own");
}

#[tokio::test]
async fn every_answer_has_the_protecting_headers() {
    let app = TestApp::new().await;
    for path in ["/tasks", "/nothing", "/favicon.svg", "/api/v1/tasks", "/api/v1/nothing", "/pkg/none.js"] {
        let answer = app.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(answer.header(header::CONTENT_SECURITY_POLICY).contains("default-src 'none'"), "{path}");
    }
}

#[tokio::test]
async fn files_of_the_bundle_are_kept_for_ever() {
    let app = TestApp::new().await;
    for (page, script) in [("/tasks", "pages.js"), ("/tasks/new", "workbench.js")] {
        let hashed = format!("/{}/{script}", app.state.site.bundle_folder());
        assert!(app.get(&hashed).await.header(header::CACHE_CONTROL).contains("immutable"));
        assert!(app.get(page).await.text.contains(&hashed), "{page} names the hashed file of what it has");
    }
    assert_eq!(app.get("/favicon.svg").await.header(header::CACHE_CONTROL), "no-cache");
    assert_eq!(app.get("/pkg/0000000000000000/pages.js").await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get("/tasks").await.header(header::CACHE_CONTROL), "private, no-cache");
}

#[tokio::test]
async fn pages_are_sent_compressed_to_those_who_can_read_it() {
    let app = TestApp::new().await;
    let request = Request::get("/tasks").header(header::ACCEPT_ENCODING, "gzip, br").body(Body::empty()).unwrap();
    assert_eq!(app.send(request).await.header(header::CONTENT_ENCODING), "br");
}
