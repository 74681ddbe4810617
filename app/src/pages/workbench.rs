//! How a task's page is laid out: what was wrong, its head, the form with a run beside it, and what is below. The browser
//! puts each of these parts in place at its id when a form was sent or another run chosen, so nobody leaves the page.

use leptos::prelude::*;

use super::saving::SaveForm;
use crate::components::page::Page;

/// One showing of a task's page.
pub struct Workbench {
    /// What the task is called, and what is known of it besides.
    pub name: AnyView,
    /// The same name in words.
    pub title: String,
    /// The same for the browser's tab, unless the form was refused.
    pub tab_title: String,
    /// The icon of the browser's tab.
    pub icon: &'static str,
    /// What can be done with it besides changing it.
    pub actions: Option<AnyView>,
    pub form: SaveForm,
    /// The run, or what is said while there is none.
    pub run: AnyView,
    /// What the run's tab says, where the form and the run have no room beside each other.
    pub run_word: AnyView,
    /// Whether that tab is the one that is shown there first.
    pub is_run_first: bool,
    /// The runs, and what else there is to know.
    pub below: Option<AnyView>,
}

impl Workbench {
    /// The page.
    pub fn page(self) -> AnyView {
        let Self { name, title, tab_title, icon, actions, form, run, run_word, is_run_first, below } = self;
        let tab_title = if form.has_problem() { form.tab_title(&title) } else { tab_title };
        let (said, origin) = (form.said(), form.origin_words());
        view! {
            <Page title=tab_title icon=icon wide=true>
                <div id="bench-said">{said}</div>
                <div id="bench-head" class="page-head">
                    {name}
                    {actions}
                </div>
                <div id="bench-origin">{origin}</div>
                <fieldset class="bench-tabs">
                    <legend class="visually-hidden">"Shown here"</legend>
                    <input type="radio" name="bench-tab" id="bench-tab-code" checked=!is_run_first />
                    <label for="bench-tab-code">"Code"</label>
                    <input type="radio" name="bench-tab" id="bench-tab-run" checked=is_run_first />
                    <label for="bench-tab-run"><span id="run-tab">{run_word}</span></label>
                </fieldset>
                <div class="bench">
                    <section class="bench-form" aria-label="Code and options">{form.view()}</section>
                    <section class="bench-run" id="bench-run" aria-label="Run">{run}</section>
                </div>
                <div id="bench-below">{below}</div>
            </Page>
        }
        .into_any()
    }
}
