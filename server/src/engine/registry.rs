//! The engines that are set up. A run stays with the engine that it was started on.

use std::sync::Arc;

use super::{Engine, EngineName, local::caches::Caches};

/// An engine to share.
pub type SharedEngine = Arc<dyn Engine>;

/// The engines that are set up; the first is the default. Cheap to clone.
#[derive(Clone)]
pub struct Engines(Arc<[SharedEngine]>);

impl Engines {
    /// One engine.
    #[must_use]
    pub fn of(engine: SharedEngine) -> Self {
        Self(Arc::new([engine]))
    }

    /// One more engine, beside those before it.
    #[must_use]
    pub fn and(self, engine: SharedEngine) -> Self {
        Self(self.iter().cloned().chain([engine]).collect())
    }

    /// The one that runs what asks for none.
    #[must_use]
    pub fn default_engine(&self) -> &SharedEngine {
        &self.0[0]
    }

    /// An engine by its name, as kept with a run.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&SharedEngine> {
        self.iter().find(|engine| engine.name().0 == name)
    }

    /// All of them, the default first.
    pub fn iter(&self) -> impl Iterator<Item = &SharedEngine> {
        self.0.iter()
    }

    /// Their names, the default first.
    pub fn names(&self) -> impl Iterator<Item = EngineName> {
        self.iter().map(|engine| engine.name())
    }

    /// What is kept between runs on this machine, if an engine keeps something here.
    #[must_use]
    pub fn caches(&self) -> Option<&Caches> {
        self.iter().find_map(|engine| engine.caches())
    }
}
