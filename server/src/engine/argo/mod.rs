//! The Argo engine: a run is a workflow in a cluster, a step is a pod of it. What the pods do is in [`pod`], which runs
//! there; the rest of this talks to the cluster's API server, and to nothing else.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use app::model::{
    cache::Readiness, cluster::ClusterState, identifiers::RunUid, lock::Lock, python_version::PythonVersion,
    spec::TaskSpec,
};
use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, future, stream::BoxStream};
use k8s_openapi::api::{
    authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
    core::v1::Secret,
};
use kube::{
    Api, ResourceExt as _,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
    core::DynamicObject,
};
use tokio::{sync::mpsc, task::JoinSet};

use self::{
    cluster::Cluster,
    cursor::Part,
    follower::Follower,
    images::TaskImage,
    looks::Looks,
    names::Names,
    pod_facts::{ContainerFacts, PodFacts},
    settings::ArgoSettings,
    workflow_facts::{WorkflowEnd, WorkflowFacts},
};
use super::{
    Account, Cancel, Engine, EngineError, EngineName, Interpreter, Observation, Order, Positions, RunPlan, Target,
    local::outputs::Outputs, no_such_python,
};
use crate::{
    clock::SharedClock,
    kubernetes::{Access, Refusal, refusal},
    runner::SecretKey,
};

pub mod assignment;
mod cluster;
mod contact;
mod cursor;
mod dag;
mod follower;
pub mod frames;
pub mod images;
mod log_reader;
mod looks;
mod manifest;
mod names;
mod nodes;
pub mod pod;
mod pod_facts;
pub mod settings;
mod watch;
mod workflow;
mod workflow_facts;

/// The engine's name, as kept with each run.
pub const NAME: EngineName = EngineName("argo");

/// How long the cluster may take when somebody waits for what it says.
const ANSWERING: Duration = Duration::from_secs(5);
/// How long Argo's controller may take to see that a run has ended. With its usual settings it takes ten seconds.
const CONTROLLER_SEES_WITHIN: Duration = Duration::from_secs(60);
/// How many observations may wait for whoever listens.
const WAITING_OBSERVATIONS: usize = 16;
/// How long a pod has to end that is stopped at once, in seconds. Not 0: that would forget it while it may still run.
const AT_ONCE: u32 = 1;
/// The largest workflow, in bytes. Argo refuses to go on with one of more than 1 MiB, its status included.
const MOST_BYTES: usize = 800 * 1024;
/// How many of a run's secrets are made at the same time.
const SECRETS_AT_ONCE: usize = 8;

/// The Argo engine.
pub struct ArgoEngine {
    settings: ArgoSettings,
    secret_key: SecretKey,
    clock: SharedClock,
    cluster: Arc<Cluster>,
    /// What steps have put out, where this server can see it.
    outputs: Option<Outputs>,
    /// Runs that have ended, of which Argo's account is waited for.
    unsettled: Mutex<HashSet<RunUid>>,
}

impl ArgoEngine {
    /// Sets the engine up. The cluster need not answer yet.
    ///
    /// # Errors
    /// When it is not known which cluster, or by whose credentials.
    pub async fn new(
        settings: ArgoSettings,
        access: &Access,
        clock: SharedClock,
        secret_key: SecretKey,
    ) -> Result<Self, Refusal> {
        let Some(reach) = access.find().await? else {
            return Err(Refusal::new(
                "There is no kubeconfig, and no cluster around this process.",
                "Name a kubeconfig with --kubeconfig or KUBECONFIG, or leave `argo` out of --engine.",
            ));
        };
        let names = Names::of(secret_key.instance());
        let outputs = settings.results_folder.as_deref().map(|folder| Outputs::below(names.outputs(folder)));
        let cluster = Arc::new(Cluster::connect(reach, names, clock.clone()).await?);
        Ok(Self { settings, secret_key, clock, cluster, outputs, unsettled: Mutex::default() })
    }

    /// The image of tasks that ask for this version of Python.
    fn image(&self, python: Option<PythonVersion>) -> Result<&TaskImage, EngineError> {
        let images = &self.settings.images;
        let Some(wanted) = python else { return Ok(&images.default) };
        images.of(python).ok_or_else(|| {
            let targets: Vec<Target> = images.all().map(|image| self.target_of(image)).collect();
            EngineError::lasting(no_such_python(wanted, &targets))
        })
    }

    fn target_of(&self, image: &TaskImage) -> Target {
        let platform = self.settings.platform.clone();
        Target { python: image.python.clone(), interpreter: Interpreter::Elsewhere(platform.clone()), platform }
    }

