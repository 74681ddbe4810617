//! Python code with colours, made on the server.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};

use leptos::prelude::*;
use syntect::{
    html::{ClassStyle, ClassedHTMLGenerator},
    parsing::SyntaxSet,
    util::LinesWithEndings,
};

use crate::{examples, html::escape};

/// Longer code is shown without colours: the time to colour it would be felt.
const MAX_COLOURED_BYTES: usize = 48 * 1024;

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

/// How much coloured code is kept, in bytes of HTML. Colouring takes most of the time of a page that shows code, and
/// all runs of a task mostly show the same.
const KEPT_BYTES: usize = 8 * 1024 * 1024;

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// Code that was coloured before, or is just now: who asks for the same meanwhile waits instead of doing it again.
#[derive(Default)]
struct Kept {
    by_code: HashMap<String, Arc<OnceLock<Arc<str>>>>,
    bytes: usize,
}

/// Does what colouring needs once, so that nobody's first page waits for it. Takes some tens of milliseconds.
pub fn prepare_colours() {
    for example in examples::ALL {
        code_html(&example.draft().code);
    }
}

/// Python code with line numbers.
#[component]
pub fn CodeBlock(
    /// The code.
    #[prop(into)]
    code: String,
    /// What it is, for screen readers.
    label: &'static str,
) -> impl IntoView {
    let lines = code.lines().count().max(1);
    let numbers = (1..=lines).map(|number| number.to_string()).collect::<Vec<_>>().join("\n");
    view! {
        <div class="code-block card is-flush" role="region" aria-label=label tabindex="0">
            <pre class="code-numbers" aria-hidden="true">{numbers}</pre>
            <pre class="code-text" dir="ltr"><code inner_html=code_html(&code)></code></pre>
        </div>
    }
    .into_any()
}

/// The HTML of Python code.
fn code_html(code: &str) -> Arc<str> {
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let known = kept().by_code.get(code).cloned();
    let slot = known.unwrap_or_else(|| kept().by_code.entry(code.to_owned()).or_default().clone());
    let html = slot.get_or_init(|| {
        let html: Arc<str> = coloured(code).unwrap_or_else(|| escape(code)).into();
        let mut kept = kept();
        kept.bytes += code.len() + html.len();
        if kept.bytes > KEPT_BYTES {
            *kept = Kept::default();
        }
        html
    });
    html.clone()
}

fn coloured(code: &str) -> Option<String> {
    if code.len() > MAX_COLOURED_BYTES {
        return None;
    }
    let syntax = SYNTAXES.find_syntax_by_extension("py")?;
    let mut generator =
        ClassedHTMLGenerator::new_with_class_style(syntax, &SYNTAXES, ClassStyle::SpacedPrefixed { prefix: "s-" });
    for line in LinesWithEndings::from(code) {
        generator.parse_html_for_line_which_includes_newline(line).ok()?;
    }
    Some(generator.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_is_coloured_and_escaped() {
        let html = code_html("if x < 1:\n    print('</code>')\n");
        assert!(html.contains("s-keyword"), "{html}");
        assert!(html.contains("&lt;/code&gt;"), "{html}");
    }

    #[test]
    fn long_code_is_plain() {
        let html = code_html(&"x < 1\n".repeat(20_000));
        assert!(html.starts_with("x &lt; 1\n"));
        assert!(!html.contains("<span"));
    }
}
