//! Where system packages come from.

use app::model::checks::CheckGroup;
use futures::{FutureExt as _, future::Shared};

use super::finding::{Finding, Subject};
use crate::packages::nix::{NixSettings, provider::Provider};

pub(super) const NIX: Subject = Subject::new("nix", CheckGroup::Tools, "Nix");

/// The provider, for all checks that need to know it: looked for once, and not before one of them asks.
pub(super) type Found = Shared<futures::future::BoxFuture<'static, Provider>>;

/// Looks for the provider that runs would use. That can start a process, so it has a thread of its own.
pub(super) fn find(settings: NixSettings) -> Found {
    async move { tokio::task::spawn_blocking(move || Provider::find(&settings)).await.unwrap_or(Provider::None) }
        .boxed()
        .shared()
}

pub(super) async fn finding(provider: Found) -> Finding {
    match provider.await {
        Provider::None => Finding::warning(
            "There is no Nix that can be used, so tasks cannot have system packages. Python packages need none.",
            "If tasks are to have system packages, install Nix, or run: stoker nix install.",
        ),
        found => Finding::ok(format!("{}.", found.describe())),
    }
}
