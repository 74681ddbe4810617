//! The programs that every run needs: uv and Python.

use std::path::{Path, PathBuf};

use app::model::{checkpoint::CheckpointStatus, checks::CheckGroup};

use super::finding::{Finding, Subject};
use crate::{
    packages::environments::{Python, PythonError},
    programs::{self, found_on_path},
};

pub(super) const UV: Subject = Subject::new("uv", CheckGroup::Tools, "uv");
pub(super) const PYTHON: Subject = Subject::new("python", CheckGroup::Tools, "Python");

/// The oldest Python that the runner's files can do with.
const OLDEST_PYTHON: (u32, u32) = (3, 9);

const INSTALL_UV: &str = "Install uv (`pip install uv`, or https://docs.astral.sh/uv), or name it with --uv.";

pub(super) async fn uv(program: PathBuf) -> Finding {
    match version_of(&program).await {
        Ok(version) => Finding::ok(format!("{version} ({}).", found_on_path(&program).display())),
        Err(UvTrouble::Missing) => Finding::failed(format!("`{}` was not found.", program.display()), INSTALL_UV),
        Err(UvTrouble::Other(words)) => {
            Finding::failed(format!("`{} --version` went wrong: {words}", program.display()), INSTALL_UV)
        }
    }
}

enum UvTrouble {
    Missing,
    Other(String),
}

/// Such as `uv 0.9.1`.
async fn version_of(uv: &Path) -> Result<String, UvTrouble> {
    let output = programs::asked(uv).arg("--version").output().await;
    let output = output.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => UvTrouble::Missing,
        _ => UvTrouble::Other(format!("{error}.")),
    })?;
    let said = String::from_utf8_lossy(&output.stdout);
    match said.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["uv", version, ..] if output.status.success() => Ok(format!("uv {version}")),
        _ => {
            let words = String::from_utf8_lossy(&output.stderr);
            let words = words.lines().last().unwrap_or("it did not tell its version, so it may be another program.");
            Err(UvTrouble::Other(words.to_owned()))
        }
    }
}

/// The worst of what is found of those asked for, or of the one that uv prefers.
pub(super) async fn pythons(uv: PathBuf, asked_for: Vec<String>) -> Finding {
    let mut findings = Vec::new();
    for asked_for in &asked_for {
        findings.push(python(&uv, Some(asked_for)).await);
    }
    match findings.iter().position(|finding| finding.status != CheckpointStatus::Ok) {
        Some(worst) => findings.swap_remove(worst),
        None if findings.is_empty() => python(&uv, None).await,
        None => Finding::ok(findings.iter().map(|finding| finding.detail.as_str()).collect::<Vec<_>>().join(" ")),
    }
}

async fn python(uv: &Path, asked_for: Option<&str>) -> Finding {
    match Python::find(uv, asked_for).await {
        Ok(python) => judge(&python),
        Err(PythonError::NoUv) => Finding::skipped("uv finds Python, and uv is missing."),
        Err(PythonError::NoPython(words)) => Finding::failed(
            format!("No Python was found. uv says: {words}"),
            "Install Python 3.9 or newer, or name one with --python.",
        ),
    }
}

fn judge(python: &Python) -> Finding {
    let Python { version, path, .. } = python;
    let found = format!("Python {version} ({}).", path.display());
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST_PYTHON => Finding::ok(found),
        _ => Finding::failed(
            format!("{found} Runs need {}.{} or newer.", OLDEST_PYTHON.0, OLDEST_PYTHON.1),
            "Install Python 3.9 or newer, or name one with --python.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_pythons_are_refused() {
        let status = |version: &str| {
            judge(&Python { path: "/usr/bin/python3".into(), version: version.to_owned(), platform: String::new() })
                .status
        };
        for good in ["3.9.0", "3.12.4", "3.15.0a1", "4.0.0"] {
            assert_eq!(status(good), CheckpointStatus::Ok, "{good}");
        }
        for old in ["3.8.19", "2.7.18", "nonsense"] {
            assert_eq!(status(old), CheckpointStatus::Failed, "{old}");
        }
    }
}
