//! What pages and programs read: lists, a task, a run. Few indexed statements each; lists never touch code or locks.

use std::collections::HashMap;

use app::model::{
    flow::StepKey,
    identifiers::{Kind, RunId, RunNumber, RunUid, StepId, TaskId},
    lock::Lock,
    log::RunState,
    phase::Phase,
    spec::TaskName,
    step_address::StepAddress,
    task_title::TaskTitle,
    time::Timestamp,
    views::{
        Attempt, FlowDetail, ListedTask, PreviousRun, RunDetail, RunKeys, RunSummary, SpecifiedRun, StepDetail,
        StepSummary, TaskCursor, TaskDetail, TaskPage, TaskPlace, TaskQuery, TaskSummary,
    },
};
use diesel::{
    BoolExpressionMethods as _, EscapeExpressionMethods as _, ExpressionMethods as _, JoinOnDsl as _,
    NullableExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, RunQueryDsl as _, Selectable,
    SelectableHelper as _, SqliteConnection, TextExpressionMethods as _,
    connection::DefaultLoadingMode,
    define_sql_function, dsl,
    expression::SqlLiteral,
    sql_types::{Bool, Integer, Text},
};

use super::{
    DatabaseError, checkpoints, flows,
    runs::is_active,
    schema::{attempts, checkpoints as checkpoints_table, runs, steps, tasks},
    tasks::present,
    values::{self, InFlow, SpecColumns, StepSpecColumns},
};

/// Tasks on a page of the list.
pub const TASKS_PER_PAGE: usize = 25;
/// Runs on a page of a task's history.
pub const RUNS_PER_PAGE: usize = 25;
/// Runs shown beside each task of the list.
const RECENT_RUNS: usize = 10;

/// The short columns of a run.
#[derive(Queryable, Selectable)]
#[diesel(table_name = runs, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct SummaryColumns {
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
        rows = task_rows(connection, &TaskQuery { from: None, ..query.clone() })?;
    }
    let more = rows.len() > TASKS_PER_PAGE;
    rows.truncate(TASKS_PER_PAGE);
    let came_back = from.as_ref().is_some_and(|cursor| cursor.newer);
    if came_back {
        rows.reverse();
    }
    let recent = recent_runs(connection, &rows)?;
    let codes = codes_of_unnamed(connection, &rows)?;
    let tasks = summaries(rows, recent, &codes)?;
    let cursor = |newer, task: Option<&TaskSummary>| {
        task.map(|task| TaskCursor { newer, activity_at: task.activity_at, id: task.id.clone() })
    };
    Ok(TaskPage {
        newer: if came_back || from.is_some() { cursor(true, tasks.first()) } else { None },
        older: if came_back || more { cursor(false, tasks.last()) } else { None },
        none_at_all: tasks.is_empty() && !has_tasks(connection, query.kind)?,
        tasks,
    })
}

/// The words of a search, as far as they are looked at: each one is a condition, and SQLite takes only so many.
pub(super) fn searched_words(search: &str) -> impl Iterator<Item = &str> {
    let end = search.char_indices().nth(MAX_SEARCH_CHARACTERS).map_or(search.len(), |(position, _)| position);
    search[..end].split_whitespace().take(MAX_SEARCH_WORDS)
}

