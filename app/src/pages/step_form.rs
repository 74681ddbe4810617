//! The steps' part of the flow form: each step is folded away but where something is wrong or was just pressed.

use std::collections::HashMap;

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
        fields::{Field, FieldErrors, FlowErrors},
        flow::{FlowDraft, FlowEdit, Focus, Placement, RunsWhen, StepDraft, StepName},
    },
    step_form_words::{PROBLEM, step_box, step_part_id},
};

/// Up to so many steps, each offers all others to be ticked. With more, that would be most of the page: then others are
/// entered by their names.
const MOST_TICKED: usize = 30;

/// Names of steps, for the browser to offer.
const STEP_NAMES: &str = "step-names";

/// All steps of a form.
pub struct StepForms<'a> {
    draft: &'a FlowDraft,
    errors: &'a FlowErrors,
    focus: Option<Focus>,
    /// What each step is called.
    names: Vec<String>,
    /// Which step has a key.
    by_key: HashMap<&'a str, usize>,
}

impl<'a> StepForms<'a> {
    pub fn new(draft: &'a FlowDraft, errors: &'a FlowErrors, focus: Option<Focus>) -> Self {
        Self {
            draft,
            errors,
            focus,
            names: (0..draft.steps.len()).map(|step| draft.step_name(step)).collect(),
            by_key: draft.steps.iter().enumerate().map(|(index, step)| (step.key.as_str(), index)).collect(),
        }
    }

    pub fn view(&self) -> AnyView {
        let no_errors = FieldErrors::default();
        let items = (0..self.draft.steps.len())
            .map(|index| {
                let errors = self.errors.steps.get(&index).unwrap_or(&no_errors);
                view! { <li id=step_part_id(index)>{self.step(index, errors)}</li> }
            })
            .collect_view();
        let names = (!self.is_ticked()).then(|| {
            let options = self.names.iter().map(|name| view! { <option value=name.clone()></option> }).collect_view();
            view! { <datalist id=STEP_NAMES>{options}</datalist> }
        });
        view! {
            <ol class="step-forms">{items}</ol>
            {names}
        }
        .into_any()
    }

    /// The steps as a graph, each of which leads to its name in the form.
    pub fn graph(&self) -> AnyView {
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
                {hidden_fields(part, step)}
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
                        {self.order_fields(index, step, part)}
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
        let up = (index > 0).then(|| button("Move up", FlowEdit::MoveUp(index), focus == Some(Focus::MoveUp(index))));
        let down = (index + 1 < self.draft.steps.len())
            .then(|| button("Move down", FlowEdit::MoveDown(index), focus == Some(Focus::MoveDown(index))));
        view! {
            <div class="actions step-form-buttons">
                {button("Duplicate", FlowEdit::Duplicate(index), false)}
                {up}
                {down}
                {button("Remove", FlowEdit::Remove(index), false)}
            </div>
        }
        .into_any()
    }
}

/// What of a step nobody types.
fn hidden_fields(part: FormPart<'_>, step: &StepDraft) -> AnyView {
    let hidden = |control: &str, value: String| {
        view! { <input type="hidden" name=part.name(control) value=value /> }
    };
    // Empty ones leave it to the layout.
    let coordinate =
        |of: fn(&Placement) -> i32| step.placement.as_ref().map_or_else(String::new, |it| of(it).to_string());
    let (x, y) = (coordinate(|placement| placement.x), coordinate(|placement| placement.y));
    view! { {hidden("key", step.key.clone())} {hidden("x", x)} {hidden("y", y)} }.into_any()
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
