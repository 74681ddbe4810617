//! What pages and programs read: lists, a task, a run. Few indexed statements each; lists never touch code or locks.

use std::collections::HashMap;

use app::model::{
    identifiers::{RunId, RunNumber, StepId, TaskId},
    lock::Lock,
    log::RunState,
    phase::Phase,
    spec::{TaskName, TaskSpec},
    time::Timestamp,
    views::{PreviousRun, RunDetail, RunSummary, StepDetail, TaskCursor, TaskDetail, TaskPage, TaskQuery, TaskSummary},
};
use diesel::{
    BoolExpressionMethods as _, EscapeExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _,
    NullableExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _, Selectable,
    SelectableHelper as _, SqliteConnection, TextExpressionMethods as _, dsl,
};

use super::{
    DatabaseError, checkpoints,
    runs::is_active,
    schema::{runs, steps, tasks},
    values::{self, SpecColumns, StepSpecColumns},
};

/// Tasks on a page of the list.
pub const TASKS_PER_PAGE: usize = 25;
/// Runs on a page of a task's history.
pub const RUNS_PER_PAGE: usize = 25;
/// Runs shown beside each task of the list.
const RECENT_RUNS: i32 = 10;

/// The short columns of a run.
#[derive(Queryable, Selectable)]
#[diesel(table_name = runs, check_for_backend(diesel::sqlite::Sqlite))]
struct SummaryColumns {
    number: i32,
    phase: String,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    message: Option<String>,
}

impl TryFrom<SummaryColumns> for RunSummary {
    type Error = DatabaseError;

    fn try_from(columns: SummaryColumns) -> Result<Self, Self::Error> {
        Ok(Self {
            number: values::run_number(columns.number)?,
            phase: values::phase(&columns.phase)?,
            created_at: Timestamp(columns.created_at),
            started_at: values::timestamp(columns.started_at),
            finished_at: values::timestamp(columns.finished_at),
            message: columns.message,
        })
    }
}

/// Words and characters of a search beyond these are left out.
const MAX_SEARCH_WORDS: usize = 8;
const MAX_SEARCH_CHARACTERS: usize = 200;

/// The short columns of a task.
type TaskRow = (String, Option<String>, i64, i64);

/// A page of the task list.
///
/// # Errors
/// When the database does not answer.
pub fn task_page(connection: &mut SqliteConnection, query: &TaskQuery) -> Result<TaskPage, DatabaseError> {
    let (mut rows, mut from) = (task_rows(connection, query)?, query.from.clone());
    if rows.len() <= TASKS_PER_PAGE && from.as_ref().is_some_and(|cursor| cursor.newer) {
        // The way back ends at the newest tasks: show those, a full page of them.
        from = None;
        rows = task_rows(connection, &TaskQuery { search: query.search.clone(), from: None })?;
    }
    let more = rows.len() > TASKS_PER_PAGE;
    rows.truncate(TASKS_PER_PAGE);
    let came_back = from.as_ref().is_some_and(|cursor| cursor.newer);
    if came_back {
        rows.reverse();
    }
    let recent = recent_runs(connection, &rows)?;
    let tasks = summaries(rows, recent)?;
    let cursor = |newer, task: Option<&TaskSummary>| {
        task.map(|task| TaskCursor { newer, activity_at: task.activity_at, id: task.id.clone() })
    };
    Ok(TaskPage {
        newer: if came_back || from.is_some() { cursor(true, tasks.first()) } else { None },
        older: if came_back || more { cursor(false, tasks.last()) } else { None },
        none_at_all: tasks.is_empty() && is_empty(connection)?,
        tasks,
    })
}

/// The words of a search, as far as they are looked at: each one is a condition, and SQLite takes only so many.
fn searched_words(search: &str) -> impl Iterator<Item = &str> {
    let end = search.char_indices().nth(MAX_SEARCH_CHARACTERS).map_or(search.len(), |(position, _)| position);
    search[..end].split_whitespace().take(MAX_SEARCH_WORDS)
}

