//! A file in place of what is typed in a field. Works without JavaScript: it is sent with the form.

use leptos::prelude::*;

use super::field::FormPart;

/// A control for a file; `accept` is what the browser offers first.
pub fn upload_field(
    part: FormPart<'_>,
    control: &str,
    label: &'static str,
    hint: &'static str,
    accept: &'static str,
) -> AnyView {
    let name = part.name(control);
    let hint_id = format!("{name}-hint");
    view! {
        <div class="field">
            <label for=name.clone()>{label}</label>
            <div class="hint" id=hint_id.clone()>{hint}</div>
            <input type="file" id=name.clone() name=name accept=accept aria-describedby=hint_id />
        </div>
    }
    .into_any()
}
