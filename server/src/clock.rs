//! The clock and the source of randomness, handed in through state, so that tests control them.

use std::sync::Arc;

use app::model::{
    identifiers::{Kind, RunUid, TaskId},
    time::Timestamp,
};

pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
}

/// A clock to share.
pub type SharedClock = Arc<dyn Clock>;

#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond())
    }
}

pub trait Random: Send + Sync + 'static {
    fn fill(&self, buffer: &mut [u8]);
}

/// A source of randomness to share.
pub type SharedRandom = Arc<dyn Random>;

/// The operating system's source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::expect_used, reason = "without the system's randomness nothing is safe, and no caller can go on")]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}

/// A new id of a task or flow.
pub fn random_id(kind: Kind, random: &dyn Random) -> TaskId {
    let mut bytes = [0; 6];
    random.fill(&mut bytes);
    TaskId::of_kind(kind, bytes)
}

/// A new run's name outside of the database.
pub fn random_run_uid(random: &dyn Random) -> RunUid {
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    RunUid::from_random(bytes)
}
