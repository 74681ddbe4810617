//! The form, whose fields are the truth: reads what is drawn from them, and writes to them what was done, here or by the
//! server.

use std::collections::HashMap;

use js_sys::{Array, Iterator};
use wasm_bindgen::JsCast;
use web_sys::{DocumentFragment, Element, Event, FormData, HtmlFormElement, HtmlInputElement};

use crate::{
    browser::dom::{self, document},
    html::Html,
    model::{
        fields::{Field, step_control},
        flow::{
            Placement,
            sketch::{FormField, Sketch, is_sketched},
        },
    },
    step_form_words::{PROBLEM, STEP_NAMES, step_box, step_order_id, step_part_id},
};

/// The list of the steps' parts of the form.
pub const STEPS: &str = ".step-forms";

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

/// Puts the steps of an answered page in place. One that is here already stays, and so do text, caret and undo of its
/// fields: it takes its new number, and what the server may have changed of it.
pub fn take_steps(page: &DocumentFragment, present: &Sketch) {
    let Some(list) = dom::all(STEPS).pop() else {
        return;
    };
    forget_errors();
    let here = present.steps.iter().enumerate();
    let mut here: HashMap<&str, (usize, Element)> = here
        .filter_map(|(index, step)| Some((step.key.as_str(), (index, dom::by_id(&step_part_id(index))?))))
        .collect();
    let answered = dom::listed::<Element>(page.query_selector_all(&format!("{STEPS} > li")));
    let steps: Vec<Element> = answered
        .into_iter()
        .enumerate()
        .map(|(index, answered)| {
            // One that the server takes to be here comes without most of its fields.
            let is_whole = answered.query_selector("details").is_ok_and(|details| details.is_some());
            let key = find(&answered, &format!("[name={}]", step_control(index, "key")));
            let key = key.and_then(|key| key.get_attribute("value")).unwrap_or_default();
            match here.remove(key.as_str()) {
                Some((number, step)) if !is_whole => {
                    renumber(&step, number, index);
                    let order = format!("#{}", step_order_id(index));
                    if let (Some(present), Some(answered)) = (find(&step, &order), find(&answered, &order)) {
                        replace(&present, &answered);
                    }
                    step
                }
                Some((_, step)) => {
                    step.remove();
                    answered
                }
                None => answered,
            }
        })
        .collect();
    for (_, gone) in here.into_values() {
        gone.remove();
    }
    let places = list.children();
    for (place, step) in (0..).zip(&steps) {
        let there = places.item(place);
        if there.as_ref() != Some(step) {
            // It fails only for a place that is none.
            let _ = list.insert_before(step, there.as_deref());
        }
    }
    let names = format!("#{STEP_NAMES}");
    if let (Some(present), Ok(Some(answered))) = (dom::by_id(STEP_NAMES), page.query_selector(&names)) {
        replace(&present, &answered);
    }
}

/// Where an answered page says that one goes on.
pub fn next_focus(page: &DocumentFragment) -> Option<Element> {
    let selector = page.query_selector(STEPS).ok()??.get_attribute("data-focus")?;
    document().query_selector(&format!("#flow-parts {selector}")).ok()?
}

/// Gives the focus back to an element that lost it when it was moved, or to the one that has come in its place.
pub fn hold_focus(focused: &Element) {
    let element = if focused.is_connected() { Some(focused.clone()) } else { dom::by_id(&focused.id()) };
    if let Some(element) = element.filter(|_| document().active_element().as_ref() != Some(focused)) {
        dom::focus_in_place(&element);
    }
}

/// What was wrong is not known of the form as it is now.
fn forget_errors() {
    for told in dom::all(".error-summary, .flow-parts .field-error, .step-form-fault") {
        told.remove();
    }
    for field in dom::all(".flow-parts .has-error") {
        // It fails only for a malformed name.
        let _ = field.class_list().remove_1("has-error");
    }
    for control in dom::all(".flow-parts [aria-invalid]") {
        let _ = control.remove_attribute("aria-invalid");
    }
}

/// Gives a step's part of the form another number, in all that names its controls.
fn renumber(step: &Element, from: usize, to: usize) {
    if from == to {
        return;
    }
    step.set_id(&step_part_id(to));
    // The hyphen at its end tells `step-1-` from `step-12-`.
    let (old, new) = (step_control(from, ""), step_control(to, ""));
    for attribute in ["id", "name", "for", "aria-describedby"] {
        for element in dom::all_in(step, &format!("[{attribute}^={old}]")) {
            let value = element.get_attribute(attribute).unwrap_or_default();
            // Setting an attribute fails only for a malformed name.
            let _ = element.set_attribute(attribute, &value.replace(&old, &new));
        }
    }
    for button in dom::all_in(step, ".step-form-buttons > button") {
        let word = button.get_attribute("value").unwrap_or_default();
        if let Some((verb, _)) = word.split_once('-') {
            let _ = button.set_attribute("value", &format!("{verb}-{to}"));
        }
    }
}

fn find(element: &Element, selector: &str) -> Option<Element> {
    element.query_selector(selector).ok()?
}

fn replace(present: &Element, fresh: &Element) {
    // It fails only for an element that would be put into itself.
    let _ = present.replace_with_with_node_1(fresh);
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
        if set_words(&format!("#{part} > details > summary > .step-form-name"), &step.name) {
            for button in dom::all(&format!("#{part} .step-form-buttons > button")) {
                let words = button.text_content().unwrap_or_default();
                let _ = button.set_attribute("aria-label", &format!("{words}: {}", step.name));
            }
        }
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

/// Sets the text of an element; tells whether it had another one.
fn set_words(selector: &str, text: &str) -> bool {
    let Ok(Some(element)) = document().query_selector(selector) else {
        return false;
    };
    let is_other = element.text_content().as_deref() != Some(text);
    if is_other {
        element.set_text_content(Some(text));
    }
    is_other
}
