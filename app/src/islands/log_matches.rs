//! Goes from one match of a searched log to the next without loading the page again, as long as both are on it; and the
//! keys for that: `n`, `N`, Enter, Escape. (`/` leads to the search of any page.)

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlElement, HtmlInputElement};

use super::{log_choice::go_to, log_sheet::number_of};
use crate::{browser::dom, log_text::number_words};

/// The class of the match that one is at.
const CURRENT: &str = "is-current";

/// Listens to keys, and to the links to other matches.
pub fn watch() {
    dom::listen(&document(), "keydown", |event| {
        if !event.default_prevented() && !dom::is_modified(&event) {
            let key = dom::string(&event, "key").unwrap_or_default();
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let is_done = match target.filter(is_typed_into) {
                Some(field) if field.id() == "log-search" => press_in_field(&key, dom::is(&event, "shiftKey")),
                Some(_) => false,
                // Where a search has led.
                None if key == "Enter" && is_at_match() => go(!dom::is(&event, "shiftKey")),
                None => press(&key),
            };
            if is_done {
                event.prevent_default();
            }
        }
    });
    dom::listen(&document(), "click", |event| {
        take_click(&event);
    });
}

/// Goes to the match that a click leads to, if it is on the page. Tells whether it was.
pub fn take_click(event: &Event) -> bool {
    let link = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let is_special = event.default_prevented() || dom::is_modified(event) || dom::is(event, "shiftKey");
    let step = |link: &Element, rel| link.matches(&format!("#log-found a[rel={rel}]")).unwrap_or(false);
    let is_done = link
        .filter(|_| !is_special)
        .is_some_and(|link| step(&link, "next") && go_on(true) || step(&link, "prev") && go_on(false));
    if is_done {
        event.prevent_default();
    }
    is_done
}

/// Whether the match that one is at has the focus.
fn is_at_match() -> bool {
    document().active_element().is_some_and(|element| element.id() == "match")
}

/// A key, pressed while nothing is typed into. Tells whether it did something.
fn press(key: &str) -> bool {
    match key {
        "n" => go(true),
        "N" => go(false),
        "Escape" => leave(),
        _ => false,
    }
}

/// A key in the field of the search.
fn press_in_field(key: &str, is_shifted: bool) -> bool {
    let Some(field) = search_field() else {
        return false;
    };
    match key {
        // What was searched is gone through; what was changed is searched.
        "Enter" if field.value() == field.default_value() => go(!is_shifted),
        "Escape" => {
            let _ = field.blur();
            leave()
        }
        _ => false,
    }
}

fn is_typed_into(element: &Element) -> bool {
    element.matches("input,textarea,select,[contenteditable]").unwrap_or(false)
}

fn search_field() -> Option<HtmlInputElement> {
    dom::by_id("log-search")?.dyn_into().ok()
}

/// Ends the search, if the log is searched.
fn leave() -> bool {
    press_link("#log-found-end")
}

/// Goes to the match after or before the one that one is at: on the page, or by its link.
fn go(is_forward: bool) -> bool {
    let selector =
        if is_forward { "#log-found a[rel=next]:not([hidden])" } else { "#log-found a[rel=prev]:not([hidden])" };
    press_link(selector)
}

/// Follows a link of the page, if it is there. The page may have ways of its own to where its links lead.
fn press_link(selector: &str) -> bool {
    let link = document().query_selector(selector).ok().flatten();
    let link = link.and_then(|link| link.dyn_into::<HtmlElement>().ok());
    if let Some(link) = &link {
        link.click();
    }
    link.is_some()
}

/// Goes to the match after or before the one that one is at, if it is on the page.
fn go_on(is_forward: bool) -> bool {
    step(is_forward).is_some()
}

fn step(is_forward: bool) -> Option<()> {
    let (found, lines) = (dom::by_id("log-found")?, dom::by_id("log-lines")?);
    let matches = dom::all_in(&lines, ".is-found");
    let at = matches.iter().position(|line| line.class_list().contains(CURRENT))?;
    let line = matches.get(if is_forward { at + 1 } else { at.checked_sub(1)? })?;
    let count = |name| found.get_attribute(name)?.parse::<u64>().ok();
    let (place, total) = (count("data-place")?, count("data-total")?);
    let place = if is_forward { place + 1 } else { place - 1 };
    // What follows fails only for names that are none.
    let _ = matches[at].class_list().remove_1(CURRENT);
    let _ = line.class_list().add_1(CURRENT);
    if let Some(anchor) = dom::by_id("match") {
        let _ = line.insert_before(&anchor, line.first_child().as_ref());
        go_to(&anchor);
    }
    say_place(&found, number_of(line)?, place, total);
    Some(())
}

/// Says which match one is at: in words, in the links that go on from there, and in the address.
fn say_place(found: &Element, line: u64, place: u64, total: u64) {
    let _ = found.set_attribute("data-place", &place.to_string());
    let said = dom::by_id("log-found-words").and_then(|words| words.text_content());
    if let Some((_, rest)) = said.as_deref().and_then(|said| said.split_once(" of ")) {
        dom::set_text("log-found-words", &format!("{} of {rest}", number_words(place)));
    }
    let search = found.get_attribute("data-search").unwrap_or_default();
    let lead = |rel: &str, from: String, is_there: bool| {
        let Ok(Some(way)) = found.query_selector(&format!("a[rel={rel}]")) else {
            return;
        };
        let _ = way.set_attribute("href", &format!("{search}&{from}#match"));
        let _ = way.toggle_attribute_with_force("hidden", !is_there);
    };
    lead("prev", format!("before={line}"), place > 1);
    lead("next", format!("line={}", line + 1), place < total);
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("{search}&line={line}#match")));
    }
}
