//! The steps' part of the flow form: each step is folded away but where something is wrong or was just pressed.

use std::collections::{HashMap, HashSet};

use leptos::prelude::*;

use crate::{
    components::{
        field::FormPart,
        flow_graph::FlowGraph,
        program_fields::{
            code_field, code_upload, option_fields, package_fields, requirements_fields, resource_fields,
        },
    },
    flow_drawing::GraphNode,
    html::Html,
    model::{
        fields::{Field, FieldErrors, FlowErrors, step_control},
        flow::{FlowDraft, FlowEdit, Focus, Placement, RunsWhen, StepDraft, StepName},
    },
    step_form_words::{PROBLEM, STEP_NAMES, step_box, step_order_id, step_part_id},
};

/// Up to so many steps, each offers all others to be ticked. With more, that would be most of the page: then others are
/// entered by their names.
const MOST_TICKED: usize = 30;

/// All steps of a form.
pub struct StepForms<'a> {
    draft: &'a FlowDraft,
    errors: &'a FlowErrors,
    focus: Option<Focus>,
    /// The keys of the steps that the page has already.
    kept: &'a HashSet<String>,
    /// What each step is called.
    names: Vec<String>,
    /// Which step has a key.
    by_key: HashMap<&'a str, usize>,
}

impl<'a> StepForms<'a> {
    pub fn new(draft: &'a FlowDraft, errors: &'a FlowErrors, focus: Option<Focus>, kept: &'a HashSet<String>) -> Self {
        Self {
            draft,
            errors,
            focus,
            kept,
            names: (0..draft.steps.len()).map(|step| draft.step_name(step)).collect(),
            by_key: draft.steps.iter().enumerate().map(|(index, step)| (step.key.as_str(), index)).collect(),
        }
    }

    pub fn view(&self) -> AnyView {
        let no_errors = FieldErrors::default();
        let items = (0..self.draft.steps.len())
            .map(|index| {
                let errors = self.errors.steps.get(&index).unwrap_or(&no_errors);
                // One with errors comes whole, as they are at its fields.
                let is_kept = errors.is_empty() && self.kept.contains(&self.draft.steps[index].key);
                let part = if is_kept { self.kept_step(index) } else { self.step(index, errors) };
                view! { <li id=step_part_id(index)>{part}</li> }
            })
            .collect_view();
        let focus = self.focus.filter(|_| !self.kept.is_empty()).and_then(focused);
        let names = if self.is_ticked() { &[] } else { self.names.as_slice() };
        let names = names.iter().map(|name| view! { <option value=name.clone()></option> }).collect_view();
        view! {
            <ol class="step-forms" data-focus=focus>{items}</ol>
            <datalist id=STEP_NAMES>{names}</datalist>
        }
        .into_any()
    }

    /// The steps as a graph, each of which leads to its name in the form.
    pub fn graph(&self) -> AnyView {
        if !self.kept.is_empty() {
            // Who keeps steps draws them too.
            return ().into_any();
        }
        let no_errors = FieldErrors::default();
        let node = |(index, step): (usize, &StepDraft)| {
            let part = FormPart::of_step(index, &no_errors);
            GraphNode {
                name: self.names[index].clone(),
                href: format!("#{}", part.name(Field::StepName.name())),
                detail: if self.errors.steps.contains_key(&index) { PROBLEM.to_owned() } else { String::new() },
                runs_after: self.earlier(step).collect(),
                runs_when: step.runs_when.parse().unwrap_or_default(),
                placement: step.placement,
                ..GraphNode::default()
            }
        };
        let nodes = self.draft.steps.iter().enumerate().map(node).collect();
        view! { <FlowGraph id="flow-graph" nodes=nodes chosen=None /> }.into_any()
    }

    /// The steps that one waits for, as far as they are there.
    fn earlier(&self, step: &StepDraft) -> impl Iterator<Item = usize> {
        step.runs_after.iter().filter_map(|key| self.by_key.get(key.as_str()).copied())
    }

    /// Whether each step offers all others to be ticked.
    fn is_ticked(&self) -> bool {
        self.draft.steps.len() <= MOST_TICKED
    }

