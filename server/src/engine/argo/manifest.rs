//! What the cluster is given for a run: a workflow, and a secret for each step. No word of a user's is in the workflow.

use std::{collections::BTreeMap, path::Path};

use app::model::resources::{Cpu, Memory, Resources};
use k8s_openapi::{
    ByteString,
    api::core::v1::{
        Capabilities, Container, EmptyDirVolumeSource, EnvVar, EnvVarSource, ObjectFieldSelector,
        PersistentVolumeClaimVolumeSource, PodSecurityContext, ResourceRequirements, SeccompProfile, Secret,
        SecretVolumeSource, SecurityContext, Volume, VolumeMount,
    },
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{ObjectMeta, OwnerReference},
    },
};

use kube::{ResourceExt as _, core::DynamicObject};

use super::{
    assignment::{self, Assignment},
    cursor::Part,
    dag::{dag, retry_strategy},
    names::{self, Names},
    pod,
    settings::ArgoSettings,
    workflow::{Executor, MainContainer, Metadata, PodGc, Template, TtlStrategy, Workflow, WorkflowSpec},
};
use crate::{
    engine::{RunPlan, StepPlan, local::folder::StepFolder},
    packages::nix,
    runner::SecretKey,
};

/// The template that has all steps, when there are several.
const ALL_STEPS: &str = "steps";
/// The volume that only the preparing container has.
const ASSIGNMENT: &str = "assignment";
/// How long a pod is kept at most when nobody has come for its log, and its workflow, in seconds.
const PODS_KEPT: &str = "168h";
const WORKFLOWS_KEPT: u32 = 8 * 24 * 3600;
/// How much longer a pod may run than the shim in it allows, in seconds: only a net.
const BEYOND_LIMITS: u64 = 600;
/// How much longer than its program a pod has to end by itself, in seconds.
const BEYOND_GRACE: u32 = 10;

/// The workflow of a run.
#[must_use]
pub fn workflow(settings: &ArgoSettings, names: &Names, plan: &RunPlan) -> Workflow {
    let mut labels = names.labels(&plan.run);
    let pod_labels = labels.clone();
    labels.insert(names::TASK.to_owned(), plan.task.to_string());
    let mut templates: Vec<Template> = plan.steps.iter().map(|step| step_template(settings, names, step)).collect();
    let entrypoint = if let [only] = templates.as_slice() {
        only.name.clone()
    } else {
        templates.push(Template { dag: Some(dag(plan)), ..bare_template(ALL_STEPS.to_owned()) });
        ALL_STEPS.to_owned()
    };
    Workflow {
        api_version: "argoproj.io/v1alpha1",
        kind: "Workflow",
        metadata: ObjectMeta { name: Some(names.workflow(&plan.run)), labels: Some(labels), ..ObjectMeta::default() },
        spec: WorkflowSpec {
            entrypoint,
            automount_service_account_token: false,
            executor: settings.service_account.clone().map(|service_account_name| Executor { service_account_name }),
            security_context: PodSecurityContext {
                run_as_non_root: Some(true),
                run_as_user: Some(settings.user),
                run_as_group: Some(0),
                seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".into(), localhost_profile: None }),
                ..PodSecurityContext::default()
            },
            pod_metadata: Metadata { labels: pod_labels },
            pod_gc: PodGc { strategy: "OnWorkflowCompletion", delete_delay_duration: PODS_KEPT },
            ttl_strategy: TtlStrategy { seconds_after_completion: WORKFLOWS_KEPT },
            templates,
        },
    }
}

/// A workflow as the cluster has taken it, without what the cluster itself writes into it. Into one that was made before,
/// Argo's controller may have written its defaults meanwhile.
///
/// # Errors
/// When a text cannot be written as YAML.
pub fn submitted(workflow: &DynamicObject) -> Result<String, serde_saphyr::ser::Error> {
    let labels: BTreeMap<_, _> =
        workflow.labels().iter().filter(|(name, _)| !name.starts_with("workflows.argoproj.io/")).collect();
    let types = workflow.types.as_ref();
    serde_saphyr::to_string(&serde_json::json!({
        "apiVersion": types.map(|types| &types.api_version),
        "kind": types.map(|types| &types.kind),
        "metadata": {"name": workflow.metadata.name, "labels": labels},
        "spec": workflow.data.get("spec"),
    }))
}

