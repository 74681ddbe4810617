//! Renews what changes of a page while it is open, but for a run's log: fetches the parts that may have changed, and puts
//! them in place, so that the server alone decides how they look.

use std::{cell::Cell, rc::Rc};

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DocumentFragment, Element, HtmlElement};

use super::{
    dom::{self, document, window},
    request::{self, text_of},
};
use crate::log_text::words;

/// The parts of a page that may come anew. Those that do not come stay.
const PARTS: &str = "[id^=run-],#list,#system-state";

/// Says of a part how often it is renewed by itself, in seconds.
pub const EVERY: &str = "data-every";

/// What can have the focus, or be pressed, in a part that is put in place.
const CONTROLS: &str = "a[href],button,input,summary";

/// How often a failed fetch is tried again.
const ATTEMPTS: u32 = 5;

/// Renews the page.
#[derive(Clone, Default)]
pub struct Refresher(Rc<Progress>);

#[derive(Default)]
struct Progress {
    is_fetching: Cell<bool>,
    is_outdated: Cell<bool>,
    has_output: Cell<bool>,
}

impl Refresher {
    /// Fetches the parts; asked for meanwhile, once more after that.
    pub fn refresh(&self) {
        if self.0.is_fetching.replace(true) {
            self.0.is_outdated.set(true);
            return;
        }
        let refresher = self.clone();
        spawn_local(async move {
            let mut attempts = 0;
            loop {
                refresher.0.is_outdated.set(false);
                let address = parts_address();
                match fetch_page(&address).await {
                    Ok(page) => {
                        attempts = 0;
                        // Another run may be on the page by now.
                        if address == parts_address() {
                            refresher.take(&page);
                        }
                    }
                    Err(_) if attempts < ATTEMPTS => {
                        attempts += 1;
                        refresher.0.is_outdated.set(true);
                        pause(2000).await;
                    }
                    Err(_) => {}
                }
                if !refresher.0.is_outdated.get() {
                    break;
                }
            }
            refresher.0.is_fetching.set(false);
        });
    }

    /// Notes that lines have arrived: "no output yet" is no longer true.
    pub fn heard_output(&self, heard: bool) {
        if heard && !self.0.has_output.replace(true) {
            self.show_words();
        }
    }

    /// Says how things stand, as the page's summary has it.
    pub fn show_words(&self) {
        let Some(text) = dom::by_id("log-state-words").and_then(|element| element.text_content()) else {
            return;
        };
        let text = if text == words::NO_OUTPUT_YET && self.0.has_output.get() { words::LIVE.to_owned() } else { text };
        say(&text);
    }

    fn take(&self, html: &str) {
        if let Some(page) = dom::fragment(html) {
            take_parts(&page, PARTS);
            take_title(&page);
            self.show_words();
        }
    }
}

/// Puts the parts of a page that a selector finds in place of those that are shown; what is not shown stays away.
pub fn take_parts(page: &DocumentFragment, selector: &str) {
    for fresh in dom::listed::<Element>(page.query_selector_all(selector)) {
        if let Some(present) = dom::by_id(&fresh.id()) {
            replace(&present, &fresh);
        }
    }
}

/// Takes over title and icon of a page.
pub fn take_title(page: &DocumentFragment) {
    if let Ok(Some(title)) = page.query_selector("title") {
        document().set_title(&title.text_content().unwrap_or_default());
    }
    if let (Some(present), Ok(Some(fresh))) = (dom::by_id("favicon"), page.query_selector("#favicon"))
        && let Some(address) = fresh.get_attribute("href")
    {
        // Setting an attribute fails only for a malformed name.
        let _ = present.set_attribute("href", &address);
    }
}

/// Says beneath the log how things stand. The same words again would be read out again.
pub fn say(text: &str) {
    if let Some(words) = dom::by_id("log-words")
        && words.text_content().is_none_or(|present| present != text)
    {
        words.set_text_content(Some(text));
    }
}

/// Puts the fresh content in place; what the reader opened or ticked stays so, and the focus stays where it was.
fn replace(present: &Element, fresh: &Element) {
    let _ = match fresh.get_attribute(EVERY) {
        Some(seconds) => present.set_attribute(EVERY, &seconds),
        None => present.remove_attribute(EVERY),
    };
    if present.inner_html() == fresh.inner_html() {
        return;
    }
    // What is being pressed would not hear that it is let go.
    if present.query_selector(":active").is_ok_and(|pressed| pressed.is_some()) {
        return;
    }
    let opened = ids(present, "details[open][id]");
    let ticked = ids(present, "input:checked[id]");
    let focused = document().active_element().filter(|element| present.contains(Some(element)));
    let focused = focused.map(|element| mark(&element)).filter(|mark| mark.iter().any(Option::is_some));
    present.set_inner_html(&fresh.inner_html());
    for (ids, attribute) in [(opened, "open"), (ticked, "checked")] {
        for element in ids.iter().filter_map(|id| dom::by_id(id)) {
            let _ = element.set_attribute(attribute, "");
        }
    }
    if let Some(focused) = focused
        && let controls = dom::listed::<HtmlElement>(present.query_selector_all(CONTROLS))
        && let Some(element) = controls.into_iter().find(|element| mark(element) == focused)
    {
        let _ = element.focus();
    }
}

/// What tells a control from the others of its part, also when it comes anew.
fn mark(element: &Element) -> [Option<String>; 3] {
    ["id", "href", "aria-label"].map(|attribute| element.get_attribute(attribute))
}

fn ids(part: &Element, selector: &str) -> Vec<String> {
    dom::all_in(part, selector).into_iter().map(|element| element.id()).collect()
}

/// Where the changing parts of the page that is open come from: of a run alone, otherwise with the page around them.
fn parts_address() -> String {
    if let Some(address) = dom::by_id("beside").and_then(|beside| beside.get_attribute("data-state")) {
        return address;
    }
    // Which step a run's own address shows may change, the one on the page does not.
    if let Some(run) = dom::by_id("log").and_then(|log| log.get_attribute("data-page")) {
        return run + "/state";
    }
    let location = window().location();
    location.pathname().unwrap_or_default() + &location.search().unwrap_or_default()
}

/// A page, or parts of one, as the server has them now.
async fn fetch_page(address: &str) -> Result<String, JsValue> {
    let response = request::get(address).await?;
    if response.ok() { text_of(&response).await } else { Err(JsValue::NULL) }
}

async fn pause(milliseconds: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
    });
    let _ = JsFuture::from(promise).await;
}
