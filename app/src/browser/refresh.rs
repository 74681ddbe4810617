//! Renews what changes of a page while it is open, but for a run's log: fetches the parts that may have changed, and puts
//! them in place, so that the server alone decides how they look.

use std::{cell::Cell, rc::Rc};

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DocumentFragment, Element, HtmlElement, HtmlTemplateElement, Response};

use super::dom::{self, document, window};
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
                match fetch_parts().await {
                    Ok(page) => {
                        attempts = 0;
                        refresher.take(&page);
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
        let Some(page) = parse(html) else {
            return;
        };
        if let Ok(Some(title)) = page.query_selector("title") {
            document().set_title(&title.text_content().unwrap_or_default());
        }
        if let Ok(parts) = page.query_selector_all(PARTS) {
            let parts = (0..parts.length()).filter_map(|index| parts.get(index)?.dyn_into::<Element>().ok());
            for fresh in parts {
                if let Some(present) = dom::by_id(&fresh.id()) {
                    replace(&present, &fresh);
                }
            }
        }
        if let (Some(present), Ok(Some(fresh))) = (dom::by_id("favicon"), page.query_selector("#favicon"))
            && let Some(address) = fresh.get_attribute("href")
        {
            // Setting an attribute fails only for a malformed name.
            let _ = present.set_attribute("href", &address);
        }
        self.show_words();
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
    // What is being pressed would not hear that it is let go.
    if present.query_selector(":active").is_ok_and(|pressed| pressed.is_some()) {
        return;
    }
    let opened = ids(present, "details[open][id]");
    let ticked = ids(present, "input:checked[id]");
    let focused = document().active_element().filter(|element| present.contains(Some(element)));
    let focused = focused.map(|element| mark(&element)).filter(|mark| mark.iter().any(Option::is_some));
    present.set_inner_html(&fresh.inner_html());
    let _ = match fresh.get_attribute(EVERY) {
        Some(seconds) => present.set_attribute(EVERY, &seconds),
        None => present.remove_attribute(EVERY),
    };
    for (ids, attribute) in [(opened, "open"), (ticked, "checked")] {
        for element in ids.iter().filter_map(|id| dom::by_id(id)) {
            let _ = element.set_attribute(attribute, "");
        }
    }
    if let Some(focused) = focused
        && let Some(element) = elements(present, CONTROLS).into_iter().find(|element| mark(element) == focused)
    {
        let _ = element.focus();
    }
}

/// What tells a control from the others of its part, also when it comes anew.
fn mark(element: &Element) -> [Option<String>; 3] {
    ["id", "href", "aria-label"].map(|attribute| element.get_attribute(attribute))
}

fn ids(part: &Element, selector: &str) -> Vec<String> {
    elements(part, selector).into_iter().map(|element| element.id()).collect()
}

fn elements(part: &Element, selector: &str) -> Vec<HtmlElement> {
    let Ok(found) = part.query_selector_all(selector) else {
        return Vec::new();
    };
    (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok()).collect()
}

/// Reads a page without running or loading anything in it.
fn parse(html: &str) -> Option<DocumentFragment> {
    let template = document().create_element("template").ok()?.dyn_into::<HtmlTemplateElement>().ok()?;
    template.set_inner_html(html);
    Some(template.content())
}

/// The changing parts of the page that is open, as they are now: those of a run alone, otherwise with the page around them.
async fn fetch_parts() -> Result<String, JsValue> {
    // Which step a run's own address shows may change, the one on the page does not.
    let address = match dom::by_id("log").and_then(|log| log.get_attribute("data-page")) {
        Some(run) => run + "/state",
        None => window().location().pathname()? + &window().location().search()?,
    };
    let response: Response = JsFuture::from(window().fetch_with_str(&address)).await?.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::NULL);
    }
    let text = JsFuture::from(response.text()?).await?;
    text.as_string().ok_or(JsValue::NULL)
}

async fn pause(milliseconds: i32) {
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds);
    });
    let _ = JsFuture::from(promise).await;
}
