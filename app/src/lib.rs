//! Stoker's pages, components, islands and actions, and the types that server and browser share.
//! It says what it needs of the server in `backend`; it knows of no database, no process and no cluster.

#[cfg(feature = "ssr")]
pub mod actions;
#[cfg(feature = "ssr")]
mod application;
#[cfg(feature = "ssr")]
pub mod backend;
#[cfg(feature = "hydrate")]
#[cfg_attr(
    not(all(feature = "log-islands", feature = "form-islands", feature = "flow-islands")),
    allow(dead_code, reason = "some of it is for islands that this bundle does not have")
)]
mod browser;
#[cfg(feature = "ssr")]
pub mod bundle;
#[cfg(feature = "ssr")]
mod components;
#[cfg(feature = "ssr")]
pub mod examples;
#[cfg(any(feature = "ssr", feature = "flow-islands"))]
mod flow_drawing;
mod html;
#[cfg(any(feature = "ssr", feature = "islands"))]
mod islands;
pub mod log_text;
pub mod model;
#[cfg(feature = "ssr")]
pub mod page_context;
#[cfg(feature = "ssr")]
mod pages;
pub mod python_text;
pub mod routes;
#[cfg(any(feature = "ssr", feature = "flow-islands"))]
mod step_form_words;
#[cfg(feature = "ssr")]
pub mod troubleshooting;

#[cfg(feature = "ssr")]
pub use application::{App, shell};
#[cfg(feature = "ssr")]
pub use pages::{run::changing_parts, run_beside::changing_parts as changing_parts_beside};

/// Where the browser starts: does what every page needs, and brings the islands to life where there are some.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    browser::ticker::start();
    browser::keyboard::start();
    browser::rename::start();
    #[cfg(feature = "islands")]
    leptos::mount::hydrate_islands();
}
