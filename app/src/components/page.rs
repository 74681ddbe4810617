//! The frame of every page: title, header, notice, content, footer.

use leptos::prelude::*;
use leptos_meta::{Link, Title};
use leptos_router::hooks::use_location;

use super::icon;
use crate::{
    components::time::now,
    html::escape,
    model::run_list::RunQuery,
    page_context::{Notice, Preferences, Refusal, ServerFacts, Theme},
    routes,
};

/// The frame of every page.
#[component]
pub fn Page(
    /// The title of the browser's tab, without the name of the site.
    #[prop(into)]
    title: String,
    /// The icon of the browser's tab.
    #[prop(default = "/favicon.svg")]
    icon: &'static str,
    /// Whether the page is about a live thing and uses the full width.
    #[prop(optional)]
    wide: bool,
    /// The content.
    children: Children,
) -> impl IntoView {
    let notice = use_context::<Notice>().map(|Notice(text)| {
        view! { <p class="banner is-notice" role="status">{text}</p> }
    });
    let refusal = use_context::<Refusal>().map(|Refusal(text)| {
        view! { <p class="banner is-refusal" role="alert">{text}</p> }
    });
    let problem = use_context::<ServerFacts>().and_then(|facts| facts.problem).map(|problem| {
        view! {
            <p class="banner is-warning">
                "No run can start. " {problem} " Then start Stoker again. " <a href=routes::system()>"What is missing"</a>
            </p>
        }
    });
    // `Title` writes its text into the head as it is.
    let title = escape(&page_title(&title));
    // A link enters the head when it is rendered, and the page may be rendered where its request is out of reach;
    // so it is rendered here. What comes out is nothing. (A title enters when it is made: it needs no such care.)
    let _ = view! { <Link id="favicon" rel="icon" type_="image/svg+xml" href=icon /> }.to_html();
    view! {
        <Title text=title />
        <a class="skip-link" href="#main">"Skip to the content"</a>
        <header class="site-header">
            <a class="site-name" href=routes::tasks()>{icon::flame()} <span>"Stoker"</span></a>
            <nav aria-label="Main">
                <a href=routes::tasks()>"Tasks"</a>
                " "
                <a href=routes::flows()>"Flows"</a>
                " "
                <a href=routes::runs(&RunQuery::default())>"Runs"</a>
                " "
                <a href=routes::system()>"System"</a>
            </nav>
            <a class="button is-primary" href=routes::new_task()>"New task"</a>
        </header>
        <main id="main" tabindex="-1" class=if wide { "is-wide" } else { "" }>
            {problem}
            {notice}
            {refusal}
            {children()}
        </main>
        <Footer />
    }
    .into_any()
}

/// Has a browser without JavaScript load the page again every two seconds.
pub fn reload_without_script() -> AnyView {
    view! { <noscript inner_html=r#"<meta http-equiv="refresh" content="2">"#></noscript> }.into_any()
}

/// The whole title of the browser's tab.
pub fn page_title(title: &str) -> String {
    format!("{title} · Stoker")
}

/// Version and theme.
#[component]
fn Footer() -> impl IntoView {
    let facts = use_context::<ServerFacts>().map(|facts| {
        let python = facts.python.map_or_else(|| "no Python found".to_owned(), |version| format!("Python {version}"));
        view! { <span>"Stoker " {facts.version} " · " {python}</span> }
    });
    view! {
        <footer class="site-footer" id="clock" data-now=now().0.to_string()>
            {facts}
            <a href=routes::help("guide")>"Help"</a>
            <ThemeChoice />
        </footer>
    }
    .into_any()
}

/// Light, dark, or as the system says; kept in a cookie.
#[component]
fn ThemeChoice() -> impl IntoView {
    let chosen = use_context::<Preferences>().unwrap_or_default().theme;
    let choices = [(Theme::Auto, "auto", "Auto"), (Theme::Light, "light", "Light"), (Theme::Dark, "dark", "Dark")]
        .map(|(theme, value, word)| {
            view! {
                <button class="is-small" name="theme" value=value aria-pressed=if theme == chosen { "true" } else { "false" }>
                    {word}
                </button>
            }
        })
        .collect_view();
    view! {
        <form class="theme-choice" method="post" action=routes::preferences()>
            <span id="theme-label">"Theme"</span>
            <BackField />
            <span class="segments" role="group" aria-labelledby="theme-label">{choices}</span>
        </form>
    }
    .into_any()
}

/// Tells the form's target which page to come back to.
#[component]
pub fn BackField() -> impl IntoView {
    let location = use_location();
    let back = location.pathname.with_untracked(|path| {
        location.search.with_untracked(|search| {
            // The router gives the search without its question mark, or with it: both are right here.
            let search = search.trim_start_matches('?');
            if search.is_empty() { path.clone() } else { format!("{path}?{search}") }
        })
    });
    view! { <input type="hidden" name="back" value=back /> }.into_any()
}
