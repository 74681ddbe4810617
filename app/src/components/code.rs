//! Python code with colours and line numbers.

use leptos::prelude::*;

use crate::python_text::code_html;

/// Python code with line numbers.
#[component]
pub fn CodeBlock(
    /// The code.
    #[prop(into)]
    code: String,
    /// What it is, for screen readers.
    label: &'static str,
    /// Whether an address such as `#code-L9` means its lines: that of one program on a page.
    #[prop(optional)]
    has_anchors: bool,
) -> impl IntoView {
    view! {
        <div class="code-block card is-flush" role="region" aria-label=label tabindex="0">
            <pre class="code-text" dir="ltr"><code inner_html=code_html(&code, has_anchors)></code></pre>
        </div>
    }
    .into_any()
}
