//! What a user saves: the task's spec, and the draft as typed that it is read from.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::{
    environment::EnvironmentVariables,
    fields::{Field, FieldErrors},
    import_names,
    python_packages::{PythonPackages, RequirementsFile},
    python_version::PythonVersion,
    resources::{Cpu, Memory, Resources},
    system_packages::SystemPackages,
    words::is_invisible,
};

/// Everything that decides what a run does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSpec {
    /// The Python program.
    pub code: Code,
    /// Python packages; not used when there is a requirements file.
    pub packages: PythonPackages,
    /// A requirements file, which wins over `packages`.
    pub requirements: Option<RequirementsFile>,
    /// The version of Python; `None` leaves it to the engine.
    #[serde(default)]
    pub python: Option<PythonVersion>,
    /// System packages.
    pub system_packages: SystemPackages,
    /// Whether to use environments that are kept between runs.
    pub use_cache: bool,
    /// Environment variables of the program.
    pub environment: EnvironmentVariables,
    /// When to stop the program; `None` leaves it to the server's limit.
    pub timeout: Option<Timeout>,
    /// Processor and memory that it asks for, and may use.
    #[serde(default)]
    pub resources: Resources,
    /// Where it runs; `None` leaves it to the server.
    #[serde(default)]
    pub engine: Option<EngineChoice>,
}

impl TaskSpec {
    /// True when it asks for Python packages, so that exact versions must be found.
    #[must_use]
    pub fn needs_lock(&self) -> bool {
        self.requirements.is_some() || !self.packages.is_empty()
    }
}

/// A Python program: at most 256 KiB, and no NUL character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code(String);

/// What is wrong with a value of the form, in the user's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub(super) String);

impl Code {
    /// The longest program, in bytes. An engine must be able to ship it as data in one object.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// Reads a program that a user typed. Line ends of forms (CR LF) become LF.
    ///
    /// # Errors
    /// When it is too long, has a NUL character, or holds nothing.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let code = Self::accept(text)?;
        if code.0.trim().is_empty() {
            return Err(ValueError("Enter some Python code.".to_owned()));
        }
        Ok(code)
    }

    /// Reads a program that came from elsewhere, and that may hold nothing.
    ///
    /// # Errors
    /// When it is too long, or has a NUL character.
    pub fn accept(text: &str) -> Result<Self, ValueError> {
        let text = text.replace("\r\n", "\n");
        if text.len() > Self::MAX_BYTES {
            return Err(ValueError(format!(
                "The code has {} KiB; at most 256 KiB are allowed. Move data into a file or a package.",
                text.len().div_ceil(1024)
            )));
        }
        if let Some(position) = text.find('\0') {
            let line = text[..position].matches('\n').count() + 1;
            return Err(ValueError(format!(
                "Line {line} of the code has a NUL character, which Python cannot read. Remove it."
            )));
        }
        Ok(Self(text))
    }

    /// The program.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A task's name: one line, at most 120 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskName(String);

impl TaskName {
    /// The longest name, in characters.
    pub const MAX_CHARACTERS: usize = 120;

