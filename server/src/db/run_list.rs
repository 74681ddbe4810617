//! The list of all runs, and how many runs each choice of its filters would list. Both come from the same groups: the
//! runs of one engine in one phase, which an index has in order. Few groups are merged here, so that SQLite never sorts,
//! and never walks along runs that do not match.

use std::collections::HashMap;

use app::model::{
    identifiers::{RunId, RunUid, TaskId},
    phase::Phase,
    run_list::{Count, ListedRun, PhaseChoice, RunCounts, RunCursor, RunPage, RunQuery, Since},
    spec::EngineChoice,
    task_title::TaskTitle,
    time::Timestamp,
};
use diesel::{
    BoolExpressionMethods as _, EscapeExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _,
    QueryDsl as _, Queryable, QueryableByName, RunQueryDsl as _, Selectable, SelectableHelper as _, SqliteConnection,
    TextExpressionMethods as _,
    connection::DefaultLoadingMode,
    dsl,
    sql_types::{BigInt, Bool, Text},
};

use super::{
    DatabaseError,
    schema::{runs, tasks},
    values,
    views::{self, SummaryColumns, like_pattern, searched_words},
};

/// Runs on a page of the list.
pub const RUNS_PER_PAGE: usize = 50;
/// So many of a group are read to be counted: one more than is said.
const COUNTED: usize = Count::MOST + 1;

/// Up to so many runs of the tasks that a search found are read at once.
const FEW: usize = 5000;

/// The runs of which tasks are listed.
enum Scope {
    /// Of all.
    All,
    /// Of one.
    Task(TaskId),
    /// Of those that a search found: a JSON array of their ids.
    Found(String),
}

/// Runs of one engine in one phase.
struct Group {
    engine: String,
    phase: Phase,
    /// The keys of the newest ones, newest first: all, or [`COUNTED`] of them.
    runs: Vec<i64>,
}

impl Group {
    fn is_complete(&self) -> bool {
        self.runs.len() < COUNTED
    }

    /// How many there are from this key on; beyond [`Count::MOST`], more than that.
    fn count_from(&self, first: i64) -> usize {
        self.runs.iter().take_while(|run| **run >= first).count()
    }
}

/// A part of the list: runs from a key on, from a place on.
#[derive(Clone, Copy)]
struct Part {
    first: i64,
    from: Option<RunCursor>,
}

impl Part {
    fn goes_back(self) -> bool {
        self.from.is_some_and(|cursor| cursor.newer)
    }

    fn includes(self, run: i64) -> bool {
        run >= self.first
            && match self.from {
                None => true,
                Some(RunCursor { newer: true, run: place }) => run > place.0,
                Some(RunCursor { newer: false, run: place }) => run < place.0,
            }
    }

    /// Puts runs into the order in which they are met, nearest to the place first.
    fn sort(self, runs: &mut [i64]) {
        runs.sort_unstable();
        if !self.goes_back() {
            runs.reverse();
        }
    }
}

/// A page of the list.
///
/// # Errors
/// `NotFound` when there is no such task.
pub fn page(connection: &mut SqliteConnection, query: &RunQuery, now: Timestamp) -> Result<RunPage, DatabaseError> {
    let (task_title, scope) = match &query.task {
        Some(task) => {
            let name = super::tasks::name(connection, task)?.ok_or(DatabaseError::NotFound)?;
            let title = views::task_title(connection, task, name.as_deref())?;
            (Some(title), task_scope(connection, task, &query.search)?)
        }
        None => (None, scope(connection, &query.search)?),
    };
    let groups = groups(connection, &scope)?;
    let ages = ages(connection, now)?;
    let first = ages.iter().find(|(since, _)| *since == query.since).map_or(0, |(_, first)| *first);

    let mut part = Part { first, from: query.from };
    let mut ids = listed(connection, &scope, &groups, query, part)?;
    if part.goes_back() && ids.len() <= RUNS_PER_PAGE {
        // The way back ends at the newest runs: show those, a full page of them.
        part.from = None;
        ids = listed(connection, &scope, &groups, query, part)?;
    }
    let more = ids.len() > RUNS_PER_PAGE;
    ids.truncate(RUNS_PER_PAGE);
    if part.goes_back() {
        ids.reverse();
    }
    let cursor = |newer, run: Option<&i64>| run.map(|run| RunCursor { newer, run: RunId(*run) });
    Ok(RunPage {
        newer: if part.from.is_some() { cursor(true, ids.first()) } else { None },
        older: if part.goes_back() || more { cursor(false, ids.last()) } else { None },
        task_title,
        counts: counts(&groups, query, first, &ages),
        runs: rows(connection, &ids)?,
    })
}

fn scope(connection: &mut SqliteConnection, search: &str) -> Result<Scope, DatabaseError> {
    if search.is_empty() {
        return Ok(Scope::All);
    }
    found(&matching_tasks(connection, search)?)
}

fn task_scope(connection: &mut SqliteConnection, task: &TaskId, search: &str) -> Result<Scope, DatabaseError> {
    let is_found =
        search.is_empty() || matching_tasks(connection, search)?.iter().any(|found| found.as_str() == task.as_str());
    if is_found { Ok(Scope::Task(task.clone())) } else { found(&[]) }
}

