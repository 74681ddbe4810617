//! A box to tick of a step's *runs after*: the server writes one for each other step, and the browser one more when steps
//! are connected by hand that had none.

use crate::html::Html;

/// The id of what the flow form has about a step.
pub fn step_part_id(step: usize) -> String {
    format!("step-{step}")
}

/// The box: its name, the key of the step to run after, and what that one is called.
pub fn step_box(html: &mut Html, name: &str, key: &str, words: &str, is_ticked: bool) {
    html.markup(r#"<label class="tick"><input type="checkbox" name=""#).text(name);
    html.markup(r#"" value=""#).text(key).markup(if is_ticked { r#"" checked>"# } else { r#"">"# });
    html.markup(r#" <span dir="auto">"#).text(words).markup("</span></label>");
}
