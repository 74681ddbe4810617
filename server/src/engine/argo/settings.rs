//! How runs go to the cluster.

use std::path::PathBuf;

use app::model::resources::Resources;

use crate::engine::argo::{assignment::Conditions, images::TaskImages};

/// How the engine is set up.
#[derive(Debug, Clone)]
pub struct ArgoSettings {
    /// The server's version, which the image's must be too.
    pub version: String,
    /// The task images.
    pub images: TaskImages,
    /// uv's word for the images' platform, such as `x86_64-manylinux_2_36`.
    pub platform: String,
    /// The claim for environments; without one, each run builds its own.
    pub cache_claim: Option<String>,
    /// The claim for the Nix store; without one, each run fetches its system packages.
    pub nix_claim: Option<String>,
    /// The claim for what steps put out; without one, they cannot.
    pub results_claim: Option<String>,
    /// Where this server has that claim's volume, if it does: then it can show what steps have put out, and removes it
    /// with its run.
    pub results_folder: Option<PathBuf>,
    /// The account of Argo's executor in the pods. The program's container gets no account at all.
    pub service_account: Option<String>,
    /// How many runs may run at once.
    pub at_once: usize,
    /// The user id of the pods' containers.
    pub user: i64,
    /// What programs ask for and may have whose tasks say nothing.
    pub resources: Resources,
    /// How steps are prepared and run.
    pub conditions: Conditions,
}
