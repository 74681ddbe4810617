//! The runs that have not ended, as the supervisor looks at them again and again: what never changes of a run is read
//! once, and where its steps stand from one index.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use app::model::{
    flow::{
        RunsWhen, StepKey,
        order::{self, Next, Waiting},
    },
    identifiers::{RunId, RunUid, StepId},
    phase::Phase,
    time::Timestamp,
};
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, QueryableByName, RunQueryDsl as _,
    Selectable, SelectableHelper as _, SqliteConnection, dsl,
    sql_types::{BigInt, Bool, Nullable, Text},
};

use super::{
    DatabaseError,
    runs::is_active,
    schema::{attempts, runs, steps},
    values::{self, InFlow},
};

/// A run that has not ended.
#[derive(Debug, Clone)]
pub struct ActiveRun {
    pub id: RunId,
    /// Its name outside of the database.
    pub uid: RunUid,
    /// The engine that it was started on.
    pub engine: String,
    /// Pending or Running.
    pub phase: Phase,
    /// Whether somebody asked to cancel it.
    pub cancel_requested: bool,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Its steps, in order.
    pub steps: Arc<[QueuedStep]>,
    /// Where each of them stands.
    pub phases: Vec<Phase>,
    /// The steps that wait and whose locks are not known.
    pub unlocked: HashSet<StepId>,
    /// When the turn of one of them came last.
    pub served_at: Option<Timestamp>,
    /// Steps that may not begin before a time.
    pub not_before: HashMap<StepId, Timestamp>,
}

impl ActiveRun {
    /// What may happen next in it.
    #[must_use]
    pub fn next(&self) -> Next {
        let steps = self.steps.iter();
        let waiting = steps.map(|step| Waiting { runs_after: &step.runs_after, runs_when: step.runs_when });
        order::next(&waiting.collect::<Vec<_>>(), &self.phases)
    }

    /// Whether a step has no more to wait for than those before it.
    #[must_use]
    pub fn is_due(&self, step: StepId, at: Timestamp) -> bool {
        self.not_before.get(&step).is_none_or(|time| *time <= at)
    }

    /// Whether a lock is to be made for one of its steps.
    #[must_use]
    pub fn lacks_lock(&self, at: Timestamp) -> bool {
        self.unlocked.iter().any(|step| self.is_due(*step, at))
    }

    /// Its steps in this phase.
    pub fn steps_in(&self, phase: Phase) -> impl Iterator<Item = StepId> {
        self.steps.iter().zip(&self.phases).filter(move |(_, own)| **own == phase).map(|(step, _)| step.id)
    }
}

/// All runs that have not ended.
#[derive(Debug, Default)]
pub struct Queue {
    pub runs: Vec<ActiveRun>,
    /// Those whose rows hold something that cannot be, and what.
    pub damaged: Vec<(RunId, String)>,
}

/// What never changes of a step of an active run.
#[derive(Debug, Clone)]
pub struct QueuedStep {
    pub id: StepId,
    /// What people call it.
    pub name: String,
    /// The steps that it waits for, by their index.
    pub runs_after: Vec<usize>,
    /// How those must have ended.
    pub runs_when: RunsWhen,
}

/// The steps of runs that were looked at before.
pub type KnownSteps = HashMap<RunId, Arc<[QueuedStep]>>;

#[derive(Queryable, Selectable)]
#[diesel(table_name = runs, check_for_backend(diesel::sqlite::Sqlite))]
struct RunColumns {
    id: i64,
    uid: String,
    engine: String,
    phase: String,
    cancel_requested_at: Option<i64>,
    created_at: i64,
}

/// Where the steps of a run stand: a letter for each.
#[derive(QueryableByName)]
struct Standing {
    #[diesel(sql_type = BigInt)]
    run_id: i64,
    #[diesel(sql_type = Text)]
    letters: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    served_at: Option<i64>,
    #[diesel(sql_type = Bool)]
    has_to_wait: bool,
}

