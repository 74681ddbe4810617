//! Messages of any length.

use leptos::prelude::*;

/// A message: a sentence as a paragraph, several lines (such as a resolver's explanation) as they are.
pub fn message(class: &'static str, text: &str) -> AnyView {
    let text = text.to_owned();
    if text.contains('\n') {
        view! { <pre class=format!("{class} message-lines")>{text}</pre> }.into_any()
    } else {
        view! { <p class=class>{text}</p> }.into_any()
    }
}
