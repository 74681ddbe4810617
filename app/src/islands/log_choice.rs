//! Lines that the reader chooses: by a click on their number, with Shift to another one, and by an address such as `#L10`
//! or `#L10-L20`. They are marked, can be sent to others, and copied.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement};

use super::log_sheet::number_of;
use crate::{
    browser::dom,
    log_text::{HEADING_LINK, lines_words},
    routes,
};

/// The class of lines that are chosen.
const CHOSEN: &str = "is-selected";

/// Shows what the address chooses, and lets the reader choose.
pub fn watch() {
    show_address();
    dom::listen(&window(), "hashchange", |_| show_address());
    dom::listen(&document(), "click", |event| {
        let Some(element) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else {
            return;
        };
        if element.id() == "log-copy" {
            copy();
        } else if let Some(line) = clicked(&event, &element).filter(|_| !event.default_prevented()) {
            event.prevent_default();
            let (first, last) = match chosen_by_address().filter(|_| dom::is(&event, "shiftKey")) {
                Some((first, last)) if line < first => (line, last),
                Some((first, _)) => (first, line),
                None => (line, line),
            };
            choose(first, last);
        }
    });
    dom::listen(&document(), "submit", |event| {
        take_asked(&event);
    });
}

/// Goes to the line that a form asks for, if that is on the page. Tells whether it was.
pub fn take_asked(event: &Event) -> bool {
    let form = event.target().and_then(|form| form.dyn_into::<Element>().ok());
    let form = form.filter(|form| form.id() == "log-ways" && !event.default_prevented());
    let field = form.and_then(|_| dom::by_id("log-line")?.dyn_into::<HtmlInputElement>().ok());
    let line = field.and_then(|field| field.value().parse().ok());
    let line = line.filter(|line: &u64| element_of(*line).is_some());
    if let Some(line) = line {
        event.prevent_default();
        choose(line, line);
        show(line);
    }
    line.is_some()
}

/// Goes to the place that the address names after its `#`, when the log has come anew.
#[cfg(feature = "form-islands")]
pub fn show_place() {
    if chosen_by_address().is_some() {
        show_address();
    } else if let Some(place) = location_hash().and_then(|id| dom::by_id(&id)) {
        go_to(&place);
    }
}

/// Goes to an element, in whatever group it is, as the browser does for an address.
pub fn go_to(element: &Element) {
    open_groups(element);
    element.scroll_into_view();
    dom::focus_in_place(element);
}

/// The line whose number was clicked, if the click is not meant for the browser.
fn clicked(event: &Event, element: &Element) -> Option<u64> {
    let address = element.get_attribute("href")?;
    let leads_to_line = address.starts_with('?') && address.contains("lines=");
    if !leads_to_line || dom::is_modified(event) {
        return None;
    }
    let line = match &*element.class_name() {
        "line-number" => element.parent_element(),
        HEADING_LINK => element.next_element_sibling().and_then(|group| group.first_element_child()),
        _ => None,
    };
    number_of(&line?)
}

/// Marks lines, and puts them into the address.
fn choose(first: u64, last: u64) {
    let hash = if first == last { format!("#L{first}") } else { format!("#L{first}-L{last}") };
    let search = location().search().unwrap_or_default();
    let address = location().pathname().unwrap_or_default();
    // A search stays; another place does not.
    let address = if search.contains("?q=") || search.contains("&q=") {
        address + &search
    } else {
        let shown_at = dom::by_id("log").and_then(|log| log.get_attribute("data-at")).unwrap_or_default();
        address + shown_at.find('?').map_or("", |start| &shown_at[start..])
    } + &hash;
    if let Ok(history) = window().history() {
        // Fails only for another site's address.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
    }
    mark(first, last);
}

