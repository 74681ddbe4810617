//! The runner: the script that every engine starts a step with, and its helpers, as files.
//! What it reads and prints is described at its top; what it prints is read by `markers`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use app::model::{environment::EnvironmentVariables, identifiers::StepUid};
use sha2::{Digest as _, Sha256};

pub mod markers;

use self::markers::MarkerSecrets;

/// A file of the runner.
type RunnerFile = (&'static str, &'static str);

macro_rules! files {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!($name))),*] };
}

/// What is done, in which order.
const FLOW: [RunnerFile; 4] = files!["runner.sh", "system.sh", "reach.py", "fetch.py"];
/// What ends up in environments, and decides how they are built.
const ENVIRONMENT: [RunnerFile; 5] =
    files!["python.sh", "stoker_streams.py", "stoker_streams.pth", "stoker.py", "stoker_names.pth"];
/// What ends up in package sets.
const SET: [RunnerFile; 2] = files!["set.nix", "nix_environment.py"];

/// The text of the script.
pub const SCRIPT: &str = FLOW[0].1;
/// The text of its parts.
pub const PARTS: [RunnerFile; 2] = [ENVIRONMENT[0], FLOW[1]];

fn files() -> impl Iterator<Item = RunnerFile> {
    FLOW.into_iter().chain(ENVIRONMENT).chain(SET)
}

/// What tells the runner's own words from the program's; a pair for each step.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Secrets {
    /// Precede marker lines.
    pub markers: MarkerSecrets,
    /// Precedes each tagged piece of standard error. The program can find it out, and then speak with two voices; no more.
    pub error_tag: String,
}

/// What all steps' secrets are made from, so that they need not be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// A key of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the key from a file, or makes one there.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn keep_in(file: &Path, random: &dyn crate::clock::Random) -> io::Result<Self> {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        if let Ok(bytes) = fs::read(file)
            && let Ok(bytes) = bytes.try_into()
        {
            return Ok(Self(bytes));
        }
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        let unfinished = file.with_extension("new");
        fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&unfinished)?
            .write_all(&bytes)?;
        fs::rename(&unfinished, file)?;
        Ok(Self(bytes))
    }

    /// Names the Stoker that has this key where several share a place, without telling the key: eight hexadecimal digits.
    #[must_use]
    pub fn instance(&self) -> String {
        let digest = Sha256::new().chain_update(self.0).chain_update("instance").finalize();
        let mut instance = format!("{digest:x}");
        instance.truncate(8);
        instance
    }

    /// A step's secrets.
    #[must_use]
    pub fn of_step(&self, step: &StepUid) -> Secrets {
        let derive = |purpose: &str| {
            let mut digest = Sha256::new();
            digest.update(self.0);
            digest.update(purpose);
            match step.as_str().parse::<i64>() {
                // A step from before there were names may still be under way.
                Ok(key) => digest.update(key.to_le_bytes()),
                Err(_) => digest.update(step.as_str()),
            }
            let mut secret = format!("{:x}", digest.finalize());
            secret.truncate(32);
            secret
        };
        Secrets { markers: MarkerSecrets::new(derive), error_tag: derive("error") }
    }
}

/// Writes the runner's files below a folder, under a name that changes with their content, so that steps that still
/// run keep theirs when Stoker is replaced. Says where.
///
/// # Errors
/// When they cannot be written.
pub fn install(below: &Path) -> io::Result<PathBuf> {
    let folder = below.join(&digest(files())[..16]);
    if !folder.exists() {
        let unfinished = below.join(format!(".unfinished-{}", std::process::id()));
        fs::create_dir_all(&unfinished)?;
        for (name, text) in files() {
            fs::write(unfinished.join(name), text)?;
        }
        match fs::rename(&unfinished, &folder) {
            Err(_) if folder.exists() => fs::remove_dir_all(&unfinished)?,
            done => done?,
        }
    }
    Ok(folder)
}

/// A digest of what ends up in environments and decides how they are built: part of an environment's key.
#[must_use]
pub fn environment_digest() -> String {
    digest(ENVIRONMENT)
}

/// A digest of what ends up in package sets: part of a set's key.
#[must_use]
pub fn set_digest() -> String {
    digest(SET)
}

