//! Asks the server to do what a button of the form does, as pressing it would, and reads the page that it answers.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DocumentFragment, FormData, HtmlFormElement, RequestInit};

use super::form::STEPS;
use crate::browser::{
    dom::{self, window},
    refresh::text_of,
};

/// The page with the steps as the server has them after that.
///
/// # Errors
/// Why there is none, in the user's words.
pub async fn ask(form: &HtmlFormElement, fields: &FormData) -> Result<DocumentFragment, String> {
    let lost = |_| "The server could not be reached, so nothing has changed. Try again.".to_owned();
    let page = post(form, fields).await.map_err(lost)?;
    let page = dom::fragment(&page).ok_or_else(|| lost(JsValue::NULL))?;
    let find = |selector: &str| page.query_selector(selector).ok().flatten();
    if let Some(refusal) = find(".banner.is-refusal") {
        return Err(refusal.text_content().unwrap_or_default());
    }
    if find(STEPS).is_none() {
        return Err(
            "The server did not answer with the form, so nothing has changed. Save it, and open it again.".to_owned()
        );
    }
    Ok(page)
}

async fn post(form: &HtmlFormElement, fields: &FormData) -> Result<String, JsValue> {
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_body(fields);
    let address = form.get_attribute("action").unwrap_or_default();
    let answer = JsFuture::from(window().fetch_with_str_and_init(&address, &options)).await?;
    text_of(&answer.dyn_into()?).await
}
