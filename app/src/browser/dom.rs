//! Short ways to the document and to what JavaScript knows.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue, UnwrapThrowExt as _, closure::Closure};
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, Window};

use crate::model::time::Timestamp;

/// The browser's window.
pub fn window() -> Window {
    web_sys::window().expect_throw("this runs in a page")
}

/// The page.
pub fn document() -> Document {
    window().document().expect_throw("a window has a document")
}

/// The element with this id.
pub fn by_id(id: &str) -> Option<Element> {
    document().get_element_by_id(id)
}

/// The element with this id, as one that can be scrolled and focused.
pub fn html_by_id(id: &str) -> Option<HtmlElement> {
    by_id(id)?.dyn_into().ok()
}

/// The elements in another one that a selector finds, in order.
pub fn all(element: &Element, selector: &str) -> Vec<Element> {
    let Ok(found) = element.query_selector_all(selector) else {
        return Vec::new();
    };
    (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok()).collect()
}

/// Sets the text of the element with this id.
pub fn set_text(id: &str, text: &str) {
    if let Some(element) = by_id(id) {
        element.set_text_content(Some(text));
    }
}

/// Calls a function at each event of this name, as long as the page lives.
pub fn listen(target: &EventTarget, event: &str, act: impl Fn(Event) + 'static) {
    let closure = Closure::<dyn Fn(Event)>::new(act);
    // It fails only for a listener that is none. It stays as long as the page, hence `forget`.
    let _ = target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
    closure.forget();
}

/// A property of a JavaScript object.
pub fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &name.into()).ok()
}

/// Whether a property, such as that of a key held down, is true.
pub fn is(object: &JsValue, name: &str) -> bool {
    property(object, name).is_some_and(|value| value.is_truthy())
}

/// A property that is a text.
pub fn string(object: &JsValue, name: &str) -> Option<String> {
    property(object, name)?.as_string()
}

/// A property that is a count.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are whole and below 2^53")]
pub fn number(object: &JsValue, name: &str) -> Option<u64> {
    Some(property(object, name)?.as_f64()? as u64)
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit by far")]
pub fn clock() -> Timestamp {
    Timestamp(js_sys::Date::now() as i64)
}
