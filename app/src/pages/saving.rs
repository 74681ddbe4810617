//! What the forms of tasks and of flows have around their fields: what was wrong, where the content comes from, and the
//! buttons that save.

use leptos::prelude::*;

use crate::{
    components::{
        field::{ErrorSummary, Problem},
        message::message,
        page::Page,
    },
    model::identifiers::{RunNumber, TaskId},
    routes,
};

/// Where a form's content comes from.
pub enum Origin {
    /// It is new.
    New,
    /// As saved.
    Saved(TaskId),
    /// As a run had it.
    Run {
        id: TaskId,
        number: RunNumber,
        /// Whether it was saved with other content since.
        has_changed: bool,
    },
}

impl Origin {
    /// What is overwritten.
    const fn id(&self) -> Option<&TaskId> {
        match self {
            Self::New => None,
            Self::Saved(id) | Self::Run { id, .. } => Some(id),
        }
    }
}

/// One showing of a form.
pub struct SaveForm {
    /// Where it is sent: the page's own address.
    pub action: String,
    /// Where "Cancel" leads; `None` where there is nothing to go back to.
    pub back: Option<String>,
    pub origin: Origin,
    /// What was wrong with what was sent.
    pub problems: Vec<Problem>,
    /// Whether somebody else saved in between.
    pub is_outdated: bool,
    /// Why package versions could not be looked up.
    pub unresolved: Option<String>,
    /// What the save starts from.
    pub revision: Option<i64>,
    /// Whether nothing can be typed, since a browser without JavaScript is about to load the page again.
    pub is_locked: bool,
    pub fields: AnyView,
}

impl SaveForm {
    /// The page of a form that has one to itself.
    pub fn page(self, title: String) -> AnyView {
        let (tab_title, said, origin) = (self.tab_title(&title), self.said(), self.origin_words());
        view! {
            <Page title=tab_title wide=true>
                {said}
                <h1 dir="auto">{title}</h1>
                {origin}
                {self.view()}
            </Page>
        }
        .into_any()
    }

    /// The title of the browser's tab: it begins with what screen readers are to say first.
    pub fn tab_title(&self, title: &str) -> String {
        if self.has_problem() { format!("Error: {title}") } else { title.to_owned() }
    }

    /// Whether what was sent was refused.
    pub const fn has_problem(&self) -> bool {
        !self.problems.is_empty() || self.unresolved.is_some()
    }

    /// The form with its buttons.
    pub fn view(self) -> AnyView {
        let Self { action, back, origin, unresolved, revision, is_locked, fields, .. } = self;
        let revision = revision.map_or_else(String::new, |revision| revision.to_string());
        let back = back.map(|back| view! { <a class="button is-quiet" href=back>"Cancel"</a> });
        let locked = is_locked.then(|| {
            view! {
                "This page renews itself while the run is active, so nothing can be typed. "
                <a href=action.clone()>"Stop that, and edit"</a>
            }
        });
        view! {
            <form class="task-form" method="post" action=action enctype="multipart/form-data">
                <fieldset class="form-all" disabled=is_locked>
                    <input type="hidden" id="revision" name="revision" value=revision />
                    // The first button of a form is pressed by Enter: let that be the harmless one.
                    <button class="visually-hidden" name="intent" value="save" tabindex="-1" aria-hidden="true">
                        "Save"
                    </button>
                    {fields}
                    <div class="form-buttons">
                        <div id="form-buttons" class="actions">
                            {buttons(&origin, unresolved.is_some())}
                            {back}
                        </div>
                        <span id="form-status" role="status">{locked}</span>
                    </div>
                </fieldset>
            </form>
        }
        .into_any()
    }

    /// What was wrong with what was sent.
    pub fn said(&self) -> AnyView {
        if let Some(explanation) = &self.unresolved {
            return view! {
                <section class="error-summary" role="alert" tabindex="-1" autofocus aria-labelledby="error-summary-title">
                    <h2 id="error-summary-title">"There is a problem"</h2>
                    <p>"The exact package versions could not be looked up, so nothing has been saved yet."</p>
                    {message("field-message", explanation)}
                    <p>
                        "Try again, or save without checking: the run then looks them up itself, and fails if it cannot."
                    </p>
                </section>
            }
            .into_any();
        }
        if self.problems.is_empty() {
            return ().into_any();
        }
        let other_version = self.origin.id().filter(|_| self.is_outdated).map(|id| {
            view! {
                <p>
                    "What you typed is kept below. Saving again replaces the other version. "
                    <a href=routes::task(id) target="_blank">"Show the other version in a new tab"</a>
                </p>
            }
        });
        view! { <ErrorSummary problems=self.problems.clone()>{other_version}</ErrorSummary> }.into_any()
    }

    /// Which run the content is from, if it is not as saved.
    pub fn origin_words(&self) -> AnyView {
        let Origin::Run { id, number, has_changed } = &self.origin else {
            return ().into_any();
        };
        let kind = id.kind().word();
        let run = view! { <a href=routes::run(id, *number)>{format!("run #{number}")}</a> };
        let saved = view! { <a href=routes::task(id)>"Go back to the saved version"</a> };
        if *has_changed {
            view! {
                <p class="banner is-warning">
                    "Filled in from " {run} {format!(". The {kind} has changed since this run. Saving replaces it. ")}
                    {saved}
                </p>
            }
            .into_any()
        } else {
            view! { <p class="banner">"Filled in from " {run} {format!(", which is the {kind} as saved. ")} {saved}</p> }
                .into_any()
        }
    }
}

fn buttons(origin: &Origin, is_unresolved: bool) -> AnyView {
    let without_checking = is_unresolved.then(|| {
        view! {
            <button id="run-unresolved" name="intent" value="run_unresolved">"Save & run without checking"</button>
            <button id="save-unresolved" name="intent" value="save_unresolved">"Save without checking"</button>
        }
    });
    let run_word = if matches!(origin, Origin::Run { .. }) { "Save & Run again" } else { "Save & Run" };
    view! {
        <button id="save-and-run" class="is-primary" name="intent" value="save_and_run">{run_word}</button>
        <button id="save" name="intent" value="save">"Save"</button>
        {without_checking}
    }
    .into_any()
}
