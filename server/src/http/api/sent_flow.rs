//! A flow as programs send it: steps, and edges between them.

use std::collections::HashSet;

use app::model::{
    fields::{Field, FlowErrors},
    flow::{Flow, FlowDraft, Placement, StepDraft, StepKey},
};
use serde_json::{Map, Value};

use super::{
    body::{Fields, JsonBody},
    error::ApiError,
    program::SentProgram,
};

/// A flow as sent, or a change of one. What is left out stays as it is.
#[derive(Debug, Clone)]
pub struct SentFlow {
    name: Option<String>,
    description: Option<String>,
    engine: Option<String>,
    steps: Option<Vec<SentStep>>,
    edges: Option<Vec<Edge>>,
}

#[derive(Debug, Clone)]
struct SentStep {
    id: String,
    program: SentProgram,
    placement: Option<Placement>,
    runs_when: Option<String>,
    retries: Option<String>,
    retries_wait: Option<String>,
    retries_factor: Option<String>,
}

#[derive(Debug, Clone)]
struct Edge {
    source: String,
    target: String,
}

impl SentFlow {
    /// A whole flow: name, steps and edges must be there.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn whole(body: JsonBody) -> Result<Self, ApiError> {
        Self::read(body, |fields| Self {
            name: fields.required_text("name"),
            description: fields.optional_text("description"),
            engine: fields.optional_text("engine"),
            steps: fields.required_list("steps", steps()),
            edges: fields.required_list("edges", edge),
        })
    }

    /// A change: what is left out, or null, stays as it is.
    ///
    /// # Errors
    /// When it is not of that form.
    pub fn change(body: JsonBody) -> Result<Self, ApiError> {
        Self::read(body, |fields| Self {
            name: fields.optional_text("name"),
            description: fields.optional_text("description"),
            engine: fields.optional_text("engine"),
            steps: fields.optional_list("steps", steps()),
            edges: fields.optional_list("edges", edge),
        })
    }

    fn read(body: JsonBody, read: impl FnOnce(&mut Fields) -> Self) -> Result<Self, ApiError> {
        let mut fields = Fields::of(body)?;
        let sent = read(&mut fields);
        fields.finish()?;
        for step in sent.steps.iter().flatten() {
            step.program.check()?;
        }
        Ok(sent)
    }

    /// The flow that this makes of another one, or of an empty one.
    ///
    /// # Errors
    /// When there cannot be such a flow.
    pub fn over(&self, present: &FlowDraft) -> Result<Flow, ApiError> {
        let mut draft = FlowDraft {
            name: self.name.clone().unwrap_or_else(|| present.name.clone()),
            description: self.description.clone().unwrap_or_else(|| present.description.clone()),
            engine: self.engine.clone().unwrap_or_else(|| present.engine.clone()),
            steps: match &self.steps {
                Some(steps) => steps.iter().map(|step| step.over(present)).collect(),
                None => present.steps.clone(),
            },
        };
        if let Some(edges) = &self.edges {
            connect(&mut draft, edges)?;
        }
        if draft.steps.is_empty() {
            return Err(ApiError::Refused("Flow definition must contain at least one step".to_owned()));
        }
        check_edges(&draft)?;
        draft.parse_sent().map_err(|errors| refusal(&draft, errors))
    }
}

impl SentStep {
    /// The step that this makes of the one with the same id, if there is one.
    fn over(&self, present: &FlowDraft) -> StepDraft {
        let present = present.steps.iter().find(|step| step.key == self.id).cloned().unwrap_or_default();
        let or = |sent: &Option<String>, present: String| sent.clone().unwrap_or(present);
        StepDraft {
            key: self.id.clone(),
            program: self.program.over(present.program),
            runs_after: present.runs_after,
            also_after: String::new(),
            runs_when: or(&self.runs_when, present.runs_when),
            retries: or(&self.retries, present.retries),
            retries_wait: or(&self.retries_wait, present.retries_wait),
            retries_factor: or(&self.retries_factor, present.retries_factor),
            placement: self.placement.or(present.placement),
        }
    }
}

/// Reads steps one by one; each must have an id of its own.
fn steps() -> impl FnMut(&mut Fields) -> Option<SentStep> {
    let mut ids = HashSet::new();
    move |fields| {
        let id = fields.required_text("id");
        let program = SentProgram::of_step(fields);
        let position = fields.required_object("position");
        let step = SentStep {
            id: id.clone().unwrap_or_default(),
            program,
            placement: position.as_ref().and_then(placement),
            runs_when: fields.optional_text("runsWhen"),
            retries: fields.text_or_number("retries"),
            retries_wait: fields.text_or_number("retryWaitSeconds"),
            retries_factor: fields.text_or_number("retryFactor"),
        };
        if let Some(id) = id {
            let is_new = match id.parse::<StepKey>() {
                Ok(key) => ids.insert(key),
                Err(error) => return fields.refuse("id", id, &format!("{error}.")),
            };
            if !is_new {
                return fields.refuse("id", id, "another step has this id already.");
            }
        }
        Some(step)
    }
}

/// The coordinates of a position, if it has such; what else is in it is not kept.
fn placement(position: &Map<String, Value>) -> Option<Placement> {
    let coordinate = |name| {
        #[expect(clippy::cast_possible_truncation, reason = "what is out of reach is put at the edge of it")]
        position.get(name).and_then(Value::as_f64).map(|number| number.round() as i32)
    };
    Some(Placement { x: coordinate("x")?, y: coordinate("y")? })
}

fn edge(fields: &mut Fields) -> Option<Edge> {
    // They have ids and handles for drawings, which need not be kept: a pair of steps has one edge.
    fields.required_text("id");
    fields.optional_text("sourceHandle");
    fields.optional_text("targetHandle");
    Some(Edge { source: fields.required_text("source")?, target: fields.required_text("target")? })
}

/// Connects the steps by these edges alone.
fn connect(draft: &mut FlowDraft, edges: &[Edge]) -> Result<(), ApiError> {
    for step in &mut draft.steps {
        step.runs_after.clear();
    }
    for Edge { source, target } in edges {
        let has_source = draft.steps.iter().any(|step| step.key == *source);
        let target_step = draft.steps.iter_mut().find(|step| step.key == *target);
        match target_step {
            Some(step) if has_source => step.runs_after.push(source.clone()),
            _ => return Err(no_edge(source, target)),
        }
    }
    Ok(())
}

/// Edges that were there before may lead to steps that are gone now.
fn check_edges(draft: &FlowDraft) -> Result<(), ApiError> {
    let keys: HashSet<&str> = draft.steps.iter().map(|step| step.key.as_str()).collect();
    for step in &draft.steps {
        if let Some(gone) = step.runs_after.iter().find(|key| !keys.contains(key.as_str())) {
            return Err(no_edge(gone, &step.key));
        }
    }
    Ok(())
}

fn no_edge(source: &str, target: &str) -> ApiError {
    ApiError::Refused(format!("Edge references invalid step: source={source}, target={target}"))
}

/// What is wrong with a flow, as programs are told. All edges lead to steps.
fn refusal(draft: &FlowDraft, errors: FlowErrors) -> ApiError {
    let cycle = errors.steps.values().find_map(|errors| errors.at(Field::RunsAfter));
    match cycle {
        Some(cycle) => ApiError::Refused(format!("Flow contains cycles. DAG must be acyclic. {cycle}")),
        None => ApiError::of_flow(errors, |step| draft.step_name(step)),
    }
}
