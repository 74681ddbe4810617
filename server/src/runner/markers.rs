//! The runner's marker lines: what it says about the preparation between the lines that people read.

use app::model::{
    cache::{EnvironmentUse, SetUse},
    checkpoint::CheckpointStatus,
};
use serde::{Deserialize, Serialize};

/// The first byte of a marker line, and of a tagged piece of standard error.
pub const SEPARATOR: u8 = 0x1e;

/// What a marker line says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Marker {
    Begin {
        begin: u8,
        name: String,
    },
    End {
        end: u8,
        status: CheckpointStatus,
        detail: String,
        /// What to do next.
        advice: Option<String>,
        /// Which entry of docs/troubleshooting.md tells more.
        code: Option<String>,
    },
    /// How the run came to its environment.
    Environment {
        environment: EnvironmentUse,
    },
    /// How the run came to its package set.
    Set {
        set: SetUse,
        /// How many store paths it is made of; told by whoever built it.
        paths: Option<u32>,
    },
    /// Preparation is over. Nothing after this is a marker.
    Program {
        program: bool,
    },
}

/// How many marker lines a runner may write, and those that it skips (see `with_lock` in runner.sh).
const LINES: usize = 256;
/// How many of these are for a runner that goes on where another one has prepared everything.
const LINES_AFTER_PREPARING: usize = 32;
/// How many of them a runner finds in the first line of what it reads, and makes do with when it builds nothing.
const LINES_WHEN_WARM: usize = 4;
/// How much of each secret is used: too much to be guessed, and all of them fit into a pipe at once.
const DIGITS: usize = 12;

/// What tells marker lines from others. Each secret is good for one line, since a package that is built during the
/// preparation can read the lines before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkerSecrets {
    once: Vec<String>,
    /// The runners of earlier versions have one for all lines. Some may still be under way.
    earlier: String,
}

impl MarkerSecrets {
    /// The secrets that are made by their purpose: at least so many digits each as are used of one.
    #[must_use]
    pub fn new(derive: impl Fn(&str) -> String) -> Self {
        let of_line = |line| derive(&format!("marker {line}")).chars().take(DIGITS).collect();
        Self { once: (0..LINES).map(of_line).collect(), earlier: derive("marker") }
    }

    /// What the runner reads from its standard input.
    #[must_use]
    pub fn input(&self) -> String {
        input_of(&self.once[..self.once.len().saturating_sub(LINES_AFTER_PREPARING)])
    }

    /// What a second runner reads, in a place where one prepares and another becomes the program.
    #[must_use]
    pub fn input_after_preparing(&self) -> String {
        input_of(&self.once[self.once.len().saturating_sub(LINES_AFTER_PREPARING)..])
    }

    /// Reads a line as markers, and counts the secrets spent. `None` when it is an ordinary line.
    #[must_use]
    pub fn parse(&self, line: &[u8], spent: &mut usize) -> Option<Vec<Marker>> {
        let line = line.strip_prefix(&[SEPARATOR])?;
        let end = line.iter().position(|byte| *byte == b' ')?;
        let (secret, markers) = (&line[..end], &line[end + 1..]);
        let place = self.once.iter().skip(*spent).position(|once| once.as_bytes() == secret);
        if place.is_none() && secret != self.earlier.as_bytes() {
            return None;
        }
        let markers = serde_json::from_slice(markers).ok()?;
        *spent += place.map_or(0, |place| place + 1);
        Some(markers)
    }
}

fn input_of(secrets: &[String]) -> String {
    let (first, others) = secrets.split_at(LINES_WHEN_WARM.min(secrets.len()));
    format!("{}\n{}", first.join(" "), others.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> MarkerSecrets {
        MarkerSecrets::new(|purpose| purpose.replace(' ', "-"))
    }

    #[test]
    fn markers_are_told_from_lines() {
        let line = b"\x1emarker-0 [{\"begin\":11,\"name\":\"Python packages\"},{\"environment\":\"ready\"},{\"set\":\"built\",\"paths\":3}]";
        let markers = [
            Marker::Begin { begin: 11, name: "Python packages".into() },
            Marker::Environment { environment: EnvironmentUse::Ready },
            Marker::Set { set: SetUse::Built, paths: Some(3) },
        ];
        assert_eq!(secrets().parse(line, &mut 0), Some(markers.to_vec()));
        for line in
            ["\x1eother [{\"program\":true}]", "marker-0 [{\"program\":true}]", "\x1emarker-0 rm -rf", "\x1emarker-0"]
        {
            assert_eq!(secrets().parse(line.as_bytes(), &mut 0), None, "{line}");
        }
    }

    #[test]
    fn a_secret_is_spent_with_those_before_it() {
        let (secrets, mut spent) = (secrets(), 0);
        let mut is_marker = |word: &str| {
            let line = format!("\x1e{word} [{{\"program\":true}}]");
            secrets.parse(line.as_bytes(), &mut spent).is_some()
        };
        assert!(is_marker("marker-1"));
        assert!(!is_marker("marker-0") && !is_marker("marker-1"));
        assert!(is_marker("marker-2") && is_marker("marker-42"));
        assert!(!is_marker("marker-41"));
        // A runner that was started by an earlier version has but one.
        assert!(is_marker("marker") && is_marker("marker"));
    }

    #[test]
    fn all_secrets_fit_into_what_a_shell_hands_on_without_a_process() {
        assert!(MarkerSecrets::new(|_| "0".repeat(32)).input().len() < 4096);
    }
}
