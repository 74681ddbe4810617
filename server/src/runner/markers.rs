//! The runner's marker lines: what it says about the preparation between the lines that people read.

use app::model::{
    cache::{EnvironmentUse, SetUse},
    checkpoint::CheckpointStatus,
};
use serde::Deserialize;

/// The first byte of a marker line, and of a tagged piece of standard error.
pub const SEPARATOR: u8 = 0x1e;

/// What a marker line says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Marker {
    /// A checkpoint begins.
    Begin {
        /// Its number.
        begin: u8,
        /// Its name.
        name: String,
    },
    /// A checkpoint ends.
    End {
        /// Its number.
        end: u8,
        /// How.
        status: CheckpointStatus,
        /// What was found.
        detail: String,
        /// What to do next.
        advice: Option<String>,
        /// Which entry of docs/troubleshooting.md tells more.
        code: Option<String>,
    },
    /// How the run came to its environment.
    Environment {
        /// How.
        environment: EnvironmentUse,
    },
    /// How the run came to its package set.
    Set {
        /// How.
        set: SetUse,
        /// How many store paths it is made of; told by whoever built it.
        paths: Option<u32>,
    },
    /// Preparation is over. Nothing after this is a marker.
    Program {
        /// Always true.
        program: bool,
    },
}

/// Reads a line as markers. `None` when it is an ordinary line.
#[must_use]
pub fn parse(line: &[u8], secret: &str) -> Option<Vec<Marker>> {
    let rest = line.strip_prefix(&[SEPARATOR])?.strip_prefix(secret.as_bytes())?.strip_prefix(b" ")?;
    serde_json::from_slice(rest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_told_from_lines() {
        let line = b"\x1esecret [{\"begin\":11,\"name\":\"Python packages\"},{\"environment\":\"ready\"},{\"set\":\"built\",\"paths\":3}]";
        let markers = [
            Marker::Begin { begin: 11, name: "Python packages".into() },
            Marker::Environment { environment: EnvironmentUse::Ready },
            Marker::Set { set: SetUse::Built, paths: Some(3) },
        ];
        assert_eq!(parse(line, "secret"), Some(markers.to_vec()));
        assert_eq!(parse(b"\x1eother [{\"program\":true}]", "secret"), None);
        assert_eq!(parse(b"secret [{\"program\":true}]", "secret"), None);
        assert_eq!(parse(b"\x1esecret rm -rf", "secret"), None);
    }
}