/// One row more than a page holds, nearest to the cursor first.
fn task_rows(connection: &mut SqliteConnection, query: &TaskQuery) -> Result<Vec<TaskRow>, DatabaseError> {
    let mut statement = tasks::table
        .filter(tasks::deleted_at.is_null())
        .filter(is_of(query.kind))
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
pub(super) fn like_pattern(word: &str) -> String {
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

/// The last runs of each of these tasks, oldest first. One look at an index for each: numbers may have gaps, so no
/// condition on them tells which the last ones are.
fn recent_runs(
    connection: &mut SqliteConnection,
    rows: &[TaskRow],
) -> Result<HashMap<String, Vec<SummaryColumns>>, DatabaseError> {
    let mut by_task = HashMap::with_capacity(rows.len());
    for (task, ..) in rows {
        let mut recent = runs::table
            .filter(runs::task_id.eq(task))
            .order(runs::number.desc())
            .select(SummaryColumns::as_select())
            // In the order of the index, so what is not taken is not read.
            .load_iter::<SummaryColumns, DefaultLoadingMode>(connection)?
            .take(RECENT_RUNS)
            .collect::<Result<Vec<_>, _>>()?;
        recent.reverse();
        by_task.insert(task.clone(), recent);
    }
    Ok(by_task)
}

fn summaries(
    rows: Vec<TaskRow>,
    mut recent: HashMap<String, Vec<SummaryColumns>>,
    codes: &HashMap<String, String>,
) -> Result<Vec<TaskSummary>, DatabaseError> {
    rows.into_iter()
        .map(|(id, name, created_at, activity_at)| {
            let runs = recent.remove(&id).unwrap_or_default();
            let code = codes.get(&id).map(String::as_str).unwrap_or_default();
            let id = values::task_id(&id)?;
            Ok(TaskSummary {
                title: TaskTitle::of(task_name(name.as_deref()).as_ref(), code, &id),
                id,
                created_at: Timestamp(created_at),
                activity_at: Timestamp(activity_at),
                recent: runs.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

define_sql_function! {
    /// So many characters of a text, from one on, counted from 1.
    fn substr(text: Text, first: Integer, count: Integer) -> Text;
}

/// The beginning of the code of those tasks that have no name: it gives them their titles.
fn codes_of_unnamed(
    connection: &mut SqliteConnection,
    rows: &[TaskRow],
) -> Result<HashMap<String, String>, DatabaseError> {
    let unnamed: Vec<&str> =
        rows.iter().filter(|(_, name, ..)| task_name(name.as_deref()).is_none()).map(|(id, ..)| id.as_str()).collect();
    if unnamed.is_empty() {
        return Ok(HashMap::new());
    }
    let codes: Vec<(String, String)> = tasks::table
        .filter(tasks::id.eq_any(unnamed))
        .select((tasks::id, substr(tasks::code, 1, i32::from(TaskTitle::CODE_CHARACTERS))))
        .load(connection)?;
    Ok(codes.into_iter().collect())
}

/// What a task is called, which has this name.
pub(super) fn task_title(
    connection: &mut SqliteConnection,
    id: &TaskId,
    name: Option<&str>,
) -> Result<TaskTitle, DatabaseError> {
    let name = task_name(name);
    let code = match name {
        Some(_) => String::new(),
        None => tasks::table
            .find(id.as_str())
            .select(substr(tasks::code, 1, i32::from(TaskTitle::CODE_CHARACTERS)))
            .get_result(connection)?,
    };
    Ok(TaskTitle::of(name.as_ref(), &code, id))
}

/// True for tasks, or for flows. Spelled as the index `tasks_by_activity` is: SQLite then looks at those alone.
pub(super) fn is_of(kind: Kind) -> SqlLiteral<Bool> {
    dsl::sql(match kind {
        Kind::Task => "substr(tasks.id, 1, 5) = 'task-'",
        Kind::Flow => "substr(tasks.id, 1, 5) = 'flow-'",
    })
}

/// Whether there is any task, or any flow.
///
/// # Errors
/// When the database does not answer.
pub fn has_tasks(connection: &mut SqliteConnection, kind: Kind) -> Result<bool, DatabaseError> {
    let tasks = tasks::table.filter(tasks::deleted_at.is_null()).filter(is_of(kind)).select(tasks::id);
    Ok(diesel::select(dsl::exists(tasks)).get_result(connection)?)
}

/// A name that could be saved once and cannot now, such as one that nobody can see, counts as none.
pub(super) fn task_name(stored: Option<&str>) -> Option<TaskName> {
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
    let (name, revision, created_at, updated_at, spec): (Option<String>, i32, i64, i64, SpecColumns) = present(id)
        .select((tasks::name, tasks::revision, tasks::created_at, tasks::updated_at, SpecColumns::as_select()))
        .get_result(connection)?;
    let history = history(connection, id, older_than)?;
    Ok(TaskDetail {
        id: id.clone(),
        name: task_name(name.as_deref()),
        spec: spec.try_into()?,
        revision: revision.into(),
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        run_count: history.count,
        older_than: history.older_than,
        runs: history.runs,
    })
}

/// A flow with the newest runs, or with those numbered below `older_than`.
///
/// # Errors
/// `NotFound` when there is no such flow.
pub fn flow(
    connection: &mut SqliteConnection,
    id: &TaskId,
    older_than: Option<RunNumber>,
) -> Result<FlowDetail, DatabaseError> {
    let (revision, created_at, updated_at): (i32, i64, i64) =
        present(id).select((tasks::revision, tasks::created_at, tasks::updated_at)).get_result(connection)?;
    let history = history(connection, id, older_than)?;
    Ok(FlowDetail {
        id: id.clone(),
        flow: flows::saved(connection, id)?,
        revision: revision.into(),
        created_at: Timestamp(created_at),
        updated_at: Timestamp(updated_at),
        run_count: history.count,
        older_than: history.older_than,
        runs: history.runs,
    })
}

/// A page of the runs of a task or flow.
struct History {
    /// How many there are in all.
    count: u32,
    runs: Vec<RunSummary>,
    older_than: Option<RunNumber>,
}

fn history(
    connection: &mut SqliteConnection,
    id: &TaskId,
    older_than: Option<RunNumber>,
) -> Result<History, DatabaseError> {
    let count: i64 = runs::table.filter(runs::task_id.eq(id.as_str())).count().get_result(connection)?;
    let mut runs = runs_below(connection, id, older_than, RUNS_PER_PAGE + 1)?;
    let more = runs.len() > RUNS_PER_PAGE;
    runs.truncate(RUNS_PER_PAGE);
    Ok(History {
        count: u32::try_from(count).unwrap_or(u32::MAX),
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
    origin: Option<String>,
}

/// The columns of a step that a page shows, but its spec.
#[derive(Queryable, Selectable)]
#[diesel(table_name = steps, check_for_backend(diesel::sqlite::Sqlite))]
struct StepColumns {
    id: i64,
    key: String,
    name: String,
    phase: String,
    message: Option<String>,
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
/// `NotFound` when there is no such task, run or step.
pub fn run(connection: &mut SqliteConnection, address: &StepAddress) -> Result<RunDetail, DatabaseError> {
    let (id, number) = (&address.task, address.number);
    let (summary, detail, name, latest): (SummaryColumns, DetailColumns, Option<String>, i32) = runs::table
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.eq(stored_number(number)))
        .select((SummaryColumns::as_select(), DetailColumns::as_select(), tasks::name, tasks::last_run_number))
        .get_result(connection)?;
    let step = shown_step(connection, RunId(detail.id), address.step.as_ref())?;
    let (spec, step): (StepSpecColumns, StepColumns) = steps::table
        .find(step.0)
        .select((StepSpecColumns::as_select(), StepColumns::as_select()))
        .get_result(connection)?;
    let summary = RunSummary::try_from(summary)?;
    let queue_place = queue_place(connection, RunId(detail.id), summary.phase)?;
    Ok(RunDetail {
        task_id: id.clone(),
        task_title: task_title(connection, id, name.as_deref())?,
        uid: values::parsed(&detail.uid)?,
        engine: detail.engine,
        queue_place,
        cancel_requested_at: values::timestamp(detail.cancel_requested_at),
        origin: detail.origin.as_deref().map(values::from_json).transpose()?,
        previous: previous_run(connection, id, number, &step.key)?,
        next: next_run(connection, id, number)?,
        latest: values::run_number(latest)?,
        state: RunState {
            phase: summary.phase,
            version: values::count(detail.version),
            queue_place,
            lines: values::count(step.line_count),
        },
        steps: step_summaries(connection, RunId(detail.id))?,
        step: step_detail(connection, spec, step)?,
        summary,
    })
}

/// The step of a run that is called so; without a name the one to look at first: the first that failed, else the first
/// that runs, else the first that there is.
fn shown_step(connection: &mut SqliteConnection, run: RunId, key: Option<&StepKey>) -> Result<StepId, DatabaseError> {
    if let Some(key) = key {
        let id: i64 = steps::table
            .filter(steps::run_id.eq(run.0))
            .filter(steps::key.eq(key.as_str()))
            .select(steps::id)
            .get_result(connection)?;
        return Ok(StepId(id));
    }
    let all: Vec<(i64, String)> = steps::table
        .filter(steps::run_id.eq(run.0))
        .order(steps::position)
        .select((steps::id, steps::phase))
        .load(connection)?;
    let first = |phases: &[Phase]| all.iter().find(|(_, own)| phases.iter().any(|phase| phase.word() == own));
    let shown = first(&[Phase::Failed, Phase::Error]).or_else(|| first(&[Phase::Running])).or(all.first());
    shown.map(|(id, _)| StepId(*id)).ok_or(DatabaseError::NotFound)
}

fn step_detail(
    connection: &mut SqliteConnection,
    spec: StepSpecColumns,
    step: StepColumns,
) -> Result<StepDetail, DatabaseError> {
    let report = step.cache_report.map(|text| serde_json::from_str(&text)).transpose();
    Ok(StepDetail {
        id: StepId(step.id),
        key: values::parsed(&step.key)?,
        name: values::step_name(&step.name)?,
        phase: values::phase(&step.phase)?,
        spec: spec.try_into()?,
        lock: step.lock.map(Lock),
        cache: report.map_err(|error| values::damaged(&error))?,
        checkpoints: checkpoints::of_step(connection, StepId(step.id))?,
        exit_code: step.exit_code,
        message: step.message,
        attempts: attempts_of(connection, StepId(step.id))?,
        attempt: u32::try_from(step.attempt).unwrap_or(1),
        waiting_for: step.waiting_for,
        place: step.place,
    })
}

/// The attempts of a step before the present one.
fn attempts_of(connection: &mut SqliteConnection, step: StepId) -> Result<Vec<Attempt>, DatabaseError> {
    type Row = (i32, String, i64, Option<i64>, i64, Option<String>, Option<i32>);
    let rows: Vec<Row> = attempts::table
        .filter(attempts::step_id.eq(step.0))
        .order(attempts::number)
        .select((
            attempts::number,
            attempts::phase,
            attempts::last_line,
            attempts::started_at,
            attempts::finished_at,
            attempts::message,
            attempts::exit_code,
        ))
        .load(connection)?;
    let mut first_line = 1;
    rows.into_iter()
        .map(|(number, phase, last_line, started_at, finished_at, message, exit_code)| {
            Ok(Attempt {
                number: u32::try_from(number).unwrap_or(1),
                phase: values::phase(&phase)?,
                first_line: std::mem::replace(&mut first_line, values::count(last_line) + 1),
                started_at: values::timestamp(started_at),
                finished_at: Timestamp(finished_at),
                message,
                exit_code,
            })
        })
        .collect()
}

/// The columns of a step that a list of them shows.
#[derive(Queryable, Selectable)]
#[diesel(table_name = steps, check_for_backend(diesel::sqlite::Sqlite))]
struct StepSummaryColumns {
    id: i64,
    key: String,
    name: String,
    phase: String,
    in_flow: String,
    attempt: i32,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    message: Option<String>,
    waiting_for: Option<String>,
}

/// The steps of a run, in order.
fn step_summaries(connection: &mut SqliteConnection, run: RunId) -> Result<Vec<StepSummary>, DatabaseError> {
    let rows: Vec<StepSummaryColumns> = steps::table
        .filter(steps::run_id.eq(run.0))
        .order(steps::position)
        .select(StepSummaryColumns::as_select())
        .load(connection)?;
    let prepared: Vec<(i64, Option<i64>)> = checkpoints_table::table
        .inner_join(steps::table)
        .filter(steps::run_id.eq(run.0))
        .group_by(checkpoints_table::step_id)
        .select((checkpoints_table::step_id, dsl::max(checkpoints_table::at)))
        .load(connection)?;
    let prepared: HashMap<i64, Option<i64>> = prepared.into_iter().collect();
    let indices: HashMap<StepKey, usize> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| Ok((values::parsed(&row.key)?, index)))
        .collect::<Result<_, DatabaseError>>()?;
    rows.into_iter()
        .map(|row| {
            let in_flow: InFlow = values::from_json(&row.in_flow)?;
            Ok(StepSummary {
                key: values::parsed(&row.key)?,
                name: values::step_name(&row.name)?,
                phase: values::phase(&row.phase)?,
                runs_after: in_flow.runs_after.iter().filter_map(|key| indices.get(key).copied()).collect(),
                runs_when: in_flow.runs_when,
                placement: in_flow.placement,
                attempt: u32::try_from(row.attempt).unwrap_or(1),
                started_at: values::timestamp(row.started_at),
                prepared_at: prepared.get(&row.id).copied().flatten().map(Timestamp),
                finished_at: values::timestamp(row.finished_at),
                message: row.message.or(row.waiting_for),
                kept_from: in_flow.kept_from,
            })
        })
        .collect()
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
    step: &str,
) -> Result<Option<PreviousRun>, DatabaseError> {
    let row: Option<(i32, StepSpecColumns, Option<String>)> = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.lt(stored_number(number)))
        .filter(steps::key.eq(step))
        .order(runs::number.desc())
        .select((runs::number, StepSpecColumns::as_select(), steps::lock))
        .get_result(connection)
        .optional()?;
    row.map(|(number, spec, lock)| {
        Ok(PreviousRun { number: values::run_number(number)?, spec: spec.try_into()?, lock: lock.map(Lock) })
    })
    .transpose()
}

fn next_run(
    connection: &mut SqliteConnection,
    id: &TaskId,
    number: RunNumber,
) -> Result<Option<RunNumber>, DatabaseError> {
    let next: Option<i32> = runs::table
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.gt(stored_number(number)))
        .select(dsl::min(runs::number))
        .get_result(connection)?;
    next.map(values::run_number).transpose()
}

/// The keys of a run and of a step of it.
///
/// # Errors
/// `NotFound` when there is no such task, run or step.
pub fn step_keys(connection: &mut SqliteConnection, address: &StepAddress) -> Result<RunKeys, DatabaseError> {
    let run = runs::table
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::task_id.eq(address.task.as_str()))
        .filter(runs::number.eq(stored_number(address.number)))
        .select(runs::id)
        .get_result(connection)?;
    let step = shown_step(connection, RunId(run), address.step.as_ref())?;
    Ok(RunKeys { run: RunId(run), step, number: address.number })
}

/// The engine of a step's run, and by which names its outputs are kept.
///
/// # Errors
/// `NotFound` when there is no such task, run or step.
pub fn output_place(
    connection: &mut SqliteConnection,
    address: &StepAddress,
) -> Result<(String, RunUid, StepKey), DatabaseError> {
    let step = step_keys(connection, address)?.step;
    let (engine, uid, key): (String, String, String) = steps::table
        .inner_join(runs::table)
        .filter(steps::id.eq(step.0))
        .select((runs::engine, runs::uid, steps::key))
        .get_result(connection)?;
    Ok((engine, values::parsed(&uid)?, values::parsed(&key)?))
}

/// The keys of a task's latest run.
///
/// # Errors
/// `NotFound` when there is no such task, or it has no run.
pub fn latest_run_keys(connection: &mut SqliteConnection, id: &TaskId) -> Result<RunKeys, DatabaseError> {
    let (run, number): (i64, i32) = runs::table
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::task_id.eq(id.as_str()))
        .order(runs::number.desc())
        .select((runs::id, runs::number))
        .get_result(connection)?;
    let step = shown_step(connection, RunId(run), None)?;
    Ok(RunKeys { run: RunId(run), step, number: values::run_number(number)? })
}

/// The part of a run that changes while somebody looks at it.
///
/// # Errors
/// `NotFound` when it was deleted.
pub fn run_state(connection: &mut SqliteConnection, step: StepId) -> Result<RunState, DatabaseError> {
    let (run, phase, version, lines): (i64, String, i64, i64) = steps::table
        .inner_join(runs::table.inner_join(tasks::table))
        .filter(steps::id.eq(step.0))
        .filter(tasks::deleted_at.is_null())
        .select((runs::id, runs::phase, runs::version, steps::line_count))
        .get_result(connection)?;
    let phase = values::phase(&phase)?;
    let queue_place = queue_place(connection, RunId(run), phase)?;
    Ok(RunState { phase, version: values::count(version), queue_place, lines: values::count(lines) })
}

/// The task and number of a run by its name outside of the database.
///
/// # Errors
/// `NotFound` when there is no such run.
pub fn run_by_uid(connection: &mut SqliteConnection, uid: &RunUid) -> Result<(TaskId, RunNumber), DatabaseError> {
    let (task, number): (String, i32) = runs::table
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::uid.eq(uid.as_str()))
        .select((runs::task_id, runs::number))
        .get_result(connection)?;
    Ok((values::task_id(&task)?, values::run_number(number)?))
}

/// Tasks with their latest runs, oldest first, from a place on: what the REST API lists. So many at most.
///
/// # Errors
/// When the database does not answer.
pub fn listed_tasks(
    connection: &mut SqliteConnection,
    after: Option<&TaskPlace>,
    limit: usize,
) -> Result<Vec<ListedTask>, DatabaseError> {
    type Row = (String, i64, Option<(String, Option<i64>, Option<i64>)>);
    let (created_at, id) = after.map_or((i64::MIN, ""), |place| (place.created_at.0, place.id.as_str()));
    let rows: Vec<Row> = tasks::table
        .left_join(runs::table.on(runs::task_id.eq(tasks::id).and(runs::number.eq(tasks::last_run_number))))
        .filter(tasks::deleted_at.is_null())
        // Not as `is_of` says it: that would have SQLite look in the other index, and sort.
        .filter(tasks::id.not_like("flow-%"))
        // The first comparison is what the index serves; the rest only breaks ties.
        .filter(tasks::created_at.ge(created_at))
        .filter(tasks::created_at.gt(created_at).or(tasks::id.gt(id)))
        .order((tasks::created_at, tasks::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
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

/// The runs of a task numbered below `older_than`, newest first, each with its copy of the spec. So many at most.
///
/// # Errors
/// When the database does not answer.
pub fn specified_runs(
    connection: &mut SqliteConnection,
    id: &TaskId,
    older_than: Option<RunNumber>,
    limit: usize,
) -> Result<Vec<SpecifiedRun>, DatabaseError> {
    let rows: Vec<(i64, String, SummaryColumns, StepSpecColumns)> = runs::table
        .inner_join(steps::table)
        .filter(runs::task_id.eq(id.as_str()))
        .filter(runs::number.lt(older_than.map_or(i32::MAX, stored_number)))
        .filter(steps::position.eq(1))
        .order(runs::number.desc())
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((runs::id, runs::uid, SummaryColumns::as_select(), StepSpecColumns::as_select()))
        .load(connection)?;
    rows.into_iter()
        .map(|(id, uid, summary, spec)| {
            Ok(SpecifiedRun {
                id: RunId(id),
                uid: values::parsed(&uid)?,
                summary: summary.try_into()?,
                spec: spec.try_into()?,
            })
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