    /// Whether there is an image for each step of a run.
    fn check_images(&self, plan: &RunPlan) -> Result<(), EngineError> {
        plan.steps.iter().try_for_each(|step| self.image(step.definition.spec.python).map(drop))
    }

    /// What the cluster refused. One that was away a moment ago may take it back.
    fn refused(&self, error: &kube::Error) -> EngineError {
        let refused = refused(error);
        EngineError { may_pass: refused.may_pass || !self.cluster.contact.is_steady(), ..refused }
    }

    /// The workflow of a run, made or found.
    async fn workflow(&self, plan: &RunPlan) -> Result<DynamicObject, EngineError> {
        let cluster = &self.cluster;
        let workflow = manifest::workflow(&self.settings, &cluster.names, plan);
        let workflow = serde_json::to_string(&workflow).map_err(|error| internal(&error))?;
        if workflow.len() > MOST_BYTES {
            return Err(EngineError::lasting(format!(
                "{} steps are too many for one workflow, which may have {} KiB: Argo needs the rest for what it writes \
                 itself. Make two flows of it.",
                plan.steps.len(),
                MOST_BYTES / 1024
            )));
        }
        let workflow: DynamicObject = serde_json::from_str(&workflow).map_err(|error| internal(&error))?;
        match cluster.workflows.create(&PostParams::default(), &workflow).await {
            Err(error) if refusal::is_there_already(&error) => {}
            created => return created.map_err(|error| self.refused(&error)),
        }
        let found = cluster.workflows.get(&cluster.names.workflow(&plan.run)).await.map_err(|error| {
            // Removed in between: then it can be made.
            EngineError {
                may_pass: refusal::is_missing(&error) || self.refused(&error).may_pass,
                ..self.refused(&error)
            }
        })?;
        if cluster.names.is_ours(&plan.run, found.metadata.labels.as_ref()) {
            Ok(found)
        } else {
            Err(EngineError::lasting(format!(
                "The namespace {} has a workflow {} that is not this Stoker's. Remove it, and run the task again.",
                cluster.namespace,
                found.name_any()
            )))
        }
    }

    async fn hand_over(&self, plan: &RunPlan, workflow_uid: &str) -> Result<(), EngineError> {
        let mut secrets = Vec::new();
        for step in &plan.steps {
            let names = &self.cluster.names;
            let secret = manifest::secret(&self.settings, names, &self.secret_key, plan, step, workflow_uid);
            secrets.push(self.create_secret(secret.map_err(|error| internal(&error))?));
        }
        futures::stream::iter(secrets).buffered(SECRETS_AT_ONCE).try_collect().await
    }

    async fn create_secret(&self, secret: Secret) -> Result<(), EngineError> {
        match self.cluster.secrets.create(&PostParams::default(), &secret).await {
            Err(error) if !refusal::is_there_already(&error) => Err(self.refused(&error)),
            _ => Ok(()),
        }
    }

    /// The pods of a run, as the cluster has them now.
    async fn pods(&self, run: &RunUid) -> Result<Vec<PodFacts>, kube::Error> {
        let selected = ListParams::default().labels(&self.cluster.names.run_selector(run));
        Ok(self.cluster.pods.list(&selected).await?.items.iter().map(PodFacts::of).collect())
    }

    /// True when nothing of this Stoker is in the cluster.
    pub async fn has_nothing(&self) -> bool {
        let ours = ListParams::default().labels(&self.cluster.names.selector());
        let (workflows, pods) =
            tokio::join!(self.cluster.workflows.list_metadata(&ours), self.cluster.pods.list_metadata(&ours));
        workflows.is_ok_and(|list| list.items.is_empty()) && pods.is_ok_and(|list| list.items.is_empty())
    }

    fn unsettled(&self) -> MutexGuard<'_, HashSet<RunUid>> {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The workflow of a run, as it was seen when it had ended by Argo's account; `None` when it is gone before.
    async fn ended_workflow(&self, run: &RunUid) -> Option<WorkflowFacts> {
        let mut changes = self.cluster.watch.changes();
        loop {
            changes.mark_unchanged();
            let workflow = self.cluster.watch.workflow(run)?;
            if workflow.end.is_some() {
                return Some(workflow);
            }
            changes.changed().await.ok()?;
        }
    }

