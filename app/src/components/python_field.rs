//! The choice of a version of Python, where an engine has several.

use leptos::prelude::*;

use super::field::FormPart;
use crate::{
    actions::backend,
    model::{fields::Field, python_version::PythonVersion},
    page_context::ServerFacts,
};

/// The versions to choose from; a choice that is not offered any more is shown too.
pub fn python_field(part: FormPart<'_>, chosen: &str) -> AnyView {
    let offered = backend().map(|backend| backend.pythons()).unwrap_or_default();
    let is_offered = |chosen: &str| offered.iter().any(|offered| offered.version.to_string() == chosen);
    let has_choice = offered.len() > 1 || !(chosen.is_empty() || is_offered(chosen));
    if !has_choice && !part.has_error(&[Field::Python]) {
        let name = part.name(Field::Python.name());
        return view! { <input type="hidden" name=name value=chosen.to_owned() /> }.into_any();
    }
    let facts = use_context::<ServerFacts>();
    let default = facts.as_ref().and_then(|facts| PythonVersion::of_full(facts.python.as_deref()?));
    let engines = facts.map_or(0, |facts| facts.engines.len());
    let default = default.map_or_else(|| "the server's".to_owned(), |version| format!("the server's: {version}"));
    let mut choices = vec![(String::new(), default)];
    choices.extend(offered.iter().map(|offered| {
        let version = offered.version.to_string();
        // Where not every engine has it, which ones do.
        let words = if offered.engines.len() < engines {
            format!("{version} (on {})", offered.engines.join(", "))
        } else {
            version.clone()
        };
        (version, words)
    }));
    if !(chosen.is_empty() || is_offered(chosen)) {
        choices.push((chosen.to_owned(), format!("{chosen} (not there now)")));
    }
    part.block(
        Field::Python,
        "Python",
        "The version that runs use.".into_any(),
        part.select(Field::Python, chosen, choices),
    )
}
