//! What a run is made of besides its code: packages, environment, limits.

use leptos::prelude::*;

use crate::model::{
    cache::{Readiness, Ready},
    resources::{Cpu, Memory},
    script,
    spec::TaskSpec,
    time::duration_text,
};

/// Packages, environment variables, time limit and cache choice, as a list of terms.
#[component]
pub fn SpecFacts(
    /// The spec.
    spec: TaskSpec,
) -> impl IntoView {
    let TaskSpec {
        code,
        packages,
        requirements,
        python: version,
        system_packages,
        use_cache,
        environment,
        timeout,
        resources,
        engine,
    } = spec;
    let is_from_script = requirements.is_none() && script::names(code.as_str(), &packages);
    let from_script = is_from_script.then(|| view! { <span class="quiet">"Taken from the script's own block."</span> });
    let python = if let Some(file) = requirements {
        view! {
            <details>
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
    let amount = |asked: Option<String>, most: Option<String>| match (asked, most) {
        (None, None) => None,
        (Some(asked), None) => Some(format!("asks for {asked}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (Some(asked), Some(most)) => Some(format!("asks for {asked}, at most {most}")),
    };
    let text = |amount: Option<Memory>| amount.map(|amount| amount.to_string());
    let memory = amount(text(resources.memory_request), text(resources.memory_limit));
    let text = |amount: Option<Cpu>| amount.map(|amount| amount.to_string());
    let processors = amount(text(resources.cpu_request), text(resources.cpu_limit));
    let said = [
        ("Python", version.map(|version| version.to_string())),
        ("Processors", processors),
        ("Memory", memory),
        ("Engine", engine.map(|engine| engine.as_str().to_owned())),
    ]
    .into_iter()
    .filter_map(|(term, value)| value.map(|value| view! { <div><dt>{term}</dt><dd>{value}</dd></div> }))
    .collect_view();
    let cache = if use_cache { "used" } else { "not used: a private environment each time" };
    view! {
        <dl class="spec-facts">
            <div><dt>"Python packages"</dt><dd>{python} {from_script}</dd></div>
            <div><dt>"System packages"</dt><dd>{system}</dd></div>
            <div><dt>"Environment"</dt><dd>{environment}</dd></div>
            <div><dt>"Timeout"</dt><dd>{timeout}</dd></div>
            <div><dt>"Warm environments"</dt><dd>{cache}</dd></div>
            {said}
        </dl>
    }
    .into_any()
}

/// What a run of the spec would find in the cache now.
#[component]
pub fn ReadinessBadges(
    /// What it would find.
    readiness: Readiness,
) -> impl IntoView {
    let environment = match readiness.environment {
        Ready::Ready => ("is-ready", "environment ready"),
        Ready::Unknown => ("", "whether its environment is ready is not known now"),
        Ready::ToBuild => ("", "environment will be built"),
        Ready::Private => ("", "private environment, built for each run"),
        Ready::Impossible => ("is-missing", "no Python to build an environment"),
    };
    let system = readiness.system.map(|ready| match ready {
        Ready::Ready => ("is-ready", "system packages ready"),
        Ready::Unknown => ("", "whether its system packages are ready is not known now"),
        Ready::ToBuild | Ready::Private => ("", "system packages will be built"),
        Ready::Impossible => ("is-missing", "no Nix for system packages"),
    });
    let badges = [Some(environment), system]
        .into_iter()
        .flatten()
        .map(|(class, words)| view! { <li class=class>{words}</li> })
        .collect_view();
    view! { <ul class="readiness" aria-label="In the cache, as saved">{badges}</ul> }.into_any()
}

fn chips<'a>(names: impl Iterator<Item = &'a str>) -> AnyView {
    let chips: Vec<_> = names.map(|name| view! { <li><code>{name.to_owned()}</code></li> }).collect();
    if chips.is_empty() {
        view! { <span class="quiet">"none"</span> }.into_any()
    } else {
        view! { <ul class="chips">{chips}</ul> }.into_any()
    }
}
