//! The live end of a log: appends lines as they come, says in words how things stand, and lets the reader scroll away
//! and come back.

use leptos::prelude::*;

use crate::model::identifiers::{RunNumber, TaskId};

/// What the words beneath a log say that both the server and the browser say.
pub mod words {
    /// Lines are coming.
    pub const LIVE: &str = "Live: new lines appear here.";
    /// The program runs and has written nothing.
    pub const NO_OUTPUT_YET: &str = "No output yet.";
    /// The log is complete.
    pub const ENDED: &str = "End of the log.";
}

/// The live end of a log. Renders the words beneath the log and the way back to its end;
/// the lines go into `#log-lines`, which the server has filled so far.
#[island]
pub fn LogTail(
    /// The task.
    task: TaskId,
    /// The run.
    run: RunNumber,
    /// The number of the first line that the page does not show yet.
    next: u64,
    /// The version of the run's state that the page shows.
    version: u64,
    /// How things stand.
    words: String,
    /// Whether the run may still change.
    live: bool,
    /// Whether the page shows the log's end, so that new lines belong to it.
    at_end: bool,
) -> impl IntoView {
    let words = RwSignal::new(words);
    let unseen = RwSignal::new(0_u32);
    #[cfg(feature = "hydrate")]
    super::follower::Follower { task, run, live, at_end, words, unseen }.start(next, version);
    #[cfg(not(feature = "hydrate"))]
    let _ = (task, run, next, version, live, at_end);
    let resume = move |_| {
        #[cfg(feature = "hydrate")]
        super::follower::scroll_to_end();
        unseen.set(0);
    };
    view! {
        <span class="log-words" role="status">
            {words}
        </span>
        <button type="button" class="log-resume" hidden=move || unseen.get() == 0 on:click=resume>
            {move || match unseen.get() {
                1 => "↓ 1 new line".to_owned(),
                several => format!("↓ {several} new lines"),
            }}
        </button>
    }
}
