//! Where system packages come from.

use std::path::{Path, PathBuf};

use app::model::checks::CheckGroup;
use rustix::fs::{Access, access};

use super::finding::{Finding, Subject};
use crate::environments::found_on_path;

pub(super) const NIX: Subject = Subject::new("nix", CheckGroup::Tools, "Nix");

/// A Nix that can be used here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Provider {
    /// `nix`, with a store at /nix that can be written, by itself or through its daemon.
    Nix(PathBuf),
    /// `nix-portable`, with a store of its own.
    Portable(PathBuf),
}

impl Provider {
    /// The first that is there.
    pub(super) fn find() -> Option<Self> {
        let store =
            Path::new("/nix/var/nix/daemon-socket/socket").exists() || access("/nix/store", Access::WRITE_OK).is_ok();
        let nix = store.then(|| on_path("nix")).flatten().map(Self::Nix);
        nix.or_else(|| on_path("nix-portable").map(Self::Portable))
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    Some(found_on_path(Path::new(program))).filter(|path| path.is_absolute())
}

pub(super) fn finding(provider: Option<&Provider>) -> Finding {
    match provider {
        Some(Provider::Nix(program)) => Finding::ok(format!("{} with the store of this machine.", program.display())),
        Some(Provider::Portable(program)) => Finding::ok(format!("{} with a store of its own.", program.display())),
        None => Finding::warning(
            "There is no Nix that can be used, so tasks cannot have system packages. Python packages need none.",
            "If tasks are to have system packages, install Nix with a writable /nix, or put nix-portable on the PATH.",
        ),
    }
}