fn digest(files: impl IntoIterator<Item = RunnerFile>) -> String {
    let mut digest = Sha256::new();
    for (name, text) in files {
        digest.update(name);
        digest.update([0]);
        digest.update(text);
        digest.update([0]);
    }
    format!("{:x}", digest.finalize())
}

/// The content of `arguments.sh`: the user's environment variables as words for the runner's `env`.
/// In single quotes a shell leaves everything alone but the single quote itself.
#[must_use]
pub fn arguments_script(variables: &EnvironmentVariables) -> String {
    let words: Vec<String> =
        variables.iter().map(|(name, value)| format!("'{name}={}'", value.replace('\'', r"'\''"))).collect();
    format!("set -- {}\n", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs;

    #[test]
    fn variables_reach_a_real_shell_as_typed() {
        let typed = "A=plain\nB=it's $(id) `id` \"x\" \\ {{x}} ;&|\nC=ünï 🚀\nD=";
        let variables = EnvironmentVariables::parse(typed).unwrap();
        let script = format!("{}printf '%s\\n' \"$@\"", arguments_script(&variables));
        let output = programs::asked_blocking("sh".as_ref()).arg("-c").arg(script).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end_matches('\n'), typed);
    }

    #[test]
    fn the_password_of_an_index_is_not_told() {
        let python = programs::found_on_path(Path::new("python3"));
        for address in ["http://me:pa55@localhost:1/simple?t=pa55", "ours=http://me:pa55@localhost:1/simple"] {
            let reach = [env!("CARGO_MANIFEST_DIR"), "/src/runner/reach.py"].concat();
            let said = programs::asked_blocking(&python).arg("-I").arg(reach).arg(address).output().unwrap();
            let said = String::from_utf8(said.stdout).unwrap();
            assert!(said.starts_with("http://localhost:1/simple cannot be reached: "), "{said}");
            assert!(!said.contains("pa55"), "{said}");
        }
    }

    /// The codes that the scripts fail or warn with.
    fn codes() -> std::collections::BTreeSet<String> {
        let scripts = [FLOW[0].1, FLOW[1].1, ENVIRONMENT[0].1];
        let words = scripts.iter().flat_map(|script| script.split_whitespace().collect::<Vec<_>>());
        let mut codes = std::collections::BTreeSet::new();
        let mut before = "";
        for word in words {
            if matches!(before, "fail" | "warn")
                && word.contains('-')
                && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
            {
                codes.insert(word.to_owned());
            }
            before = word;
        }
        codes
    }

    #[test]
    fn each_failure_has_its_entry_in_the_documentation_and_each_entry_its_failure() {
        let text = include_str!("../../../docs/troubleshooting.md");
        let (text, _) = text.split_once("\n## How a run ends").unwrap();
        let entries: std::collections::BTreeSet<String> =
            text.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect();
        let codes = codes();
        assert!(codes.len() > 25, "the scripts' codes are found: {codes:?}");
        assert_eq!(codes, entries);
    }

    #[test]
    fn the_checkpoints_have_the_numbers_that_the_server_knows_them_by() {
        use app::model::checkpoint::Checkpoint;
        let scripts = [FLOW[0].1, FLOW[1].1, ENVIRONMENT[0].1].concat();
        for (number, name) in [
            (Checkpoint::FOLDERS, "Folders"),
            (Checkpoint::CONTAINER_RUNTIME, "Container runtime"),
            (Checkpoint::NETWORK, "Network"),
            (Checkpoint::SYSTEM_PACKAGES, "System packages"),
            (Checkpoint::PYTHON_PACKAGES, "Python packages"),
        ] {
            assert!(scripts.contains(&format!("begin {number} \"{name}\"")), "{number} {name}");
        }
        assert!(!scripts.contains(&format!("begin {} ", Checkpoint::COUNT + 1)));
    }

    #[test]
    fn no_failure_is_without_a_code() {
        for (name, script) in [FLOW[0], FLOW[1], ENVIRONMENT[0]] {
            for line in script.lines().filter(|line| line.contains("fail ") && !line.trim_start().starts_with('#')) {
                let after = line.split("fail ").nth(1).unwrap_or_default();
                let code = after.split_whitespace().next().unwrap_or_default();
                assert!(codes().contains(code), "{name}: {line}");
            }
        }
    }
}
