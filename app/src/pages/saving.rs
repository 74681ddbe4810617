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
    pub title: String,
    /// Where it is sent: the page's own address.
    pub action: String,
    /// Where "Cancel" leads.
    pub back: String,
    pub origin: Origin,
    /// What was wrong with what was sent.
    pub problems: Vec<Problem>,
    /// Whether somebody else saved in between.
    pub is_outdated: bool,
    /// Why package versions could not be looked up.
    pub unresolved: Option<String>,
    /// What the save starts from.
    pub revision: Option<i64>,
    /// What is said before the fields.
    pub introduction: AnyView,
    pub fields: AnyView,
}

impl SaveForm {
    /// The page.
    pub fn page(self) -> AnyView {
        let Self { title, action, back, origin, problems, is_outdated, unresolved, revision, introduction, fields } =
            self;
        let has_problem = !problems.is_empty() || unresolved.is_some();
        let tab_title = if has_problem { format!("Error: {title}") } else { title.clone() };
        let revision =
            revision.map(|revision| view! { <input type="hidden" name="revision" value=revision.to_string() /> });
        let buttons = buttons(&origin, unresolved.is_some());
        view! {
            <Page title=tab_title wide=true>
                {said(problems, is_outdated, unresolved.as_deref(), &origin)}
                <h1 dir="auto">{title}</h1>
                {origin_words(&origin)}
                {introduction}
                <form class="task-form" method="post" action=action enctype="multipart/form-data">
                    {revision}
                    // The first button of a form is pressed by Enter: let that be the harmless one.
                    <button class="visually-hidden" name="intent" value="save" tabindex="-1" aria-hidden="true">
                        "Save"
                    </button>
                    {fields}
                    <div class="form-buttons">
                        {buttons}
                        <a class="button is-quiet" href=back>"Cancel"</a>
                    </div>
                </form>
            </Page>
        }
        .into_any()
    }
}

/// What was wrong with what was sent.
fn said(problems: Vec<Problem>, is_outdated: bool, unresolved: Option<&str>, origin: &Origin) -> AnyView {
    if let Some(explanation) = unresolved {
        return view! {
            <section class="error-summary" role="alert" tabindex="-1" autofocus aria-labelledby="error-summary-title">
                <h2 id="error-summary-title">"There is a problem"</h2>
                <p>"The exact package versions could not be looked up, so nothing has been saved yet."</p>
                {message("field-message", explanation)}
                <p>"Try again, or save without checking: the run then looks them up itself, and fails if it cannot."</p>
            </section>
        }
        .into_any();
    }
    if problems.is_empty() {
        return ().into_any();
    }
    let other_version = origin.id().filter(|_| is_outdated).map(|id| {
        view! {
            <p>
                "What you typed is kept below. Saving again replaces the other version. "
                <a href=routes::task(id) target="_blank">"Show the other version in a new tab"</a>
            </p>
        }
    });
    view! { <ErrorSummary problems>{other_version}</ErrorSummary> }.into_any()
}

fn origin_words(origin: &Origin) -> AnyView {
    let Origin::Run { id, number, has_changed } = origin else {
        return ().into_any();
    };
    let kind = id.kind().word();
    let warning = has_changed.then(|| {
        view! {
            <p class="banner is-warning">
                {format!("The {kind} has changed since this run. Saving replaces ")}
                <a href=routes::task(id)>{format!("the {kind} as it is now")}</a> " with what is below."
            </p>
        }
    });
    view! {
        <p>"Filled in from " <a href=routes::run(id, *number)>{format!("run #{number}")}</a> "."</p>
        {warning}
    }
    .into_any()
}

fn buttons(origin: &Origin, is_unresolved: bool) -> AnyView {
    let without_checking = is_unresolved.then(|| {
        view! {
            <button name="intent" value="run_unresolved">"Save & run without checking"</button>
            <button name="intent" value="save_unresolved">"Save without checking"</button>
        }
    });
    let run_word = if matches!(origin, Origin::Run { .. }) { "Save & Run again" } else { "Save & Run" };
    view! {
        <button class="is-primary" name="intent" value="save_and_run">{run_word}</button>
        <button name="intent" value="save">"Save"</button>
        {without_checking}
    }
    .into_any()
}
