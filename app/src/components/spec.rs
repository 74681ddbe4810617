//! What a run is made of besides its code: packages, environment, limits.

use leptos::prelude::*;

use crate::model::{spec::TaskSpec, time::duration_text};

/// Packages, environment variables, time limit and cache choice, as a list of terms.
#[component]
pub fn SpecFacts(
    /// The spec.
    spec: TaskSpec,
) -> impl IntoView {
    let TaskSpec { packages, requirements, system_packages, use_cache, environment, timeout, .. } = spec;
    let python = if let Some(file) = requirements {
        view! {
            <details class="inline-details">
                <summary>"from a requirements file"</summary>
                <pre class="file-text" dir="ltr">{file.as_str().to_owned()}</pre>
            </details>
        }
        .into_any()
    } else {
        chips(packages.iter())
    };
    let system = chips(system_packages.iter());
    let environment = if environment.is_empty() {
        view! { <span class="quiet">"none"</span> }.into_any()
    } else {
        let lines = environment
            .iter()
            .map(|(name, value)| view! { <li><code>{name.to_owned()} "=" {value.to_owned()}</code></li> })
            .collect_view();
        view! { <ul class="chips">{lines}</ul> }.into_any()
    };
    let timeout = timeout
        .map_or_else(|| "the server's limit".to_owned(), |limit| duration_text(u64::from(limit.seconds()) * 1000));
    let cache = if use_cache { "on" } else { "off: a private environment each time" };
    view! {
        <dl class="spec-facts">
            <div><dt>"Python packages"</dt><dd>{python}</dd></div>
            <div><dt>"System packages"</dt><dd>{system}</dd></div>
            <div><dt>"Environment"</dt><dd>{environment}</dd></div>
            <div><dt>"Timeout"</dt><dd>{timeout}</dd></div>
            <div><dt>"Cache"</dt><dd>{cache}</dd></div>
        </dl>
    }
    .into_any()
}

fn chips<'a>(names: impl Iterator<Item = &'a str>) -> AnyView {
    let chips: Vec<_> = names.map(|name| view! { <li><code>{name.to_owned()}</code></li> }).collect();
    if chips.is_empty() {
        view! { <span class="quiet">"none"</span> }.into_any()
    } else {
        view! { <ul class="chips">{chips}</ul> }.into_any()
    }
}