    fn step(&self, index: usize, errors: &FieldErrors) -> AnyView {
        let step = &self.draft.steps[index];
        let name_focus = (self.focus == Some(Focus::Name(index))).then_some(Field::StepName);
        let part = FormPart::of_step(index, errors).focused_on(name_focus);
        let is_open = !errors.is_empty()
            || matches!(
                self.focus,
                Some(Focus::Name(step) | Focus::MoveUp(step) | Focus::MoveDown(step)) if step == index
            )
            || (self.draft.steps.len() == 1 && step.is_new());
        view! {
            <details class="card step-form" open=is_open>
                <summary autofocus=self.focus == Some(Focus::Step(index))>
                    <span class="step-form-name" dir="auto">{self.names[index].clone()}</span>
                    " "
                    <span class="quiet" dir="auto">{self.order_words(step)}</span>
                    {(!errors.is_empty()).then(|| view! { " " <strong class="step-form-fault">{PROBLEM}</strong> })}
                </summary>
                {key_field(part, step)}
                <div class="form-columns">
                    <div class="form-code">
                        {part.block(
                            Field::StepName,
                            "Step name",
                            key_hint(step),
                            part.text_input(
                                Field::StepName,
                                step.program.name.clone(),
                                StepName::MAX_CHARACTERS,
                                "text",
                            ),
                        )}
                        {code_field(part, &step.program.code, 12)}
                        {code_upload(part)}
                    </div>
                    <div class="form-options">
                        {self.order(index, step, part)}
                        {package_fields(part, &step.program)}
                        {requirements_fields(part, &step.program.requirements, ().into_any())}
                        {option_fields(part, &step.program)}
                        {retry_fields(step, part)}
                        {resource_fields(part, &step.program)}
                    </div>
                </div>
                {self.buttons(index)}
            </details>
        }
        .into_any()
    }

    /// What of a step that the page has already may differ after a button was pressed.
    fn kept_step(&self, index: usize) -> AnyView {
        let (step, no_errors) = (&self.draft.steps[index], FieldErrors::default());
        let part = FormPart::of_step(index, &no_errors);
        view! { {key_field(part, step)} {self.order(index, step, part)} }.into_any()
    }

    /// Where a step stands, and what it waits for.
    fn order(&self, index: usize, step: &StepDraft, part: FormPart<'_>) -> AnyView {
        view! {
            <div class="step-order" id=step_order_id(index)>
                {place_fields(part, step)}
                {self.order_fields(index, step, part)}
            </div>
        }
        .into_any()
    }

    /// When a step begins, in a few words.
    fn order_words(&self, step: &StepDraft) -> String {
        let names: Vec<&str> = self.earlier(step).map(|index| self.names[index].as_str()).collect();
        step.runs_when.parse::<RunsWhen>().unwrap_or_default().order_words(&names)
    }

    /// Which steps a step waits for, and how those must have ended.
    fn order_fields(&self, index: usize, step: &StepDraft, part: FormPart<'_>) -> AnyView {
        let runs_when = Field::RunsWhen;
        if self.draft.steps.len() == 1 && step.runs_after.is_empty() && !part.has_error(&[Field::RunsAfter, runs_when])
        {
            return view! { <input type="hidden" name=part.name(runs_when.name()) value=step.runs_when.clone() /> }
                .into_any();
        }
        let choices = RunsWhen::ALL.map(|when| (when.word().to_owned(), when.label().to_owned()));
        view! {
            {part.group(
                Field::RunsAfter,
                "Runs after",
                "Steps that must have ended before. None: it begins with the run.".into_any(),
                self.earlier_steps(index, step, part),
            )}
            {part.block(
                runs_when,
                "Runs when",
                "Of the steps that it runs after.".into_any(),
                part.select(runs_when, &step.runs_when, choices.into()),
            )}
        }
        .into_any()
    }

    /// The other steps to tick; with many, those that are chosen, and a control for the names of others.
    fn earlier_steps(&self, index: usize, step: &StepDraft, part: FormPart<'_>) -> AnyView {
        let is_chosen = |key: &str| step.runs_after.iter().any(|chosen| chosen == key);
        let name = part.name(Field::RunsAfter.name());
        let tick = |key: &str, words: &str, checked: bool| {
            let mut html = Html::default();
            step_box(&mut html, &name, key, words, checked);
            html.into_element()
        };
        let others = self.draft.steps.iter().enumerate().filter_map(|(other, draft)| {
            let checked = is_chosen(&draft.key);
            let is_offered = checked || (self.is_ticked() && other != index);
            is_offered.then(|| tick(&draft.key, &self.names[other], checked))
        });
        let others: Vec<_> = others.collect();
        let gone = step.runs_after.iter().filter(|key| !self.by_key.contains_key(key.as_str()));
        let gone = gone.map(|key| tick(key, &format!("{key} (not there any more)"), true)).collect_view();
        let by_name = (!self.is_ticked() || !step.also_after.is_empty()).then(|| {
            let control = part.name("also_after");
            view! {
                <div class="tick-more">
                    <label for=control.clone()>"Others, by name"</label>
                    <input
                        type="text"
                        id=control.clone()
                        name=control
                        value=step.also_after.clone()
                        list=STEP_NAMES
                        autocomplete="off"
                    />
                </div>
            }
        });
        view! { {others} {gone} {by_name} }.into_any()
    }

