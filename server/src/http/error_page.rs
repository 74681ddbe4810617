//! A page of one sentence, for errors that no other page can show. It needs nothing of the server.

use std::any::Any;

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};

/// A page that says what happened, and leads on.
pub fn error_page(status: StatusCode, title: &str, sentence: &str) -> Response {
    let (title, sentence) = (escaped(title), escaped(sentence));
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><title>{title} · Stoker</title><link rel=\"stylesheet\" \
         href=\"/pkg/app.css\"></head><body><main id=\"main\"><h1>{title}</h1><p>{sentence}</p><p><a \
         href=\"/tasks\">All tasks</a></p></main></body></html>\n"
    );
    (status, Html(page)).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The page after a panic. The panic itself is on standard error.
pub fn after_panic(_content: Box<dyn Any + Send>) -> Response {
    tracing::error!("A request ended in a panic");
    error_page(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Stoker made a mistake",
        "The cause is in the server's log. Nothing you typed is at fault. Go back and try again.",
    )
}

/// The page for a form that was sent to where none is.
pub async fn method_not_allowed() -> Response {
    error_page(
        StatusCode::METHOD_NOT_ALLOWED,
        "This does not fit",
        "This address does not take what was sent to it. Go back, reload the page, and try again.",
    )
}
