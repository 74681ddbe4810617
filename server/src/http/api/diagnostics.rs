//! How the server is doing, over the API.

use app::backend::Backend as _;
use axum::Json;
use serde_json::Value;

use super::error::ApiError;
use crate::{diagnostics::json, http::access::Access};

/// All of it, as far as it is known at this moment.
pub async fn all(Access(service): Access) -> Result<Json<Value>, ApiError> {
    let diagnostics = service.diagnostics().await;
    let diagnostics = diagnostics.map_err(|error| ApiError::of(error, || "Not Found".to_owned()))?;
    Ok(Json(json::of(&diagnostics)))
}
