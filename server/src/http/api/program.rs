//! What a program is and how it runs, as tasks and steps of flows are sent.

use app::model::{
    python_packages::{PythonPackages, RequirementsFile},
    spec::TaskDraft,
};

use super::{body::Fields, error::ApiError};

/// The program of a task that was submitted without one.
const DEFAULT_CODE: &str = "print('Processing task in Kind...')";

/// A program as sent.
#[derive(Debug, Clone)]
pub struct SentProgram {
    code: Option<String>,
    dependencies: String,
    requirements: String,
    system_dependencies: String,
    use_cache: bool,
    /// What upstream's clients do not send; what is left out stays as it is.
    more: More,
}

/// Fields of a program that only this API has; a step's name is one that it must have.
#[derive(Debug, Clone, Default)]
struct More {
    name: Option<String>,
    environment: Option<String>,
    timeout: Option<String>,
    cpu_request: Option<String>,
    cpu_limit: Option<String>,
    memory_request: Option<String>,
    memory_limit: Option<String>,
    engine: Option<String>,
    python: Option<String>,
}

impl SentProgram {
    /// That of a task: everything may be left out.
    pub fn of_task(fields: &mut Fields) -> Self {
        let code = fields.text("pythonCode");
        let mut program = Self::with_code(fields, code);
        program.more.name = fields.optional_text("name");
        program.more.engine = fields.optional_text("engine");
        program
    }

    /// That of a step, which must have a name and code. The engine is its flow's.
    pub fn of_step(fields: &mut Fields) -> Self {
        let name = fields.required_text("name");
        let code = fields.required_text("pythonCode");
        let mut program = Self::with_code(fields, code);
        program.more.name = name;
        program
    }

    fn with_code(fields: &mut Fields, code: Option<String>) -> Self {
        Self {
            code,
            dependencies: fields.optional_text("dependencies").unwrap_or_default(),
            requirements: fields.optional_text("requirementsFile").unwrap_or_default(),
            system_dependencies: fields.optional_text("systemDependencies").unwrap_or_default(),
            use_cache: fields.truth("useCache").unwrap_or(true),
            more: More {
                environment: fields.optional_text("environment"),
                timeout: fields.text_or_number("timeoutSeconds"),
                cpu_request: fields.text_or_number("cpuRequest"),
                cpu_limit: fields.text_or_number("cpuLimit"),
                memory_request: fields.optional_text("memoryRequest"),
                memory_limit: fields.optional_text("memoryLimit"),
                python: fields.optional_text("pythonVersion"),
                ..More::default()
            },
        }
    }

    /// The checks whose words programs know.
    ///
    /// # Errors
    /// When something is too long, or has what no package has.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.dependencies.chars().count() > PythonPackages::MAX_BYTES {
            return Err(ApiError::Refused("Dependencies string is too long (max 10000 characters)".to_owned()));
        }
        let forbidden = [";", "&&", "||", "`", "$("].into_iter().find(|text| self.dependencies.contains(text));
        if let Some(text) = forbidden {
            return Err(ApiError::Refused(format!("Invalid character in dependencies: {text}")));
        }
        if self.requirements.chars().count() > RequirementsFile::MAX_BYTES {
            return Err(ApiError::Refused("Requirements file is too long (max 50000 characters)".to_owned()));
        }
        Ok(())
    }

    /// The draft that this makes of another one.
    pub fn over(&self, draft: TaskDraft) -> TaskDraft {
        TaskDraft {
            code: self.code.clone().unwrap_or_else(|| DEFAULT_CODE.to_owned()),
            packages: self.dependencies.clone(),
            requirements: self.requirements.clone(),
            system_packages: self.system_dependencies.clone(),
            use_cache: self.use_cache,
            name: self.more.name.clone().unwrap_or(draft.name),
            environment: self.more.environment.clone().unwrap_or(draft.environment),
            timeout: self.more.timeout.clone().unwrap_or(draft.timeout),
            cpu_request: self.more.cpu_request.clone().unwrap_or(draft.cpu_request),
            cpu_limit: self.more.cpu_limit.clone().unwrap_or(draft.cpu_limit),
            memory_request: self.more.memory_request.clone().unwrap_or(draft.memory_request),
            memory_limit: self.more.memory_limit.clone().unwrap_or(draft.memory_limit),
            engine: self.more.engine.clone().unwrap_or(draft.engine),
            python: self.more.python.clone().unwrap_or(draft.python),
        }
    }
}
