//! The task images: one for runs that ask for no version of Python, and others by the version that they have.

use std::collections::BTreeMap;

use app::model::python_version::PythonVersion;

/// A task image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskImage {
    /// Its name, as the cluster's nodes know it.
    pub name: String,
    /// The full version of its Python, such as `3.11.2`.
    pub python: String,
}

/// The task images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskImages {
    /// The one of runs that ask for no version.
    pub default: TaskImage,
    /// The one of each version, the default one too.
    by_version: BTreeMap<PythonVersion, TaskImage>,
}

/// Why images cannot be used as they are named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImagesError {
    /// There is none.
    #[error("Runs in a cluster need the task image. Name it with --image, or leave `argo` out of --engine.")]
    None,
    /// Something stands before the name that is no version.
    #[error("--image {0} begins with no version of Python. Write it so: --image 3.12=NAME, or --image 3.12.4=NAME.")]
    NoVersion(String),
    /// There are two of a kind.
    #[error("--image names two images for {0}. Leave one of them.")]
    Twice(String),
}

impl TaskImages {
    /// One image.
    #[must_use]
    pub fn only(default: TaskImage) -> Self {
        let version = PythonVersion::of_full(&default.python);
        Self { by_version: version.map(|version| (version, default.clone())).into_iter().collect(), default }
    }

    /// Images as options name them: `NAME`, whose Python is `default_python`, and `VERSION=NAME`. Without the former, the
    /// first one is the default.
    ///
    /// # Errors
    /// When there is none, or one cannot be told from another.
    pub fn named(named: &[String], default_python: &str) -> Result<Self, ImagesError> {
        let (mut plain, mut images) = (None, Vec::new());
        for named in named.iter().map(|named| named.trim()).filter(|named| !named.is_empty()) {
            match named.split_once('=') {
                None if plain.is_none() => {
                    plain = Some(TaskImage { name: named.to_owned(), python: default_python.to_owned() });
                }
                None => return Err(ImagesError::Twice("tasks that ask for no version".to_owned())),
                Some((python, name)) => {
                    let version = PythonVersion::of_full(python).filter(|_| !name.is_empty());
                    let version = version.ok_or_else(|| ImagesError::NoVersion(named.to_owned()))?;
                    images.push((version, TaskImage { name: name.to_owned(), python: python.to_owned() }));
                }
            }
        }
        let default = plain.or_else(|| images.first().map(|(_, image)| image.clone())).ok_or(ImagesError::None)?;
        let mut by_version = BTreeMap::new();
        for (version, image) in images {
            if by_version.insert(version, image).is_some() {
                return Err(ImagesError::Twice(format!("Python {version}")));
            }
        }
        if let Some(version) = PythonVersion::of_full(&default.python) {
            by_version.entry(version).or_insert_with(|| default.clone());
        }
        Ok(Self { default, by_version })
    }

    /// The one for a wish; `None` when there is none.
    #[must_use]
    pub fn of(&self, wanted: Option<PythonVersion>) -> Option<&TaskImage> {
        wanted.map_or(Some(&self.default), |wanted| self.by_version.get(&wanted))
    }

    /// One of each version, the lowest first.
    pub fn all(&self) -> impl Iterator<Item = &TaskImage> {
        self.by_version.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(named: &[&str]) -> Result<TaskImages, ImagesError> {
        TaskImages::named(&named.iter().map(|named| (*named).to_owned()).collect::<Vec<_>>(), "3.11.2")
    }

    fn name(images: &TaskImages, wanted: &str) -> Option<String> {
        images.of(PythonVersion::parse(wanted).unwrap()).map(|image| image.name.clone())
    }

    #[test]
    fn an_image_is_found_by_the_version_of_its_python() {
        let images = images(&["r/stoker:1", "3.12.4=r/stoker:1-py312", "3.13=r/stoker@sha256:00"]).unwrap();
        for (wanted, expected) in [
            ("", Some("r/stoker:1")),
            ("3.11", Some("r/stoker:1")),
            ("3.12", Some("r/stoker:1-py312")),
            ("3.13", Some("r/stoker@sha256:00")),
            ("3.10", None),
        ] {
            assert_eq!(name(&images, wanted).as_deref(), expected, "{wanted}");
        }
        let pythons: Vec<&str> = images.all().map(|image| image.python.as_str()).collect();
        assert_eq!(pythons, ["3.11.2", "3.12.4", "3.13"]);
    }

    #[test]
    fn without_a_plain_name_the_first_image_is_the_default() {
        let images = images(&["3.12=a", "", "3.11=b"]).unwrap();
        assert_eq!((name(&images, "").as_deref(), images.default.python.as_str()), (Some("a"), "3.12"));
        assert_eq!(name(&images, "3.11").as_deref(), Some("b"));
    }

    #[test]
    fn images_that_cannot_be_told_apart_are_refused() {
        for (named, words) in [
            (&[""][..], "Runs in a cluster need the task image."),
            (&["a", "b"], "two images for tasks that ask for no version"),
            (&["a", "3.12=b", "3.12.4=c"], "two images for Python 3.12"),
            (&["new=a"], "--image new=a begins with no version of Python."),
            (&["3.12="], "--image 3.12= begins with no version of Python."),
        ] {
            let error = images(named).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
