//! Short ways to the document.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use crate::model::time::Timestamp;

/// The element with this id.
pub fn by_id(id: &str) -> Option<Element> {
    document().get_element_by_id(id)
}

/// The element with this id, as one that can be scrolled and focused.
pub fn html_by_id(id: &str) -> Option<HtmlElement> {
    by_id(id)?.dyn_into().ok()
}

/// Sets the text of the element with this id.
pub fn set_text(id: &str, text: &str) {
    if let Some(element) = by_id(id) {
        element.set_text_content(Some(text));
    }
}

/// The browser's clock.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit by far")]
pub fn clock() -> Timestamp {
    Timestamp(js_sys::Date::now() as i64)
}
