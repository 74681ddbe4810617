//! Says at a field of packages what is wrong with its text as soon as one goes on to the next field, with the same
//! parsers that the server uses. What takes more than the text, such as versions that do not fit, only the server tells;
//! and the other fields, where there is little to get wrong: their parsers would be more to load.

use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, FocusEvent};

use crate::{
    browser::dom,
    model::{fields::Field, python_packages::PythonPackages, system_packages::SystemPackages},
};

const CHECKED: [Field; 2] = [Field::Packages, Field::SystemPackages];

/// Tells a message that this island can judge from one that only the server can, which stays until the form is
/// sent again.
const OWN: &str = "data-own";

/// Watches the packages of the task form.
pub fn watch() {
    for field in CHECKED {
        let Some(control) = dom::by_id(field.name()) else {
            continue;
        };
        // A form that was refused shows messages already, about the text that came with it.
        if let Some(message) = dom::by_id(&field.error_id())
            && let Some(fault) = fault(field, &control, "defaultValue")
            && message.text_content().is_some_and(|said| said.ends_with(&fault))
        {
            let _ = message.set_attribute(OWN, "");
            check(field);
        }
        dom::listen(&control, "focusout", move |event| {
            if goes_on_typing(&event) {
                check(field);
            }
        });
        // What was said once is kept true while it is mended.
        dom::listen(&control, "input", move |_| {
            if own_message(field).is_some() {
                check(field);
            }
        });
    }
}

/// True when the focus goes to another field. To a button, nothing may be said: the message would push the button
/// away under the pointer, between pressing it and letting it go.
fn goes_on_typing(event: &Event) -> bool {
    let next = event.dyn_ref::<FocusEvent>().and_then(FocusEvent::related_target);
    next.and_then(|next| next.dyn_into::<Element>().ok())
        .is_some_and(|next| matches!(next.tag_name().as_str(), "INPUT" | "TEXTAREA"))
}

fn check(field: Field) {
    if let Some(control) = dom::by_id(field.name()) {
        // Elements that are not there and malformed names of attributes: neither can be.
        let _ = show(field, &control, fault(field, &control, "value").as_deref());
    }
}

/// What is wrong with a text of the control: its present `value`, or the `defaultValue` that it came with.
fn fault(field: Field, control: &Element, text: &str) -> Option<String> {
    let text = dom::string(control, text)?;
    match field {
        Field::Packages => PythonPackages::parse_new(&text).err().map(|error| error.to_string()),
        Field::SystemPackages => SystemPackages::parse_new(&text).err().map(|error| error.to_string()),
        _ => None,
    }
}

/// The message as the server would show it.
fn show(field: Field, control: &Element, fault: Option<&str>) -> Result<(), JsValue> {
    let Some(block) = control.parent_element() else {
        return Ok(());
    };
    let hint = field.hint_id();
    match (fault, own_message(field)) {
        (Some(fault), Some(message)) => say(&message, fault)?,
        (Some(fault), None) if dom::by_id(&field.error_id()).is_none() => {
            let message = document().create_element("div")?;
            message.set_class_name("field-error");
            message.set_id(&field.error_id());
            message.set_attribute(OWN, "")?;
            message.set_attribute("role", "alert")?;
            message.set_inner_html(r#"<span class="visually-hidden">Error: </span><p class="field-message"></p>"#);
            block.insert_before(&message, Some(control))?;
            say(&message, fault)?;
            block.class_list().add_1("has-error")?;
            control.set_attribute("aria-invalid", "true")?;
            control.set_attribute("aria-describedby", &format!("{hint} {}", field.error_id()))?;
        }
        (None, Some(message)) => {
            message.remove();
            block.class_list().remove_1("has-error")?;
            control.remove_attribute("aria-invalid")?;
            control.set_attribute("aria-describedby", &hint)?;
        }
        (Some(_) | None, None) => {}
    }
    Ok(())
}

fn own_message(field: Field) -> Option<Element> {
    dom::by_id(&field.error_id()).filter(|message| message.has_attribute(OWN))
}

fn say(message: &Element, fault: &str) -> Result<(), JsValue> {
    if let Some(words) = message.query_selector("p")?
        && words.text_content().is_none_or(|present| present != fault)
    {
        words.set_text_content(Some(fault));
    }
    Ok(())
}