    async fn check(&self) -> Result<(), EngineError> {
        let cluster = &self.cluster;
        match cluster.workflows.list_metadata(&ListParams::default().limit(1)).await {
            Err(error) if refusal::is_unknown_kind(&error) || refusal::is_missing(&error) => {
                return Err(EngineError::lasting(
                    "The cluster does not know Argo's workflows. Install Argo Workflows 3.6 or newer.",
                ));
            }
            listed => listed.map_err(|error| refused(&error))?,
        };
        let question = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    namespace: Some(cluster.namespace.clone()),
                    group: Some("argoproj.io".to_owned()),
                    resource: Some("workflows".to_owned()),
                    verb: Some("create".to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let answer = Api::all(cluster.client.clone()).create(&PostParams::default(), &question).await;
        let status = answer.map_err(|error| refused(&error))?.status;
        if status.is_some_and(|status| status.allowed) {
            Ok(())
        } else {
            Err(EngineError::lasting(format!(
                "Stoker's account may not create workflows in the namespace {}. `stoker preflight` says what it needs.",
                cluster.namespace
            )))
        }
    }
}

#[async_trait]
impl Engine for ArgoEngine {
    fn name(&self) -> EngineName {
        NAME
    }

    fn capacity(&self) -> usize {
        self.settings.at_once
    }

    /// The workflow controller decides it: a workflow is a run, whole.
    fn order(&self) -> Order {
        Order::Engine
    }

    async fn target(&self, python: Option<PythonVersion>) -> Result<Target, EngineError> {
        self.image(python).map(|image| self.target_of(image))
    }

    async fn targets(&self) -> Vec<Target> {
        self.settings.images.all().map(|image| self.target_of(image)).collect()
    }

    /// The workflow first: what belongs to it goes with it, so a server that ends in between leaves nothing behind.
    async fn start(&self, plan: &RunPlan) -> Result<Option<String>, EngineError> {
        self.check_images(plan)?;
        let workflow = self.workflow(plan).await?;
        let workflow_uid = workflow.uid().unwrap_or_default();
        if let Err(error) = self.hand_over(plan, &workflow_uid).await {
            if !error.may_pass {
                self.forget(&plan.run).await?;
            }
            return Err(error);
        }
        manifest::submitted(&workflow).map(Some).map_err(|error| internal(&error))
    }

    fn observe(&self, plan: &RunPlan, from: Positions) -> BoxStream<'static, Result<Observation, EngineError>> {
        let (told, observations) = mpsc::channel(WAITING_OBSERVATIONS);
        let looks = Arc::new(Looks::at(self.cluster.clone(), plan.run.clone()));
        let followers: Vec<Follower> = plan
            .steps
            .iter()
            .map(|step| {
                let (cluster, clock) = (self.cluster.clone(), self.clock.clone());
                Follower::new(cluster, clock, looks.clone(), step, from.get(&step.step), told.clone())
            })
            .collect();
        // Ends with the stream: when nobody listens any more, nobody follows.
        let mut following = JoinSet::new();
        following.spawn(async move {
            let to_the_end = future::try_join_all(followers.into_iter().map(Follower::follow)).await.is_ok();
            if to_the_end {
                // Nobody may be left to hear it.
                let _ = told.send(Ok(Observation::Ended)).await;
            }
        });
        futures::stream::unfold((observations, following), |(mut observations, following)| async move {
            Some((observations.recv().await?, (observations, following)))
        })
        .boxed()
    }