/// One row more than a page holds, nearest to the cursor first.
fn task_rows(connection: &mut SqliteConnection, query: &TaskQuery) -> Result<Vec<TaskRow>, DatabaseError> {
    let mut statement = tasks::table
        .filter(tasks::deleted_at.is_null())
        .select((tasks::id, tasks::name, tasks::created_at, tasks::activity_at))
        .limit(i64::try_from(TASKS_PER_PAGE + 1).unwrap_or(i64::MAX))
        .into_boxed();
    for word in searched_words(&query.search) {
        let pattern = like_pattern(word);
        statement = statement.filter(
            tasks::name
                .like(pattern.clone())
                .escape('\\')
                .or(tasks::id.like(pattern.clone()).escape('\\'))
                .or(tasks::code.like(pattern.clone()).escape('\\'))
                .or(tasks::dependencies.like(pattern.clone()).escape('\\'))
                .or(tasks::system_dependencies.like(pattern.clone()).escape('\\'))
                .or(tasks::requirements.like(pattern).escape('\\')),
        );
    }
    // The first comparison is what the index serves; the rest only breaks ties.
    statement = match &query.from {
        None => statement.order((tasks::activity_at.desc(), tasks::id.desc())),
        Some(TaskCursor { newer: false, activity_at, id }) => statement
            .filter(tasks::activity_at.le(activity_at.0))
            .filter(tasks::activity_at.lt(activity_at.0).or(tasks::id.lt(id.as_str().to_owned())))
            .order((tasks::activity_at.desc(), tasks::id.desc())),
        Some(TaskCursor { newer: true, activity_at, id }) => statement
            .filter(tasks::activity_at.ge(activity_at.0))
            .filter(tasks::activity_at.gt(activity_at.0).or(tasks::id.gt(id.as_str().to_owned())))
            .order((tasks::activity_at.asc(), tasks::id.asc())),
    };
    Ok(statement.load(connection)?)
}

