//! The link by which a program is downloaded as a script that runs anywhere.

use leptos::prelude::*;

use crate::routes;

/// The link on the page of a task, or of a step of a run.
pub fn script_link(page: &str) -> AnyView {
    view! {
        <p class="script-link">
            <a href=routes::script(page) download="" title="With its packages and Python in it: `uv run` runs it anywhere">
                "Download as script"
            </a>
        </p>
    }
    .into_any()
}
