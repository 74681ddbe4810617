//! What a namespace may refuse: in one of their own, since limits are for a whole namespace.

use std::time::Duration;

use app::model::{flow::Retries, resources::Memory};
use k8s_openapi::api::core::v1::{LimitRange, ResourceQuota};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use serde_json::json;
use server::engine::{EndCause, Positions, StepEvent, argo::settings::ArgoSettings};

use crate::{
    faults::{outside, reason, started},
    place::{Namespace, operator, variable},
    rules::{self, Place as _},
};

const NAME: &str = "narrow";

async fn place(change: impl FnOnce(&mut ArgoSettings)) -> Namespace {
    let kubeconfig = variable("STOKER_TEST_NARROW_KUBECONFIG").into();
    let without_volumes = |settings: &mut ArgoSettings| {
        (settings.cache_claim, settings.nix_claim, settings.results_claim) = (None, None, None);
    };
    Namespace::reached_by(kubeconfig, |settings| {
        without_volumes(settings);
        change(settings);
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_namespace_refuses_is_said_and_a_full_quota_is_waited_for() {
    let namespace = variable("STOKER_TEST_NARROW_NAMESPACE");
    let quotas = Api::<ResourceQuota>::namespaced(operator().await, &namespace);
    let ranges = Api::<LimitRange>::namespaced(operator().await, &namespace);
    // What an earlier attempt may have left.
    let _ = quotas.delete(NAME, &DeleteParams::default()).await;
    let _ = ranges.delete(NAME, &DeleteParams::default()).await;

    let quota = json!({"metadata": {"name": NAME}, "spec": {"hard": {"pods": "0"}}});
    quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    while quotas.get(NAME).await.unwrap().status.and_then(|status| status.hard).is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (engine, plan) = started(&place(|_| {}).await, "print('> after all')").await;
    let tale = rules::listen(&engine, &plan, Positions::new(), |tale| reason(tale).is_some()).await;
    let said = reason(&tale).unwrap();
    assert!(said.starts_with("A quota of the namespace leaves no room"), "{said}");
    quotas.delete(NAME, &DeleteParams::default()).await.unwrap();
    let rest = rules::hear_out(&engine, &plan, tale.positions()).await;
    assert_eq!((rest.end(&plan).exit_code, rest.lines(&plan)), (Some(0), vec!["after all".to_owned()]));
    rules::forget(&engine, &plan.run).await;

    let quota = json!({"metadata": {"name": NAME}, "spec": {"hard": {"count/workflows.argoproj.io": "0"}}});
    quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    while quotas.get(NAME).await.unwrap().status.and_then(|status| status.hard).is_none() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let refused = engine.start(&plan).await.unwrap_err();
    assert!(refused.may_pass && refused.message.starts_with("A quota of the namespace is used up"), "{refused}");
    quotas.delete(NAME, &DeleteParams::default()).await.unwrap();

    let range =
        json!({"metadata": {"name": NAME}, "spec": {"limits": [{"type": "Container", "max": {"memory": "32Mi"}}]}});
    ranges.create(&PostParams::default(), &serde_json::from_value(range).unwrap()).await.unwrap();
    let place = place(|settings| settings.resources.memory_limit = Some(Memory::of_bytes(64 << 20))).await;
    let engine = place.engine();
    // An attempt for which there was no pod is one, too.
    let mut plan = rules::plan("print('> never')");
    plan.steps[0].definition.retries = Retries::new(1, 0, 1).unwrap();
    engine.start(&plan).await.unwrap();
    let tale = rules::hear_out(&engine, &plan, Positions::new()).await;
    let attempts: Vec<_> =
        tale.events().filter(|event| matches!(event, StepEvent::AttemptEnded(_) | StepEvent::Began)).collect();
    let [StepEvent::AttemptEnded(first)] = attempts[..] else { panic!("{attempts:?}") };
    assert!(matches!(&first.cause, EndCause::Outside(words) if words.contains("refuses the run's pod")), "{first:?}");
    ranges.delete(NAME, &DeleteParams::default()).await.unwrap();
    let words = outside(&tale, &plan);
    assert!(words.contains("The cluster refuses the run's pod") && words.contains("maximum memory usage"), "{words}");
    assert_eq!(tale.end(&plan).cause, EndCause::Outside(words));
    rules::forget(&engine, &plan.run).await;
}
