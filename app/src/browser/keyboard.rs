//! The keys of every page. Which key presses what, the page says itself: at links and buttons, by `data-key`. None of them
//! does anything while one types, and each is also there to be clicked.

use std::cell::Cell;

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement};

use super::{
    commands::Commands,
    dom::{self, document, string},
};

/// For how long `g` waits for what follows it, in milliseconds.
const WAIT: f64 = 1500.0;

/// Where keys are text.
const FIELDS: &str = "input:not([type=checkbox],[type=radio]),textarea,select";

struct Keyboard {
    commands: Option<Commands>,
    /// When `g` was pressed, in milliseconds.
    began: Cell<f64>,
}

/// Listens to the page.
pub fn start() {
    let keyboard: &Keyboard =
        Box::leak(Box::new(Keyboard { commands: Commands::find(), began: Cell::new(f64::NEG_INFINITY) }));
    dom::listen(&document(), "keydown", move |event| {
        if keyboard.press(&event).is_some() {
            event.prevent_default();
        }
    });
    if let Some(commands) = &keyboard.commands {
        commands.listen();
    }
    let Some(buttons) = dom::by_id("site-keys") else {
        return;
    };
    // They do nothing without this, so they are not seen before.
    let _ = buttons.class_list().add_1("is-live");
    dom::listen(&buttons, "click", move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(key) = target.and_then(|target| target.get_attribute("data-opens")) {
            keyboard.act(&key);
        }
    });
}

impl Keyboard {
    /// Does what a key is for; `None` leaves it to the browser.
    fn press(&self, event: &Event) -> Option<()> {
        if dom::is_modified(event) || dom::is(event, "isComposing") || event.default_prevented() {
            return None;
        }
        let target: Element = event.target()?.dyn_into().ok()?;
        if target.matches(FIELDS).ok()? || document().query_selector("dialog[open]").ok()?.is_some() {
            return None;
        }
        let key = string(event, "key")?;
        let now = event.time_stamp();
        let began = self.began.replace(if key == "g" { now } else { f64::NEG_INFINITY });
        if now - began < WAIT { self.act(&("g ".to_owned() + &key)) } else { self.act(&key) }
    }

    fn act(&self, keys: &str) -> Option<()> {
        match keys {
            "?" => dom::by_id("keys")?.dyn_into::<HtmlDialogElement>().ok()?.show_modal().ok(),
            "." => self.commands.as_ref()?.open(),
            "/" => search(),
            "j" => go_to_row(1),
            "k" => go_to_row(-1),
            _ => {
                // What is no key makes no selector, or one that finds nothing.
                // Nor is what is hidden pressed.
                let selector = "[data-key='".to_owned() + keys + "']:not([aria-hidden] *)";
                let pressed = document().query_selector(&selector).ok()?;
                match pressed {
                    Some(pressed) => pressed.unchecked_into::<HtmlElement>().click(),
                    // A page without a way to where one edits is where one edits.
                    None if keys == "e" => dom::html_by_id("code")?.focus().ok()?,
                    None => return None,
                }
                Some(())
            }
        }
    }
}

/// Goes to the page's search field.
fn search() -> Option<()> {
    let field = document().query_selector("main input[type=search]").ok()??;
    let field: HtmlInputElement = field.dyn_into().ok()?;
    field.focus().ok()?;
    field.select();
    Some(())
}

/// Goes some rows down in the page's list. Being there is having the focus at the row's link, so Enter opens it.
fn go_to_row(by: isize) -> Option<()> {
    let rows = dom::all("main .table tbody tr");
    let present = document().active_element()?.closest("tr").ok()?;
    let index = present.and_then(|present| rows.iter().position(|row| *row == present));
    let next = match index {
        Some(index) => index.saturating_add_signed(by).min(rows.len() - 1),
        None => 0,
    };
    let link = rows.get(next)?.query_selector("a").ok()??;
    link.dyn_into::<HtmlElement>().ok()?.focus().ok()
}
