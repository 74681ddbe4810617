//! The list of commands: what the page's links and buttons do, by name, with a search. Choosing one presses it.

use std::cell::{Cell, RefCell};

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlDialogElement, HtmlElement, HtmlInputElement};

use super::dom::{self, string};
use crate::html::escape_into;

/// What is a command. `data-command` gives one a name that says more than its own words.
const COMMANDS: &str = "[data-command],.site-header a,main :is(.page-head,.actions,.form-buttons,.log-toolbar) :is(a,button),.site-footer a";

/// What is none: what is not there for everybody, and the dialogs themselves.
const NONE: &str = "dialog,[aria-hidden=true],[disabled],[hidden]";

pub struct Commands {
    dialog: HtmlDialogElement,
    input: HtmlInputElement,
    list: Element,
    /// All commands of the page, with their names.
    all: RefCell<Vec<(String, HtmlElement)>>,
    /// Those that are listed.
    listed: RefCell<Vec<HtmlElement>>,
    chosen: Cell<usize>,
}

impl Commands {
    /// The list, where the page has it.
    pub fn find() -> Option<Self> {
        Some(Self {
            dialog: dom::by_id("commands")?.dyn_into().ok()?,
            input: dom::by_id("command-search")?.dyn_into().ok()?,
            list: dom::by_id("command-list")?,
            all: RefCell::default(),
            listed: RefCell::default(),
            chosen: Cell::default(),
        })
    }

    pub fn listen(&'static self) {
        for event in ["input", "keydown", "click"] {
            dom::listen(&self.dialog, event, move |event| {
                if self.hear(&event).is_some() {
                    event.prevent_default();
                }
            });
        }
    }

    /// Opens it, with what the page has now.
    pub fn open(&self) -> Option<()> {
        let mut all: Vec<(String, HtmlElement)> = Vec::new();
        for element in dom::all(COMMANDS) {
            let Ok(element) = element.dyn_into::<HtmlElement>() else {
                continue;
            };
            let name = name_of(&element);
            let is_seen = element.offset_parent().is_some() && element.closest(NONE).is_ok_and(|none| none.is_none());
            if is_seen && !name.is_empty() && !all.iter().any(|(known, _)| *known == name) {
                all.push((name, element));
            }
        }
        self.all.replace(all);
        self.input.set_value("");
        self.dialog.show_modal().ok()?;
        self.filter();
        Some(())
    }

    fn hear(&self, event: &Event) -> Option<()> {
        match event.type_().as_str() {
            "input" => self.filter(),
            "click" => {
                let item = event.target()?.dyn_into::<Element>().ok()?.closest("li").ok()??;
                self.run(item.id().strip_prefix("command-")?.parse().ok()?);
            }
            _ => match string(event, "key")?.as_str() {
                "ArrowDown" => self.choose(self.chosen.get() + 1),
                "ArrowUp" => self.choose(self.chosen.get().saturating_sub(1)),
                "Enter" => self.run(self.chosen.get()),
                _ => return None,
            },
        }
        Some(())
    }

    /// Lists what has all the words that are typed.
    fn filter(&self) {
        let typed = self.input.value().to_ascii_lowercase();
        let is_wanted = |name: &str| {
            let name = name.to_ascii_lowercase();
            typed.split(' ').all(|word| name.contains(word))
        };
        let mut html = String::new();
        let mut listed = Vec::new();
        for (name, element) in self.all.borrow().iter().filter(|(name, _)| is_wanted(name)) {
            html.push_str(r#"<li role="option" id="command-"#);
            html.push_str(&listed.len().to_string());
            html.push_str("\">");
            escape_into(&mut html, name);
            if let Some(keys) = element.get_attribute("data-key") {
                html.push_str(" <kbd>");
                escape_into(&mut html, &keys);
                html.push_str("</kbd>");
            }
            html.push_str("</li>");
            listed.push(element.clone());
        }
        if listed.is_empty() {
            html.push_str(r#"<li role="option" aria-disabled="true">No command has these words.</li>"#);
        }
        self.list.set_inner_html(&html);
        self.listed.replace(listed);
        self.choose(0);
    }

    /// Goes to a command of the list.
    fn choose(&self, index: usize) {
        let index = index.min(self.listed.borrow().len().saturating_sub(1));
        let items = self.list.children();
        let item = |index: usize| items.item(u32::try_from(index).ok()?);
        // Setting an attribute fails only for a malformed name.
        if let Some(item) = item(self.chosen.replace(index)) {
            let _ = item.remove_attribute("aria-selected");
        }
        if let Some(item) = item(index) {
            let _ = item.set_attribute("aria-selected", "true");
            let _ = self.input.set_attribute("aria-activedescendant", &item.id());
            item.scroll_into_view_with_bool(false);
        }
    }

    fn run(&self, index: usize) {
        let Some(command) = self.listed.borrow().get(index).cloned() else {
            return;
        };
        self.dialog.close();
        command.click();
    }
}

fn name_of(element: &Element) -> String {
    let name = ["data-command", "aria-label"].into_iter().find_map(|name| element.get_attribute(name));
    let name = name.or_else(|| element.text_content()).unwrap_or_default();
    name.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