fn found(tasks: &[String]) -> Result<Scope, DatabaseError> {
    serde_json::to_string(tasks).map(Scope::Found).map_err(|error| values::damaged(&error))
}

/// The tasks whose name or id has all words of a search.
fn matching_tasks(connection: &mut SqliteConnection, search: &str) -> Result<Vec<String>, DatabaseError> {
    let mut statement = tasks::table.filter(tasks::deleted_at.is_null()).select(tasks::id).into_boxed();
    for word in searched_words(search) {
        let pattern = like_pattern(word);
        statement =
            statement.filter(tasks::name.like(pattern.clone()).escape('\\').or(tasks::id.like(pattern).escape('\\')));
    }
    Ok(statement.load(connection)?)
}

/// The names of all engines that have runs, by one look at an index for each.
///
/// # Errors
/// When the database does not answer.
pub fn engines(connection: &mut SqliteConnection) -> Result<Vec<String>, DatabaseError> {
    let mut engines: Vec<String> = Vec::new();
    loop {
        let last = engines.last().map(String::as_str).unwrap_or_default();
        let next: Option<String> =
            runs::table.filter(runs::engine.gt(last)).select(dsl::min(runs::engine)).get_result(connection)?;
        match next {
            Some(engine) => engines.push(engine),
            None => return Ok(engines),
        }
    }
}

fn groups(connection: &mut SqliteConnection, scope: &Scope) -> Result<Vec<Group>, DatabaseError> {
    let few = match scope {
        Scope::Found(tasks) => few_of_tasks(connection, tasks)?,
        Scope::All | Scope::Task(_) => None,
    };
    let mut groups = Vec::new();
    for engine in engines(connection)? {
        for phase in Phase::OF_RUNS {
            let mut runs = match &few {
                Some(few) => few
                    .iter()
                    .filter(|key| key.engine == engine && key.phase == phase.word())
                    .map(|key| key.id)
                    .collect(),
                None => along_index(connection, scope, &engine, phase, Part { first: 0, from: None }, COUNTED)?,
            };
            runs.truncate(COUNTED);
            groups.push(Group { engine: engine.clone(), phase, runs });
        }
    }
    Ok(groups)
}

/// The keys of a part of a group, nearest to the part's place first, so many at most. The index has them in this order,
/// so what is not taken is not read.
fn along_index(
    connection: &mut SqliteConnection,
    scope: &Scope,
    engine: &str,
    phase: Phase,
    part: Part,
    most: usize,
) -> Result<Vec<i64>, DatabaseError> {
    let mut statement = runs::table
        .filter(runs::engine.eq(engine))
        .filter(runs::phase.eq(phase.word()))
        .filter(runs::id.ge(part.first))
        .select(runs::id)
        .into_boxed();
    statement = match scope {
        Scope::All => {
            let deleted = tasks::table.filter(tasks::deleted_at.is_not_null()).select(tasks::id);
            statement.filter(runs::task_id.ne_all(deleted))
        }
        Scope::Task(task) => statement.filter(runs::task_id.eq(task.as_str())),
        // The sign keeps SQLite from an index by task, after which it would have to sort.
        Scope::Found(tasks) => statement.filter(
            dsl::sql::<Bool>("+runs.task_id IN (SELECT value FROM json_each(").bind::<Text, _>(tasks).sql("))"),
        ),
    };
    statement = match part.from {
        None => statement.order(runs::id.desc()),
        Some(RunCursor { newer: false, run }) => statement.filter(runs::id.lt(run.0)).order(runs::id.desc()),
        Some(RunCursor { newer: true, run }) => statement.filter(runs::id.gt(run.0)).order(runs::id.asc()),
    };
    let ids = statement.load_iter::<i64, DefaultLoadingMode>(connection)?.take(most);
    Ok(ids.collect::<Result<_, _>>()?)
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    engine: String,
    #[diesel(sql_type = Text)]
    phase: String,
}

/// All runs of these tasks, newest first, when there are [`FEW`] at most: then they are read one task after the other,
/// however many runs others have between them. `None` when there are more: then enough of them are near any place.
fn few_of_tasks(connection: &mut SqliteConnection, tasks: &str) -> Result<Option<Vec<Key>>, DatabaseError> {
    let statement = diesel::sql_query(
        "SELECT runs.id, runs.engine, runs.phase FROM json_each(?) AS found CROSS JOIN runs ON runs.task_id = \
         found.value",
    );
    let keys = statement.bind::<Text, _>(tasks).load_iter::<Key, DefaultLoadingMode>(connection)?;
    let mut keys = keys.take(FEW + 1).collect::<Result<Vec<_>, _>>()?;
    keys.sort_unstable_by_key(|key| std::cmp::Reverse(key.id));
    Ok((keys.len() <= FEW).then_some(keys))
}

