//! Keeps a person on a task's page: what its forms send, and what its links to runs lead to, is fetched, and the parts that
//! the answer brings are put in place. The server answers as it does without a script, so there is one way for both; what
//! was typed, the caret and what can be undone stay, since no control is ever replaced.

use std::cell::{Cell, RefCell};

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{DocumentFragment, Element, Event, FormData, HtmlElement, HtmlFormElement, HtmlInputElement, Response};

use super::{field_checks, follower, log_choice, log_matches};
use crate::{
    browser::{
        dom::{self, document, property, string, window},
        refresh::{take_parts, take_title},
        request,
    },
    html::escape_into,
    routes,
};

/// What is about the form, but the form.
const FORM_PARTS: &str = "#bench-said,#bench-origin,#form-buttons";

/// What is about the task and its runs.
const RUN_PARTS: &str = "#bench-head,#run-tab,#bench-run,#bench-below";

/// The part of an address that has a page without JavaScript renew itself.
const LIVE: &str = "&live=1";

thread_local! {
    /// The address of what is shown, without what comes after a `#`.
    static SHOWN: RefCell<String> = const { RefCell::new(String::new()) };
    /// Whether a form is under way.
    static IS_SENDING: Cell<bool> = const { Cell::new(false) };
    /// Counts what was asked for, so that an answer that was overtaken is known.
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

/// Watches the task's page, if it is one.
pub fn watch() {
    let (Some(main), Some(_)) = (dom::by_id("main"), dom::by_id("bench-run")) else {
        return;
    };
    let here = here();
    let shown = here.replace(LIVE, "");
    if shown != here {
        set_address(&shown, false);
        lead_back(&shown);
    }
    SHOWN.set(shown);
    unlock();
    follower::watch_log();
    dom::listen(&main, "submit", |event| {
        if log_choice::take_asked(&event) {
            return;
        }
        if let Some(address) = asked(&event) {
            event.prevent_default();
            spawn_local(async move { show(&address, true).await });
        } else if let Some((form, data)) = sent(&event) {
            event.prevent_default();
            if !IS_SENDING.replace(true) {
                spawn_local(async move {
                    send(&form, &data).await;
                    IS_SENDING.set(false);
                });
            }
        }
    });
    dom::listen(&main, "click", |event| {
        if log_matches::take_click(&event) {
            return;
        }
        if let Some(address) = chosen(&event) {
            event.prevent_default();
            spawn_local(async move { show(&address, true).await });
        }
    });
    dom::listen(&window(), "popstate", |_| {
        let (here, shown) = (self::here(), SHOWN.with_borrow(Clone::clone));
        if path(&here) != path(&shown) {
            let _ = window().location().reload();
        } else if here != shown {
            // Otherwise it was a step from one line to another, within what is shown.
            spawn_local(async move { show(&here, false).await });
        }
    });
}

/// The form is locked only for browsers that load the page again by themselves.
fn unlock() {
    if let Ok(Some(all)) = document().query_selector(".form-all[disabled]") {
        let _ = all.remove_attribute("disabled");
        say("");
    }
}

/// The form that an event sends, if the page can take the answer, with all that it says.
fn sent(event: &Event) -> Option<(HtmlFormElement, FormData)> {
    let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
    let is_ours = form.closest(".bench-form,#bench-head,#bench-run,#bench-below").ok()?.is_some()
        // The name has a form of its own, on pages of flows too.
        && !form.matches(".rename form").ok()?
        && form.get_attribute("method").as_deref() == Some("post");
    if !is_ours || event.default_prevented() {
        return None;
    }
    let data = FormData::new_with_form(&form).ok()?;
    if let Some(button) = property(event, "submitter").filter(JsValue::is_object)
        && let (Some(name), Some(value)) = (string(&button, "name"), string(&button, "value"))
    {
        data.append_with_str(&name, &value).ok()?;
    }
    Some((form, data))
}

/// The address that a form about the log that is shown asks for.
fn asked(event: &Event) -> Option<String> {
    let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
    form.closest("#bench-run").ok()??;
    if event.default_prevented() || form.get_attribute("method").as_deref() != Some("get") {
        return None;
    }
    let action = form.get_attribute("action")?;
    let (page, place) = action.split_once('#')?;
    let mut address = page.to_owned();
    for (index, field) in dom::listed::<HtmlInputElement>(form.query_selector_all("input[name]")).iter().enumerate() {
        address.push(if index == 0 { '?' } else { '&' });
        address.push_str(&field.name());
        address.push('=');
        address.push_str(&String::from(js_sys::encode_uri_component(&field.value())));
    }
    address.push('#');
    address.push_str(place);
    Some(address)
}

/// The address that a click on a link to one of the task's runs, or within one, leads to.
fn chosen(event: &Event) -> Option<String> {
    let is_special = dom::is_modified(event) || dom::is(event, "shiftKey") || dom::is(event, "button");
    if event.default_prevented() || is_special {
        return None;
    }
    let link = event.target()?.dyn_into::<Element>().ok()?.closest("a[href]").ok()??;
    link.closest("#bench-run,#bench-below").ok()??;
    let address = link.get_attribute("href")?;
    let here = here();
    let page = path(&here).trim_end_matches("/edit");
    let shown = without_place(&address);
    // What is about another form, a place on the page, and an example for the empty form are the browser's.
    let is_ours = if path(shown) == page {
        page != routes::new_task()
    } else {
        // A form that is filled in from a run stays while one goes through that run's log.
        link.closest("#log").ok()?.is_some() && of_run(shown) == of_run(&here)
    };
    (is_ours && shown != here).then_some(address)
}

/// Sends a form, and takes the answer.
async fn send(form: &HtmlFormElement, data: &FormData) {
    let is_task_form = form.class_list().contains("task-form");
    if is_task_form {
        say("Saving …");
    }
    match Answer::of(request::post(form, data)).await {
        Ok(answer) if is_task_form => answer.take_saved(form, data),
        Ok(answer) => answer.take_done(),
        Err(_) => {
            refuse("Stoker could not be reached, so nothing was done. What you typed is still here: try again.");
            if is_task_form {
                say("");
                keep_unsaved(form);
            }
        }
    }
}

/// The beginning of an address, up to the run that it names.
fn of_run(address: &str) -> &str {
    address.split('&').next().unwrap_or_default()
}

/// Shows what an address leads to, but for the form; `is_step` when one can come back from there.
async fn show(address: &str, is_step: bool) {
    let asked = ASKED.get().wrapping_add(1);
    ASKED.set(asked);
    let shown = without_place(address);
    let answer = Answer::of(request::get(shown)).await;
    if ASKED.get() != asked {
        return;
    }
    match answer {
        Ok(answer) if answer.is_done && answer.is_page() => {
            if is_step {
                set_address(address, true);
            }
            SHOWN.set(shown.to_owned());
            answer.take_run(true);
            log_choice::show_place();
        }
        // Whatever it is, the browser shows it.
        _ => drop(window().location().assign(address)),
    }
}

/// What the server answered.
struct Answer {
    page: DocumentFragment,
    /// Where it led, if it led on.
    address: Option<String>,
    is_done: bool,
}

impl Answer {
    async fn of(asked: impl Future<Output = Result<Response, JsValue>>) -> Result<Self, JsValue> {
        let response = asked.await?;
        let page = request::page_of(&response).await?;
        let origin = window().location().origin()?;
        let address = response.url().strip_prefix(&origin).map(|address| address.replace(LIVE, ""));
        Ok(Self { page, address: address.filter(|_| response.redirected()), is_done: response.ok() })
    }

    /// Whether it is a task's page.
    fn is_page(&self) -> bool {
        self.find("#bench-run").is_some()
    }

    fn find(&self, selector: &str) -> Option<Element> {
        self.page.query_selector(selector).ok().flatten()
    }

    fn text(&self, selector: &str) -> Option<String> {
        self.find(selector)?.text_content()
    }

    /// What it says of a refusal that is about no field.
    fn refusal(&self) -> Option<String> {
        if let Some(text) = self.text(".banner.is-refusal") {
            return Some(text);
        }
        // A page of another kind: that of an error.
        (!self.is_page()).then(|| self.text("p").or_else(|| self.text("h1")).unwrap_or_default())
    }

    /// Takes what became of the task form.
    fn take_saved(&self, form: &HtmlFormElement, data: &FormData) {
        if self.is_page() {
            take_parts(&self.page, FORM_PARTS);
            take_form(&self.page, form, data);
        }
        if let Some(refusal) = self.refusal() {
            refuse(&refusal);
        }
        if self.is_done && self.is_page() {
            say(&self.text(".banner.is-notice").unwrap_or_else(|| "Saved and started.".to_owned()));
            self.go_on();
        } else {
            say("");
            keep_unsaved(form);
            show_tab("bench-tab-code");
            if let Some(said) = document().query_selector("#bench-said > *").ok().flatten() {
                let _ = said.unchecked_into::<HtmlElement>().focus();
            }
        }
        if self.is_page() {
            take_title(&self.page);
        }
    }

    /// Takes what became of another form of the page.
    fn take_done(&self) {
        if let Some(refusal) = self.refusal() {
            refuse(&refusal);
        }
        if let Some(notice) = self.text(".banner.is-notice") {
            say(&notice);
        }
        if self.is_page() {
            self.go_on();
        }
    }

    /// Goes where the answer led, and shows the run there.
    fn go_on(&self) {
        let mut is_new = false;
        if let Some(address) = &self.address {
            let shown = SHOWN.replace(address.clone());
            is_new = shown != *address;
            if is_new {
                // The empty form is nowhere to come back to: what was typed there is a task now.
                set_address(address, path(&shown) != routes::new_task());
            }
        }
        self.take_run(is_new);
    }

    fn take_run(&self, is_other: bool) {
        take_parts(&self.page, RUN_PARTS);
        take_title(&self.page);
        follower::follow_anew();
        SHOWN.with_borrow(|shown| lead_back(shown));
        if is_other && self.find("#beside").is_some() {
            show_tab("bench-tab-run");
        }
    }
}

/// Takes over what a page says at the fields of the form, and what the server made of them. What was typed since the form
/// was sent stays.
fn take_form(page: &DocumentFragment, form: &HtmlFormElement, sent: &FormData) {
    let Ok(Some(fresh)) = page.query_selector("form.task-form") else {
        return;
    };
    if let Some(action) = fresh.get_attribute("action") {
        let _ = form.set_attribute("action", &action);
    }
    for control in dom::listed::<Element>(form.query_selector_all("input[id],textarea[id],select[id]")) {
        if let Ok(Some(fresh)) = fresh.query_selector(&format!("#{}", control.id())) {
            // Attributes that every control has: neither can fail.
            let _ = take_value(&control, &fresh, sent);
            let _ = take_message(&control, &fresh);
        }
    }
    field_checks::adopt_messages();
}

fn take_value(control: &Element, fresh: &Element, sent: &FormData) -> Result<(), JsValue> {
    let kind = string(control, "type").unwrap_or_default();
    if kind == "file" {
        Reflect::set(control, &"value".into(), &"".into())?;
    }
    if !matches!(kind.as_str(), "text" | "textarea" | "hidden") {
        return Ok(());
    }
    let value = |element: &Element| string(element, "value").unwrap_or_default();
    let (typed, kept) = (value(control), value(fresh));
    let sent = sent.get(&string(control, "name").unwrap_or_default()).as_string().unwrap_or_default();
    if typed == sent && kept != sent {
        Reflect::set(control, &"value".into(), &kept.as_str().into())?;
        // The code editor draws it anew. It does not reach the form, to which nothing was typed.
        control.dispatch_event(&Event::new("input")?)?;
    }
    // What it came with: to tell later what was changed.
    if kind != "hidden" && string(control, "defaultValue").is_none_or(|present| present != kept) {
        Reflect::set(control, &"defaultValue".into(), &kept.into())?;
    }
    Ok(())
}

fn take_message(control: &Element, fresh: &Element) -> Result<(), JsValue> {
    for name in ["aria-invalid", "aria-describedby"] {
        match fresh.get_attribute(name) {
            Some(value) => control.set_attribute(name, &value)?,
            None => control.remove_attribute(name)?,
        }
    }
    let (Some(block), Some(fresh_block)) = (control.closest(".field")?, fresh.closest(".field")?) else {
        return Ok(());
    };
    if let Some(message) = dom::by_id(&format!("{}-error", control.id())) {
        message.remove();
    }
    block.class_list().toggle_with_force("has-error", fresh_block.class_list().contains("has-error"))?;
    if let Some(message) = fresh_block.query_selector(".field-error")?
        && let Some(hint) = dom::by_id(&format!("{}-hint", control.id()))
    {
        hint.insert_adjacent_element("afterend", &message)?;
        if let Some(details) = control.closest("details")? {
            details.set_attribute("open", "")?;
        }
    }
    Ok(())
}

/// Says above everything why something was not done.
fn refuse(text: &str) {
    if let Some(said) = dom::by_id("bench-said") {
        let mut html = String::from(r#"<p class="banner is-refusal" role="alert" tabindex="-1">"#);
        escape_into(&mut html, text);
        html.push_str("</p>");
        said.set_inner_html(&html);
    }
}

/// Says beside the buttons what became of the form.
fn say(text: &str) {
    dom::set_text("form-status", text);
}

/// What was sent and not taken is unsaved again, as if it had just been typed.
fn keep_unsaved(form: &HtmlFormElement) {
    if let Ok(event) = Event::new("input") {
        let _ = form.dispatch_event(&event);
    }
}

/// Shows one of the two sides where they have no room beside each other.
fn show_tab(id: &str) {
    if let Some(tab) = dom::by_id(id) {
        let _ = Reflect::set(&tab, &"checked".into(), &true.into());
    }
}

/// Path and query of the page.
fn here() -> String {
    let location = window().location();
    location.pathname().unwrap_or_default() + &location.search().unwrap_or_default()
}

/// An address without what comes after its `#`.
fn without_place(address: &str) -> &str {
    address.split('#').next().unwrap_or_default()
}

fn path(address: &str) -> &str {
    address.split('?').next().unwrap_or_default()
}

/// Has the browser show this address, as a step that one can take back, or in place of the present one.
fn set_address(address: &str, is_step: bool) {
    let Ok(history) = window().history() else {
        return;
    };
    // It fails only for addresses of other sites.
    let _ = if is_step {
        history.push_state_with_url(&JsValue::NULL, "", Some(address))
    } else {
        history.replace_state_with_url(&JsValue::NULL, "", Some(address))
    };
}

/// Has the switches that lead back to the page lead to this address.
fn lead_back(address: &str) {
    for back in dom::all("input[name=back]") {
        dom::set_property(&back, "value", address);
    }
}
