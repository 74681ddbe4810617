//! What a node says about its container runtime, taken apart: `containerd://2.1.9`.

use std::fmt;

use semver::Version;

/// Since this one, containers may be given what nix-portable asks for.
const CONTAINERD_FOR_NIX_PORTABLE: Version = Version::new(2, 0, 0);

/// A node's container runtime. Nodes write what they like, so any text is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerRuntime {
    /// Such as `containerd`, `cri-o`, `docker`.
    pub name: String,
    /// `None` when the text is no version.
    pub version: Option<Version>,
    /// The version as the node writes it.
    written: String,
}

impl ContainerRuntime {
    /// Takes apart a node's `status.nodeInfo.containerRuntimeVersion`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (name, written) = text.trim().split_once("://").unwrap_or((text.trim(), ""));
        Self { name: name.to_owned(), version: lenient(written), written: written.to_owned() }
    }

    /// True for a containerd before 2.0.0. Only the three numbers count: what follows them is mostly a distributor's
    /// (`2.0.0-k3s1`), which the rules of semantic versions would take for a version before 2.0.0.
    #[must_use]
    pub fn is_old_containerd(&self) -> bool {
        let numbers = self.version.as_ref().map(|version| Version::new(version.major, version.minor, version.patch));
        self.name == "containerd" && numbers.is_some_and(|numbers| numbers < CONTAINERD_FOR_NIX_PORTABLE)
    }
}

impl fmt::Display for ContainerRuntime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "an unnamed runtime" } else { &self.name };
        match (&self.version, self.written.as_str()) {
            (None, "") => write!(formatter, "{name} of an unknown version"),
            (_, written) => write!(formatter, "{name} {written}"),
        }
    }
}

/// Takes also what distributors write: `v2.1`, `1.7.12~ds1`, `20.10.24+dfsg1`.
fn lenient(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    if let Ok(version) = Version::parse(text) {
        return Some(version);
    }
    let numbers = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.').next().unwrap_or_default();
    let mut numbers = numbers.split('.').filter(|number| !number.is_empty()).map(str::parse);
    let major = numbers.next()?.ok()?;
    let mut next = || numbers.next().map_or(Some(0), Result::ok);
    Some(Version::new(major, next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, Option<String>) {
        let ContainerRuntime { name, version, .. } = ContainerRuntime::parse(text);
        (name, version.map(|version| version.to_string()))
    }

    #[test]
    fn what_nodes_write_is_understood() {
        for (text, name, version) in [
            ("containerd://2.1.9", "containerd", Some("2.1.9")),
            ("containerd://1.7.22-k3s1", "containerd", Some("1.7.22-k3s1")),
            ("containerd://1.7.12~ds1", "containerd", Some("1.7.12")),
            ("containerd://1.7.24-0ubuntu1~24.04.1", "containerd", Some("1.7.24")),
            ("containerd://v2.1", "containerd", Some("2.1.0")),
            ("containerd://2", "containerd", Some("2.0.0")),
            ("cri-o://1.34.1", "cri-o", Some("1.34.1")),
            ("docker://20.10.24+dfsg1", "docker", Some("20.10.24+dfsg1")),
            ("containerd://", "containerd", None),
            ("containerd://unknown", "containerd", None),
            ("containerd://99999999999999999999.1.2", "containerd", None),
            ("mystery", "mystery", None),
            ("", "", None),
        ] {
            assert_eq!(parsed(text), (name.to_owned(), version.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn only_a_containerd_before_two_is_old() {
        let old = |text: &str| ContainerRuntime::parse(text).is_old_containerd();
        for text in ["containerd://1.7.22-k3s1", "containerd://1.6.20~ds1", "containerd://1.7.24-0ubuntu1~24.04.1"] {
            assert!(old(text), "{text}");
        }
        for text in [
            "containerd://2.0.0",
            "containerd://2.0.0-k3s1",
            "containerd://2.1.9",
            "containerd://10.0.0",
            "containerd://unknown",
            "cri-o://1.34.1",
            "docker://1.13.1",
        ] {
            assert!(!old(text), "{text}");
        }
    }

    #[test]
    fn it_is_shown_as_the_node_writes_it() {
        let shown = |text: &str| ContainerRuntime::parse(text).to_string();
        assert_eq!(shown("containerd://1.7.22-k3s1"), "containerd 1.7.22-k3s1");
        assert_eq!(shown("containerd://"), "containerd of an unknown version");
        assert_eq!(shown(""), "an unnamed runtime of an unknown version");
    }
}
