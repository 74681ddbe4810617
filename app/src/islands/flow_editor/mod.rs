//! The flow form with a graph to draw in: steps are chosen, connected, moved and removed in it, by pointer and by keys.
//! The form's fields stay the truth: what is drawn is read from them, and what is done is written to them. What adds or
//! removes a step is done by the server, as without this island.

#[cfg(feature = "islands")]
mod answer;
#[cfg(feature = "islands")]
mod editor;
#[cfg(feature = "islands")]
mod form;
#[cfg(feature = "islands")]
mod keys;
#[cfg(feature = "islands")]
mod pointer;
#[cfg(feature = "islands")]
mod sheet;

use leptos::prelude::*;

/// Brings the flow form around it to life.
#[island]
pub fn FlowEditor() -> impl IntoView {
    #[cfg(feature = "islands")]
    editor::watch();
}
