//! Everything that speaks HTTP. This page lists all routes; each module beside has one kind of them.

use axum::{
    Router, middleware,
    routing::{get, post},
};
use leptos_axum::{LeptosRoutes as _, generate_route_list};
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    trace::{DefaultMakeSpan, DefaultOnResponse, TraceLayer},
};
use tracing::Level;

use crate::http::state::AppState;

mod access;
mod api;
mod cookies;
mod error_page;
mod forms;
mod health;
pub mod hosts;
mod log_socket;
mod notice;
mod outputs;
mod pages;
mod preferences;
mod raw_log;
mod run_state;
mod security;
pub mod site;
pub mod state;
mod step_path;
mod task_log_socket;
mod websocket;

/// All routes, with what surrounds them.
pub fn router(state: AppState) -> Router {
    Router::new()
        .merge(pages(&state))
        .merge(logs("/tasks/{id}/runs/{number}"))
        .merge(logs("/flows/{id}/runs/{number}"))
        .merge(logs("/flows/{id}/runs/{number}/steps/{step}"))
        .nest("/api", api::router())
        .route("/ws/tasks/{id}/logs", get(task_log_socket::open))
        .layer(CatchPanicLayer::custom(error_page::after_panic))
        .layer(middleware::from_fn_with_state(state.clone(), security::guard))
        // Outside of the guard: a health check comes under any name, and learns nothing.
        .route("/healthz", get(health::check))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(DefaultMakeSpan::new().level(Level::DEBUG))
                .on_response(DefaultOnResponse::new().level(Level::DEBUG))
                // Handlers log their errors themselves, with the cause.
                .on_failure(()),
        )
        .with_state(state)
}

/// What is asked for beside a page with a log.
fn logs(page: &str) -> Router<AppState> {
    Router::new()
        .route(&format!("{page}/log"), get(raw_log::send))
        .route(&format!("{page}/log/socket"), get(log_socket::open))
        .route(&format!("{page}/outputs/{{*name}}"), get(outputs::send))
}

/// Pages, the forms on them, and the files that they name.
fn pages(state: &AppState) -> Router<AppState> {
    let options = state.options.clone();
    Router::new()
        .leptos_routes_with_context(
            state,
            generate_route_list(app::App),
            pages::provider(state.clone(), pages::Extra::default()),
            move || app::shell(options.clone()),
        )
        .layer(middleware::from_fn(pages::limit_time))
        .route("/tasks", post(forms::task_list))
        .route("/tasks/new", post(forms::new_task))
        .route("/tasks/{id}", post(forms::task))
        .route("/tasks/{id}/edit", post(forms::edit_task))
        .route("/tasks/{id}/delete", post(forms::delete_task))
        .route("/tasks/{id}/runs/{number}", post(forms::run))
        .route("/tasks/{id}/runs/{number}/state", get(run_state::send))
        .route("/flows/{id}/runs/{number}/state", get(run_state::send))
        .route("/flows/{id}/runs/{number}/steps/{step}/state", get(run_state::send))
        .route("/tasks/{id}/runs/{number}/cancel", post(forms::cancel_run))
        .route("/flows", post(forms::task_list))
        .route("/flows/new", post(forms::new_flow))
        .route("/flows/{id}", post(forms::task))
        .route("/flows/{id}/edit", post(forms::edit_flow))
        .route("/flows/{id}/delete", post(forms::delete_task))
        .route("/flows/{id}/runs/{number}", post(forms::run))
        .route("/flows/{id}/runs/{number}/cancel", post(forms::cancel_run))
        .route("/runs/cancel", post(forms::cancel_runs))
        .route("/system", post(forms::system))
        .route("/system/{kind}/{key}/delete", post(forms::delete_cache))
        .route("/preferences", post(preferences::set))
        .fallback(pages::fallback)
        .method_not_allowed_fallback(error_page::method_not_allowed)
        .layer(middleware::map_response(pages::finish))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(middleware::from_fn(notice::show_once))
}
