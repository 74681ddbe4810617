//! The documentation that users need, as pages: the same files as in `docs/`.

use leptos::prelude::*;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html::push_html};

use super::{errors, parameter};
use crate::{backend::BackendError, components::page::Page, routes, troubleshooting};

/// The pages: address, title, text.
const PAGES: [(&str, &str, &str); 5] = [
    ("guide", "Guide", include_str!("../../../docs/guide.md")),
    ("system-packages", "System packages", include_str!("../../../docs/system-packages.md")),
    ("operations", "Operations", include_str!("../../../docs/operations.md")),
    ("preflight", "Pre-flight", include_str!("../../../docs/preflight.md")),
    ("troubleshooting", "Troubleshooting", troubleshooting::TEXT),
];

/// A page of the documentation.
#[component]
pub fn HelpPage() -> impl IntoView {
    let wanted = parameter("page");
    let Some((_, title, text)) = PAGES.iter().find(|(address, ..)| *address == wanted) else {
        return errors::error_page(BackendError::NotFound("There is no such page of help.".to_owned()));
    };
    let links = PAGES
        .iter()
        .map(|(address, title, _)| {
            let current = (*address == wanted).then_some("page");
            view! { <li><a href=routes::help(address) aria-current=current>{*title}</a></li> }
        })
        .collect_view();
    view! {
        <Page title=*title>
            <nav class="help-pages" aria-label="Help"><ul>{links}</ul></nav>
            <article class="prose" inner_html=to_html(text)></article>
        </Page>
    }
    .into_any()
}

/// The text as HTML. The documentation is ours, so nothing in it is foreign.
fn to_html(markdown: &str) -> String {
    let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, Options::ENABLE_TABLES).collect();
    for number in 0..events.len() {
        let name = match &events[number] {
            Event::Start(Tag::Heading { .. }) => heading_id(&events[number + 1..]),
            _ => String::new(),
        };
        match &mut events[number] {
            Event::Start(Tag::Heading { id, .. }) => *id = Some(name.into()),
            Event::Start(Tag::Link { dest_url, .. }) => *dest_url = address(dest_url),
            _ => {}
        }
    }
    let mut html = String::new();
    push_html(&mut html, events.into_iter());
    html
}

/// By which a heading can be linked to, as code hosting sites make it.
fn heading_id(events: &[Event<'_>]) -> String {
    let words: String = events
        .iter()
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect();
    let id: String = words.to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-')).collect();
    id.replace(' ', "-")
}

/// Links between the files become links between the pages.
fn address<'a>(link: &CowStr<'a>) -> CowStr<'a> {
    let (file, anchor) = link.split_once('#').map_or((link.as_ref(), None), |(file, anchor)| (file, Some(anchor)));
    match file.strip_suffix(".md").filter(|page| PAGES.iter().any(|(address, ..)| address == page)) {
        Some(page) => match anchor {
            Some(anchor) => format!("{}#{anchor}", routes::help(page)).into(),
            None => routes::help(page).into(),
        },
        None => link.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_can_be_linked_to_and_links_lead_to_pages() {
        let html =
            to_html("### nix-timeout\n[x](operations.md#limits) [y](https://example.org/a.md)\n\n## How a run ends\n");
        assert!(html.contains(r#"<h3 id="nix-timeout">"#) && html.contains(r#"<h2 id="how-a-run-ends">"#), "{html}");
        assert!(html.contains(r#"href="/help/operations#limits""#), "{html}");
        assert!(html.contains(r#"href="https://example.org/a.md""#), "{html}");
    }

    #[test]
    fn no_link_of_the_documentation_leads_nowhere() {
        for (page, _, text) in PAGES {
            let html = to_html(text);
            for link in html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(link.starts_with("https://") || link.starts_with("/help/"), "{page}: {link}");
            }
        }
    }
}
