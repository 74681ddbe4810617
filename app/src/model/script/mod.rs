//! What a Python script says of itself in a comment: its packages, and the versions of Python that it is for (inline script
//! metadata, PEP 723). Read when a task is saved, and written when it is downloaded. Not for the browser to load.

mod block;
mod requires_python;

use std::fmt::Write as _;

use toml::{Table, Value};

use super::{import_names, python_packages::PythonPackages};
use block::Block;

pub use requires_python::RequiresPython;

/// The type of the block that is about packages and Python.
const TYPE: &str = "script";
const DEPENDENCIES: &str = "dependencies";
const REQUIRES_PYTHON: &str = "requires-python";

/// What a script says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ScriptMetadata {
    /// Its packages; `None` when it does not speak of them.
    pub packages: Option<PythonPackages>,
    /// The versions of Python that it is for.
    pub requires_python: Option<RequiresPython>,
    /// All of it, as it is written.
    table: Table,
}

/// What is wrong with what a script says of itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScriptError(String);

/// What a script says of itself; `None` when it says nothing.
///
/// # Errors
/// When it cannot be read: names the line, and says what is allowed.
pub fn read(code: &str) -> Result<Option<ScriptMetadata>, ScriptError> {
    match block::find(code, TYPE).as_slice() {
        [] => Ok(None),
        [block] => metadata(block).map(Some),
        [first, second, ..] => Err(ScriptError(format!(
            "The code has two blocks `# /// script`, in line {} and in line {}. Keep one of them.",
            first.line, second.line
        ))),
    }
}

/// Whether these packages are those that a script itself names.
#[must_use]
pub fn names(code: &str, packages: &PythonPackages) -> bool {
    let own = read(code).ok().flatten().and_then(|own| own.packages);
    own.is_some_and(|own| !own.is_empty() && are_same(&own, packages))
}

/// Whether two lists name the same, in whatever order.
#[must_use]
pub fn are_same(left: &PythonPackages, right: &PythonPackages) -> bool {
    let sorted = |packages: &PythonPackages| {
        let mut all: Vec<String> = packages.iter().map(str::to_owned).collect();
        all.sort_unstable();
        all
    };
    sorted(left) == sorted(right)
}

