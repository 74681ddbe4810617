//! The engines that are set up. A run stays with the engine that it was started on.

use std::sync::Arc;

use app::model::spec::EngineChoice;

use super::{Engine, EngineError, EngineName, local::caches::Caches};

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

    /// The one that a task asks for, or the default.
    ///
    /// # Errors
    /// When the one it asks for is not set up; in the user's words.
    pub fn chosen(&self, choice: Option<&EngineChoice>) -> Result<&SharedEngine, EngineError> {
        let Some(choice) = choice else { return Ok(self.default_engine()) };
        self.get(choice.as_str()).ok_or_else(|| {
            let names: Vec<String> = self.names().map(|name| name.to_string()).collect();
            EngineError::lasting(format!(
                "The engine `{}` is not set up here. Choose another one ({}), or start Stoker with it.",
                choice.as_str(),
                names.join(", ")
            ))
        })
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