fn bare_template(name: String) -> Template {
    Template {
        name,
        dag: None,
        metadata: None,
        retry_strategy: None,
        active_deadline_seconds: None,
        volumes: Vec::new(),
        container: None,
        pod_spec_patch: None,
    }
}

/// What a program asks for and may use, in the cluster's words; `None` when nothing is said.
fn resources(asked: Resources) -> Option<ResourceRequirements> {
    let amounts = |cpu: Option<Cpu>, memory: Option<Memory>| {
        let cpu = cpu.map(|cpu| ("cpu".to_owned(), Quantity(format!("{}m", cpu.thousandths()))));
        let memory = memory.map(|memory| ("memory".to_owned(), Quantity(memory.bytes().to_string())));
        Some(cpu.into_iter().chain(memory).collect::<BTreeMap<_, _>>()).filter(|amounts| !amounts.is_empty())
    };
    (!asked.is_empty()).then(|| ResourceRequirements {
        requests: amounts(asked.cpu_request, asked.memory_request),
        limits: amounts(asked.cpu_limit, asked.memory_limit),
        ..ResourceRequirements::default()
    })
}

fn step_template(settings: &ArgoSettings, names: &Names, step: &StepPlan) -> Template {
    let conditions = &settings.conditions;
    let program = step.definition.spec.timeout.map(app::model::spec::Timeout::seconds).or(conditions.default_timeout);
    let deadline = program.map(|seconds| {
        u64::from(seconds) + u64::from(conditions.preparation_timeout) + u64::from(conditions.grace) + BEYOND_LIMITS
    });
    let label = (names::STEP.to_owned(), step.step.to_string());
    let needs_nix = !nix::names(&step.definition.spec.system_packages).is_empty();
    let mut main = container(settings, Part::Run, step, needs_nix);
    // Argo names it, and refuses another name.
    let main = {
        main.resources = resources(step.definition.spec.resources.or(settings.resources));
        let mut value = serde_json::to_value(&main).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("name");
        }
        MainContainer(value)
    };
    Template {
        metadata: Some(Metadata { labels: BTreeMap::from([label]) }),
        retry_strategy: retry_strategy(step.definition.retries),
        active_deadline_seconds: deadline,
        volumes: volumes(settings, needs_nix),
        container: Some(main),
        pod_spec_patch: Some(beside_main(settings, names, step, needs_nix).to_string()),
        ..bare_template(names::template(&step.step))
    }
}

/// What Argo's own fields have no place for. Both containers begin at once, and the second waits for the first: were
/// they to follow one another, the node would take a second more. Argo's `sidecars` would also begin at once, but run
/// inside a process of Argo's each.
fn beside_main(settings: &ArgoSettings, names: &Names, step: &StepPlan, needs_nix: bool) -> serde_json::Value {
    let assignment = Volume {
        name: ASSIGNMENT.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(names.secret(&step.step)),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    };
    serde_json::json!({
        "terminationGracePeriodSeconds": settings.conditions.grace + BEYOND_GRACE,
        "containers": [container(settings, Part::Prepare, step, needs_nix)],
        "volumes": [assignment],
    })
}

fn volumes(settings: &ArgoSettings, needs_nix: bool) -> Vec<Volume> {
    let empty = |name: &str| Volume {
        name: name.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Volume::default()
    };
    let claimed = |name: &str, claim: Option<&String>| match claim {
        None => empty(name),
        Some(claim) => Volume {
            name: name.to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim.clone(),
                read_only: None,
            }),
            ..Volume::default()
        },
    };
    let mut volumes = vec![empty("steps"), empty("tmp"), claimed("cache", settings.cache_claim.as_ref())];
    if needs_nix {
        volumes.push(claimed("nix", settings.nix_claim.as_ref()));
    }
    if let Some(claim) = &settings.results_claim {
        volumes.push(claimed("results", Some(claim)));
    }
    volumes
}

