//! The live end of a log: appends lines as they come, says in words how things stand, and lets the reader scroll away
//! and come back.

use leptos::prelude::*;

/// The live end of a log, and the way back to it. Around it the server has rendered `#log`, whose `data-` attributes say
/// where to go on, `#log-lines`, where new lines go, and `#log-words`, which say how things stand. The follower itself
/// brings the button to life, so it also does where a log came into the page later.
#[island]
pub fn LogTail() -> impl IntoView {
    #[cfg(feature = "islands")]
    super::follower::follow();
    view! { <button type="button" class="log-resume" id="log-resume" hidden=true></button> }
}
