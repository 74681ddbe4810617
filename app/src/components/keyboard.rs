//! What there is to know of keys, and the list of a page's commands. Both are part of every page, and shown by the browser.

use leptos::prelude::*;

use crate::html::Html;

/// The dialogs: the same on every page, so no views.
const DIALOGS: &str = r#"<div>
<dialog id="keys" class="dialog" aria-labelledby="keys-title" closedby="any">
<form method="dialog" class="dialog-head"><h2 id="keys-title">Keyboard</h2><button class="is-small">Close</button></form>
<div class="keys">
<section><h3>Everywhere</h3><dl>
<dt><kbd>?</kbd></dt><dd>These keys</dd>
<dt><kbd>.</kbd></dt><dd>Commands of this page, by name</dd>
<dt><kbd>/</kbd></dt><dd>Search</dd>
<dt><kbd>g</kbd> <kbd>t</kbd></dt><dd>Tasks</dd>
<dt><kbd>g</kbd> <kbd>f</kbd></dt><dd>Flows</dd>
<dt><kbd>g</kbd> <kbd>r</kbd></dt><dd>Runs</dd>
<dt><kbd>g</kbd> <kbd>s</kbd></dt><dd>System</dd>
</dl></section>
<section><h3>Lists</h3><dl>
<dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>Next and previous row</dd>
<dt><kbd>Enter</kbd></dt><dd>Open the row</dd>
</dl></section>
<section><h3>Tasks, flows and runs</h3><dl>
<dt><kbd>e</kbd></dt><dd>Edit</dd>
<dt><kbd>r</kbd></dt><dd>Run, or run again</dd>
</dl></section>
<section><h3>Logs</h3><dl>
<dt><kbd>n</kbd> <kbd>N</kbd></dt><dd>Next and previous match</dd>
<dt><kbd>o</kbd> <kbd>f</kbd></dt><dd>Open all groups, fold all</dd>
</dl></section>
<section><h3>Code</h3><dl>
<dt><kbd>Ctrl</kbd> <kbd>Enter</kbd></dt><dd>Save &amp; Run</dd>
<dt><kbd>Tab</kbd></dt><dd>Indent; with Shift outward</dd>
<dt><kbd>Escape</kbd> <kbd>Tab</kbd></dt><dd>Leave the code</dd>
<dt><kbd>Ctrl</kbd> <kbd>/</kbd></dt><dd>Comment or not</dd>
<dt><kbd>Alt</kbd> <kbd>↑</kbd> <kbd>↓</kbd></dt><dd>Move lines</dd>
<dt><kbd>Shift</kbd> <kbd>Alt</kbd> <kbd>↓</kbd></dt><dd>Duplicate lines</dd>
<dt><kbd>Ctrl</kbd> <kbd>F</kbd></dt><dd>Find; once more: the browser's</dd>
</dl></section>
</div>
<p class="quiet">None of the single keys does anything while you type in a field.</p>
</dialog>
<dialog id="commands" class="dialog" aria-label="Commands" closedby="any">
<input type="text" id="command-search" role="combobox" aria-label="Find a command" aria-controls="command-list" aria-expanded="true" aria-autocomplete="list" autocomplete="off" spellcheck="false" placeholder="Find a command">
<ul id="command-list" role="listbox" aria-label="Commands"></ul>
</dialog>
</div>"#;

/// The dialogs about keys and commands, closed.
pub fn keyboard_dialogs() -> AnyView {
    let mut html = Html::default();
    html.markup(DIALOGS);
    html.into_element()
}

/// The buttons that open them. They are seen once the browser can do that.
pub fn keyboard_buttons() -> AnyView {
    view! {
        <span class="site-keys" id="site-keys">
            <button type="button" class="is-small" data-opens=".">"Commands"</button>
            <button type="button" class="is-small" data-opens="?" data-command="Keyboard">"Keyboard"</button>
        </span>
    }
    .into_any()
}