    /// Reads a name; `None` when it is empty.
    ///
    /// # Errors
    /// When it is too long, has control characters, or nothing of it can be seen.
    pub fn parse(text: &str) -> Result<Option<Self>, ValueError> {
        let text = text.trim();
        if text.chars().count() > Self::MAX_CHARACTERS {
            return Err(ValueError(format!(
                "The name is longer than {} characters. Shorten it.",
                Self::MAX_CHARACTERS
            )));
        }
        if text.chars().any(char::is_control) {
            return Err(ValueError("The name has a line break or a control character. Remove it.".to_owned()));
        }
        if !text.is_empty() && text.chars().all(|character| character.is_whitespace() || is_invisible(character)) {
            return Err(ValueError(
                "The name has no character that can be seen. Enter another one, or none.".to_owned(),
            ));
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    /// Reads the name of a flow, which always has one.
    ///
    /// # Errors
    /// As [`Self::parse`], and when it is empty.
    pub fn parse_of_flow(text: &str) -> Result<Self, ValueError> {
        Self::parse(text)?.ok_or_else(|| ValueError("Give the flow a name.".to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A time limit in whole seconds, from one second to seven days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeout(NonZeroU32);

impl Timeout {
    /// The longest limit, in seconds.
    pub const MAX_SECONDS: u32 = 7 * 24 * 3600;

    /// A limit of so many seconds, when that is allowed.
    #[must_use]
    pub fn from_seconds(seconds: u32) -> Option<Self> {
        NonZeroU32::new(seconds).filter(|seconds| seconds.get() <= Self::MAX_SECONDS).map(Self)
    }

    /// Reads a limit; `None` when it is empty.
    ///
    /// # Errors
    /// When it is not a whole number of seconds in the allowed range.
    pub fn parse(text: &str) -> Result<Option<Self>, ValueError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().ok().and_then(Self::from_seconds).map(Some).ok_or_else(|| {
            ValueError(format!(
                "The timeout must be a whole number of seconds between 1 and {} (seven days).",
                Self::MAX_SECONDS
            ))
        })
    }

    /// The limit in seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0.get()
    }
}

/// The name of an engine that a task is to run on. Whether there is one of this name the server knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EngineChoice(String);

impl EngineChoice {
    /// Reads a choice; `None` when it is empty.
    ///
    /// # Errors
    /// When no engine can have this name.
    pub fn parse(text: &str) -> Result<Option<Self>, ValueError> {
        let text = text.trim();
        if text.len() > 20 || !text.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return Err(ValueError("No engine has this name. Choose one of those offered.".to_owned()));
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A task as typed: the values of the form's fields, before anything is checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDraft {
    /// The name; may be empty.
    pub name: String,
    /// The code.
    pub code: String,
    /// Python packages.
    pub packages: String,
    /// A requirements file.
    pub requirements: String,
    /// The version of Python; may be empty.
    #[serde(default)]
    pub python: String,
    /// System packages.
    pub system_packages: String,
    /// Whether to use environments that are kept between runs.
    pub use_cache: bool,
    /// Environment variables, one `NAME=value` a line.
    pub environment: String,
    /// Time limit in seconds; may be empty.
    pub timeout: String,
    /// Processors asked for; may be empty, as those that follow.
    #[serde(default)]
    pub cpu_request: String,
    /// Processors at most.
    #[serde(default)]
    pub cpu_limit: String,
    /// Memory asked for.
    #[serde(default)]
    pub memory_request: String,
    /// Memory at most.
    #[serde(default)]
    pub memory_limit: String,
    /// Where to run.
    #[serde(default)]
    pub engine: String,
}

impl Default for TaskDraft {
    fn default() -> Self {
        Self {
            name: String::new(),
            code: String::new(),
            packages: String::new(),
            requirements: String::new(),
            python: String::new(),
            system_packages: String::new(),
            use_cache: true,
            environment: String::new(),
            timeout: String::new(),
            cpu_request: String::new(),
            cpu_limit: String::new(),
            memory_request: String::new(),
            memory_limit: String::new(),
            engine: String::new(),
        }
    }
}

/// A task that may be saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidTask {
    /// Its name.
    pub name: Option<TaskName>,
    /// Its spec.
    pub spec: TaskSpec,
}

impl TaskDraft {
    /// Reads every field of what a person typed.
    ///
    /// # Errors
    /// A message for each field that cannot be read.
    pub fn parse(&self) -> Result<ValidTask, FieldErrors> {
        self.parse_around(Code::parse(&self.code))
    }

    /// Reads every field of what a program sent, whose code may hold nothing.
    ///
    /// # Errors
    /// A message for each field that cannot be read.
    pub fn parse_sent(&self) -> Result<ValidTask, FieldErrors> {
        self.parse_around(Code::accept(&self.code))
    }

    fn parse_around(&self, code: Result<Code, ValueError>) -> Result<ValidTask, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take(Field::Name, TaskName::parse(&self.name));
        match (name, self.parse_spec(code, &mut errors)) {
            (Some(name), Some(spec)) if errors.is_empty() => Ok(ValidTask { name, spec }),
            _ => Err(errors),
        }
    }

    /// Reads everything but the name; `None` when some of it cannot be read, which is then said.
    pub(super) fn parse_spec(&self, code: Result<Code, ValueError>, errors: &mut FieldErrors) -> Option<TaskSpec> {
        let code = errors.take(Field::Code, code);
        let packages = errors.take(Field::Packages, PythonPackages::parse_new(&self.packages));
        if let Some(fault) = packages.as_ref().and_then(import_names::fault) {
            errors.push(Field::Packages, fault);
        }
        let requirements = errors.take(Field::Requirements, RequirementsFile::parse_new(&self.requirements));
        let python = errors.take(Field::Python, PythonVersion::parse(&self.python));
        let system_packages = errors.take(Field::SystemPackages, SystemPackages::parse_new(&self.system_packages));
        let environment = errors.take(Field::Environment, EnvironmentVariables::parse(&self.environment));
        let timeout = errors.take(Field::Timeout, Timeout::parse(&self.timeout));
        let resources = self.resources(errors);
        let engine = errors.take(Field::Engine, EngineChoice::parse(&self.engine));
        Some(TaskSpec {
            code: code?,
            packages: packages?,
            requirements: requirements?,
            python: python?,
            system_packages: system_packages?,
            use_cache: self.use_cache,
            environment: environment?,
            timeout: timeout?,
            resources,
            engine: engine?,
        })
    }

    /// Reads processor and memory; what cannot be read is said, and left out.
    fn resources(&self, errors: &mut FieldErrors) -> Resources {
        let resources = Resources {
            cpu_request: errors.take(Field::CpuRequest, Cpu::parse(&self.cpu_request)).flatten(),
            cpu_limit: errors.take(Field::CpuLimit, Cpu::parse(&self.cpu_limit)).flatten(),
            memory_request: errors.take(Field::MemoryRequest, Memory::parse(&self.memory_request)).flatten(),
            memory_limit: errors.take(Field::MemoryLimit, Memory::parse(&self.memory_limit)).flatten(),
        };
        if let (Some(request), Some(limit)) = (resources.cpu_request, resources.cpu_limit)
            && request > limit
        {
            let fault =
                format!("It asks for {request} processors and may use {limit}. Ask for at most what it may use.");
            errors.push(Field::CpuRequest, fault);
        }
        if let (Some(request), Some(limit)) = (resources.memory_request, resources.memory_limit)
            && request > limit
        {
            let fault =
                format!("It asks for {request} of memory and may use {limit}. Ask for at most what it may use.");
            errors.push(Field::MemoryRequest, fault);
        }
        resources
    }

    /// The draft that shows a saved task, or a run's copy of it, again.
    #[must_use]
    pub fn of(name: Option<&TaskName>, spec: &TaskSpec) -> Self {
        Self {
            name: name.map(|name| name.as_str().to_owned()).unwrap_or_default(),
            code: spec.code.as_str().to_owned(),
            packages: spec.packages.to_string(),
            requirements: spec.requirements.as_ref().map(|file| file.as_str().to_owned()).unwrap_or_default(),
            python: text(spec.python),
            system_packages: spec.system_packages.to_string(),
            use_cache: spec.use_cache,
            environment: spec.environment.to_string(),
            timeout: spec.timeout.map(|timeout| timeout.seconds().to_string()).unwrap_or_default(),
            cpu_request: text(spec.resources.cpu_request),
            cpu_limit: text(spec.resources.cpu_limit),
            memory_request: text(spec.resources.memory_request),
            memory_limit: text(spec.resources.memory_limit),
            engine: spec.engine.as_ref().map(|engine| engine.as_str().to_owned()).unwrap_or_default(),
        }
    }
}

/// A value as typed; nothing when there is none.
fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_with_several_faults_names_each() {
        let draft = TaskDraft { name: "a\nb".into(), timeout: "0".into(), code: "x\0".into(), ..TaskDraft::default() };
        let errors = draft.parse().unwrap_err();
        assert_eq!(
            errors.0.iter().map(|error| error.field).collect::<Vec<_>>(),
            [Field::Name, Field::Code, Field::Timeout]
        );
    }

    #[test]
    fn a_valid_draft_is_shown_again_as_it_was() {
        let draft = TaskDraft {
            name: "Gruß 🚀".into(),
            code: "print('{{x}} $(rm -rf /)')\n".into(),
            packages: "numpy".into(),
            python: "3.12".into(),
            environment: "A=1\nB=x=y".into(),
            timeout: "60".into(),
            cpu_request: "0.5".into(),
            cpu_limit: "2".into(),
            memory_request: "512Mi".into(),
            memory_limit: "2Gi".into(),
            engine: "argo".into(),
            use_cache: false,
            ..TaskDraft::default()
        };
        let task = draft.parse().unwrap();
        assert_eq!(TaskDraft::of(task.name.as_ref(), &task.spec), draft);
    }

    #[test]
    fn a_name_can_be_seen_or_is_none() {
        for name in ["\u{200b}", "\u{2800} \u{feff}", "\u{3164}"] {
            let error = TaskName::parse(name).unwrap_err().to_string();
            assert_eq!(error, "The name has no character that can be seen. Enter another one, or none.", "{name:?}");
        }
        assert_eq!(TaskName::parse(" \u{a0} "), Ok(None));
        assert_eq!(TaskName::parse("a\u{200d}b").unwrap().unwrap().as_str(), "a\u{200d}b");
    }

    #[test]
    fn code_over_the_limit_is_refused_with_its_size() {
        let error = Code::parse(&"x".repeat(Code::MAX_BYTES + 1)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "The code has 257 KiB; at most 256 KiB are allowed. Move data into a file or a package."
        );
    }
}
