//! Opens or folds all groups of the log on the page at once, and has the server remember it. What comes later is the matter of
//! `log_sheet`, and which groups are open when nothing was chosen, that of the server.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FormData, HtmlFormElement};

use crate::{
    browser::{dom, request},
    log_text::groups::Folding,
};

/// Listens to the choices.
pub fn watch() {
    dom::listen(&document(), "click", |event| {
        if choose(&event).is_some() {
            event.prevent_default();
        }
    });
}

/// Does what a click on one of the choices asks for.
fn choose(event: &Event) -> Option<()> {
    let button = event.target()?.dyn_into::<Element>().ok()?;
    let form: HtmlFormElement = button.closest("#log-groups").ok()??.dyn_into().ok()?;
    let chosen = button.get_attribute("value")?;
    let folding = Folding::parse(&chosen).filter(|folding| *folding != Folding::Auto)?;
    let log = dom::by_id("log")?;
    // Here and below, setting an attribute fails only for a malformed name.
    let _ = log.set_attribute("data-groups", &chosen);
    for group in dom::all_in(&log, "#log-lines details") {
        // Where lines still come, they are to be seen.
        let is_open = folding == Folding::Open || group.has_attribute("data-group");
        let _ = group.toggle_attribute_with_force("open", is_open);
    }
    for choice in dom::all_in(&form, "button") {
        let _ = choice.set_attribute("aria-pressed", if choice == button { "true" } else { "false" });
    }
    let fields = FormData::new_with_form(&form).ok()?;
    fields.append_with_str("log_groups", &chosen).ok()?;
    leptos::task::spawn_local(async move {
        // The groups are as they were asked to be, even if that is not remembered.
        let _ = request::post(&form, &fields).await;
    });
    Some(())
}
