//! Fields of a form: label, hint, message and control, tied together for screen readers.

use leptos::prelude::*;

use super::message::message;
use crate::{
    html::escape,
    model::fields::{Field, FieldErrors},
};

/// A field: the label, the hint, the message if there is one, and the control, which has `field.name()` as its id.
pub fn field_block(
    field: Field,
    label: &'static str,
    hint: AnyView,
    errors: &FieldErrors,
    control: AnyView,
) -> AnyView {
    let error = errors.at(field).map(|text| {
        view! {
            <div class="field-error" id=field.error_id()>
                <span class="visually-hidden">"Error: "</span>
                {message("field-message", text)}
            </div>
        }
    });
    let class = if error.is_some() { "field has-error" } else { "field" };
    view! {
        <div class=class>
            <label for=field.name()>{label}</label>
            <div class="hint" id=field.hint_id()>{hint}</div>
            {error}
            {control}
        </div>
    }
    .into_any()
}

/// The ids that describe a control, for `aria-describedby`.
fn described_by(field: Field, errors: &FieldErrors) -> String {
    if errors.at(field).is_some() { format!("{} {}", field.hint_id(), field.error_id()) } else { field.hint_id() }
}

/// The value of `aria-invalid`.
fn invalid(field: Field, errors: &FieldErrors) -> Option<&'static str> {
    errors.at(field).map(|_| "true")
}

/// A one-line control. `characters` is the most that fits; `inputmode` is the keyboard that phones show.
pub fn text_input(
    field: Field,
    value: String,
    errors: &FieldErrors,
    characters: usize,
    inputmode: &'static str,
) -> AnyView {
    view! {
        <input
            type="text"
            id=field.name()
            name=field.name()
            value=value
            inputmode=inputmode
            maxlength=characters.to_string()
            aria-describedby=described_by(field, errors)
            aria-invalid=invalid(field, errors)
        />
    }
    .into_any()
}

/// A choice of one. `choices` are values with their words.
pub fn select(field: Field, chosen: &str, choices: Vec<(String, String)>, errors: &FieldErrors) -> AnyView {
    let options = choices
        .into_iter()
        .map(|(value, words)| {
            let selected = value == chosen;
            view! { <option value=value selected=selected>{words}</option> }
        })
        .collect_view();
    view! {
        <select
            id=field.name()
            name=field.name()
            aria-describedby=described_by(field, errors)
            aria-invalid=invalid(field, errors)
        >
            {options}
        </select>
    }
    .into_any()
}

/// A control of several lines.
pub fn text_area(field: Field, value: &str, errors: &FieldErrors, rows: u32, placeholder: &'static str) -> AnyView {
    // HTML drops one line break at the start of a text area; this one is given up for that.
    let content = format!("\n{}", escape(value));
    view! {
        <textarea
            id=field.name()
            name=field.name()
            rows=rows.to_string()
            placeholder=placeholder
            spellcheck="false"
            autocapitalize="off"
            wrap="off"
            dir="ltr"
            aria-describedby=described_by(field, errors)
            aria-invalid=invalid(field, errors)
            inner_html=content
        ></textarea>
    }
    .into_any()
}

/// The box at the top of a page whose form was refused: what is wrong, with links to the fields.
#[component]
pub fn ErrorSummary(
    /// The messages.
    errors: FieldErrors,
    /// More to say after them.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let items = errors
        .0
        .iter()
        .map(|error| {
            let text = first_line(&error.message);
            if error.field == Field::Form {
                view! { <li>{text}</li> }.into_any()
            } else {
                view! { <li><a href=format!("#{}", error.field.name())>{text}</a></li> }.into_any()
            }
        })
        .collect_view();
    view! {
        <section class="error-summary" role="alert" tabindex="-1" autofocus aria-labelledby="error-summary-title">
            <h2 id="error-summary-title">"There is a problem"</h2>
            <ul>{items}</ul>
            {children.map(|children| children())}
        </section>
    }
    .into_any()
}

/// The summary shows a long message by its first line; all of it is at the field.
fn first_line(message: &str) -> String {
    message.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}
