//! Asks the server to do what a button of the form does, as pressing it would, and reads the page that it answers.

use web_sys::{DocumentFragment, FormData, HtmlFormElement};

use super::form::STEPS;
use crate::browser::request;

/// The page with the steps as the server has them after that.
///
/// # Errors
/// Why there is none, in the user's words.
pub async fn ask(form: &HtmlFormElement, fields: &FormData) -> Result<DocumentFragment, String> {
    let lost = |_| "The server could not be reached, so nothing has changed. Try again.".to_owned();
    let answer = request::post(form, fields).await.map_err(lost)?;
    let page = request::page_of(&answer).await.map_err(lost)?;
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
