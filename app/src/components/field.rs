//! Fields of a form: label, hint, message and control, tied together for screen readers.

use leptos::prelude::*;

use super::message::message;
use crate::{
    html::escape,
    model::fields::{Field, FieldError, FieldErrors, step_control},
};

/// A part of a form: the messages at its fields, and what makes their names differ from those of other parts.
#[derive(Clone, Copy)]
pub struct FormPart<'a> {
    errors: &'a FieldErrors,
    step: Option<usize>,
    focus: Option<Field>,
}

impl<'a> FormPart<'a> {
    /// The only part of a form, or what is not about one step of a flow.
    pub const fn whole(errors: &'a FieldErrors) -> Self {
        Self { errors, step: None, focus: None }
    }

    /// What is about the step with this index.
    pub const fn of_step(step: usize, errors: &'a FieldErrors) -> Self {
        Self { errors, step: Some(step), focus: None }
    }

    /// The same, with the focus in a field of one line when the page is opened.
    pub const fn focused_on(self, field: Option<Field>) -> Self {
        Self { focus: field, ..self }
    }

    /// The `name` and `id` of a control.
    pub fn name(self, control: &str) -> String {
        match self.step {
            Some(step) => step_control(step, control),
            None => control.to_owned(),
        }
    }

    /// Whether there is a message at one of these fields.
    pub fn has_error(self, fields: &[Field]) -> bool {
        fields.iter().any(|field| self.errors.at(*field).is_some())
    }

    /// A field: the label, the hint, the message if there is one, and the control, which has the field's name as its
    /// id.
    pub fn block(self, field: Field, label: &'static str, hint: AnyView, control: AnyView) -> AnyView {
        let class = if self.has_error(&[field]) { "field has-error" } else { "field" };
        view! {
            <div class=class>
                <label for=self.name(field.name())>{label}</label>
                {self.hint_and_error(field, hint)}
                {control}
            </div>
        }
        .into_any()
    }

    /// A field of several controls of one kind, such as check boxes.
    pub fn group(self, field: Field, label: &'static str, hint: AnyView, controls: AnyView) -> AnyView {
        let class = if self.has_error(&[field]) { "field has-error" } else { "field" };
        view! {
            <fieldset
                class=class
                // So that the summary of what is wrong can lead here.
                id=self.name(field.name())
                tabindex="-1"
                aria-describedby=self.described_by(field)
            >
                <legend>{label}</legend>
                {self.hint_and_error(field, hint)}
                {controls}
            </fieldset>
        }
        .into_any()
    }

    fn hint_and_error(self, field: Field, hint: AnyView) -> AnyView {
        let error = self.errors.at(field).map(|text| {
            view! {
                <div class="field-error" id=self.error_id(field)>
                    <span class="visually-hidden">"Error: "</span>
                    {message("field-message", text)}
                </div>
            }
        });
        view! {
            <div class="hint" id=self.hint_id(field)>{hint}</div>
            {error}
        }
        .into_any()
    }

    /// A one-line control. `characters` is the most that fits; `inputmode` is the keyboard that phones show.
    pub fn text_input(self, field: Field, value: String, characters: usize, inputmode: &'static str) -> AnyView {
        view! {
            <input
                type="text"
                id=self.name(field.name())
                name=self.name(field.name())
                value=value
                inputmode=inputmode
                maxlength=characters.to_string()
                aria-describedby=self.described_by(field)
                aria-invalid=self.invalid(field)
                autofocus=self.focus == Some(field)
            />
        }
        .into_any()
    }

    /// A choice of one. `choices` are values with their words.
    pub fn select(self, field: Field, chosen: &str, choices: Vec<(String, String)>) -> AnyView {
        let options = choices
            .into_iter()
            .map(|(value, words)| {
                let selected = value == chosen;
                view! { <option value=value selected=selected>{words}</option> }
            })
            .collect_view();
        view! {
            <select
                id=self.name(field.name())
                name=self.name(field.name())
                aria-describedby=self.described_by(field)
                aria-invalid=self.invalid(field)
            >
                {options}
            </select>
        }
        .into_any()
    }

    /// A control of several lines.
    pub fn text_area(self, field: Field, value: &str, rows: u32, placeholder: &'static str) -> AnyView {
        // HTML drops one line break at the start of a text area; this one is given up for that.
        let content = format!("\n{}", escape(value));
        view! {
            <textarea
                id=self.name(field.name())
                name=self.name(field.name())
                rows=rows.to_string()
                placeholder=placeholder
                spellcheck="false"
                autocapitalize="off"
                wrap="off"
                dir="ltr"
                aria-describedby=self.described_by(field)
                aria-invalid=self.invalid(field)
                inner_html=content
            ></textarea>
        }
        .into_any()
    }

    /// A box to tick, with its label and a hint beneath.
    pub fn check_box(self, control: &str, label: &'static str, hint: &'static str, checked: bool) -> AnyView {
        let name = self.name(control);
        let hint_id = format!("{name}-hint");
        view! {
            <div class="field is-choice">
                <input
                    type="checkbox"
                    id=name.clone()
                    name=name.clone()
                    value="on"
                    checked=checked
                    aria-describedby=hint_id.clone()
                />
                <label for=name>{label}</label>
                <div class="hint" id=hint_id>{hint}</div>
            </div>
        }
        .into_any()
    }

    /// What is wrong in this part, for the summary at the top of the page. `place` is named before each.
    pub fn problems(self, place: Option<&str>) -> Vec<Problem> {
        let of_error = |error: &FieldError| {
            let text = first_line(&error.message);
            Problem {
                control: (error.field != Field::Form).then(|| self.name(error.field.name())),
                text: place.map_or_else(|| text.clone(), |place| format!("{place}: {text}")),
            }
        };
        self.errors.0.iter().map(of_error).collect()
    }

    fn hint_id(self, field: Field) -> String {
        self.name(&field.hint_id())
    }

    fn error_id(self, field: Field) -> String {
        self.name(&field.error_id())
    }

    /// The ids that describe a control, for `aria-describedby`.
    fn described_by(self, field: Field) -> String {
        if self.has_error(&[field]) {
            format!("{} {}", self.hint_id(field), self.error_id(field))
        } else {
            self.hint_id(field)
        }
    }

    /// The value of `aria-invalid`.
    fn invalid(self, field: Field) -> Option<&'static str> {
        self.has_error(&[field]).then_some("true")
    }
}

/// Something that was wrong with a form.
#[derive(Clone)]
pub struct Problem {
    /// The id of the control that it is about; `None` for the form as a whole.
    control: Option<String>,
    /// What is wrong.
    text: String,
}

/// The box at the top of a page whose form was refused: what is wrong, with links to the fields.
#[component]
pub fn ErrorSummary(
    /// What was wrong.
    problems: Vec<Problem>,
    /// More to say after that.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let items = problems
        .into_iter()
        .map(|Problem { control, text }| match control {
            None => view! { <li>{text}</li> }.into_any(),
            Some(control) => view! { <li><a href=format!("#{control}")>{text}</a></li> }.into_any(),
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