/// Asks where the steps of these runs stand. All that is asked for is in the index `steps_in_order`.
macro_rules! standings {
    ($which:literal) => {
        concat!(
            "SELECT run_id, group_concat(letter, '' ORDER BY position) AS letters, max(started_at) AS served_at, \
             max(not_before IS NOT NULL) AS has_to_wait FROM (SELECT steps.run_id, steps.position, CASE steps.phase WHEN 'Pending' THEN iif((steps.lock IS NULL), 'U', 'P') \
             WHEN 'Running' THEN 'R' WHEN 'Succeeded' THEN 'S' WHEN 'Failed' THEN 'F' WHEN 'Error' THEN 'E' \
             WHEN 'Cancelled' THEN 'C' ELSE 'K' END AS letter, steps.started_at, steps.not_before \
             FROM runs CROSS JOIN steps \
             ON steps.run_id = runs.id WHERE runs.phase IN ('Pending', 'Running')",
            $which,
            ") GROUP BY run_id"
        )
    };
}

/// The letter of a step that waits and has no lock.
const UNLOCKED: char = 'U';

fn phase_of(letter: char) -> Phase {
    match letter {
        'P' | UNLOCKED => Phase::Pending,
        'R' => Phase::Running,
        'S' => Phase::Succeeded,
        'F' => Phase::Failed,
        'E' => Phase::Error,
        'C' => Phase::Cancelled,
        _ => Phase::Skipped,
    }
}

/// All runs that have not ended, oldest first: the queue, and what is running. `known` is what was read of runs before.
///
/// # Errors
/// When the database does not answer.
pub fn active(connection: &mut SqliteConnection, known: &KnownSteps) -> Result<Queue, DatabaseError> {
    let rows: Vec<RunColumns> =
        runs::table.filter(is_active()).order(runs::id).select(RunColumns::as_select()).load(connection)?;
    let standings: Vec<Standing> = diesel::sql_query(standings!("")).load(connection)?;
    let mut standings: HashMap<i64, Standing> = standings.into_iter().map(|row| (row.run_id, row)).collect();
    let mut queue = Queue::default();
    for run in rows {
        let Some(standing) = standings.remove(&run.id) else { continue };
        let id = RunId(run.id);
        match read(connection, run, &standing, known) {
            Ok(run) => queue.runs.push(run),
            Err(DatabaseError::Unreadable(what)) => queue.damaged.push((id, what)),
            Err(error) => return Err(error),
        }
    }
    Ok(queue)
}

/// This run; `None` when it has ended, or is not there.
///
/// # Errors
/// When the database does not answer.
pub fn active_run(
    connection: &mut SqliteConnection,
    id: RunId,
    known: &KnownSteps,
) -> Result<Option<ActiveRun>, DatabaseError> {
    let run: Option<RunColumns> =
        runs::table.find(id.0).filter(is_active()).select(RunColumns::as_select()).get_result(connection).optional()?;
    let Some(run) = run else { return Ok(None) };
    let standing: Standing =
        diesel::sql_query(standings!(" AND runs.id = ?")).bind::<BigInt, _>(id.0).get_result(connection)?;
    read(connection, run, &standing, known).map(Some)
}

fn read(
    connection: &mut SqliteConnection,
    run: RunColumns,
    standing: &Standing,
    known: &KnownSteps,
) -> Result<ActiveRun, DatabaseError> {
    let id = RunId(run.id);
    let mut served_at = values::timestamp(standing.served_at);
    if standing.has_to_wait {
        // A step that waits for its next attempt was served for those before.
        served_at = served_at.max(attempted_at(connection, id)?);
    }
    let steps = known.get(&id).cloned().map_or_else(|| steps_of(connection, id), Ok)?;
    let unlocked = steps.iter().zip(standing.letters.chars()).filter(|(_, letter)| *letter == UNLOCKED);
    Ok(ActiveRun {
        id,
        uid: values::parsed(&run.uid)?,
        engine: run.engine,
        phase: values::phase(&run.phase)?,
        cancel_requested: run.cancel_requested_at.is_some(),
        created_at: Timestamp(run.created_at),
        unlocked: unlocked.map(|(step, _)| step.id).collect(),
        phases: standing.letters.chars().map(phase_of).collect(),
        steps,
        served_at,
        not_before: if standing.has_to_wait { times_to_wait_for(connection, id)? } else { HashMap::new() },
    })
}