    async fn cancel(&self, run: &RunUid, how: Cancel) -> Result<(), EngineError> {
        let cluster = &self.cluster;
        let patch = serde_json::json!({
            "metadata": {"annotations": {names::CANCELLED: "true"}},
            "spec": {"shutdown": "Terminate"},
        });
        let name = cluster.names.workflow(run);
        match cluster.workflows.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await {
            Err(error) if refusal::is_missing(&error) => return Ok(()),
            patched => patched.map_err(|error| refused(&error))?,
        };
        // Argo's controller takes its time, and what has ended still has a log to be read.
        let grace = match how {
            Cancel::WithGrace => DeleteParams::default(),
            Cancel::AtOnce => DeleteParams::default().grace_period(AT_ONCE),
        };
        let pods = self.pods(run).await.map_err(|error| refused(&error))?;
        for pod in pods.iter().filter(|pod| !has_ended(pod)) {
            match cluster.pods.delete(&pod.name, &grace).await {
                Err(error) if !refusal::is_missing(&error) => return Err(refused(&error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// The watch brings it: nothing is asked for it.
    async fn account(&self, run: &RunUid) -> Option<Account> {
        self.unsettled().insert(run.clone());
        let ended = tokio::time::timeout(CONTROLLER_SEES_WITHIN, self.ended_workflow(run)).await;
        self.unsettled().remove(run);
        let workflow = ended.ok()??;
        let succeeded = workflow.end == Some(WorkflowEnd::Succeeded);
        let outcome = if succeeded { "succeeded" } else { "failed" };
        let message = workflow.message.map(|message| format!(" Its message: {message}")).unwrap_or_default();
        let words = format!(
            "Argo's own account differs: it says that the run's workflow {outcome}.{message} Stoker goes by what the \
             program's container itself said."
        );
        Some(Account { succeeded, words })
    }

    async fn forget(&self, run: &RunUid) -> Result<(), EngineError> {
        if let Some(outputs) = self.outputs.clone() {
            let run = run.clone();
            // What has nothing in it is not worth a failure.
            let _ = tokio::task::spawn_blocking(move || outputs.tidy(&run)).await;
        }
        let name = self.cluster.names.workflow(run);
        // Its pods and secrets are the workflow's own, and go with it.
        match self.cluster.workflows.delete(&name, &DeleteParams::background()).await {
            Err(error) if !refusal::is_missing(&error) => Err(refused(&error)),
            _ => Ok(()),
        }
    }

    async fn kept(&self) -> Result<Vec<RunUid>, EngineError> {
        let ours = ListParams::default().labels(&self.cluster.names.selector());
        let workflows = self.cluster.workflows.list_metadata(&ours).await.map_err(|error| refused(&error))?;
        let run = |labels: &std::collections::BTreeMap<String, String>| labels.get(names::RUN)?.parse().ok();
        let unsettled = self.unsettled();
        let runs = workflows.items.iter().filter_map(|workflow| run(workflow.labels()));
        Ok(runs.filter(|run| !unsettled.contains(run)).collect())
    }

    /// The caches are the cluster's: only a pod could look.
    async fn readiness(&self, spec: &TaskSpec, _lock: Option<&Lock>) -> Readiness {
        Readiness::unknown(spec)
    }

    async fn manifest(&self, plan: &RunPlan) -> Result<String, EngineError> {
        self.check_images(plan)?;
        let workflow = manifest::workflow(&self.settings, &self.cluster.names, plan);
        serde_saphyr::to_string(&workflow).map_err(|error| internal(&error))
    }

    async fn cluster(&self) -> Option<ClusterState> {
        let ArgoSettings { cache_claim, nix_claim, results_claim, .. } = &self.settings;
        let claims: Vec<&str> =
            [cache_claim, nix_claim, results_claim].into_iter().flatten().map(String::as_str).collect();
        Some(self.cluster.state(&claims).await)
    }

    fn outputs(&self) -> Option<&Outputs> {
        self.outputs.as_ref()
    }

    async fn diagnose(&self) -> Result<(), EngineError> {
        tokio::time::timeout(ANSWERING, self.check())
            .await
            .unwrap_or_else(|_| Err(EngineError::passing("The cluster does not answer in time.")))
    }
}

fn has_ended(pod: &PodFacts) -> bool {
    matches!(pod.container(Part::Run), ContainerFacts::Ended(_))
}

fn refused(error: &kube::Error) -> EngineError {
    EngineError { message: refusal::explain(error).to_string(), may_pass: refusal::may_pass(error) }
}

fn internal(error: &dyn std::error::Error) -> EngineError {
    EngineError::lasting(format!("Stoker failed inside: {error}."))
}

#[cfg(test)]
mod tests {
    /// The words in the documentation are those that people see.
    #[test]
    fn what_is_said_of_runs_in_a_cluster_has_its_entry_in_the_documentation() {
        let sources = [
            include_str!("assignment.rs"),
            include_str!("cluster.rs"),
            include_str!("contact.rs"),
            include_str!("follower.rs"),
            include_str!("mod.rs"),
            include_str!("pod/mod.rs"),
            include_str!("pod_facts.rs"),
            include_str!("workflow_facts.rs"),
            include_str!("../../execution/recorder/outcome.rs"),
            include_str!("../../kubernetes/refusal.rs"),
        ];
        // As the compiler joins them.
        let said = sources.concat().split("\\\n").map(str::trim_start).collect::<String>();
        let text = include_str!("../../../../docs/troubleshooting.md");
        let (_, text) = text.split_once("\n## Runs in a cluster").unwrap();
        let (text, _) = text.split_once("\n## ").unwrap();
        let entries: Vec<&str> = text.split("\n### ").skip(1).collect();
        assert!(entries.len() > 15);
        for entry in entries {
            let words = entry.split('*').nth(1).unwrap_or_default().replace('\n', " ");
            let mut parts = words.split(['…', '/']).map(str::trim).filter(|part| part.len() > 3).peekable();
            assert!(parts.peek().is_some(), "{entry}");
            for part in parts {
                assert!(said.contains(part.trim_end_matches('.')), "nobody says: {part}");
            }
        }
    }
}
