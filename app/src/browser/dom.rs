//! Short ways to the document and to what JavaScript knows.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue, UnwrapThrowExt as _, closure::Closure};
use web_sys::{
    Document, DocumentFragment, Element, Event, EventTarget, FocusOptions, HtmlElement, HtmlTemplateElement, NodeList,
    Window,
};

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

/// The elements that a selector finds.
pub fn all(selector: &str) -> Vec<Element> {
    listed(document().query_selector_all(selector))
}

/// The elements in another one that a selector finds, in order.
pub fn all_in(element: &Element, selector: &str) -> Vec<Element> {
    listed(element.query_selector_all(selector))
}

/// What a question for elements found, of those that are of a kind.
pub fn listed<T: JsCast>(found: Result<NodeList, JsValue>) -> Vec<T> {
    let Ok(found) = found else {
        return Vec::new();
    };
    (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok()).collect()
}

/// Reads a page without running or loading anything in it.
pub fn fragment(html: &str) -> Option<DocumentFragment> {
    let template = document().create_element("template").ok()?.dyn_into::<HtmlTemplateElement>().ok()?;
    template.set_inner_html(html);
    Some(template.content())
}

/// Gives an element of HTML or of a drawing the focus, without scrolling to it.
pub fn focus_in_place(element: &Element) {
    let options = FocusOptions::new();
    options.set_prevent_scroll(true);
    // Both kinds have the method; this one's type is asked for nothing else.
    let _ = element.unchecked_ref::<HtmlElement>().focus_with_options(&options);
}

/// How near to the edge of a box is still not quite seen, in pixels.
pub const EDGE: i32 = 28;

/// Scrolls a box to where an element in it is seen, and nothing else.
pub fn reveal(scrolled: &HtmlElement, element: &Element) {
    let (seen, there) = (scrolled.get_bounding_client_rect(), element.get_bounding_client_rect());
    let missing = |start: f64, end: f64, first: f64, last: f64| {
        let (before, after) = (whole(start - first) - EDGE, whole(end - last) + EDGE);
        if before < 0 { before } else { after.max(0) }
    };
    let right = missing(there.left(), there.right(), seen.left(), seen.right());
    let down = missing(there.top(), there.bottom(), seen.top(), seen.bottom());
    scrolled.set_scroll_left(scrolled.scroll_left() + right);
    scrolled.set_scroll_top(scrolled.scroll_top() + down);
}

/// A length in whole pixels.
#[expect(clippy::cast_possible_truncation, reason = "no window is that large")]
pub fn whole(pixels: f64) -> i32 {
    pixels as i32
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

/// Sets a property that is a text.
pub fn set_property(object: &JsValue, name: &str, value: &str) {
    // It fails only for objects that are none.
    let _ = Reflect::set(object, &name.into(), &value.into());
}

/// Whether a key is held down that gives another key or a click to the browser.
pub fn is_modified(event: &Event) -> bool {
    ["ctrlKey", "metaKey", "altKey"].into_iter().any(|key| is(event, key))
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

/// Calls a function before the browser draws next.
#[cfg(feature = "form-islands")]
pub fn next_frame(act: impl FnOnce() + 'static) {
    let act = Closure::once_into_js(act);
    // It fails only for a function that is none.
    let _ = window().request_animation_frame(act.unchecked_ref());
}
