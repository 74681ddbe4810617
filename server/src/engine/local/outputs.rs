//! What steps put out for the steps after them and for people: a folder for each step of each run. It stays when the
//! step's own folder goes, until the run is deleted.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Component, Path, PathBuf},
};

use app::model::{
    flow::StepKey,
    identifiers::{RunUid, StepUid},
    views::StepOutput,
};

use crate::{engine::Readable, remove_tree::remove_tree};

/// At most so many outputs of a step are listed.
const MOST_LISTED: usize = 1000;
/// Folders deeper than this are not looked into.
const DEEPEST: usize = 8;

/// The outputs of all runs.
#[derive(Debug, Clone)]
pub struct Outputs(PathBuf);

impl Outputs {
    /// Outputs below this folder.
    #[must_use]
    pub fn below(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn of_run(&self, run: &RunUid) -> PathBuf {
        self.0.join(run.as_str())
    }

    /// The folder of a step's outputs.
    #[must_use]
    pub fn of_step(&self, run: &RunUid, step: &StepKey) -> PathBuf {
        self.of_run(run).join(step.as_str())
    }

    /// Makes the empty folder of a step that is about to begin: what an earlier attempt left is gone. What it may read of
    /// an earlier run becomes its own run's, so that it stays when that one is deleted.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn begin(&self, step: &StepUid, key: &StepKey, readable: &[Readable]) -> io::Result<()> {
        let run = step.run();
        let own = self.of_step(&run, key);
        remove_tree(&own)?;
        fs::create_dir_all(&own)?;
        for other in readable {
            if let Some(from) = &other.kept_from {
                self.adopt(from, &run, &other.key)?;
            }
        }
        Ok(())
    }

    /// Gives a run what a step has put out in an earlier one, as files of its own: it stays when that run is deleted, and
    /// whoever changes it changes nothing there. What is there already stays.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn adopt(&self, from: &RunUid, to: &RunUid, step: &StepKey) -> io::Result<()> {
        let (from, place) = (self.of_step(from, step), self.of_step(to, step));
        if place.exists() || !from.exists() {
            return Ok(());
        }
        let unfinished = tempfile::Builder::new().prefix(".").tempdir_in(made(self.of_run(to))?)?.keep();
        // Others may read it, as what programs put out themselves.
        fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o755))?;
        copy_tree(&from, &unfinished)?;
        match fs::rename(&unfinished, &place) {
            // Another step of the run was faster.
            Err(_) if place.exists() => remove_tree(&unfinished),
            moved => moved,
        }
    }

    /// Takes the folders of a run's steps away that have nothing in them.
    pub fn tidy(&self, run: &RunUid) {
        let folder = self.of_run(run);
        for step in fs::read_dir(&folder).into_iter().flatten().flatten() {
            // Refused when there is something in it, and then it stays.
            let _ = fs::remove_dir(step.path());
        }
        let _ = fs::remove_dir(folder);
    }

    /// What a step has put out so far, by name; not all when there is very much of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn list(&self, run: &RunUid, step: &StepKey) -> io::Result<Vec<StepOutput>> {
        let folder = self.of_step(run, step);
        let mut found = Vec::new();
        list_below(&folder, "", 0, &mut found)?;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Opens an output of a step.
    ///
    /// # Errors
    /// `NotFound` when there is none of this name.
    pub fn open(&self, run: &RunUid, step: &StepKey, name: &str) -> io::Result<File> {
        let none = || io::Error::from(io::ErrorKind::NotFound);
        let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        if name.is_empty() || !is_inside {
            return Err(none());
        }
        let folder = self.of_step(run, step).canonicalize()?;
        // A link may lead anywhere.
        let path = folder.join(name).canonicalize()?;
        if !path.starts_with(&folder) || !path.is_file() {
            return Err(none());
        }
        File::open(path)
    }

    /// The runs that have outputs.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn runs(&self) -> io::Result<Vec<RunUid>> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut runs = Vec::new();
        for entry in entries {
            runs.extend(entry?.file_name().to_str().and_then(|name| name.parse().ok()));
        }
        Ok(runs)
    }

    /// Removes the outputs of a run.
    ///
    /// # Errors
    /// When something is left.
    pub fn remove(&self, run: &RunUid) -> io::Result<()> {
        remove_tree(&self.of_run(run))
    }
}

fn made(folder: PathBuf) -> io::Result<PathBuf> {
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Copies what is in a folder into another one.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_tree(&entry.path(), &made(target)?)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, target)?;
        }
    }
    Ok(())
}

fn list_below(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<StepOutput>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        // What is being written has a dot in front; a name that is no text has no address.
        let Some(name) = entry.file_name().to_str().filter(|name| !name.starts_with('.')).map(str::to_owned) else {
            continue;
        };
        let (kind, name) = (entry.file_type()?, format!("{prefix}{name}"));
        if found.len() >= MOST_LISTED {
            return Ok(());
        } else if kind.is_dir() && depth < DEEPEST {
            list_below(&entry.path(), &format!("{name}/"), depth + 1, found)?;
        } else if kind.is_file() {
            found.push(StepOutput { name, bytes: entry.metadata()?.len() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn outputs_are_of_one_step_of_one_run() {
        let folder = tempfile::tempdir().unwrap();
        let outputs = Outputs::below(folder.path().join("outputs"));
        let (old, new) = (RunUid::from_random([1; 10]), RunUid::from_random([2; 10]));
        let key = |text: &str| text.parse::<StepKey>().unwrap();
        outputs.begin(&old.step(NonZeroU32::MIN), &key("load"), &[]).unwrap();
        fs::create_dir(outputs.of_step(&old, &key("load")).join("plots")).unwrap();
        for name in ["plots/a.png", "b.json", ".unfinished"] {
            fs::write(outputs.of_step(&old, &key("load")).join(name), "x").unwrap();
        }
        std::os::unix::fs::symlink("/etc/hostname", outputs.of_step(&old, &key("load")).join("link")).unwrap();
        let names = |run: &RunUid, step: &str| {
            outputs.list(run, &key(step)).unwrap().into_iter().map(|output| output.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&old, "load"), ["b.json", "plots/a.png"]);
        assert!(outputs.open(&old, &key("load"), "plots/a.png").is_ok());
        for other in ["", "..", "../load/b.json", "/etc/hostname", "link", "plots", "c"] {
            assert!(outputs.open(&old, &key("load"), other).is_err(), "{other}");
        }

        // A run that goes on has what it kept also when the old one is gone.
        let kept = Readable {
            key: key("load"),
            name: app::model::flow::StepName::parse("Load").unwrap(),
            kept_from: Some(old.clone()),
        };
        outputs.begin(&new.step(NonZeroU32::MIN), &key("report"), &[kept]).unwrap();
        outputs.remove(&old).unwrap();
        assert_eq!(
            (names(&new, "load"), names(&new, "report")),
            (vec!["b.json".to_owned(), "plots/a.png".to_owned()], vec![])
        );
        assert_eq!(outputs.runs().unwrap(), std::slice::from_ref(&new));

        // A new attempt begins with nothing, and what is empty does not stay.
        outputs.begin(&new.step(NonZeroU32::MIN), &key("load"), &[]).unwrap();
        outputs.tidy(&new);
        assert_eq!(outputs.runs().unwrap(), []);
    }
}
