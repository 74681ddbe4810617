//! What is around the graph of the flow form: buttons, and which keys do the same. Those that need the browser's part
//! are hidden until it is there.

use leptos::prelude::*;

use crate::model::flow::FlowEdit;

/// The buttons above the graph.
pub fn flow_tools(has_focus: bool) -> AnyView {
    let tool = |tool: &'static str, icon: &'static str, words: &'static str, what: &'static str| {
        view! {
            <button type="button" class="is-small" id=format!("flow-{tool}") data-tool=tool title=what>
                <span aria-hidden="true">{icon}</span>
                " "
                {words}
            </button>
        }
    };
    view! {
        <div class="flow-tools" role="group" aria-label="Graph">
            <span class="actions flow-live">
                {tool("add", "+", "Add", "Add a step")}
                {tool("connect", "→", "Connect", "Connect the chosen step with a later one")}
                {tool("remove", "✕", "Remove", "Remove the chosen connection, or else the chosen step")}
                {tool("undo", "↶", "Undo", "Undo what was done last (Ctrl+Z)")}
                {tool("redo", "↷", "Redo", "Do again what was undone (Ctrl+Shift+Z)")}
                {tool("smaller", "−", "Smaller", "Show the graph smaller")}
                {tool("whole", "=", "100 %", "Show the graph in its size")}
                {tool("larger", "+", "Larger", "Show the graph larger")}
                {tool("fit", "↔", "Fit", "Show the whole graph")}
            </span>
            <button
                class="is-small flow-still"
                name="intent"
                value=FlowEdit::Draw.word()
                autofocus=has_focus
            >
                "Draw again"
            </button>
            <button class="is-small" id="flow-arrange" name="intent" value=FlowEdit::Arrange.word() data-tool="arrange">
                "Automatic layout"
            </button>
        </div>
    }
    .into_any()
}

/// What keys and the pointer do in the graph.
pub fn flow_keys() -> AnyView {
    let keys = [
        ("← → ↑ ↓", "to another step"),
        ("Enter", "show the step\u{2019}s part of the form; once more, go there"),
        ("c", "connect: choose the later step with the arrows, then Enter"),
        ("e", "choose a connection of the step; once more, the next"),
        ("Delete", "remove the chosen connection, or else the step"),
        ("Shift + arrows", "move the step"),
        ("a, d", "add a step, duplicate this one"),
        ("Ctrl + Z, Ctrl + Shift + Z", "undo, redo"),
        ("+ − 0 f", "zoom in, out, original size, whole graph"),
        ("Escape", "let go"),
    ];
    let keys = keys.map(|(key, what)| view! { <dt>{key}</dt> <dd>{what}</dd> }).collect_view();
    view! {
        <details class="flow-keys flow-live">
            <summary>"Keys and pointer"</summary>
            <p>
                "Drag a step to move it, and from its right edge to another step to connect them. Drag the ground, or scroll, \
                 to see other parts; Ctrl and the wheel zoom."
            </p>
            <dl>{keys}</dl>
        </details>
    }
    .into_any()
}
