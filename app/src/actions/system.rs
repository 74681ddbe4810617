//! Actions on the server itself.

use leptos::{prelude::*, server_fn::codec::Json};

use super::backend;
use crate::{
    backend::{BackendError, DeletedCache},
    model::caches::CacheName,
};

/// Makes the checks of the place where Stoker works once more.
#[server(prefix = "/actions", endpoint = "check_again", input = Json)]
pub async fn check_again() -> Result<(), BackendError> {
    backend()?.check_again().await;
    Ok(())
}

/// Deletes an environment or a package set.
#[server(prefix = "/actions", endpoint = "delete_cache", input = Json)]
pub async fn delete_cache(name: CacheName) -> Result<DeletedCache, BackendError> {
    backend()?.delete_cache(&name).await
}
