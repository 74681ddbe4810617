//! Opens or folds all groups of the log on the page at once, and has the server remember it. What comes later is the matter of
//! `log_sheet`; which groups are open when neither is chosen, that of the server.

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
    let chosen = Folding::parse(&button.get_attribute("value")?)?;
    let other = match chosen {
        Folding::Auto => return None,
        Folding::Open => Folding::Folded,
        Folding::Folded => Folding::Open,
    };
    let log = dom::by_id("log")?;
    // Here and below, setting an attribute fails only for a malformed name.
    let _ = log.set_attribute("data-groups", chosen.word());
    for group in dom::all_in(&log, "#log-lines details") {
        // Where lines still come, they are to be seen.
        let is_open = chosen == Folding::Open || group.has_attribute("data-group");
        let _ = group.toggle_attribute_with_force("open", is_open);
    }
    for choice in dom::all_in(&form, "button") {
        let (is_chosen, value) = if choice == button { ("true", Folding::Auto) } else { ("false", other) };
        let _ = choice.set_attribute("aria-pressed", is_chosen);
        let _ = choice.set_attribute("value", value.word());
    }
    let fields = FormData::new_with_form(&form).ok()?;
    fields.append_with_str("log_groups", chosen.word()).ok()?;
    leptos::task::spawn_local(async move {
        // The groups are as they were asked to be, even if that is not remembered.
        let _ = request::post(&form, &fields).await;
    });
    Some(())
}
