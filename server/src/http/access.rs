//! Who a request comes from, and what they may ask of the service: the one way from a request to it.

use std::{convert::Infallible, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};

use crate::{
    http::state::AppState,
    service::{Principal, Service},
};

/// The service, as far as the sender of a request may use it.
pub struct Access(pub Arc<Service>);

impl FromRequestParts<AppState> for Access {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self(state.service_for(principal(parts))))
    }
}

/// Who sent a request. Stoker listens on loopback only, so it is somebody on this machine; there are no accounts yet.
pub fn principal(_: &Parts) -> Principal {
    Principal::Local
}
