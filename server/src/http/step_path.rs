//! The step that an address names: `/tasks/{id}/runs/{number}`, or `/flows/{id}/runs/{number}/steps/{step}`.

use std::{collections::HashMap, convert::Infallible};

use app::{
    model::{identifiers::TaskId, step_address::StepAddress},
    routes,
};
use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

/// The step that the address names, or the one that its run shows first; `None` when it can name none.
pub struct StepPath(pub Option<StepAddress>);

impl<S: Send + Sync> FromRequestParts<S> for StepPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let names = Path::<HashMap<String, String>>::from_request_parts(parts, state).await;
        Ok(Self(names.ok().and_then(|Path(names)| read(&names, parts.uri.path()))))
    }
}

fn read(names: &HashMap<String, String>, path: &str) -> Option<StepAddress> {
    let task: TaskId = names.get("id")?.parse().ok()?;
    let step = names.get("step").map(|step| step.parse()).transpose().ok()?;
    // Tasks and flows each in their own place.
    let is_in_place = path.starts_with(&routes::task(&task));
    is_in_place.then_some(StepAddress { task, number: names.get("number")?.parse().ok()?, step })
}