fn container(settings: &ArgoSettings, part: Part, step: &StepPlan, needs_nix: bool) -> Container {
    let read_only = (part == Part::Run).then_some(true);
    let mount = |name: &str, path: &str, read_only: Option<bool>| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only,
        ..VolumeMount::default()
    };
    let mut mounts =
        vec![mount("steps", pod::STEPS, None), mount("tmp", "/tmp", None), mount("cache", pod::CACHE, read_only)];
    if part == Part::Prepare {
        mounts.push(mount(ASSIGNMENT, pod::ASSIGNMENT, Some(true)));
    }
    if needs_nix {
        mounts.push(mount("nix", "/nix", read_only));
    }
    if settings.results_claim.is_some() {
        mounts.push(mount("results", pod::RESULTS, None));
    }
    let folder = StepFolder::of(Path::new(pod::STEPS), &step.step);
    // A run with a step for which there is none was refused before.
    let image = settings.images.of(step.definition.spec.python).unwrap_or(&settings.images.default);
    let words: Vec<String> = match part {
        Part::Prepare => vec!["stoker".into(), "pod".into(), "prepare".into()],
        Part::Run => vec!["stoker".into(), "pod".into(), "run".into(), folder.path().to_string_lossy().into_owned()],
    };
    Container {
        name: part.container().to_owned(),
        image: Some(image.name.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        // Always said: without one, Argo's controller asks the image's registry for it.
        command: Some(words),
        env: (part == Part::Prepare).then(|| vec![node_variable()]),
        volume_mounts: Some(mounts),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), add: None }),
            ..SecurityContext::default()
        }),
        ..Container::default()
    }
}

fn node_variable() -> EnvVar {
    EnvVar {
        name: pod::NODE.to_owned(),
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector { field_path: "spec.nodeName".to_owned(), api_version: None }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}

/// The secret of a step. It goes with the workflow, whose unique id the cluster gave.
///
/// # Errors
/// Never in practice: an assignment is plain data.
pub fn secret(
    settings: &ArgoSettings,
    names: &Names,
    key: &SecretKey,
    plan: &RunPlan,
    step: &StepPlan,
    workflow_uid: &str,
) -> Result<Secret, serde_json::Error> {
    let assignment = Assignment {
        version: settings.version.clone(),
        plan: step.clone(),
        secrets: key.of_step(&step.step),
        outputs: settings.results_claim.is_some().then(|| names.outputs(Path::new(pod::RESULTS))),
        conditions: settings.conditions.clone(),
    };
    Ok(Secret {
        metadata: ObjectMeta {
            name: Some(names.secret(&step.step)),
            labels: Some(names.labels(&plan.run)),
            owner_references: Some(vec![OwnerReference {
                api_version: "argoproj.io/v1alpha1".to_owned(),
                kind: "Workflow".to_owned(),
                name: names.workflow(&plan.run),
                uid: workflow_uid.to_owned(),
                controller: None,
                block_owner_deletion: None,
            }]),
            ..ObjectMeta::default()
        },
        immutable: Some(true),
        data: Some(BTreeMap::from([(assignment::FILE.to_owned(), ByteString(serde_json::to_vec(&assignment)?))])),
        ..Secret::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_said_in_the_clusters_words_and_nothing_else() {
        assert_eq!(resources(Resources::default()), None);
        let asked = Resources {
            cpu_request: Cpu::parse("0.5").unwrap(),
            memory_limit: Memory::parse("2Gi").unwrap(),
            ..Resources::default()
        };
        let said = resources(asked).unwrap();
        let amount = |name: &str, text: &str| Some(BTreeMap::from([(name.to_owned(), Quantity(text.to_owned()))]));
        assert_eq!((said.requests, said.limits), (amount("cpu", "500m"), amount("memory", "2147483648")));
    }
}
