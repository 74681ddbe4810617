//! Messages that belong to a field of a form or of a request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A field of the form of a task or of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The task's name.
    Name,
    /// The Python code.
    Code,
    /// The Python packages.
    Packages,
    /// The requirements file.
    Requirements,
    /// The version of Python.
    Python,
    /// The system packages.
    SystemPackages,
    /// The time limit.
    Timeout,
    /// The environment variables.
    Environment,
    /// The processors asked for.
    CpuRequest,
    /// The processors at most.
    CpuLimit,
    /// The memory asked for.
    MemoryRequest,
    /// The memory at most.
    MemoryLimit,
    /// Where to run.
    Engine,
    /// What a flow is for.
    Description,
    /// A step's name.
    StepName,
    /// The steps that a step waits for.
    RunsAfter,
    /// How those must have ended.
    RunsWhen,
    /// How often a step is tried again; messages about when are here too.
    Retries,
    /// How long it waits before that.
    RetriesWait,
    /// By what the wait grows.
    RetriesFactor,
    /// No single field: the form as a whole.
    Form,
}

impl Field {
    /// The control for a file in place of the code.
    pub const CODE_UPLOAD: &str = "code_upload";
    /// The control for a file in place of the requirements.
    pub const REQUIREMENTS_UPLOAD: &str = "requirements_upload";

    /// The `name` and `id` of the field's control.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name | Self::StepName => "name",
            Self::Code => "code",
            Self::Packages => "packages",
            Self::Requirements => "requirements",
            Self::Python => "python",
            Self::SystemPackages => "system_packages",
            Self::Timeout => "timeout",
            Self::Environment => "environment",
            Self::CpuRequest => "cpu_request",
            Self::CpuLimit => "cpu_limit",
            Self::MemoryRequest => "memory_request",
            Self::MemoryLimit => "memory_limit",
            Self::Engine => "engine",
            Self::Description => "description",
            Self::RunsAfter => "runs_after",
            Self::RunsWhen => "runs_when",
            Self::Retries => "retries",
            Self::RetriesWait => "retries_wait",
            Self::RetriesFactor => "retries_factor",
            Self::Form => "form",
        }
    }

    /// The id of what explains the field.
    #[must_use]
    pub fn hint_id(self) -> String {
        format!("{}-hint", self.name())
    }

    /// The id of the message at the field.
    #[must_use]
    pub fn error_id(self) -> String {
        format!("{}-error", self.name())
    }
}

/// The `name` and `id` of a control in the part of a flow's form that is about the step with this index.
#[must_use]
pub fn step_control(step: usize, control: &str) -> String {
    format!("step-{step}-{control}")
}

/// The step and the control that such a name means.
#[must_use]
pub fn parse_step_control(name: &str) -> Option<(usize, &str)> {
    let (step, control) = name.strip_prefix("step-")?.split_once('-')?;
    Some((step.parse().ok()?, control))
}

/// A message at a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Which field.
    pub field: Field,
    /// What is wrong and what to do, in the user's words.
    pub message: String,
}

/// All messages of one submission, in the order of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    /// One message at one field.
    #[must_use]
    pub fn one(field: Field, message: impl Into<String>) -> Self {
        Self(vec![FieldError { field, message: message.into() }])
    }

    /// Adds a message.
    pub fn push(&mut self, field: Field, message: impl Into<String>) {
        self.0.push(FieldError { field, message: message.into() });
    }

    /// Takes the value out of a result, or keeps its message at the field.
    pub fn take<T>(&mut self, field: Field, result: Result<T, impl ToString>) -> Option<T> {
        result.map_err(|error| self.push(field, error.to_string())).ok()
    }

    /// The message at a field.
    #[must_use]
    pub fn at(&self, field: Field) -> Option<&str> {
        self.0.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }

    /// True when there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// All messages of a submitted flow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlowErrors {
    /// Those of the flow itself.
    pub flow: FieldErrors,
    /// Those of its steps, by their index.
    pub steps: BTreeMap<usize, FieldErrors>,
}

impl FlowErrors {
    /// True when there is nothing to say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flow.is_empty() && self.steps.values().all(FieldErrors::is_empty)
    }

    /// Where the messages of a step go.
    pub fn of_step(&mut self, step: usize) -> &mut FieldErrors {
        self.steps.entry(step).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_of_steps_are_read_back_as_named() {
        for (step, control) in [(0, "name"), (17, "runs_after"), (999, "code-hint")] {
            assert_eq!(parse_step_control(&step_control(step, control)), Some((step, control)));
        }
        for name in ["", "name", "step-", "step-1", "step-x-name", "step--1-name", "step-99999999999999999999-name"] {
            assert_eq!(parse_step_control(name), None, "{name}");
        }
    }
}
