//! Looks whether this place has what Stoker needs, and says what to do about what it has not. Changes nothing,
//! but for the [`probe`], which is asked for by itself.
//! Not the checkpoints of a run: those are the runner's.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use app::model::checks::CheckReport;
use futures::{FutureExt as _, future};

use crate::{
    clock::Clock,
    config::{Config, DataFolder},
    packages::nix::NixSettings,
};

mod binary_cache;
mod chosen;
mod database;
mod disk;
mod finding;
mod folder;
mod index;
mod kubernetes;
mod nix;
mod output;
mod port;
pub mod probe;
mod tools;
mod web;

pub use chosen::{Chosen, UnknownCheck, Word};
pub use kubernetes::KubernetesSettings;
pub use output::{as_json, as_table};

/// How long one check may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// What the checks need to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where everything is kept.
    pub data: DataFolder,
    pub address: SocketAddr,
    /// The Pythons that runs use, paths or versions; none takes what `uv` finds.
    pub pythons: Vec<String>,
    /// The `uv` that runs use.
    pub uv: PathBuf,
    /// The package index; `None` leaves it to `uv`.
    pub index_url: Option<String>,
    /// Bytes that must be free before anything is built.
    pub minimum_free: u64,
    /// Where system packages come from.
    pub nix: NixSettings,
    pub kubernetes: KubernetesSettings,
    /// Which checks to make.
    pub chosen: Chosen,
}

impl From<&Config> for Settings {
    /// All checks, for a server that runs with this configuration: on this machine, so a cluster is not wanted.
    fn from(config: &Config) -> Self {
        Self {
            data: config.data.clone(),
            address: config.address,
            pythons: config.engine.pythons.clone(),
            uv: config.engine.uv.clone(),
            index_url: config.engine.index_url.clone(),
            minimum_free: config.engine.minimum_free,
            nix: config.nix(),
            kubernetes: KubernetesSettings::default(),
            chosen: Chosen::default(),
        }
    }
}

/// Makes the chosen checks, all at once and each with a time limit of its own. A check that panics has failed.
pub async fn run(settings: &Settings, clock: &dyn Clock) -> CheckReport {
    let Settings { data, address, pythons, uv, index_url, minimum_free, nix, kubernetes, chosen } = settings.clone();
    let provider = nix::find(nix);
    let look = |subject, work| chosen.takes(&subject).then(|| finding::look(subject, TIME_LIMIT, work));
    let here = future::join_all(
        [
            look(tools::UV, tools::uv(uv.clone()).boxed()),
            look(tools::PYTHON, tools::pythons(uv, pythons).boxed()),
            look(nix::NIX, nix::finding(provider.clone()).boxed()),
            look(folder::FOLDER, folder::finding(data.clone()).boxed()),
            look(database::DATABASE, database::finding(data.clone()).boxed()),
            look(disk::DISK, disk::finding(data.clone(), minimum_free, provider.clone()).boxed()),
            look(port::PORT, port::finding(address, data).boxed()),
            look(index::INDEX, index::finding(index_url).boxed()),
            look(binary_cache::BINARY_CACHE, binary_cache::finding(provider).boxed()),
        ]
        .into_iter()
        .flatten(),
    );
    let (mut checks, cluster) = tokio::join!(here, kubernetes::checks(kubernetes, &chosen));
    checks.extend(cluster);
    CheckReport { checks, at: clock.now() }
}
