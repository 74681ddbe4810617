//! What every page does in the browser, and what the islands share of it. It does without Leptos: most pages then load a
//! third of what they would.

mod commands;
pub mod dom;
pub mod keyboard;
pub mod refresh;
pub mod rename;
pub mod request;
pub mod ticker;
