//! Names among system packages that do not work as packages of Nix, and what to do instead. The one place to add another.

/// What stands in for a package of Nix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    /// An installer of its own, into the cache.
    Installer,
    /// The same under the name that Nix knows.
    Called(&'static str),
    /// Nothing; the reason, and what to do.
    Nothing(&'static str),
}

const FALLBACKS: [(&str, Fallback); 22] = [
    // What nixpkgs calls conda is a wrapper that downloads it, and needs what containers do not allow.
    ("conda", Fallback::Installer),
    ("miniconda", Fallback::Called("conda")),
    ("miniconda3", Fallback::Called("conda")),
    ("miniforge", Fallback::Called("conda")),
    ("anaconda", Fallback::Called("conda")),
    ("mamba", Fallback::Called("conda")),
    ("make", Fallback::Called("gnumake")),
    ("g++", Fallback::Called("gcc")),
    ("build-essential", Fallback::Called("gcc gnumake")),
    ("golang", Fallback::Called("go")),
    ("nodejs-lts", Fallback::Called("nodejs")),
    ("libssl-dev", Fallback::Called("openssl pkg-config")),
    ("zlib1g-dev", Fallback::Called("zlib")),
    ("awk", Fallback::Called("gawk")),
    ("sed", Fallback::Called("gnused")),
    ("tar", Fallback::Called("gnutar")),
    ("pip", Fallback::Nothing("Name what pip would install under Python packages.")),
    ("python3-pip", Fallback::Nothing("Name what pip would install under Python packages.")),
    ("apt", Fallback::Nothing("Name what apt would install here, by its name in Nix.")),
    ("apt-get", Fallback::Nothing("Name what apt-get would install here, by its name in Nix.")),
    ("sudo", Fallback::Nothing("A run cannot become another user.")),
    ("systemd", Fallback::Nothing("A run cannot start services of the machine.")),
];

/// What stands in for a name; `None` for the names that Nix provides, or may.
#[must_use]
pub fn of(name: &str) -> Option<Fallback> {
    FALLBACKS.iter().find(|(known, _)| *known == name).map(|(_, fallback)| *fallback)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::system_packages::SystemPackages;

    #[test]
    fn each_name_is_there_once_and_leads_to_names_that_work() {
        for (number, (name, fallback)) in FALLBACKS.iter().enumerate() {
            assert_eq!(FALLBACKS.iter().position(|(other, _)| other == name), Some(number));
            if let Fallback::Called(names) = fallback {
                let names = SystemPackages::parse(names).unwrap();
                assert!(names.iter().all(|name| matches!(of(name), None | Some(Fallback::Installer))), "{name}");
            }
        }
    }
}
