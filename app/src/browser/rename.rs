//! Changes a name without leaving the page: sends the small form at its top, and puts what the answer says there in place.
//! The server answers as it does without a script.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{DocumentFragment, Element, Event, FormData, HtmlElement, HtmlFormElement};

use super::{
    dom::{self, document, set_property, string},
    refresh::{take_parts, take_title},
    request,
};

/// What comes anew.
const PART: &str = "#page-name";

/// Watches the form, where the page has it.
pub fn start() {
    dom::listen(&document(), "submit", |event| {
        if let Some(form) = sent(&event) {
            event.prevent_default();
            spawn_local(async move {
                if send(&form).await.is_err() {
                    // The browser sends it, and shows whatever comes of that. It fails only for a form that is gone.
                    let _ = form.submit();
                }
            });
        }
    });
}

fn sent(event: &Event) -> Option<HtmlFormElement> {
    let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
    form.matches(".rename form").ok()?.then_some(form)
}

async fn send(form: &HtmlFormElement) -> Result<(), JsValue> {
    let response = request::post(form, &FormData::new_with_form(form)?).await?;
    let page = request::page_of(&response).await?;
    page.query_selector(PART)?.ok_or(JsValue::NULL)?;
    take_parts(&page, PART);
    let next = document().query_selector(".rename[open] #rename,.rename:not([open]) summary")?;
    if let Some(next) = next {
        next.unchecked_into::<HtmlElement>().focus()?;
    }
    if response.ok() {
        take_title(&page);
        take_into_form(&page);
    }
    Ok(())
}

/// Takes the name over into the form of everything, as if the page had come with it. A name that is being typed there
/// stays; so does what the form starts from when somebody else saved in between, who is then not overwritten unasked.
fn take_into_form(page: &DocumentFragment) -> Option<()> {
    let of_page = |id: &str| page.query_selector(&format!("form.task-form #{id}")).ok().flatten();
    let (revision, name) = (of_page("revision")?, of_page("name")?);
    let (present_revision, present_name) = (dom::by_id("revision")?, dom::by_id("name")?);
    let number = |revision: &Element| string(revision, "value")?.parse::<i64>().ok();
    if number(&revision) == number(&present_revision).map(|number| number + 1) {
        set_property(&present_revision, "value", &string(&revision, "value")?);
    }
    if string(&present_name, "value") == string(&present_name, "defaultValue") {
        let name = string(&name, "value")?;
        set_property(&present_name, "defaultValue", &name);
        set_property(&present_name, "value", &name);
    }
    Some(())
}
