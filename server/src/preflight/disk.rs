//! The free space where runs put their packages.

use std::path::{Path, PathBuf};

use app::model::{checkpoint::CheckpointStatus, checks::CheckGroup};

use super::{
    finding::{Finding, Subject, blocking},
    nix::Found,
};
use crate::{config::DataFolder, packages::nix::provider::Provider};

pub(super) const DISK: Subject = Subject::new("disk", CheckGroup::Storage, "Free space");

const GIB: u64 = 1 << 30;
/// With less, a few of them do.
const LITTLE: u64 = 5 * GIB;

const FIX: &str = "Free some space on that disk, or name a folder on a larger one with --data.";

/// `least` is what runs want to be free before they build anything.
pub(super) async fn finding(data: DataFolder, least: u64, provider: Found) -> Finding {
    let is_machines_store = matches!(provider.await, Provider::Nix { .. });
    blocking(move || {
        let of_data = of(&nearest(data.path()), "where the data folder is", least);
        if of_data.status == CheckpointStatus::Failed || !is_machines_store {
            return of_data;
        }
        let of_store = of(Path::new("/nix"), "in /nix", least);
        if of_store.status == CheckpointStatus::Ok { of_data } else { of_store }
    })
    .await
}

fn of(place: &Path, words: &str, least: u64) -> Finding {
    match rustix::fs::statvfs(place) {
        Ok(disk) => judge(disk.f_bavail.saturating_mul(disk.f_frsize), words, least),
        Err(error) => Finding::failed(
            format!("The free space of {} could not be found out: {error}.", place.display()),
            "Check that the folder, and the disk that holds it, can be read.",
        ),
    }
}

fn judge(free: u64, words: &str, least: u64) -> Finding {
    let left = format!("{} free {words}.", gibibytes(free));
    if free < least {
        Finding::failed(format!("{left} Runs build nothing with less than {} (--minimum-free).", gibibytes(least)), FIX)
    } else if free < LITTLE {
        Finding::warning(format!("{left} Environments of large packages take several GiB."), FIX)
    } else {
        Finding::ok(left)
    }
}

/// Rounded down, so that no limit seems to be reached.
fn gibibytes(bytes: u64) -> String {
    format!("{}.{} GiB", bytes / GIB, bytes % GIB * 10 / GIB)
}

/// The folder, or the nearest one above it that there is: the data folder is made at the first start.
pub(super) fn nearest(folder: &Path) -> PathBuf {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    folder.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_space_warns_and_less_fails() {
        let status = |bytes| judge(bytes, "here", GIB).status;
        assert_eq!(status(0), CheckpointStatus::Failed);
        assert_eq!(status(GIB - 1), CheckpointStatus::Failed);
        assert_eq!(status(GIB), CheckpointStatus::Warning);
        assert_eq!(status(5 * GIB - 1), CheckpointStatus::Warning);
        assert_eq!(status(5 * GIB), CheckpointStatus::Ok);
        assert_eq!(gibibytes(GIB - 1), "0.9 GiB");
        assert_eq!(gibibytes(LITTLE), "5.0 GiB");
    }

    #[test]
    fn a_folder_that_is_not_there_is_on_the_disk_of_the_one_above() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(nearest(&place.path().join("not/yet")), place.path());
    }
}