/// A pattern for `LIKE … ESCAPE '\'` that finds the word itself.
fn like_pattern(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for character in word.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// The last runs of all these tasks in one statement. A run is only ever deleted with its task, so the numbers of a
/// task have no gaps and the last ten are the ten highest numbers.
fn recent_runs(
    connection: &mut SqliteConnection,
    rows: &[TaskRow],
) -> Result<HashMap<String, Vec<SummaryColumns>>, DatabaseError> {
    if rows.is_empty() {
        // SQLite would look through all runs for those of no task.
        return Ok(HashMap::new());
    }
    let found: Vec<(String, SummaryColumns)> = runs::table
        .inner_join(tasks::table)
        .filter(tasks::id.eq_any(rows.iter().map(|(id, ..)| id)))
        .filter(runs::number.gt(tasks::last_run_number - RECENT_RUNS))
        .order((runs::task_id, runs::number))
        .select((runs::task_id, SummaryColumns::as_select()))
        .load(connection)?;
    let mut by_task: HashMap<String, Vec<SummaryColumns>> = HashMap::with_capacity(rows.len());
    for (task, run) in found {
        by_task.entry(task).or_default().push(run);
    }
    Ok(by_task)
}

fn summaries(
    rows: Vec<TaskRow>,
    mut recent: HashMap<String, Vec<SummaryColumns>>,
) -> Result<Vec<TaskSummary>, DatabaseError> {
    rows.into_iter()
        .map(|(id, name, created_at, activity_at)| {
            let runs = recent.remove(&id).unwrap_or_default();
            Ok(TaskSummary {
                id: values::task_id(&id)?,
                name: task_name(name.as_deref()),
                created_at: Timestamp(created_at),
                activity_at: Timestamp(activity_at),
                recent: runs.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

fn is_empty(connection: &mut SqliteConnection) -> Result<bool, DatabaseError> {
    Ok(!diesel::select(dsl::exists(tasks::table.filter(tasks::deleted_at.is_null()).select(tasks::id)))
        .get_result::<bool>(connection)?)
}

/// A name that could be saved once and cannot now, such as one that nobody can see, counts as none.
fn task_name(stored: Option<&str>) -> Option<TaskName> {
    TaskName::parse(stored.unwrap_or_default()).unwrap_or_default()
}

/// A task with the newest runs, or with those numbered below `older_than`.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn task(
    connection: &mut SqliteConnection,
    id: &TaskId,
    older_than: Option<RunNumber>,
) -> Result<TaskDetail, DatabaseError> {
    let (name, revision, last_run_number, created_at, updated_at, spec): (
        Option<String>,
        i32,
        i32,
        i64,
        i64,
        SpecColumns,
    ) = tasks::table
        .find(id.as_str())
        .filter(tasks::deleted_at.is_null())
        .select((
            tasks::name,
            tasks::revision,
            tasks::last_run_number,
            tasks::created_at,
            tasks::updated_at,
            SpecColumns::as_select(),
        ))
        .get_result(connection)?;
    let mut runs = runs_below(connection, id, older_than, RUNS_PER_PAGE + 1)?;
    let more = runs.len() > RUNS_PER_PAGE;
    runs.truncate(RUNS_PER_PAGE);
    Ok(TaskDetail {
        id: id.clone(),
        name: task_name(name.as_deref()),
        spec: spec.try_into()?,
        revision: revision.into(),
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        run_count: u32::try_from(last_run_number).unwrap_or(0),
        older_than: runs.last().filter(|_| more).map(|run| run.number),
        runs,
    })
}

fn runs_below(
    connection: &mut SqliteConnection,
    id: &TaskId,
    older_than: Option<RunNumber>,
    limit: usize,
) -> Result<Vec<RunSummary>, DatabaseError> {
    let rows: Vec<SummaryColumns> = runs::table
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.lt(older_than.map_or(i32::MAX, stored_number)))
        .order(runs::number.desc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(SummaryColumns::as_select())
        .load(connection)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// A run's number as a column holds it. A number that no column can hold belongs to no run.
fn stored_number(number: RunNumber) -> i32 {
    i32::try_from(number.get()).unwrap_or(i32::MAX)
}

/// The columns of a run that only its own page needs.
#[derive(Queryable, Selectable)]
#[diesel(table_name = runs, check_for_backend(diesel::sqlite::Sqlite))]
struct DetailColumns {
    id: i64,
    uid: String,
    engine: String,
    version: i64,
    cancel_requested_at: Option<i64>,
}

/// The columns of a step that a page shows, but its spec.
#[derive(Queryable, Selectable)]
#[diesel(table_name = steps, check_for_backend(diesel::sqlite::Sqlite))]
struct StepColumns {
    id: i64,
    name: String,
    phase: String,
    line_count: i64,
    attempt: i32,
    exit_code: Option<i32>,
    waiting_for: Option<String>,
    place: Option<String>,
    cache_report: Option<String>,
    lock: Option<String>,
}

/// A run with all that its page shows, but the log.
///
/// # Errors
/// `NotFound` when there is no such task or run.
pub fn run(connection: &mut SqliteConnection, id: &TaskId, number: RunNumber) -> Result<RunDetail, DatabaseError> {
    let (summary, detail, name, latest): (SummaryColumns, DetailColumns, Option<String>, i32) = runs::table
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.eq(stored_number(number)))
        .select((SummaryColumns::as_select(), DetailColumns::as_select(), tasks::name, tasks::last_run_number))
        .get_result(connection)?;
    let (spec, step): (StepSpecColumns, StepColumns) = steps::table
        .filter(steps::run_id.eq(detail.id))
        .order(steps::position)
        .select((StepSpecColumns::as_select(), StepColumns::as_select()))
        .get_result(connection)?;
    let summary = RunSummary::try_from(summary)?;
    let queue_place = queue_place(connection, RunId(detail.id), summary.phase)?;
    Ok(RunDetail {
        task_id: id.clone(),
        task_name: task_name(name.as_deref()),
        uid: values::parsed(&detail.uid)?,
        engine: detail.engine,
        queue_place,
        cancel_requested_at: values::timestamp(detail.cancel_requested_at),
        previous: previous_run(connection, id, number)?,
        latest: values::run_number(latest)?,
        state: RunState {
            phase: summary.phase,
            version: values::count(detail.version),
            queue_place,
            lines: values::count(step.line_count),
        },
        step: step_detail(connection, spec, step)?,
        summary,
    })
}

fn step_detail(
    connection: &mut SqliteConnection,
    spec: StepSpecColumns,
    step: StepColumns,
) -> Result<StepDetail, DatabaseError> {
    let report = step.cache_report.map(|text| serde_json::from_str(&text)).transpose();
    Ok(StepDetail {
        id: StepId(step.id),
        name: step.name,
        phase: values::phase(&step.phase)?,
        spec: SpecColumns::from(spec).try_into()?,
        lock: step.lock.map(Lock),
        cache: report.map_err(|error| values::damaged(&error))?,
        checkpoints: checkpoints::of_step(connection, StepId(step.id))?,
        exit_code: step.exit_code,
        attempt: u32::try_from(step.attempt).unwrap_or(1),
        waiting_for: step.waiting_for,
        place: step.place,
    })
}

/// How many runs wait up to and with this one, while it waits.
fn queue_place(connection: &mut SqliteConnection, id: RunId, phase: Phase) -> Result<Option<u32>, DatabaseError> {
    if phase != Phase::Pending {
        return Ok(None);
    }
    let place: i64 = runs::table
        .filter(is_active())
        .filter(runs::phase.eq(Phase::Pending.word()))
        .filter(runs::id.le(id.0))
        .count()
        .get_result(connection)?;
    Ok(u32::try_from(place).ok())
}

fn previous_run(
    connection: &mut SqliteConnection,
    id: &TaskId,
    number: RunNumber,
) -> Result<Option<PreviousRun>, DatabaseError> {
    let row: Option<(i32, StepSpecColumns, Option<String>)> = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.lt(stored_number(number)))
        .filter(steps::position.eq(1))
        .order(runs::number.desc())
        .select((runs::number, StepSpecColumns::as_select(), steps::lock))
        .get_result(connection)
        .optional()?;
    row.map(|(number, spec, lock)| {
        Ok(PreviousRun {
            number: values::run_number(number)?,
            spec: SpecColumns::from(spec).try_into()?,
            lock: lock.map(Lock),
        })
    })
    .transpose()
}

/// The keys of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunKeys {
    /// The run's.
    pub run: RunId,
    /// Its first step's.
    pub step: StepId,
    /// Its number within the task.
    pub number: RunNumber,
}

/// The keys of a run, or of the latest one.
///
/// # Errors
/// `NotFound` when there is no such task or run.
pub fn run_keys(
    connection: &mut SqliteConnection,
    id: &TaskId,
    number: Option<RunNumber>,
) -> Result<RunKeys, DatabaseError> {
    let (lowest, highest) = number.map_or((0, i32::MAX), |number| (stored_number(number), stored_number(number)));
    let (run, step, number): (i64, i64, i32) = runs::table
        .inner_join(steps::table)
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.between(lowest, highest))
        .order((runs::number.desc(), steps::position))
        .select((runs::id, steps::id, runs::number))
        .get_result(connection)?;
    Ok(RunKeys { run: RunId(run), step: StepId(step), number: values::run_number(number)? })
}

/// The part of a run that changes while somebody looks at it.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn run_state(connection: &mut SqliteConnection, step: StepId) -> Result<RunState, DatabaseError> {
    let (run, phase, version, lines): (i64, String, i64, i64) = steps::table
        .inner_join(runs::table)
        .filter(steps::id.eq(step.0))
        .select((runs::id, runs::phase, runs::version, steps::line_count))
        .get_result(connection)?;
    let phase = values::phase(&phase)?;
    let queue_place = queue_place(connection, RunId(run), phase)?;
    Ok(RunState { phase, version: values::count(version), queue_place, lines: values::count(lines) })
}

/// The task and number of a run by its key.
///
/// # Errors
/// `NotFound` when there is no such run.
pub fn run_by_key(connection: &mut SqliteConnection, run: RunId) -> Result<(TaskId, RunNumber), DatabaseError> {
    let (task, number): (String, i32) =
        runs::table.find(run.0).select((runs::task_id, runs::number)).get_result(connection)?;
    Ok((values::task_id(&task)?, values::run_number(number)?))
}

/// A task in the REST API's list, with its latest run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTask {
    /// Its id.
    pub id: TaskId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Phase, start and end of the latest run.
    pub latest: Option<(Phase, Option<Timestamp>, Option<Timestamp>)>,
}

