//! What the keys do in the whole form of a task or of a flow: Ctrl+Enter saves and runs. And, for a task, a question before
//! what was typed is left without being sent.

use std::{cell::Cell, rc::Rc};

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, EventTarget, HtmlElement};

use crate::{
    browser::dom::{self, document, property, string, window},
    model::fields::Field,
};

/// Listens to the form of the page, if it has one.
pub fn watch() {
    let Ok(Some(form)) = document().query_selector(".task-form") else {
        return;
    };
    // A browser that comes back to the form has put in what was typed before.
    let is_typed = |area: &Element| string(area, "value") != string(area, "defaultValue");
    let is_unsaved = Rc::new(Cell::new(dom::all(".task-form textarea").iter().any(is_typed)));
    let target: EventTarget = form.clone().into();
    let window: EventTarget = window().into();
    let mut heard = vec![(&target, "keydown")];
    // The form of a flow asks by itself: it knows what was undone.
    if dom::by_id(Field::Code.name()).is_some() {
        heard.extend([(&target, "input"), (&target, "submit"), (&window, "beforeunload")]);
    }
    for (target, event) in heard {
        let (form, is_unsaved) = (form.clone(), is_unsaved.clone());
        dom::listen(target, event, move |event| match event.type_().as_str() {
            "input" => is_unsaved.set(true),
            "submit" => is_unsaved.set(false),
            "beforeunload" if is_unsaved.get() => event.prevent_default(),
            "keydown" => press(&form, &event),
            _ => {}
        });
    }
}

fn press(form: &Element, event: &Event) {
    let is = |name| property(event, name).is_some_and(|value| value.is_truthy());
    if string(event, "key").as_deref() != Some("Enter") || !(is("ctrlKey") || is("metaKey")) {
        return;
    }
    event.prevent_default();
    if !is("repeat")
        && let Ok(Some(button)) = form.query_selector("[value=save_and_run]")
    {
        button.unchecked_into::<HtmlElement>().click();
    }
}