/// The keys of one run more than a page holds, nearest to the part's place first.
fn listed(
    connection: &mut SqliteConnection,
    scope: &Scope,
    groups: &[Group],
    query: &RunQuery,
    part: Part,
) -> Result<Vec<i64>, DatabaseError> {
    let mut ids = Vec::new();
    for group in groups {
        if !is_chosen(group, query.engine.as_ref(), query.phases) {
            continue;
        }
        if group.is_complete() || part.from.is_none() {
            ids.extend(group.runs.iter().filter(|run| part.includes(**run)));
        } else {
            ids.extend(along_index(connection, scope, &group.engine, group.phase, part, RUNS_PER_PAGE + 1)?);
        }
    }
    part.sort(&mut ids);
    ids.truncate(RUNS_PER_PAGE + 1);
    Ok(ids)
}

fn is_chosen(group: &Group, engine: Option<&EngineChoice>, phases: Option<PhaseChoice>) -> bool {
    engine.is_none_or(|engine| engine.as_str() == group.engine)
        && phases.is_none_or(|phases| phases.includes(group.phase))
}

/// For each age the key of the first run since then; none is as new as the greatest key.
fn ages(connection: &mut SqliteConnection, now: Timestamp) -> Result<Vec<(Option<Since>, i64)>, DatabaseError> {
    let mut ages = vec![(None, 0)];
    for since in Since::ALL {
        let first: Option<i64> = runs::table
            .filter(runs::created_at.ge(now.0 - since.millis()))
            .order((runs::created_at, runs::id))
            .select(runs::id)
            .get_result(connection)
            .optional()?;
        ages.push((Some(since), first.unwrap_or(i64::MAX)));
    }
    Ok(ages)
}

fn counts(groups: &[Group], query: &RunQuery, first: i64, ages: &[(Option<Since>, i64)]) -> RunCounts {
    let count = |engine: Option<&EngineChoice>, phases, first| {
        let chosen = groups.iter().filter(|group| is_chosen(group, engine, phases));
        Count::new(chosen.map(|group| group.count_from(first)).sum())
    };
    let engine = query.engine.as_ref();
    let phases = std::iter::once(None).chain(PhaseChoice::all().into_iter().map(Some));
    let mut engines: Vec<Option<EngineChoice>> =
        groups.iter().filter_map(|group| EngineChoice::parse(&group.engine).ok()).collect();
    engines.dedup();
    if engines.len() > 1 {
        engines.insert(0, None);
    } else {
        engines.clear();
    }
    RunCounts {
        phases: phases.map(|phases| (phases, count(engine, phases, first))).collect(),
        engines: engines
            .into_iter()
            .map(|engine| {
                let counted = count(engine.as_ref(), query.phases, first);
                (engine, counted)
            })
            .collect(),
        ages: ages.iter().map(|(since, first)| (*since, count(engine, query.phases, *first))).collect(),
    }
}

/// The columns of a run that a list over all tasks shows besides [`SummaryColumns`].
#[derive(Queryable, Selectable)]
#[diesel(table_name = runs, check_for_backend(diesel::sqlite::Sqlite))]
struct ListedColumns {
    id: i64,
    uid: String,
    task_id: String,
    engine: String,
    cancel_requested_at: Option<i64>,
}

type Row = (ListedColumns, SummaryColumns, Option<String>);

fn rows(connection: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<ListedRun>, DatabaseError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = runs::table
        .inner_join(tasks::table)
        .filter(runs::id.eq_any(ids))
        .select((ListedColumns::as_select(), SummaryColumns::as_select(), tasks::name))
        .load(connection)?;
    newest_first(connection, rows)
}

/// These runs, newest first, as far as they are there.
///
/// # Errors
/// When the database does not answer.
pub fn named(connection: &mut SqliteConnection, uids: &[RunUid]) -> Result<Vec<ListedRun>, DatabaseError> {
    let rows: Vec<Row> = runs::table
        .inner_join(tasks::table)
        .filter(tasks::deleted_at.is_null())
        .filter(runs::uid.eq_any(uids.iter().map(RunUid::as_str)))
        .select((ListedColumns::as_select(), SummaryColumns::as_select(), tasks::name))
        .load(connection)?;
    newest_first(connection, rows)
}

fn newest_first(connection: &mut SqliteConnection, mut rows: Vec<Row>) -> Result<Vec<ListedRun>, DatabaseError> {
    rows.sort_unstable_by_key(|(run, ..)| std::cmp::Reverse(run.id));
    // A list often has many runs of few tasks.
    let mut titles: HashMap<String, TaskTitle> = HashMap::new();
    let mut listed = Vec::with_capacity(rows.len());
    for (run, summary, name) in rows {
        let task_id = values::task_id(&run.task_id)?;
        let task_title = match titles.get(&run.task_id) {
            Some(title) => title.clone(),
            None => views::task_title(connection, &task_id, name.as_deref())?,
        };
        titles.entry(run.task_id).or_insert_with(|| task_title.clone());
        listed.push(ListedRun {
            uid: values::parsed(&run.uid)?,
            task_id,
            task_title,
            engine: run.engine,
            is_stopping: run.cancel_requested_at.is_some(),
            summary: summary.try_into()?,
        });
    }
    Ok(listed)
}