/// All tasks, oldest first, with their latest runs: what the REST API lists.
///
/// # Errors
/// When the database does not answer.
pub fn all_tasks(connection: &mut SqliteConnection) -> Result<Vec<ListedTask>, DatabaseError> {
    type Row = (String, i64, Option<(String, Option<i64>, Option<i64>)>);
    let rows: Vec<Row> = tasks::table
        .left_join(runs::table.on(runs::task_id.eq(tasks::id).and(runs::number.eq(tasks::last_run_number))))
        .filter(tasks::deleted_at.is_null())
        .order((tasks::created_at, tasks::id))
        .select((tasks::id, tasks::created_at, (runs::phase, runs::started_at, runs::finished_at).nullable()))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, created_at, latest)| {
            let latest = latest.map(|(phase, started_at, finished_at)| {
                Ok::<_, DatabaseError>((
                    values::phase(&phase)?,
                    values::timestamp(started_at),
                    values::timestamp(finished_at),
                ))
            });
            Ok(ListedTask { id: values::task_id(&id)?, created_at: Timestamp(created_at), latest: latest.transpose()? })
        })
        .collect()
}

/// A run with its copy of the spec, as the REST API shows it with its task.
#[derive(Debug, Clone)]
pub struct SpecifiedRun {
    /// Its key.
    pub id: RunId,
    /// Number, phase, times and message.
    pub summary: RunSummary,
    /// Its copy of the spec.
    pub spec: TaskSpec,
}

/// All runs of a task, newest first, each with its copy of the spec.
///
/// # Errors
/// When the database does not answer.
pub fn specified_runs(connection: &mut SqliteConnection, id: &TaskId) -> Result<Vec<SpecifiedRun>, DatabaseError> {
    let rows: Vec<(i64, SummaryColumns, StepSpecColumns)> = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(steps::position.eq(1))
        .order(runs::number.desc())
        .select((runs::id, SummaryColumns::as_select(), StepSpecColumns::as_select()))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, summary, spec)| {
            Ok(SpecifiedRun { id: RunId(id), summary: summary.try_into()?, spec: SpecColumns::from(spec).try_into()? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_searched_word_means_itself() {
        assert_eq!(like_pattern(r"50%_\"), r"%50\%\_\\%");
    }
}
