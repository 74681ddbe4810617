//! Locks that are made when a flow runs, since its packages could not be looked up when it was saved: beside each other,
//! and again as a step says.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use app::model::{
    lock::Lock,
    phase::Phase::{Cancelled, Failed, Succeeded},
    python_packages::PythonPackages,
    spec::TaskSpec,
    step_address::StepAddress,
};
use async_trait::async_trait;
use server::{
    engine::Target,
    packages::resolver::{ResolveError, Resolver},
};
use tokio::sync::Barrier;

use crate::place::{Place, Step, of, phases, step};

/// A resolver that knows no package but these names: no real index is slow, or away, at the wish of a test. What it finds
/// is nothing, so that nothing is to be installed.
struct NoIndex {
    /// Those who ask for `together` wait for each other.
    together: Barrier,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
    asked: Mutex<HashMap<String, usize>>,
}

impl NoIndex {
    fn new(together: usize) -> Arc<Self> {
        Arc::new(Self {
            together: Barrier::new(together),
            under_way: AtomicUsize::new(0),
            most_under_way: AtomicUsize::new(0),
            asked: Mutex::default(),
        })
    }
}

#[async_trait]
impl Resolver for NoIndex {
    async fn lock(&self, spec: &TaskSpec, _: &Target) -> Result<Lock, ResolveError> {
        let package = spec.packages.to_string();
        let asked = {
            let mut asked = self.asked.lock().unwrap();
            let asked = asked.entry(package.clone()).or_default();
            *asked += 1;
            *asked
        };
        match package.as_str() {
            "together" => {
                let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
                self.most_under_way.fetch_max(now, Ordering::SeqCst);
                self.together.wait().await;
                self.under_way.fetch_sub(1, Ordering::SeqCst);
                Ok(Lock::default())
            }
            "away-once" if asked > 1 => Ok(Lock::default()),
            "away" | "away-once" => Err(ResolveError::Unavailable("The index did not answer.\nno route".to_owned())),
            _ => Err(ResolveError::NoSolution(format!("There is no {package}."))),
        }
    }

    async fn known(&self, _: &TaskSpec, _: &Target) -> Option<Lock> {
        None
    }
}

/// A step with a package.
fn needs(key: &str, package: &str) -> Step {
    let mut step = step(key, "pass", &[]);
    step.0.spec.packages = PythonPackages::parse(package).unwrap();
    step
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_of_a_run_are_made_beside_each_other_but_not_all_at_once() {
    let index = NoIndex::new(4);
    let place = Place::with_resolver(2, index.clone()).await;
    let steps: Vec<Step> = (0..8).map(|number| needs(&format!("s{number}"), "together")).collect();
    let id = place.save_unresolved(&steps).await;
    let number = place.start(&id).await;
    let run = place.ended(&id, number).await;
    assert_eq!(phases(&run), [Succeeded; 8], "{:#?}", run.steps);
    assert_eq!(index.most_under_way.load(Ordering::SeqCst), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_could_not_be_looked_up_is_tried_again_as_the_step_says() {
    let index = NoIndex::new(1);
    let place = Place::with_resolver(2, index.clone()).await;
    let steps = [
        needs("mends", "away-once").retries(2, 0),
        needs("stays", "away").retries(1, 0),
        needs("never", "nonsense").retries(3, 0),
        step("beside", "pass", &[]),
        step("after", "pass", &["stays"]),
    ];
    let id = place.save_unresolved(&steps).await;
    let number = place.start(&id).await;
    let run = place.ended(&id, number).await;
    assert_eq!(phases(&run)[..4], [Succeeded, Failed, Failed, Succeeded], "{:#?}", run.steps);
    assert_eq!(of(&run, "after").message.as_deref(), Some("Not run: `Step stays` failed."));
    assert_eq!(["mends", "stays", "never"].map(|key| of(&run, key).attempt), [2, 2, 1]);
    let address = StepAddress { step: Some("mends".parse().unwrap()), ..StepAddress::first(id, number) };
    let mended = place.service.run(&address).await.unwrap().step;
    let attempts: Vec<_> = mended.attempts.iter().map(|attempt| (attempt.phase, attempt.message.clone())).collect();
    assert_eq!(attempts, [(Failed, Some("The index did not answer.\nno route".to_owned()))]);
    assert_eq!(mended.waiting_for, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_go_on_while_a_step_waits_to_be_looked_up_again() {
    let place = Place::with_resolver(2, NoIndex::new(1)).await;
    let steps =
        [needs("waits", "away").retries(1, 3600), step("beside", "pass", &[]), step("after", "pass", &["beside"])];
    let id = place.save_unresolved(&steps).await;
    let number = place.start(&id).await;
    let run = place.until(&id, number, |run| of(run, "after").phase == Succeeded).await;
    let waits = of(&run, "waits");
    let words = "The index did not answer. Attempt 1 of 2 failed. The next one begins in 1 h 0 min.";
    assert_eq!((waits.attempt, waits.message.as_deref()), (2, Some(words)));
    place.service.cancel_run(&id, number).await.unwrap();
    assert_eq!(phases(&place.ended(&id, number).await), [Cancelled, Succeeded, Succeeded]);
}