/// What never changes of the steps of a run.
fn steps_of(connection: &mut SqliteConnection, run: RunId) -> Result<Arc<[QueuedStep]>, DatabaseError> {
    let rows: Vec<(i64, String, String, String)> = steps::table
        .filter(steps::run_id.eq(run.0))
        .order(steps::position)
        .select((steps::id, steps::key, steps::name, steps::in_flow))
        .load(connection)?;
    let keys: HashMap<StepKey, usize> = rows
        .iter()
        .enumerate()
        .map(|(index, (_, key, ..))| Ok((values::parsed(key)?, index)))
        .collect::<Result<_, DatabaseError>>()?;
    rows.into_iter()
        .map(|(id, _, name, in_flow)| {
            let in_flow: InFlow = values::from_json(&in_flow)?;
            let runs_after = in_flow.runs_after.iter().map(|key| keys.get(key).copied()).collect::<Option<_>>();
            Ok(QueuedStep {
                id: StepId(id),
                name,
                runs_after: runs_after.ok_or_else(|| values::damaged(&"a step waits for one that is not there"))?,
                runs_when: in_flow.runs_when,
            })
        })
        .collect()
}

fn times_to_wait_for(
    connection: &mut SqliteConnection,
    run: RunId,
) -> Result<HashMap<StepId, Timestamp>, DatabaseError> {
    let rows: Vec<(i64, Option<i64>)> = steps::table
        .filter(steps::run_id.eq(run.0))
        .filter(steps::not_before.is_not_null())
        .select((steps::id, steps::not_before))
        .load(connection)?;
    Ok(rows.into_iter().filter_map(|(step, time)| Some((StepId(step), Timestamp(time?)))).collect())
}

/// Where each run stands that has not ended.
///
/// # Errors
/// When the database does not answer.
pub fn active_phases(connection: &mut SqliteConnection) -> Result<Vec<Phase>, DatabaseError> {
    let phases: Vec<String> = runs::table.filter(is_active()).select(runs::phase).load(connection)?;
    phases.iter().map(|phase| values::phase(phase)).collect()
}

/// When the last attempt of a run's steps began after which there was to be another one.
fn attempted_at(connection: &mut SqliteConnection, run: RunId) -> Result<Option<Timestamp>, DatabaseError> {
    let began: Option<i64> = attempts::table
        .inner_join(steps::table)
        .filter(steps::run_id.eq(run.0))
        .select(dsl::max(attempts::started_at))
        .get_result(connection)?;
    Ok(values::timestamp(began))
}

/// The names outside of the database of all runs that have not ended.
///
/// # Errors
/// When the database does not answer.
pub fn active_uids(connection: &mut SqliteConnection) -> Result<HashSet<RunUid>, DatabaseError> {
    let uids: Vec<String> = runs::table.filter(is_active()).select(runs::uid).load(connection)?;
    uids.iter().map(|uid| values::parsed(uid)).collect()
}

/// Where the steps of a run stand, in order.
///
/// # Errors
/// When the database does not answer.
pub(super) fn phases(connection: &mut SqliteConnection, run: RunId) -> Result<Vec<Phase>, DatabaseError> {
    let phases: Vec<String> =
        steps::table.filter(steps::run_id.eq(run.0)).order(steps::position).select(steps::phase).load(connection)?;
    phases.iter().map(|phase| values::phase(phase)).collect()
}

/// What is kept of runs that are not active any more is of no use.
pub fn remember(active: &[Arc<ActiveRun>]) -> KnownSteps {
    active.iter().map(|run| (run.id, run.steps.clone())).collect()
}
