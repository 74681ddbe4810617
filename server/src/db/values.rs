//! Domain types as columns: how each is written, and a strict reading that fails loudly.

use app::model::{
    environment::EnvironmentVariables,
    flow::{FlowStep, Placement, Retries, RunsWhen, StepKey, StepName},
    identifiers::{RunNumber, TaskId},
    phase::Phase,
    python_packages::{PythonPackages, RequirementsFile},
    python_version::PythonVersion,
    resources::Resources,
    spec::{Code, EngineChoice, TaskSpec, Timeout},
    system_packages::SystemPackages,
    time::Timestamp,
};
use diesel::{Insertable, Queryable, Selectable};
use serde::{Deserialize, Serialize};

use super::{DatabaseError, schema};

/// Reads a stored text; a text that does not fit its type is a damaged row.
///
/// # Errors
/// When the text does not fit.
pub fn parsed<T: std::str::FromStr>(text: &str) -> Result<T, DatabaseError>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| damaged(&error))
}

/// The error of a row whose content does not fit its types.
pub fn damaged(error: &dyn std::fmt::Display) -> DatabaseError {
    DatabaseError::Unreadable(error.to_string())
}

/// A run's number as stored.
///
/// # Errors
/// When it is not positive.
pub fn run_number(number: i32) -> Result<RunNumber, DatabaseError> {
    u32::try_from(number).ok().and_then(RunNumber::new).ok_or_else(|| damaged(&"run number"))
}

/// A stored number column that counts things.
#[must_use]
pub fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A stored time, when there is one.
#[must_use]
pub fn timestamp(millis: Option<i64>) -> Option<Timestamp> {
    millis.map(Timestamp)
}

/// The columns of a [`TaskSpec`]: the same in each table, and diesel ties a struct to one of them.
macro_rules! spec_columns {
    ($name:ident, $table:path) => {
        #[doc = concat!("The columns of a [`TaskSpec`] in `", stringify!($table), "`.")]
        #[derive(Debug, Clone, Queryable, Selectable, Insertable, diesel::AsChangeset)]
        #[diesel(table_name = $table, check_for_backend(diesel::sqlite::Sqlite), treat_none_as_null = true)]
        pub struct $name {
            code: String,
            dependencies: String,
            requirements: Option<String>,
            system_dependencies: String,
            use_cache: bool,
            environment: String,
            timeout_seconds: Option<i32>,
            needs: String,
            engine: Option<String>,
        }

        impl From<&TaskSpec> for $name {
            fn from(spec: &TaskSpec) -> Self {
                Self {
                    code: spec.code.as_str().to_owned(),
                    dependencies: spec.packages.to_string(),
                    requirements: spec.requirements.as_ref().map(|file| file.as_str().to_owned()),
                    system_dependencies: spec.system_packages.to_string(),
                    use_cache: spec.use_cache,
                    environment: spec.environment.to_string(),
                    // At most `Timeout::MAX_SECONDS`, which fits.
                    timeout_seconds: spec.timeout.and_then(|timeout| i32::try_from(timeout.seconds()).ok()),
                    needs: json(&Needs { resources: spec.resources, python: spec.python }),
                    engine: spec.engine.as_ref().map(|engine| engine.as_str().to_owned()),
                }
            }
        }

        impl TryFrom<$name> for TaskSpec {
            type Error = DatabaseError;

            fn try_from(columns: $name) -> Result<Self, Self::Error> {
                let Needs { resources, python } = from_json(&columns.needs)?;
                Ok(Self {
                    code: Code::accept(&columns.code).map_err(|error| damaged(&error))?,
                    packages: PythonPackages::parse(&columns.dependencies).map_err(|error| damaged(&error))?,
                    requirements: match columns.requirements {
                        Some(text) => RequirementsFile::parse(&text).map_err(|error| damaged(&error))?,
                        None => None,
                    },
                    system_packages: SystemPackages::parse(&columns.system_dependencies)
                        .map_err(|error| damaged(&error))?,
                    use_cache: columns.use_cache,
                    environment: EnvironmentVariables::parse(&columns.environment).map_err(|error| damaged(&error))?,
                    timeout: columns
                        .timeout_seconds
                        .and_then(|seconds| u32::try_from(seconds).ok())
                        .and_then(Timeout::from_seconds),
                    python,
                    resources,
                    engine: EngineChoice::parse(&columns.engine.unwrap_or_default())
                        .map_err(|error| damaged(&error))?,
                })
            }
        }
    };
}

spec_columns!(SpecColumns, schema::tasks);
spec_columns!(StepSpecColumns, schema::steps);
spec_columns!(FlowSpecColumns, schema::flow_steps);

/// What a program needs of the place where it runs, as it is stored.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
struct Needs {
    #[serde(flatten)]
    resources: Resources,
    #[serde(skip_serializing_if = "is_default")]
    python: Option<PythonVersion>,
}

/// What a step is within its flow, as it is stored: for one that is alone, nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InFlow {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs_after: Vec<StepKey>,
    #[serde(skip_serializing_if = "is_default")]
    pub runs_when: RunsWhen,
    #[serde(skip_serializing_if = "is_default")]
    pub retries: Retries,
    #[serde(skip_serializing_if = "is_default")]
    pub placement: Option<Placement>,
    /// The run whose result it has, when it was not run again.
    #[serde(skip_serializing_if = "is_default")]
    pub kept_from: Option<RunNumber>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl InFlow {
    /// What is stored of a step, and of the run whose result it has.
    #[must_use]
    pub fn of(step: &FlowStep, kept_from: Option<RunNumber>) -> Self {
        Self {
            runs_after: step.runs_after.clone(),
            runs_when: step.runs_when,
            retries: step.retries,
            placement: step.placement,
            kept_from,
        }
    }

    /// The step that is stored so.
    ///
    /// # Errors
    /// When a text does not fit its type.
    pub fn step(self, key: &str, name: &str, spec: TaskSpec) -> Result<FlowStep, DatabaseError> {
        Ok(FlowStep {
            key: parsed(key)?,
            name: step_name(name)?,
            spec,
            runs_after: self.runs_after,
            runs_when: self.runs_when,
            retries: self.retries,
            placement: self.placement,
        })
    }
}

/// A step's name as stored.
///
/// # Errors
/// When it is none.
pub fn step_name(text: &str) -> Result<StepName, DatabaseError> {
    StepName::parse(text).map_err(|error| damaged(&error))
}

/// Plain data as JSON.
pub fn json(value: &impl serde::Serialize) -> String {
    // Without maps whose keys are no text, and without anything that computes, this cannot fail.
    serde_json::to_string(value).unwrap_or_default()
}

/// What was stored as JSON.
///
/// # Errors
/// When the text is something else.
pub fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, DatabaseError> {
    serde_json::from_str(text).map_err(|error| damaged(&error))
}

/// A task's id as stored.
///
/// # Errors
/// When it is none.
pub fn task_id(text: &str) -> Result<TaskId, DatabaseError> {
    parsed(text)
}

/// A phase as stored.
///
/// # Errors
/// When it is none.
pub fn phase(text: &str) -> Result<Phase, DatabaseError> {
    parsed(text)
}
