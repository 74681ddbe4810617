//! The filters of a list: choices that are links, each with how many it would list.

use leptos::prelude::*;

use crate::model::run_list::Count;

/// The choices of a filter; nothing when there are none.
pub fn filter(name: &'static str, choices: Vec<AnyView>) -> Option<AnyView> {
    let id = format!("filter-{}", name.to_lowercase().replace(' ', "-"));
    (!choices.is_empty()).then(|| {
        view! {
            <div class="filter">
                <span class="filter-name" id=id.clone()>{name}</span>
                <ul aria-labelledby=id>{choices}</ul>
            </div>
        }
        .into_any()
    })
}

/// A choice, with how many it would list when that was counted.
pub fn filter_link(word: String, count: Option<Count>, address: String, is_chosen: bool) -> AnyView {
    view! {
        <li>
            <a href=address aria-current=is_chosen.then_some("true")>
                {word} " "
                {count.map(|count| view! { <span class="filter-count">{count.to_string()}</span> })}
            </a>
        </li>
    }
    .into_any()
}
