//! The form, whose fields are the truth: reads what is drawn from them, and writes to them what was done.

use js_sys::{Array, Iterator};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, FormData, HtmlFormElement, HtmlInputElement};

use crate::{
    browser::dom::{self, document},
    html::Html,
    model::{
        fields::{Field, step_control},
        flow::{
            Placement,
            sketch::{FormField, Sketch, is_sketched, typed_into},
        },
    },
    step_form_words::{PROBLEM, step_box, step_part_id},
};

/// What the server's answers bring anew.
pub const PARTS: &str = "flow-parts";

/// The flow form of this page.
pub struct FlowForm(pub HtmlFormElement);

impl FlowForm {
    /// All fields as they are now.
    pub fn fields(&self) -> Option<FormData> {
        FormData::new_with_form(&self.0).ok()
    }

    /// Tells whoever listens that the form has changed, as typing does.
    pub fn note_change(&self) {
        if let Ok(input) = Event::new("input") {
            // It fails only for an event that is under way.
            let _ = self.0.dispatch_event(&input);
        }
    }

    /// What of the form is drawn.
    pub fn sketch(&self) -> Sketch {
        self.fields().map(|fields| sketch_of(&fields)).unwrap_or_default()
    }
}

/// Writes to the fields in what a sketch differs from how they are; both have the same steps.
pub fn write(present: &Sketch, sketch: &Sketch) {
    for (index, (step, present)) in sketch.steps.iter().zip(&present.steps).enumerate() {
        if step.placement != present.placement {
            place(index, step.placement);
        }
        let of_all = |key: &String| present.runs_after.contains(key) != step.runs_after.contains(key);
        for key in step.runs_after.iter().chain(&present.runs_after).filter(|key| of_all(key)) {
            tick(index, key, step.runs_after.contains(key), sketch);
        }
    }
}

/// Puts back what was typed into steps that are still there.
pub fn keep_typed(before: &FormData, sketch: &Sketch) {
    let keys: Vec<&str> = sketch.steps.iter().map(|step| step.key.as_str()).collect();
    for (name, value) in typed_into(&keys, &entries(before, |_| true)) {
        let Some(control) = dom::by_id(&name) else {
            continue;
        };
        if let Some(input) = control.dyn_ref::<HtmlInputElement>().filter(|input| input.type_() == "checkbox") {
            input.set_checked(!value.is_empty());
        } else if dom::string(&control, "value").is_some_and(|present| present != value) {
            dom::set_property(&control, "value", &value);
        }
    }
}

/// Shows the part of one step only. None is taken away: all are sent.
pub fn show_step(chosen: Option<usize>, count: usize) {
    for index in 0..count {
        let Some(part) = dom::by_id(&step_part_id(index)) else {
            continue;
        };
        // Setting an attribute fails only for a malformed name.
        let _ = part.toggle_attribute_with_force("hidden", chosen != Some(index));
        if chosen == Some(index)
            && let Some(details) = part.first_element_child()
        {
            let _ = details.set_attribute("open", "");
        }
    }
}

/// Says at each step what it is called and when it begins, and at boxes what the steps are called.
pub fn show_words(sketch: &Sketch) {
    let before = sketch.before();
    for (index, (step, before)) in sketch.steps.iter().zip(before).enumerate() {
        let names: Vec<&str> = before.into_iter().map(|earlier| sketch.steps[earlier].name.as_str()).collect();
        let part = step_part_id(index);
        set_words(&format!("#{part} > details > summary > .quiet"), &step.runs_when.order_words(&names));
        set_words(&format!("#{part} > details > summary > .step-form-name"), &step.name);
    }
    for (name_box, words) in boxes() {
        if let Some(step) = sketch.index_of(&name_box.value()).map(|index| &sketch.steps[index])
            && words.text_content().as_deref() != Some(&step.name)
        {
            words.set_text_content(Some(&step.name));
        }
    }
}

/// What of a form's fields is drawn.
pub fn sketch_of(fields: &FormData) -> Sketch {
    Sketch::of_fields(&entries(fields, is_sketched))
}

/// The step whose part an element is in.
pub fn step_around(element: &Element) -> Option<usize> {
    let part = element.closest(".step-forms > li").ok()??;
    part.id().strip_prefix("step-")?.parse().ok()
}

/// What is said of a step on the drawing, besides its name.
pub fn detail(step: usize) -> &'static str {
    let fault = document().query_selector(&format!("#{} .step-form-fault", step_part_id(step)));
    if fault.is_ok_and(|fault| fault.is_some()) { PROBLEM } else { "" }
}

/// The texts among the fields whose names are wanted.
fn entries(fields: &FormData, is_wanted: impl Fn(&str) -> bool) -> Vec<FormField> {
    let entries: Iterator = fields.entries();
    let field = |entry: wasm_bindgen::JsValue| {
        let entry: Array = entry.unchecked_into();
        let name = entry.get(0).as_string().filter(|name| is_wanted(name))?;
        Some((name, entry.get(1).as_string()?))
    };
    entries.into_iter().filter_map(|entry| field(entry.ok()?)).collect()
}

fn place(step: usize, placement: Option<Placement>) {
    let coordinates = placement.map(|Placement { x, y }| [x, y].map(|coordinate| coordinate.to_string()));
    for (control, value) in ["x", "y"].into_iter().zip(coordinates.unwrap_or_default()) {
        let name = step_control(step, control);
        if let Ok(Some(input)) = document().query_selector(&format!("input[name={name}]")) {
            dom::set_property(&input, "value", &value);
        }
    }
}

/// Ticks the box of a step to run after, or not; with many steps, there may be none yet.
fn tick(step: usize, key: &str, is_ticked: bool, sketch: &Sketch) {
    let name = step_control(step, Field::RunsAfter.name());
    let found = boxes().into_iter().map(|(input, _)| input).find(|input| input.name() == name && input.value() == key);
    if let Some(input) = found {
        input.set_checked(is_ticked);
    } else if is_ticked && let Some(group) = dom::by_id(&name) {
        let words = sketch.index_of(key).map_or(key, |index| sketch.steps[index].name.as_str());
        let mut html = Html::default();
        step_box(&mut html, &name, key, words, true);
        // After the other boxes, which the legend and the hint come before. It fails only for a place that is none.
        let _ = match group.query_selector(".tick-more") {
            Ok(Some(more)) => more.insert_adjacent_html("beforebegin", &html.into_string()),
            _ => group.insert_adjacent_html("beforeend", &html.into_string()),
        };
    }
}

/// All boxes of steps to run after, each with its words.
fn boxes() -> Vec<(HtmlInputElement, Element)> {
    let found = dom::all(".step-forms .tick");
    let parts = |label: Element| Some((label.first_element_child()?.dyn_into().ok()?, label.last_element_child()?));
    found.into_iter().filter_map(parts).collect()
}

fn set_words(selector: &str, text: &str) {
    if let Ok(Some(element)) = document().query_selector(selector)
        && element.text_content().as_deref() != Some(text)
    {
        element.set_text_content(Some(text));
    }
}
