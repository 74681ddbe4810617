//! What a task or a flow is called at the top of its page, and the small form that changes it. The form of everything
//! else is another one.

use leptos::prelude::*;

use crate::{
    model::{identifiers::Kind, spec::TaskName},
    page_context::RefusedName,
};

/// What is said there.
pub struct PageName<'a> {
    pub kind: Kind,
    pub title: String,
    /// The name as saved; none where the title is made from the code.
    pub name: Option<&'a TaskName>,
    /// Where a new name is sent: the page's own address.
    pub action: String,
    /// Whether a browser without JavaScript is about to load the page again, so that nothing can be typed there.
    pub is_locked: bool,
    /// What is known besides.
    pub facts: AnyView,
}

impl PageName<'_> {
    /// The part of the page that comes anew with another name.
    pub fn view(self) -> AnyView {
        let Self { kind, title, name, action, is_locked, facts } = self;
        let refused = use_context::<RefusedName>();
        let is_refused = refused.is_some();
        let (typed, error) = match refused {
            Some(RefusedName { typed, message }) => (typed, Some(message)),
            None => (name.map(|name| name.as_str().to_owned()).unwrap_or_default(), None),
        };
        let error = error.map(|message| {
            view! {
                <div class="field-error" id="rename-error">
                    <span class="visually-hidden">"Error: "</span>
                    <p class="field-message">{message}</p>
                </div>
            }
        });
        let hint = match kind {
            Kind::Task => "Without one, it is called by what its code says of itself first.",
            Kind::Flow => "A flow always has one.",
        };
        view! {
            <div id="page-name">
                <h1 dir="auto">{title.clone()}</h1>
                <details class=if is_locked { "rename is-locked" } else { "rename" } open=is_refused>
                    <summary aria-label=format!("Rename {title}") data-command="Rename">"Rename"</summary>
                    <form method="post" action=action>
                        <input type="hidden" name="intent" value="rename" />
                        <div class=if is_refused { "field has-error" } else { "field" }>
                            <label for="rename">"New name"</label>
                            <div class="hint" id="rename-hint">{hint}</div>
                            {error}
                            <input
                                type="text"
                                id="rename"
                                name="new_name"
                                value=typed
                                maxlength=TaskName::MAX_CHARACTERS.to_string()
                                autocomplete="off"
                                aria-describedby=if is_refused { "rename-hint rename-error" } else { "rename-hint" }
                                aria-invalid=is_refused.then_some("true")
                                autofocus=is_refused
                            />
                        </div>
                        <button>"Save the name"</button>
                    </form>
                </details>
                {facts}
            </div>
        }
        .into_any()
    }
}
