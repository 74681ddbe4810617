//! Words among Python packages that are no packages, though an index may have something by that name: commands, the
//! names that code imports, parts of Python itself. The one place to add another. Not for the browser to load.

use super::{python_packages::PythonPackages, words::shown};

/// What the code imports, and the package that has it.
const PACKAGES: [(&str, &str); 10] = [
    ("bs4", "beautifulsoup4"),
    ("crypto", "pycryptodome"),
    ("cv2", "opencv-python-headless"),
    ("dateutil", "python-dateutil"),
    ("dotenv", "python-dotenv"),
    ("fitz", "pymupdf"),
    ("pil", "pillow"),
    ("skimage", "scikit-image"),
    ("sklearn", "scikit-learn"),
    ("yaml", "pyyaml"),
];

/// Modules that come with Python and have no package of that name.
const PARTS_OF_PYTHON: [&str; 14] = [
    "asyncio",
    "collections",
    "csv",
    "functools",
    "io",
    "itertools",
    "json",
    "math",
    "os",
    "pathlib",
    "re",
    "subprocess",
    "sys",
    "time",
];

/// What is wrong with a list that reads well; `None` when nothing is known to be.
#[must_use]
pub fn fault(packages: &PythonPackages) -> Option<String> {
    let words: Vec<&str> = packages.iter().collect();
    if let [program @ ("pip" | "pip3" | "uv" | "poetry" | "conda"), verb @ ("install" | "add" | "pip"), ..] = words[..]
    {
        let command = [program, " ", verb].concat();
        return Some(format!(
            "{} is a command. Write only the names of the packages, such as `numpy`.",
            shown(&command)
        ));
    }
    if words.first() == Some(&"import") {
        return Some(
            "`import` belongs into the code. Write only the names of the packages, such as `numpy`.".to_owned(),
        );
    }
    packages.iter().filter(|requirement| !requirement.contains(" @ ")).find_map(|requirement| {
        let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        let name = &requirement[..end.unwrap_or(requirement.len())];
        let lower = name.to_ascii_lowercase();
        if let Some((_, package)) = PACKAGES.iter().find(|(import, _)| *import == lower) {
            return Some(format!(
                "{} is what code imports. The package that has it is called {}: write that.",
                shown(name),
                shown(package)
            ));
        }
        PARTS_OF_PYTHON
            .contains(&lower.as_str())
            .then(|| format!("{} is a part of Python: code imports it without a package. Remove it here.", shown(name)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<String> {
        fault(&PythonPackages::parse(text).unwrap())
    }

    #[test]
    fn words_that_are_no_packages_are_told() {
        for (text, start) in [
            ("pip install numpy", "`pip install` is a command."),
            ("uv add numpy", "`uv add` is a command."),
            ("import numpy", "`import` belongs into the code."),
            ("numpy PIL", "`PIL` is what code imports. The package that has it is called `pillow`"),
            ("sklearn>=1", "`sklearn` is what code imports. The package that has it is called `scikit-learn`"),
            ("os", "`os` is a part of Python"),
        ] {
            let fault = of(text).unwrap_or_default();
            assert!(fault.starts_with(start), "{text}: {fault}");
        }
        for text in ["", "pip", "numpy install", "pyyaml", "sklearn @ https://h/x.whl", "os-sys"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
