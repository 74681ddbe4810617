//! What steps have put out: listed, and read.

use std::{
    fs::File,
    io::{self, Read as _},
};

use app::{
    backend::BackendError,
    model::{flow::StepKey, identifiers::RunUid, step_address::StepAddress, views::StepOutput},
};

use super::{Service, backend_error, missing_step};
use crate::{
    db::views,
    engine::{Order, local::outputs::Outputs},
};

impl Service {
    pub(super) async fn list_outputs(&self, step: &StepAddress) -> Result<Vec<StepOutput>, BackendError> {
        self.with_outputs(step, Outputs::list).await.map(Option::unwrap_or_default)
    }

    pub(super) async fn beginning_of_output(
        &self,
        step: &StepAddress,
        name: &str,
        most: usize,
    ) -> Result<Vec<u8>, BackendError> {
        let file = self.open_output(step, name).await?;
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            file.take(most as u64).read_to_end(&mut bytes).map(|_| bytes)
        });
        read.await.map_err(io::Error::other).flatten().map_err(unreadable)
    }

    /// Opens an output of a step.
    ///
    /// # Errors
    /// `NotFound` when there is no such step, or it has put out nothing of this name.
    pub async fn open_output(&self, step: &StepAddress, name: &str) -> Result<File, BackendError> {
        let (missing, name) = (format!("The step has put out nothing called `{name}`."), name.to_owned());
        let opened = self.with_outputs(step, move |outputs, run, key| match outputs.open(run, key, &name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        });
        opened.await?.flatten().ok_or(BackendError::NotFound(missing))
    }

    /// Gives a new run what these steps put out in an earlier one, at once: that one may be deleted at any time.
    pub(super) async fn hand_on(&self, engine: &str, from: RunUid, to: RunUid, steps: Vec<StepKey>) {
        let engine = self.dependencies.engines.get(engine);
        // In a cluster, folders belong to the pods' user: each step takes what it reads when it begins.
        let own = engine.filter(|engine| engine.order() == Order::Stoker);
        let outputs = own.and_then(|engine| engine.outputs()).cloned();
        let Some(outputs) = outputs.filter(|_| !steps.is_empty()) else { return };
        let adopt = move || steps.iter().try_for_each(|step| outputs.adopt(&from, &to, step));
        if let Err(error) = tokio::task::spawn_blocking(adopt).await.map_err(io::Error::other).flatten() {
            // Each step that reads them tries again when it begins.
            tracing::warn!(%error, "What kept steps had put out could not be copied yet");
        }
    }

    /// Looks at what a step has put out; `None` when its engine keeps no outputs.
    async fn with_outputs<T: Send + 'static>(
        &self,
        step: &StepAddress,
        look: impl FnOnce(&Outputs, &RunUid, &StepKey) -> io::Result<T> + Send + 'static,
    ) -> Result<Option<T>, BackendError> {
        let wanted = step.clone();
        let place = self.dependencies.database.read(move |connection| views::output_place(connection, &wanted)).await;
        let (engine, run, key) = place.map_err(|error| backend_error(error, missing_step(step)))?;
        let outputs = self.dependencies.engines.get(&engine).and_then(|engine| engine.outputs()).cloned();
        let Some(outputs) = outputs else { return Ok(None) };
        let looked = tokio::task::spawn_blocking(move || look(&outputs, &run, &key)).await;
        looked.map_err(io::Error::other).flatten().map(Some).map_err(unreadable)
    }
}

fn unreadable(error: io::Error) -> BackendError {
    tracing::error!(%error, "A step's outputs could not be read");
    BackendError::Internal("The outputs of this step cannot be read. The server's log says why.".to_owned())
}
