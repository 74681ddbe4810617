//! Which Nix there is on this machine. Found anew for each run that needs one, so that an installed Nix is used without a
//! restart; finding it starts no process but, once, the question whether this machine allows mount namespaces.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::fs::{Access, access};

use super::{NixChoice, NixSettings};
use crate::programs::{self, found_on_path};

/// Places of Nix that need not be on the server's `PATH`.
const USUAL_PLACES: [&str; 2] = ["/nix/var/nix/profiles/default/bin/nix", "/run/current-system/sw/bin/nix"];

/// Where system packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// A Nix whose store is at /nix.
    Nix { program: PathBuf },
    /// A Nix with a store in Stoker's cache, put at /nix in a mount namespace of each run's own.
    Own {
        program: PathBuf,
        /// The folder that has the store as `nix/store`.
        root: PathBuf,
    },
    /// nix-portable, with its store in Stoker's cache.
    Portable {
        program: PathBuf,
        /// The folder that has the store as `nix/store`.
        root: PathBuf,
        /// How it puts its store at /nix: `bwrap`, or `proot` where there are no user namespaces.
        runtime: &'static str,
    },
    /// None, or none that works here.
    None,
}

impl Provider {
    /// Finds the provider that is set, or the first that works.
    #[must_use]
    pub fn find(settings: &NixSettings) -> Self {
        let choices: &[NixChoice] = match &settings.choice {
            NixChoice::Auto => &[NixChoice::Nix, NixChoice::Own, NixChoice::Portable],
            one => std::slice::from_ref(one),
        };
        let only = settings.choice != NixChoice::Auto;
        choices.iter().find_map(|choice| Self::of(*choice, settings, only)).unwrap_or(Self::None)
    }

    /// `only`: just this one is set, so /nix may be made where it is not.
    fn of(choice: NixChoice, settings: &NixSettings, only: bool) -> Option<Self> {
        match choice {
            NixChoice::Auto | NixChoice::None => None,
            NixChoice::Nix => {
                let writable = |path: &str| access(path, Access::WRITE_OK).is_ok();
                let usable = if Path::new("/nix/store").exists() {
                    Path::new("/nix/var/nix/daemon-socket/socket").exists() || writable("/nix/store")
                } else if Path::new("/nix").exists() {
                    writable("/nix")
                } else {
                    only && writable("/")
                };
                usable.then(|| nix(settings)).flatten().map(|program| Self::Nix { program })
            }
            NixChoice::Own => {
                let program = nix(settings)?;
                namespaces_work(settings).then(|| Self::Own { program, root: settings.folder.join("own") })
            }
            NixChoice::Portable => {
                let program = program("nix-portable", settings)?;
                let runtime = if namespaces_work(settings) { "bwrap" } else { "proot" };
                Some(Self::Portable { program, root: settings.folder.join(".nix-portable"), runtime })
            }
        }
    }

    /// Its word, as in the settings and in keys.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Nix { .. } => "nix",
            Self::Own { .. } => "own",
            Self::Portable { .. } => "portable",
            Self::None => "none",
        }
    }

    /// The program; `None` without a provider.
    #[must_use]
    pub fn program(&self) -> Option<&Path> {
        match self {
            Self::Nix { program } | Self::Own { program, .. } | Self::Portable { program, .. } => Some(program),
            Self::None => None,
        }
    }

    /// The folder that has the store as `nix/store`, when that is not `/`.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        match self {
            Self::Own { root, .. } | Self::Portable { root, .. } => Some(root),
            Self::Nix { .. } | Self::None => None,
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Nix { program } => format!("{} with the store of this machine", program.display()),
            Self::Own { program, root } => format!("{} with a store in {}", program.display(), root.display()),
            Self::Portable { program, root, runtime } => {
                format!("{} ({runtime}) with a store in {}", program.display(), root.display())
            }
            Self::None => "none: system packages are not available".to_owned(),
        }
    }
}

/// The `nix` program, wherever it is.
fn nix(settings: &NixSettings) -> Option<PathBuf> {
    program("nix", settings).or_else(|| USUAL_PLACES.iter().map(PathBuf::from).find(|place| place.is_file()))
}

/// A program on `PATH`, or one that `stoker nix install` put into the cache.
fn program(name: &str, settings: &NixSettings) -> Option<PathBuf> {
    [found_on_path(Path::new(name)), settings.folder.join("bin").join(name)]
        .into_iter()
        .find(|candidate| candidate.is_absolute() && candidate.is_file())
}

/// Whether a program can be given a mount namespace here. Containers often forbid it. Asked until it is so: a machine
/// under load may fail to start a process, which says nothing.
fn namespaces_work(settings: &NixSettings) -> bool {
    static THEY_DO: AtomicBool = AtomicBool::new(false);
    if !THEY_DO.load(Ordering::Relaxed) {
        // Nobody else's: its name cannot be guessed, and it goes with the value.
        let Ok(probe) = tempfile::tempdir() else { return false };
        let tried = programs::asked_blocking(&settings.stoker)
            .arg("inside")
            .arg(probe.path())
            .args(["/bin/sh", "-c", ":"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        THEY_DO.store(tried.is_ok_and(|status| status.success()), Ordering::Relaxed);
    }
    THEY_DO.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(choice: NixChoice, cache: &Path) -> NixSettings {
        NixSettings::new(choice, super::super::NIXPKGS.into(), cache, "/nonexistent/stoker".into())
    }

    #[test]
    fn none_is_none_and_an_installed_nix_portable_is_found() {
        let cache = tempfile::tempdir().unwrap();
        assert_eq!(Provider::find(&settings(NixChoice::None, cache.path())), Provider::None);
        let settings = settings(NixChoice::Portable, cache.path());
        assert_eq!(Provider::find(&settings), Provider::None);
        std::fs::create_dir_all(cache.path().join("nix/bin")).unwrap();
        std::fs::write(cache.path().join("nix/bin/nix-portable"), "").unwrap();
        assert_eq!(Provider::find(&settings).word(), "portable");
    }

    #[test]
    fn the_key_knows_names_nixpkgs_and_provider_but_not_the_order() {
        let cache = tempfile::tempdir().unwrap();
        let settings = settings(NixChoice::None, cache.path());
        let nix = Provider::Nix { program: "/nix".into() };
        let key = settings.set_key(&["gcc", "vim"], &nix);
        assert_eq!(key, settings.set_key(&["vim", "gcc"], &nix));
        assert_ne!(key, settings.set_key(&["vim"], &nix));
        let own = Provider::Own { program: "/nix".into(), root: "/own".into() };
        assert_ne!(key, settings.set_key(&["gcc", "vim"], &own));
        let newer = NixSettings { nixpkgs: "path:/other".into(), ..settings };
        assert_ne!(key, newer.set_key(&["gcc", "vim"], &nix));
    }
}
