//! The document around every page, and which page belongs to which address.

use leptos::{hydration::HydrationScripts, prelude::*};
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{Route, Router, Routes},
    location::RequestUrl,
    path,
};

use crate::{
    bundle::Bundle,
    page_context::{Preferences, Theme},
    pages,
};

/// The document: head, scripts of the islands that the page has, and the page.
pub fn shell(mut options: LeptosOptions) -> impl IntoView {
    let address = use_context::<RequestUrl>().unwrap_or_default().parse().unwrap_or_default();
    let stylesheet = format!("/{}/{}.css", options.site_pkg_dir, options.output_name);
    options.output_name = Bundle::of(address.path()).name().into();
    let theme = match use_context::<Preferences>().unwrap_or_default().theme {
        Theme::Auto => None,
        Theme::Light => Some("light"),
        Theme::Dark => Some("dark"),
    };
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content=theme.unwrap_or("light dark") />
                <meta name="referrer" content="same-origin" />
                <meta name="robots" content="noindex" />
                <link rel="stylesheet" href=stylesheet />
                <HydrationScripts options islands=true />
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// All pages. Every one is rendered to its end before the first byte leaves, so that status, title and content are
/// right without JavaScript.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=pages::errors::NoSuchPage>
                <Route path=path!("/") view=pages::task_list::TaskListPage ssr=SsrMode::Async />
                <Route path=path!("/tasks") view=pages::task_list::TaskListPage ssr=SsrMode::Async />
                <Route path=path!("/flows") view=pages::task_list::FlowListPage ssr=SsrMode::Async />
                <Route path=path!("/help/:page") view=pages::help::HelpPage ssr=SsrMode::Async />
                <Route path=path!("/system") view=pages::system::SystemPage ssr=SsrMode::Async />
                <Route
                    path=path!("/system/:kind/:key/delete")
                    view=pages::system::DeleteCachePage
                    ssr=SsrMode::Async
                />
                <Route path=path!("/runs") view=pages::run_list::RunListPage ssr=SsrMode::Async />
                <Route path=path!("/runs/cancel") view=pages::confirm::CancelRunsPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/new") view=pages::task_form::NewTaskPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/:id") view=pages::task::TaskPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/:id/edit") view=pages::task_form::EditTaskPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/:id/delete") view=pages::confirm::DeleteTaskPage ssr=SsrMode::Async />
                <Route path=path!("/tasks/:id/runs/:number") view=pages::run::RunPage ssr=SsrMode::Async />
                <Route
                    path=path!("/tasks/:id/runs/:number/cancel")
                    view=pages::confirm::CancelRunPage
                    ssr=SsrMode::Async
                />
                <Route path=path!("/flows/new") view=pages::flow_form::NewFlowPage ssr=SsrMode::Async />
                <Route path=path!("/flows/:id") view=pages::flow::FlowPage ssr=SsrMode::Async />
                <Route path=path!("/flows/:id/edit") view=pages::flow_form::EditFlowPage ssr=SsrMode::Async />
                <Route path=path!("/flows/:id/delete") view=pages::confirm::DeleteTaskPage ssr=SsrMode::Async />
                <Route path=path!("/flows/:id/runs/:number") view=pages::run::RunPage ssr=SsrMode::Async />
                <Route path=path!("/flows/:id/runs/:number/steps/:step") view=pages::run::RunPage ssr=SsrMode::Async />
                <Route
                    path=path!("/flows/:id/runs/:number/cancel")
                    view=pages::confirm::CancelRunPage
                    ssr=SsrMode::Async
                />
            </Routes>
        </Router>
    }
}
