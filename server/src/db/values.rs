//! Domain types as columns: how each is written, and a strict reading that fails loudly.

use app::model::{
    environment::EnvironmentVariables,
    identifiers::{RunNumber, TaskId},
    phase::Phase,
    python_packages::{PythonPackages, RequirementsFile},
    spec::{Code, EngineChoice, TaskSpec, Timeout},
    system_packages::SystemPackages,
    time::Timestamp,
};
use diesel::{Insertable, Queryable, Selectable};

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

/// The columns of a [`TaskSpec`], the same in `tasks` and in `steps`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, diesel::AsChangeset)]
#[diesel(table_name = schema::tasks, check_for_backend(diesel::sqlite::Sqlite), treat_none_as_null = true)]
pub struct SpecColumns {
    code: String,
    dependencies: String,
    requirements: Option<String>,
    system_dependencies: String,
    use_cache: bool,
    environment: String,
    timeout_seconds: Option<i32>,
    resources: String,
    engine: Option<String>,
}

/// The same columns for `steps`: diesel ties a struct to one table.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::steps, check_for_backend(diesel::sqlite::Sqlite))]
pub struct StepSpecColumns {
    code: String,
    dependencies: String,
    requirements: Option<String>,
    system_dependencies: String,
    use_cache: bool,
    environment: String,
    timeout_seconds: Option<i32>,
    resources: String,
    engine: Option<String>,
}

impl From<&TaskSpec> for SpecColumns {
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
            // Plain data: this cannot fail, and what it would leave out is the server's to decide.
            resources: serde_json::to_string(&spec.resources).unwrap_or_else(|_| "{}".to_owned()),
            engine: spec.engine.as_ref().map(|engine| engine.as_str().to_owned()),
        }
    }
}

impl From<SpecColumns> for StepSpecColumns {
    fn from(columns: SpecColumns) -> Self {
        let SpecColumns {
            code,
            dependencies,
            requirements,
            system_dependencies,
            use_cache,
            environment,
            timeout_seconds,
            resources,
            engine,
        } = columns;
        Self {
            code,
            dependencies,
            requirements,
            system_dependencies,
            use_cache,
            environment,
            timeout_seconds,
            resources,
            engine,
        }
    }
}

impl From<StepSpecColumns> for SpecColumns {
    fn from(columns: StepSpecColumns) -> Self {
        let StepSpecColumns {
            code,
            dependencies,
            requirements,
            system_dependencies,
            use_cache,
            environment,
            timeout_seconds,
            resources,
            engine,
        } = columns;
        Self {
            code,
            dependencies,
            requirements,
            system_dependencies,
            use_cache,
            environment,
            timeout_seconds,
            resources,
            engine,
        }
    }
}

impl TryFrom<SpecColumns> for TaskSpec {
    type Error = DatabaseError;

    fn try_from(columns: SpecColumns) -> Result<Self, Self::Error> {
        Ok(Self {
            code: Code::accept(&columns.code).map_err(|error| damaged(&error))?,
            packages: PythonPackages::parse(&columns.dependencies).map_err(|error| damaged(&error))?,
            requirements: match columns.requirements {
                Some(text) => RequirementsFile::parse(&text).map_err(|error| damaged(&error))?,
                None => None,
            },
            system_packages: SystemPackages::parse(&columns.system_dependencies).map_err(|error| damaged(&error))?,
            use_cache: columns.use_cache,
            environment: EnvironmentVariables::parse(&columns.environment).map_err(|error| damaged(&error))?,
            timeout: columns
                .timeout_seconds
                .and_then(|seconds| u32::try_from(seconds).ok())
                .and_then(Timeout::from_seconds),
            resources: serde_json::from_str(&columns.resources).map_err(|error| damaged(&error))?,
            engine: EngineChoice::parse(&columns.engine.unwrap_or_default()).map_err(|error| damaged(&error))?,
        })
    }
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
