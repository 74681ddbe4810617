//! Asks the server as links and forms do, without leaving the page. What is done with the answer is no matter of this module.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DocumentFragment, FormData, HtmlFormElement, RequestInit, Response};

use super::dom::{self, window};

/// What is at an address.
///
/// # Errors
/// When the server cannot be reached.
pub async fn get(address: &str) -> Result<Response, JsValue> {
    JsFuture::from(window().fetch_with_str(address)).await?.dyn_into()
}

/// What the server answers to a form with these fields.
///
/// # Errors
/// When the server cannot be reached.
pub async fn post(form: &HtmlFormElement, fields: &FormData) -> Result<Response, JsValue> {
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_body(fields);
    let address = form.get_attribute("action").unwrap_or_default();
    JsFuture::from(window().fetch_with_str_and_init(&address, &options)).await?.dyn_into()
}

/// The text of an answer.
///
/// # Errors
/// When it breaks off.
pub async fn text_of(response: &Response) -> Result<String, JsValue> {
    JsFuture::from(response.text()?).await?.as_string().ok_or(JsValue::NULL)
}

/// The page of an answer.
///
/// # Errors
/// When it breaks off.
pub async fn page_of(response: &Response) -> Result<DocumentFragment, JsValue> {
    dom::fragment(&text_of(response).await?).ok_or(JsValue::NULL)
}