    fn buttons(&self, index: usize) -> AnyView {
        let name = &self.names[index];
        let button = |words: &'static str, edit: FlowEdit, has_focus: bool| {
            view! {
                <button
                    class="is-small"
                    name="intent"
                    value=edit.word()
                    aria-label=format!("{words}: {name}")
                    autofocus=has_focus
                >
                    {words}
                </button>
            }
        };
        let focus = self.focus;
        // The style sheet hides the one that the first step, or the last, has no use for.
        view! {
            <div class="actions step-form-buttons">
                {button("Duplicate", FlowEdit::Duplicate(index), false)}
                {button("Move up", FlowEdit::MoveUp(index), focus == Some(Focus::MoveUp(index)))}
                {button("Move down", FlowEdit::MoveDown(index), focus == Some(Focus::MoveDown(index)))}
                {button("Remove", FlowEdit::Remove(index), false)}
            </div>
        }
        .into_any()
    }
}

/// Where one goes on, as a selector; `None` where one is.
fn focused(focus: Focus) -> Option<String> {
    let button = |edit: FlowEdit| format!("[value={}]", edit.word());
    match focus {
        Focus::Name(step) => Some(format!("#{}", step_control(step, Field::StepName.name()))),
        Focus::MoveUp(step) => Some(button(FlowEdit::MoveUp(step))),
        Focus::MoveDown(step) => Some(button(FlowEdit::MoveDown(step))),
        Focus::Step(step) => Some(format!("#{} summary", step_part_id(step))),
        Focus::Add => Some(button(FlowEdit::Add)),
        Focus::Graph => None,
    }
}

/// What names a step in the form; the first of its fields.
fn key_field(part: FormPart<'_>, step: &StepDraft) -> AnyView {
    view! { <input type="hidden" name=part.name("key") value=step.key.clone() /> }.into_any()
}

/// Where a step was put by hand; empty ones leave it to the layout.
fn place_fields(part: FormPart<'_>, step: &StepDraft) -> AnyView {
    let field = |control: &str, of: fn(&Placement) -> i32| {
        let value = step.placement.as_ref().map_or_else(String::new, |placement| of(placement).to_string());
        view! { <input type="hidden" name=part.name(control) value=value /> }
    };
    view! { {field("x", |placement| placement.x)} {field("y", |placement| placement.y)} }.into_any()
}

fn key_hint(step: &StepDraft) -> AnyView {
    if step.is_new() {
        return "Code names the step by a key that is made from this, such as load_data from Load data.".into_any();
    }
    view! { "Code names the step by its key, which stays: " <code>{step.key.clone()}</code> }.into_any()
}

/// What happens when a step fails.
fn retry_fields(step: &StepDraft, part: FormPart<'_>) -> AnyView {
    let fields = [
        (Field::Retries, "Retries", "How often a step that failed is tried again. Empty: never.", &step.retries),
        (Field::RetriesWait, "Wait in seconds", "Before it is tried again. Empty: none.", &step.retries_wait),
        (Field::RetriesFactor, "Wait grows by", "A factor, such as 2. Empty: it stays the same.", &step.retries_factor),
    ];
    let is_open = fields.iter().any(|(field, .., value)| !value.is_empty() || part.has_error(&[*field]));
    let fields = fields
        .into_iter()
        .map(|(field, label, hint, value)| {
            part.block(field, label, hint.into_any(), part.text_input(field, value.clone(), 6, "numeric"))
        })
        .collect_view();
    view! {
        <details class="form-details" open=is_open>
            <summary>"When it fails"</summary>
            <div class="field-columns">{fields}</div>
        </details>
    }
    .into_any()
}
