//! The runner's marker lines: what it says about the preparation between the lines that people read.

use app::model::{cache::EnvironmentUse, checkpoint::CheckpointStatus};
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
    },
    /// How the run came to its environment.
    Environment {
        /// How.
        environment: EnvironmentUse,
    },
    /// Preparation is over. Nothing after this is a marker.
    Program {
        /// Always true.
        program: bool,
    },
}

/// Reads a line as a marker. `None` when it is an ordinary line.
#[must_use]
pub fn parse(line: &[u8], secret: &str) -> Option<Marker> {
    let rest = line.strip_prefix(&[SEPARATOR])?.strip_prefix(secret.as_bytes())?.strip_prefix(b" ")?;
    serde_json::from_slice(rest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_told_from_lines() {
        let marker = parse(b"\x1esecret {\"begin\":11,\"name\":\"Python packages\"}", "secret");
        assert_eq!(marker, Some(Marker::Begin { begin: 11, name: "Python packages".into() }));
        assert_eq!(
            parse(b"\x1esecret {\"environment\":\"ready\"}", "secret"),
            Some(Marker::Environment { environment: EnvironmentUse::Ready })
        );
        assert_eq!(parse(b"\x1eother {\"program\":true}", "secret"), None);
        assert_eq!(parse(b"secret {\"program\":true}", "secret"), None);
        assert_eq!(parse(b"\x1esecret rm -rf", "secret"), None);
    }
}
