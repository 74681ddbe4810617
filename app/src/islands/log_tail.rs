//! The live end of a log: appends lines as they come, says in words how things stand, and lets the reader scroll away
//! and come back.

use leptos::prelude::*;

/// The live end of a log, and the way back to it. Around it the server has rendered `#log`, whose `data-` attributes say
/// where to go on, `#log-lines`, where new lines go, and `#log-words`, which say how things stand.
#[island]
pub fn LogTail() -> impl IntoView {
    let unseen = RwSignal::new(0_u32);
    #[cfg(feature = "islands")]
    {
        reveal_chosen_step();
        super::follower::follow(unseen);
    }
    let resume = move |_| {
        #[cfg(feature = "islands")]
        super::follower::scroll_to_end();
        unseen.set(0);
    };
    view! {
        <button type="button" class="log-resume" hidden=move || unseen.get() == 0 on:click=resume>
            {move || match unseen.get() {
                1 => "↓ 1 new line".to_owned(),
                several => format!("↓ {several} new lines"),
            }}
        </button>
    }
}

/// Scrolls the graph of a flow's run to the step whose log this is: it may be out of sight there.
#[cfg(feature = "islands")]
fn reveal_chosen_step() {
    use crate::browser::dom;

    if let (Some(graph), Some(step)) = (dom::html_by_id("run-graph"), dom::all("#run-graph [aria-current]").pop()) {
        dom::reveal(&graph, &step);
    }
}
