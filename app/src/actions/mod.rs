//! What a user can do, each as one server function. Forms, the REST API and typed clients all come through here
//! or through the same `Backend` calls.

mod flows;
mod runs;
mod system;
mod tasks;

use std::sync::Arc;

use leptos::{
    prelude::{provide_context, use_context},
    reactive::{computed::ScopedFuture, owner::Owner},
};

use crate::backend::{Backend, BackendError};

pub use flows::{restart, run_step, save_and_run_flow, save_flow};
pub use runs::{cancel_run, cancel_runs, rerun, run_task};
pub use system::{check_again, delete_cache};
pub use tasks::{delete_task, rename, run_example, save_and_run, save_task};

/// Calls an action outside of a page, such as from the form adapter: with this backend in its context.
pub async fn call<T>(backend: Arc<dyn Backend>, action: impl Future<Output = T>) -> T {
    let owner = Owner::new_root(None);
    let scoped = owner.with(|| {
        provide_context(backend);
        ScopedFuture::new(action)
    });
    scoped.await
}

/// The server as the actions and pages see it.
pub(crate) fn backend() -> Result<Arc<dyn Backend>, BackendError> {
    use_context().ok_or_else(|| BackendError::Internal("The server did not hand its data to this page.".to_owned()))
}