fn metadata(block: &Block) -> Result<ScriptMetadata, ScriptError> {
    let line = block.line;
    let fault = |what: &str| ScriptError(format!("The block `# /// script` in line {line} cannot be read: {what}"));
    let table: Table = toml::from_str(&block.content).map_err(|error| {
        let before = error.span().map_or("", |span| block.content.get(..span.start).unwrap_or_default());
        let at = line + 1 + before.matches('\n').count();
        ScriptError(format!(
            "The block `# /// script` cannot be read as TOML: {} (line {at}). Put it right, or remove the block.",
            error.message()
        ))
    })?;
    let packages = match table.get(DEPENDENCIES) {
        None => None,
        Some(value) => {
            let names = texts(value).ok_or_else(|| {
                fault("`dependencies` must be a list of texts, such as `[\"numpy\", \"pandas>=2\"]`.")
            })?;
            let packages = PythonPackages::parse_new(&names.join("\n")).map_err(|error| fault(&error.to_string()))?;
            if let Some(words) = import_names::fault(&packages) {
                return Err(fault(&words));
            }
            Some(packages)
        }
    };
    let requires_python = match table.get(REQUIRES_PYTHON) {
        None => None,
        Some(value) => {
            let required = value.as_str().and_then(RequiresPython::parse);
            Some(required.ok_or_else(|| fault("`requires-python` must compare versions, such as `\">=3.11\"`."))?)
        }
    };
    Ok(ScriptMetadata { packages, requires_python, table })
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// A script that says these packages and versions of Python of itself. What else its block says stays; what cannot be read
/// is replaced.
#[must_use]
pub fn with_metadata(code: &str, packages: &[&str], requires_python: &str) -> String {
    let blocks = block::find(code, TYPE);
    let table = read(code).ok().flatten().map(|own| own.table).unwrap_or_default();
    let said = table.get(DEPENDENCIES).and_then(texts).unwrap_or_default();
    if said == packages && table.get(REQUIRES_PYTHON).and_then(Value::as_str) == Some(requires_python) {
        return code.to_owned();
    }
    let block = written(table, packages, requires_python);
    let Some(first) = blocks.first() else {
        let (before, after) = code.split_at(preamble(code));
        return format!("{before}{block}\n\n{after}");
    };
    let mut script = String::with_capacity(code.len() + block.len());
    script.push_str(&code[..first.place.start]);
    script.push_str(&block);
    let mut end = first.place.end;
    for other in &blocks[1..] {
        script.push_str(&code[end..other.place.start]);
        end = other.place.end;
    }
    script.push_str(&code[end..]);
    script
}

/// The lines of a block. Packages and Python come first: what else there is may end in tables.
fn written(mut table: Table, packages: &[&str], requires_python: &str) -> String {
    let text = |text: &str| Value::String(text.to_owned()).to_string();
    let mut content = format!("{REQUIRES_PYTHON} = {}\n{DEPENDENCIES} = [", text(requires_python));
    for package in packages {
        // Writing to a `String` cannot fail.
        let _ = write!(content, "\n    {},", text(package));
    }
    content.push_str(if packages.is_empty() { "]\n" } else { "\n]\n" });
    table.remove(DEPENDENCIES);
    table.remove(REQUIRES_PYTHON);
    if !table.is_empty() {
        content.push('\n');
        content.push_str(&table.to_string());
    }
    let lines = content.lines().map(|line| if line.is_empty() { "#".to_owned() } else { format!("# {line}") });
    format!("# /// {TYPE}\n{}\n# ///", lines.collect::<Vec<_>>().join("\n"))
}

/// How many bytes of a script must stay at its beginning: what says who runs it, and its encoding.
fn preamble(code: &str) -> usize {
    let lines = code.split_inclusive('\n').take(2);
    lines
        .take_while(|line| line.starts_with("#!") || (line.starts_with('#') && line.contains("coding")))
        .map(str::len)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(code: &str) -> Option<String> {
        read(code).unwrap().unwrap().packages.map(|packages| packages.to_string())
    }

    #[test]
    fn a_block_says_packages_and_python() {
        let code = "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#   \"requests<3\", # why\n#   \
                    'rich',\n# ]\n# ///\nimport requests\n";
        assert_eq!(packages(code).as_deref(), Some("requests<3\nrich"));
        assert_eq!(read(code).unwrap().unwrap().requires_python.unwrap().to_string(), ">=3.11");
        assert!(names(code, &PythonPackages::parse("rich requests<3").unwrap()));
        assert!(!names(code, &PythonPackages::parse("rich").unwrap()));
        assert_eq!(read("print(1)"), Ok(None));
        assert_eq!(packages("# /// script\n# [tool.uv]\n# ///\n"), None);
        assert_eq!(packages("# /// script\n# dependencies = []\n# ///\n").as_deref(), Some(""));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (code, start) in [
            (
                "1\n\n# /// script\n# dependencies = [\n#   \"six\"\n#   \"rich\"\n# ]\n# ///\n",
                "The block `# /// script` cannot be read as TOML: ",
            ),
            (
                "# /// script\n# dependencies = \"six\"\n# ///\n",
                "The block `# /// script` in line 1 cannot be read: `dependencies` must be a list of texts",
            ),
            ("# /// script\n# dependencies = [1]\n# ///\n", "The block `# /// script` in line 1 cannot be read: "),
            (
                "# /// script\n# dependencies = [\"yaml\"]\n# ///\n",
                "The block `# /// script` in line 1 cannot be read: `yaml` is what code imports.",
            ),
            (
                "# /// script\n# requires-python = \"3.11\"\n# ///\n",
                "The block `# /// script` in line 1 cannot be read: `requires-python` must compare versions",
            ),
            (
                "# /// script\n# a = 1\n# ///\n\n# /// script\n# b = 2\n# ///\n",
                "The code has two blocks `# /// script`, in line 1 and in line 5. Keep one of them.",
            ),
        ] {
            let words = read(code).unwrap_err().to_string();
            assert!(words.starts_with(start), "{words}");
        }
        let words = read("1\n\n# /// script\n# dependencies = [\n#   \"six\"\n#   \"rich\"\n# ]\n# ///\n").unwrap_err();
        assert!(words.to_string().contains("(line 6)"), "{words}");
    }

    #[test]
    fn a_script_gets_a_block_after_what_must_be_first() {
        let block = "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#     \"six\",\n# ]\n# ///\n\n";
        for (before, after) in [
            ("", "print(1)\n"),
            ("#!/usr/bin/env python\n", "# A report\n"),
            ("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n", "print(1)\n"),
        ] {
            let script = with_metadata(&format!("{before}{after}"), &["six"], ">=3.11");
            assert_eq!(script, format!("{before}{block}{after}"));
            assert_eq!(packages(&script).as_deref(), Some("six"));
        }
        let none = with_metadata("print(1)", &[], ">=3.12");
        assert_eq!(none, "# /// script\n# requires-python = \">=3.12\"\n# dependencies = []\n# ///\n\nprint(1)");
    }

    #[test]
    fn a_block_that_is_there_is_replaced_and_keeps_what_else_it_says() {
        let code = "# First\n\n# /// script\n# dependencies = [\"six\"]\n# [tool.uv]\n# index-url = \"https://i/\"\n# ///\nx\n";
        let script = with_metadata(code, &["rich ; os_name == 'posix'"], ">=3.11");
        assert_eq!(packages(&script).as_deref(), Some("rich ; os_name == \"posix\""));
        assert_eq!(script.matches("# /// script").count(), 1);
        assert!(script.starts_with("# First\n\n# /// script\n# requires-python = \">=3.11\"\n"), "{script}");
        assert!(script.contains("\n# [tool.uv]\n# index-url = \"https://i/\"\n"), "{script}");
        assert!(script.ends_with("\n# ///\nx\n"), "{script}");
        // Nothing to change, so not even its comments.
        let same = "# /// script\n# dependencies = [ \"six\" ] # why\n# requires-python = \">=3.11\"\n# ///\n";
        assert_eq!(with_metadata(same, &["six"], ">=3.11"), same);
    }

    #[test]
    fn what_could_not_be_read_is_replaced_by_one_block() {
        let two = "# /// script\n# a = 1\n# ///\n\n# /// script\n# b = 2\n# ///\nx\n";
        let damaged = "# /// script\n# dependencies = [\n# ///\nx\n";
        for code in [two, damaged] {
            let script = with_metadata(code, &["six"], ">=3.11");
            assert_eq!(packages(&script).as_deref(), Some("six"), "{script}");
        }
    }
}
