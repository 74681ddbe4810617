//! Stoker's pages, components, islands and actions, and the types that server and browser share.
//! It says what it needs of the server in `backend`; it knows of no database, no process and no cluster.

#[cfg(feature = "ssr")]
pub mod actions;
#[cfg(feature = "ssr")]
mod application;
#[cfg(feature = "ssr")]
pub mod backend;
#[cfg(feature = "ssr")]
mod components;
#[cfg(feature = "ssr")]
pub mod examples;
mod html;
mod islands;
pub mod log_text;
pub mod model;
#[cfg(feature = "ssr")]
pub mod page_context;
#[cfg(feature = "ssr")]
mod pages;
pub mod python_text;
pub mod routes;

#[cfg(feature = "ssr")]
pub use application::{App, shell};
#[cfg(feature = "ssr")]
pub use pages::run::changing_parts;

/// Where the browser starts: brings the islands of the page to life.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