/// Marks the lines that the address chooses, and goes there. Lines that are not on the page the server shows.
fn show_address() {
    let Some((log, chosen)) = dom::by_id("log").zip(chosen_by_address()) else {
        return;
    };
    // An address that asks the server for lines names the first of them only after its `#`.
    let served = log.get_attribute("data-lines").and_then(|lines| range(&lines, ""));
    let (first, last) = served.filter(|served| chosen == (served.0, served.0)).unwrap_or(chosen);
    if element_of(first).is_some() {
        mark(first, last);
        show(first);
    } else if served.is_none_or(|served| served.0 != first)
        && let Some(page) = log.get_attribute("data-at")
    {
        // Who comes back is not to be led on again.
        let here = location().pathname().unwrap_or_default() + &location().search().unwrap_or_default();
        if let Ok(history) = window().history() {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&here));
        }
        follow_link(&log, &routes::at_lines(&page, first, last));
    }
}

/// Leads to an address as a link in the log does: a page may have ways of its own to where its links lead.
fn follow_link(log: &Element, address: &str) {
    let link = document().create_element("a").and_then(|link| {
        link.set_attribute("href", address)?;
        log.append_child(&link)?;
        Ok(link)
    });
    // It fails only for a name that is none.
    if let Ok(link) = link {
        link.unchecked_ref::<HtmlElement>().click();
        link.remove();
    }
}

/// Goes to a line, in whatever group it is.
fn show(line: u64) {
    if let Some(element) = element_of(line) {
        open_groups(&element);
        element.scroll_into_view();
    }
}

/// Opens the groups that an element is in.
pub fn open_groups(element: &Element) {
    while let Ok(Some(group)) = element.closest("details:not([open])") {
        // Setting an attribute fails only for a malformed name.
        let _ = group.set_attribute("open", "");
    }
}

fn mark(first: u64, last: u64) {
    let Some(log) = dom::by_id("log") else {
        return;
    };
    // From now on these classes say what is chosen, and not the address that the page was opened with.
    let _ = log.set_attribute("data-chosen", "");
    for line in dom::all_in(&log, ".is-selected") {
        let _ = line.class_list().remove_1(CHOSEN);
    }
    let mut count = 0;
    for line in dom::all_in(&log, "#log-lines .line") {
        if number_of(&line).is_some_and(|number| (first..=last).contains(&number)) {
            let _ = line.class_list().add_1(CHOSEN);
            count += 1;
        }
    }
    if let Some(button) = dom::html_by_id("log-copy").filter(|_| clipboard().is_some()) {
        button.set_text_content(Some(&format!("Copy {}", lines_words(count))));
        button.set_hidden(count == 0);
    }
}

/// Copies the text of the chosen lines, as it is shown.
fn copy() {
    let Some((log, clipboard)) = dom::by_id("log").zip(clipboard()) else {
        return;
    };
    let mut text = String::new();
    for line in dom::all_in(&log, ".is-selected > .line-text") {
        let shown = line.text_content().unwrap_or_default();
        // What is said to screen readers only is not copied, as it is not when somebody copies by hand.
        let stream = line.query_selector(".line-stream").ok().flatten().and_then(|stream| stream.text_content());
        text.push_str(shown.strip_prefix(stream.unwrap_or_default().as_str()).unwrap_or(&shown));
        text.push('\n');
    }
    let write = dom::property(&clipboard, "writeText").and_then(|write| write.dyn_into::<js_sys::Function>().ok());
    let copied = write.and_then(|write| write.call1(&clipboard, &text.into()).ok());
    if let Some(copied) = copied.and_then(|copied| copied.dyn_into::<js_sys::Promise>().ok()) {
        leptos::task::spawn_local(async move {
            let said =
                if JsFuture::from(copied).await.is_ok() { "Copied" } else { "The browser did not let it be copied" };
            dom::set_text("log-copy", said);
        });
    }
}

/// Browsers have it on safe connections only.
fn clipboard() -> Option<JsValue> {
    dom::property(&dom::property(&window(), "navigator")?, "clipboard").filter(JsValue::is_object)
}

fn element_of(line: u64) -> Option<HtmlElement> {
    dom::html_by_id(&format!("L{line}"))
}

/// The lines that the address names after its `#`.
fn chosen_by_address() -> Option<(u64, u64)> {
    range(&location_hash()?, "L")
}

/// The first and last line of `L10-L20` or `L10`, with this before each number.
fn range(text: &str, prefix: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let line = |text: &str| text.strip_prefix(prefix)?.parse::<u64>().ok();
    let (first, last) = (line(first)?, line(last)?);
    Some((first.min(last), first.max(last)))
}
