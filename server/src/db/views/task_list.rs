//! The list of tasks, and that of flows.

use std::collections::HashMap;

use app::model::{
    identifiers::{Kind, TaskId},
    phase::Phase,
    spec::{EngineChoice, TaskName},
    task_counts::{TaskCounts, TaskFacts},
    task_title::TaskTitle,
    time::Timestamp,
    views::{TaskCursor, TaskPage, TaskQuery, TaskSummary},
};
use diesel::{
    BoolExpressionMethods as _, EscapeExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _,
    SelectableHelper as _, SqliteConnection, TextExpressionMethods as _,
    connection::DefaultLoadingMode,
    define_sql_function, dsl,
    expression::SqlLiteral,
    sql_types::{Bool, Integer, Nullable, Text},
    sqlite::Sqlite,
};

use super::{SummaryColumns, TASKS_PER_PAGE};
use crate::db::{
    DatabaseError, run_list,
    schema::{flow_steps, runs, tasks},
    values,
};

/// Of so many tasks at most the last runs are counted.
const COUNTED: u16 = 2000;

/// Runs shown beside each task of the list.
const RECENT_RUNS: usize = 10;

/// Words and characters of a search beyond these are left out.
const MAX_SEARCH_WORDS: usize = 8;
const MAX_SEARCH_CHARACTERS: usize = 200;

/// The short columns of a task.
type TaskRow = (String, Option<String>, i64, i64);

/// A page of the task list.
///
/// # Errors
/// When the database does not answer.
pub fn task_page(
    connection: &mut SqliteConnection,
    query: &TaskQuery,
    now: Timestamp,
) -> Result<TaskPage, DatabaseError> {
    let (mut rows, mut from) = (task_rows(connection, query, now)?, query.from.clone());
    if rows.len() <= TASKS_PER_PAGE && from.as_ref().is_some_and(|cursor| cursor.newer) {
        // The way back ends at the newest tasks: show those, a full page of them.
        from = None;
        rows = task_rows(connection, &TaskQuery { from: None, ..query.clone() }, now)?;
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
        counts: counts(connection, query, now)?,
        tasks,
    })
}

/// The words of a search, as far as they are looked at: each one is a condition, and SQLite takes only so many.
pub(in crate::db) fn searched_words(search: &str) -> impl Iterator<Item = &str> {
    let end = search.char_indices().nth(MAX_SEARCH_CHARACTERS).map_or(search.len(), |(position, _)| position);
    search[..end].split_whitespace().take(MAX_SEARCH_WORDS)
}

/// One row more than a page holds, nearest to the cursor first.
fn task_rows(
    connection: &mut SqliteConnection,
    query: &TaskQuery,
    now: Timestamp,
) -> Result<Vec<TaskRow>, DatabaseError> {
    let mut statement = matching(query);
    if let Some(last) = query.last {
        let phases = Phase::OF_RUNS.into_iter().map(Some).chain([None]).filter(|phase| last.includes(*phase));
        let words: Vec<&str> = phases.map(|phase| phase.map_or("", Phase::word)).collect();
        statement = statement.filter(coalesce(of_last_run("runs.phase"), "").eq_any(words));
    }
    if let Some(engine) = &query.engine {
        statement = statement.filter(of_last_run("runs.engine").eq(engine.as_str().to_owned()));
    }
    if let Some(since) = query.since {
        statement = statement.filter(tasks::activity_at.ge(now.0 - since.millis()));
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
    let rows = statement
        .select((tasks::id, tasks::name, tasks::created_at, tasks::activity_at))
        .limit(i64::try_from(TASKS_PER_PAGE + 1).unwrap_or(i64::MAX));
    Ok(rows.load(connection)?)
}

define_sql_function! {
    /// The first of two that is not null.
    fn coalesce(first: Nullable<Text>, second: Text) -> Text;
}

/// What the row of a task's last run says; null when there is none.
fn of_last_run(expression: &str) -> SqlLiteral<Nullable<Text>> {
    dsl::sql(&format!(
        "(SELECT {expression} FROM runs WHERE runs.task_id = tasks.id ORDER BY runs.number DESC LIMIT 1)"
    ))
}

/// How many of the tasks that were searched for each choice of the filters would list.
fn counts(connection: &mut SqliteConnection, query: &TaskQuery, now: Timestamp) -> Result<TaskCounts, DatabaseError> {
    let engines: Vec<EngineChoice> =
        run_list::engines(connection)?.iter().filter_map(|engine| EngineChoice::parse(engine).ok().flatten()).collect();
    let rows: Vec<(Option<String>, i64)> = matching(query)
        .select((of_last_run("runs.phase || ' ' || runs.engine"), tasks::activity_at))
        .limit(i64::from(COUNTED) + 1)
        .load(connection)?;
    let mut facts = Vec::with_capacity(rows.len());
    for (last, activity_at) in rows {
        let last = match last.as_deref().and_then(|last| last.split_once(' ')) {
            Some((phase, engine)) => Some((values::phase(phase)?, engine.to_owned())),
            None => None,
        };
        facts.push(TaskFacts { last, activity_at: Timestamp(activity_at) });
    }
    let counted = Some(&*facts).filter(|facts| facts.len() <= usize::from(COUNTED));
    Ok(TaskCounts::of(counted, &engines, query, now))
}

/// The tasks that are searched for.
fn matching(query: &TaskQuery) -> tasks::BoxedQuery<'static, Sqlite> {
    let mut statement = tasks::table.filter(tasks::deleted_at.is_null()).filter(is_of(query.kind)).into_boxed();
    for word in searched_words(&query.search) {
        let pattern = like_pattern(word);
        // A flow's code is its steps'.
        let step = flow_steps::table
            .filter(
                flow_steps::name
                    .like(pattern.clone())
                    .escape('\\')
                    .or(flow_steps::code.like(pattern.clone()).escape('\\')),
            )
            .select(flow_steps::task_id);
        statement = match query.kind {
            Kind::Flow => {
                let named = tasks::name.like(pattern.clone()).escape('\\');
                statement.filter(named.or(tasks::id.like(pattern).escape('\\')).or(tasks::id.eq_any(step)))
            }
            Kind::Task => statement.filter(
                tasks::name
                    .like(pattern.clone())
                    .escape('\\')
                    .or(tasks::id.like(pattern.clone()).escape('\\'))
                    .or(tasks::code.like(pattern.clone()).escape('\\'))
                    .or(tasks::dependencies.like(pattern.clone()).escape('\\'))
                    .or(tasks::system_dependencies.like(pattern.clone()).escape('\\'))
                    .or(tasks::requirements.like(pattern).escape('\\')),
            ),
        };
    }
    statement
}

/// A pattern for `LIKE … ESCAPE '\'` that finds the word itself.
pub(in crate::db) fn like_pattern(word: &str) -> String {
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
pub(in crate::db) fn task_title(
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
pub(in crate::db) fn is_of(kind: Kind) -> SqlLiteral<Bool> {
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
pub(in crate::db) fn task_name(stored: Option<&str>) -> Option<TaskName> {
    TaskName::parse(stored.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_searched_word_means_itself() {
        assert_eq!(like_pattern(r"50%_\"), r"%50\%\_\\%");
    }
}
