//! Pages for what went wrong. Each leads on.

use http::StatusCode;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;

use crate::{backend::BackendError, components::page::Page, routes};

/// The page for an address that is none.
#[component]
pub fn NoSuchPage() -> impl IntoView {
    failure(
        StatusCode::NOT_FOUND,
        "There is no such page",
        "The address is mistyped, or what was here is gone.".to_owned(),
    )
}

/// The page for an error.
pub fn error_page(error: BackendError) -> AnyView {
    let title = match &error {
        BackendError::NotFound(_) => "Not found",
        BackendError::Conflict(_)
        | BackendError::EditConflict { .. }
        | BackendError::Invalid(_)
        | BackendError::InvalidFlow(_) => "This does not fit",
        BackendError::Unavailable(_) => "Stoker is busy",
        BackendError::Internal(_) | BackendError::Unresolved(_) => "Stoker made a mistake",
    };
    failure(error.status(), title, error.to_string())
}

fn failure(status: StatusCode, title: &'static str, text: String) -> AnyView {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(status);
    }
    let again = (status == StatusCode::SERVICE_UNAVAILABLE).then(|| {
        view! { <li><a href="">"Try again"</a></li> }
    });
    let server_fault = (status == StatusCode::INTERNAL_SERVER_ERROR).then(|| {
        view! { <p>"The cause is in the server's log. Nothing you typed is at fault."</p> }
    });
    view! {
        <Page title=title>
            <h1>{title}</h1>
            <p>{text}</p>
            {server_fault}
            <ul class="leads">
                {again}
                <li><a href=routes::tasks()>"All tasks"</a></li>
                <li><a href=routes::new_task()>"New task"</a></li>
            </ul>
        </Page>
    }
    .into_any()
}
