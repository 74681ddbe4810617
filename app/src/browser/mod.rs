//! What every page does in the browser, and what the islands share of it. It does without Leptos: most pages then load a
//! third of what they would.

pub mod dom;
pub mod refresh;
pub mod ticker;
