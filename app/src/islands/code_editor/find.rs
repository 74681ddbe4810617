//! Finding a text in the code: a small bar above it. The browser's own search is a second Ctrl+F away.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement};

use super::Editor;
use crate::{
    browser::dom::{self, string},
    python_text::find_all,
};

/// The bar. Its field has no name, so it is not sent with the form.
const BAR: &str = r#"<div class="code-find" role="search" aria-label="Find in the code" hidden>
<input type="text" aria-label="Find in the code" placeholder="Find; Ctrl+F again: in the page" autocomplete="off" autocapitalize="off" spellcheck="false">
<span class="code-find-count" role="status"></span>
<button type="button" class="is-small" value="previous" aria-label="Previous match">↑</button>
<button type="button" class="is-small" value="next" aria-label="Next match">↓</button>
<button type="button" class="is-small" value="close" aria-label="Close the search">×</button>
</div>"#;

/// The state of a search.
#[derive(Default)]
pub(super) struct Finder {
    bar: RefCell<Option<Bar>>,
    /// Where the text is, in bytes.
    found: RefCell<Vec<Range<usize>>>,
    /// Which of those one is at.
    current: Cell<usize>,
}

#[derive(Clone)]
struct Bar {
    element: Element,
    input: HtmlInputElement,
    count: Element,
}

impl Bar {
    fn is_open(&self) -> bool {
        !self.element.has_attribute("hidden")
    }
}

impl Finder {
    /// The places to mark, with their classes.
    pub(super) fn marks(&self) -> Vec<(Range<usize>, &'static str)> {
        let found = self.found.borrow().clone().into_iter().enumerate();
        let class = |index| if index == self.current.get() { "is-found is-current" } else { "is-found" };
        found.map(|(index, range)| (range, class(index))).collect()
    }

    fn say_count(&self, bar: &Bar) {
        let count = self.found.borrow().len();
        let words = match count {
            _ if bar.input.value().is_empty() => String::new(),
            0 => "No match".to_owned(),
            count => format!("{} of {count}", self.current.get() + 1),
        };
        bar.count.set_text_content(Some(&words));
    }
}

impl Editor {
    /// Opens the bar, with what is selected in it.
    pub(super) fn open_finder(&'static self) -> Option<()> {
        let bar = self.bar()?;
        bar.element.remove_attribute("hidden").ok()?;
        let selection = self.selection();
        let selected = self.source.borrow().text()[selection].to_owned();
        if !selected.is_empty() && !selected.contains('\n') {
            bar.input.set_value(&selected);
        }
        bar.input.focus().ok()?;
        bar.input.select();
        self.search();
        Some(())
    }

    fn bar(&'static self) -> Option<Bar> {
        if let Some(bar) = self.finder.bar.borrow().as_ref() {
            return Some(bar.clone());
        }
        self.frame.insert_adjacent_html("beforebegin", BAR).ok()?;
        let element = self.frame.previous_element_sibling()?;
        let bar = Bar {
            input: element.query_selector("input").ok()??.dyn_into().ok()?,
            count: element.query_selector("span").ok()??,
            element,
        };
        for event in ["input", "keydown", "click"] {
            dom::listen(&bar.element, event, move |event| {
                if self.hear_finder(&event).is_some() {
                    event.prevent_default();
                    event.stop_propagation();
                }
            });
        }
        self.finder.bar.replace(Some(bar.clone()));
        Some(bar)
    }

    /// Takes an event of the bar; `None` leaves it to the browser, and to the form around.
    fn hear_finder(&'static self, event: &Event) -> Option<()> {
        if event.type_() == "input" {
            self.search();
            return Some(());
        }
        let word = if event.type_() == "click" {
            let target: Element = event.target()?.dyn_into().ok()?;
            string(&target, "value").filter(|_| target.tag_name() == "BUTTON")?
        } else {
            let is_other = dom::is_modified(event) || dom::is(event, "isComposing");
            match string(event, "key")?.as_str() {
                "Escape" => "close".to_owned(),
                "Enter" if is_other || event.target()? != *self.bar()?.input.as_ref() => return None,
                "Enter" if dom::is(event, "shiftKey") => "previous".to_owned(),
                "Enter" => "next".to_owned(),
                _ => return None,
            }
        };
        match word.as_str() {
            "next" => self.go_to_match(1),
            "previous" => self.go_to_match(-1),
            _ => self.close_finder(),
        }
    }

    /// Looks for what is in the bar, and goes to the first match from the caret on.
    fn search(&'static self) -> Option<()> {
        let bar = self.bar()?;
        let from = self.selection().start;
        let found = find_all(self.source.borrow().text(), &bar.input.value());
        let current = found.iter().position(|range| range.start >= from).unwrap_or_default();
        self.finder.current.set(current);
        self.finder.found.replace(found);
        self.go_to_match(0);
        self.ask_for_frame();
        Some(())
    }

    /// Looks again, in code that has changed.
    pub(super) fn search_again(&self) {
        let bar = self.finder.bar.borrow();
        let Some(bar) = bar.as_ref().filter(|bar| bar.is_open()) else {
            return;
        };
        let found = find_all(self.source.borrow().text(), &bar.input.value());
        self.finder.current.set(self.finder.current.get().min(found.len().saturating_sub(1)));
        self.finder.found.replace(found);
        self.finder.say_count(bar);
    }

    /// Goes some matches further, round and round.
    fn go_to_match(&self, by: isize) -> Option<()> {
        let range = {
            let found = self.finder.found.borrow();
            if let (Ok(count), Ok(current)) = (isize::try_from(found.len()), isize::try_from(self.finder.current.get()))
                && count > 0
            {
                self.finder.current.set(usize::try_from((current + by).rem_euclid(count)).unwrap_or_default());
            }
            found.get(self.finder.current.get()).cloned()
        };
        self.finder.say_count(self.finder.bar.borrow().as_ref()?);
        if let Some(range) = range {
            self.go_to(&range);
        }
        Some(())
    }

    /// Closes the bar and goes back to the code, where the match stays selected.
    fn close_finder(&'static self) -> Option<()> {
        let bar = self.bar()?;
        bar.element.set_attribute("hidden", "").ok()?;
        self.finder.found.take();
        self.area.focus().ok()?;
        self.ask_for_frame();
        Some(())
    }
}
