//! Flows as saved: a row of `tasks`, and one of `flow_steps` for each step.

use std::collections::HashMap;

use app::model::{
    flow::{Description, Flow, FlowStep},
    identifiers::{Kind, TaskId},
    spec::{EngineChoice, TaskName},
    time::Timestamp,
    views::{FlowPlace, ListedFlow},
};
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SelectableHelper as _,
    SqliteConnection, dsl,
};

use super::{
    DatabaseError,
    schema::{flow_steps, tasks},
    tasks::{Update, newer_revision, present},
    values::{self, FlowSpecColumns, InFlow},
    views::is_of,
};

/// The columns of a flow itself.
#[derive(diesel::Insertable, diesel::AsChangeset)]
#[diesel(table_name = tasks, treat_none_as_null = true)]
struct FlowColumns {
    name: String,
    description: Option<String>,
    engine: Option<String>,
    // A flow's code is its steps'.
    code: &'static str,
}

impl From<&Flow> for FlowColumns {
    fn from(flow: &Flow) -> Self {
        Self {
            name: flow.name().as_str().to_owned(),
            description: flow.description().map(|description| description.as_str().to_owned()),
            engine: flow.engine().map(|engine| engine.as_str().to_owned()),
            code: "",
        }
    }
}

/// Adds a flow. False when there is one with this id, and then nothing changes.
///
/// # Errors
/// When the database does not answer.
pub fn insert(
    connection: &mut SqliteConnection,
    id: &TaskId,
    flow: &Flow,
    at: Timestamp,
) -> Result<bool, DatabaseError> {
    let added = diesel::insert_or_ignore_into(tasks::table)
        .values((
            tasks::id.eq(id.as_str()),
            FlowColumns::from(flow),
            tasks::created_at.eq(at.0),
            tasks::updated_at.eq(at.0),
            tasks::activity_at.eq(at.0),
        ))
        .execute(connection)?;
    if added == 1 {
        put_steps(connection, id, flow.steps())?;
    }
    Ok(added == 1)
}

/// Overwrites a flow, if it still has the expected revision (`None`: whatever it has).
///
/// # Errors
/// `NotFound` when there is no such flow.
pub fn update(
    connection: &mut SqliteConnection,
    id: &TaskId,
    expected_revision: Option<i64>,
    flow: &Flow,
    at: Timestamp,
) -> Result<Update, DatabaseError> {
    if let Some(present) = newer_revision(connection, id, expected_revision)? {
        return Ok(Update::Outdated(present));
    }
    diesel::update(tasks::table.find(id.as_str()))
        .set((
            FlowColumns::from(flow),
            tasks::revision.eq(tasks::revision + 1),
            tasks::updated_at.eq(at.0),
            tasks::activity_at.eq(at.0),
        ))
        .execute(connection)?;
    diesel::delete(flow_steps::table.filter(flow_steps::task_id.eq(id.as_str()))).execute(connection)?;
    put_steps(connection, id, flow.steps())?;
    Ok(Update::Done)
}

fn put_steps(connection: &mut SqliteConnection, id: &TaskId, steps: &[FlowStep]) -> Result<(), DatabaseError> {
    for (position, step) in (1_i32..).zip(steps) {
        diesel::insert_into(flow_steps::table)
            .values((
                flow_steps::task_id.eq(id.as_str()),
                flow_steps::position.eq(position),
                flow_steps::key.eq(step.key.as_str()),
                flow_steps::name.eq(step.name.as_str()),
                flow_steps::in_flow.eq(values::json(&InFlow::of(step, None))),
                FlowSpecColumns::from(&step.spec),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// A flow as saved.
///
/// # Errors
/// `NotFound` when there is no such flow.
pub fn saved(connection: &mut SqliteConnection, id: &TaskId) -> Result<Flow, DatabaseError> {
    let rows: Vec<(String, String, String, FlowSpecColumns)> = flow_steps::table
        .filter(flow_steps::task_id.eq(id.as_str()))
        .order(flow_steps::position)
        .select((flow_steps::key, flow_steps::name, flow_steps::in_flow, FlowSpecColumns::as_select()))
        .load(connection)?;
    let steps = rows.into_iter().map(|(key, name, in_flow, spec)| {
        let in_flow: InFlow = values::from_json(&in_flow)?;
        in_flow.step(&key, &name, spec.try_into()?)
    });
    with_steps(connection, id, steps.collect::<Result<_, _>>()?)
}

/// A flow with other steps than those saved.
///
/// # Errors
/// `NotFound` when there is no such flow.
pub fn with_steps(connection: &mut SqliteConnection, id: &TaskId, steps: Vec<FlowStep>) -> Result<Flow, DatabaseError> {
    let (name, description, engine): (Option<String>, Option<String>, Option<String>) =
        present(id).select((tasks::name, tasks::description, tasks::engine)).get_result(connection)?;
    let name = TaskName::parse(&name.unwrap_or_default()).map_err(|error| values::damaged(&error))?;
    let description = Description::parse(&description.unwrap_or_default()).map_err(|error| values::damaged(&error))?;
    let engine = EngineChoice::parse(&engine.unwrap_or_default()).map_err(|error| values::damaged(&error))?;
    let name = name.ok_or_else(|| values::damaged(&"a flow without a name"))?;
    Flow::new(name, description, engine, steps).map_err(|faults| values::damaged(&format!("{faults:?}")))
}

/// Flows with the number of their steps, the last saved first, from a place on. So many at most.
///
/// # Errors
/// When the database does not answer.
pub fn listed(
    connection: &mut SqliteConnection,
    after: Option<&FlowPlace>,
    limit: usize,
) -> Result<Vec<ListedFlow>, DatabaseError> {
    type Row = (String, Option<String>, Option<String>, i64, i64);
    let (updated_at, id) = after.map_or((i64::MAX, ""), |place| (place.updated_at.0, place.id.as_str()));
    let rows: Vec<Row> = tasks::table
        .filter(tasks::deleted_at.is_null())
        .filter(is_of(Kind::Flow))
        .filter(tasks::updated_at.lt(updated_at).or(tasks::updated_at.eq(updated_at).and(tasks::id.gt(id))))
        .order((tasks::updated_at.desc(), tasks::id))
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select((tasks::id, tasks::name, tasks::description, tasks::created_at, tasks::updated_at))
        .load(connection)?;
    let counts: HashMap<String, i64> = flow_steps::table
        .filter(flow_steps::task_id.eq_any(rows.iter().map(|(id, ..)| id)))
        .group_by(flow_steps::task_id)
        .select((flow_steps::task_id, dsl::count_star()))
        .load::<(String, i64)>(connection)?
        .into_iter()
        .collect();
    rows.into_iter()
        .map(|(id, name, description, created_at, updated_at)| {
            let steps = counts.get(&id).copied().unwrap_or_default();
            Ok(ListedFlow {
                id: values::task_id(&id)?,
                name: name.unwrap_or_default(),
                description,
                created_at: Timestamp(created_at),
                updated_at: Timestamp(updated_at),
                steps: u32::try_from(steps).unwrap_or(u32::MAX),
            })
        })
        .collect()
}
