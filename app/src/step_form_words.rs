//! What the server's and the browser's part of the flow form have in common: how a step's part is found, what is said of
//! it, and the boxes of its *runs after*. The browser writes one more when steps are connected by hand that had none.

use crate::html::Html;

/// What is said of a step at which something is wrong.
pub const PROBLEM: &str = "has a problem";

/// Names of steps, for the browser to offer.
pub const STEP_NAMES: &str = "step-names";

/// The id of what the flow form has about a step.
pub fn step_part_id(step: usize) -> String {
    format!("step-{step}")
}

/// The id of what the flow form has about where a step stands and what it waits for.
pub fn step_order_id(step: usize) -> String {
    format!("step-{step}-order")
}

/// The box: its name, the key of the step to run after, and what that one is called.
pub fn step_box(html: &mut Html, name: &str, key: &str, words: &str, is_ticked: bool) {
    html.markup(r#"<label class="tick"><input type="checkbox" name=""#).text(name);
    html.markup(r#"" value=""#).text(key).markup(if is_ticked { r#"" checked>"# } else { r#"">"# });
    html.markup(r#" <span dir="auto">"#).text(words).markup("</span></label>");
}
