//! Flows as programs ask for them: listed, shown as an engine would get them, and the logs of a run's steps.

use std::collections::HashMap;

use app::{
    backend::BackendError,
    model::{
        flow::Flow,
        identifiers::{Kind, RunId, RunNumber, StepId},
        phase::Phase,
        views::{FlowPlace, ListedFlow},
    },
};

use super::{Page, Service, StepLog, backend_error, runs::manifest_of};
use crate::{
    clock::{random_id, random_run_uid},
    db::{
        flows,
        runs::RunInputs,
        steps::{self, StepInGraph, StepInputs},
    },
};

impl Service {
    /// Flows, the last saved first, from a place on. So many at most.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn listed_flows(
        &self,
        after: Option<FlowPlace>,
        limit: usize,
    ) -> Result<Page<ListedFlow, FlowPlace>, BackendError> {
        let database = &self.dependencies.database;
        let flows = database.read(move |connection| flows::listed(connection, after.as_ref(), limit + 1)).await;
        let flows = flows.map_err(|error| backend_error(error, || "There are no flows.".to_owned()))?;
        Ok(Page::of(flows, limit, |flow| FlowPlace { updated_at: flow.updated_at, id: flow.id.clone() }))
    }

    /// The logs of the steps of a run.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn step_logs(&self, run: RunId) -> Result<Vec<StepLog>, BackendError> {
        let logs = self.dependencies.database.read(move |connection| steps::logs_of_run(connection, run)).await;
        logs.map_err(|error| backend_error(error, || format!("There is no run {run}.")))
    }

    /// What an engine would be given for a flow that was not saved, as YAML.
    ///
    /// # Errors
    /// `Conflict` when it is to run where there is nothing, `Unavailable` or `Internal` when the engine cannot tell.
    pub async fn preview(&self, flow: &Flow) -> Result<String, BackendError> {
        let engine = self.dependencies.engines.chosen(flow.engine());
        let engine = engine.map_err(|error| BackendError::Conflict(error.message))?;
        let random = self.dependencies.random.as_ref();
        let uid = random_run_uid(random);
        let steps = (1..).zip(flow.steps()).map(|(position, step)| {
            Ok(StepInputs {
                id: StepId(0),
                uid: steps::uid(uid.as_str(), position, 1)?,
                attempt: 1,
                step: step.clone(),
                lock: None,
                phase: Phase::Pending,
                finished_at: None,
                kept_from: None,
                is_recorded: false,
            })
        });
        let steps = steps.collect::<Result<_, _>>().map_err(|error| backend_error(error, String::new))?;
        let graph = flow.steps().iter().map(|step| StepInGraph {
            key: step.key.clone(),
            name: step.name.clone(),
            runs_after: step.runs_after.clone(),
            kept_from: None,
        });
        let inputs = RunInputs {
            uid,
            task_id: random_id(Kind::Flow, random),
            number: RunNumber::FIRST,
            started_at: None,
            steps,
            graph: graph.collect(),
            kept: HashMap::new(),
        };
        manifest_of(engine, inputs).await
    }
}
