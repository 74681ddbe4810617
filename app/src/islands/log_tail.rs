//! The live end of a log: appends lines as they come, says in words how things stand, and lets the reader scroll away
//! and come back.

use leptos::prelude::*;

/// The live end of a log, and the way back to it. Around it the server has rendered `#log`, whose `data-` attributes say
/// where to go on, `#log-lines`, where new lines go, and `#log-words`, which say how things stand. The follower itself
/// brings the button to life, so it also does where a log came into the page later.
#[island]
pub fn LogTail() -> impl IntoView {
    #[cfg(feature = "islands")]
    {
        reveal_chosen_step();
        super::follower::follow();
    }
    view! { <button type="button" class="log-resume" id="log-resume" hidden=true></button> }
}

/// Scrolls the graph of a flow's run to the step whose log this is: it may be out of sight there.
#[cfg(feature = "islands")]
fn reveal_chosen_step() {
    use crate::browser::dom;

    if let (Some(graph), Some(step)) = (dom::html_by_id("run-graph"), dom::all("#run-graph [aria-current]").pop()) {
        dom::reveal(&graph, &step);
    }
}
