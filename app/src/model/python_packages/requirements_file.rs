//! The text of a requirements file, as pip reads one: continuation lines, comments, options and hashes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    PackagesError,
    requirement::{Parser, is_name, is_name_character},
    source::{a_repository, check_url, repository_of},
    without_byte_order_mark,
};
use crate::model::words::shown;

/// The text of a requirements file, checked for size and for lines that would reach outside the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementsFile(String);

impl RequirementsFile {
    /// The longest file, in bytes.
    pub const MAX_BYTES: usize = 50_000;

    /// Reads a file as pasted or uploaded; `None` when it holds nothing but blanks and comments. The text is kept as
    /// it is, but for line ends, which become LF.
    ///
    /// # Errors
    /// Names the offending line and says what is allowed.
    pub fn parse(text: &str) -> Result<Option<Self>, PackagesError> {
        if text.len() > Self::MAX_BYTES {
            return Err(PackagesError(format!(
                "The requirements file has {} bytes; at most {} are allowed.",
                text.len(),
                Self::MAX_BYTES
            )));
        }
        // A lone CR ends a line for some readers and not for others; here it always does.
        let text = without_byte_order_mark(text).replace("\r\n", "\n").replace('\r', "\n");
        for (number, line) in (1..).zip(text.split('\n')) {
            if let Some(character) = line.chars().find(|c| is_unreadable(*c)) {
                return Err(PackagesError(format!(
                    "Line {number}: the character {} cannot stand in a requirements file. Remove it.",
                    shown(character.encode_utf8(&mut [0; 4]))
                )));
            }
        }
        let (statements, unfinished) = statements(&text);
        for (line, statement) in &statements {
            check_statement(statement).map_err(|error| PackagesError(format!("Line {line}: {}", error.0)))?;
        }
        if let Some(line) = unfinished {
            return Err(PackagesError(format!(
                "Line {line}: the file ends in the middle of a line. Remove the last `\\`."
            )));
        }
        Ok((!statements.is_empty()).then_some(Self(text)))
    }

    /// Reads a file that is to be saved now, as [`PythonPackages::parse_new`].
    ///
    /// # Errors
    /// Names the offending line and says what is allowed.
    pub fn parse_new(text: &str) -> Result<Option<Self>, PackagesError> {
        let file = Self::parse(text)?;
        for (line, statement) in file.iter().flat_map(|file| statements(&file.0).0) {
            let mut parser = Parser::new(split_options(&statement).0);
            if let Ok(requirement) = parser.requirement()
                && let Some(repository) = repository_of(&requirement)
            {
                return Err(PackagesError(format!("Line {line}: {}", a_repository(repository).0)));
            }
        }
        Ok(file)
    }

    /// The hashes that stand at packages, such as `sha256:0f3c…` in small letters, by the package's normalised name.
    #[must_use]
    pub fn hashes(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (_, statement) in statements(&self.0).0 {
            let (requirement, hashes) = split_options(&statement);
            let name: &str = &requirement[..requirement.find(|c| !is_name_character(c)).unwrap_or(requirement.len())];
            for hash in hash_options(hashes).filter_map(Result::ok) {
                found.entry(normalised(name)).or_default().insert(hash.to_ascii_lowercase());
            }
        }
        found
    }

    /// The packages that it names, without options and hashes.
    #[must_use]
    pub fn requirements(&self) -> Vec<String> {
        let statements = statements(&self.0).0;
        statements.iter().filter_map(|(_, text)| Parser::new(split_options(text).0).requirement().ok()).collect()
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that some readers of a requirements file take for the end of a line, and other controls.
fn is_unreadable(character: char) -> bool {
    (character.is_control() && character != '\t') || matches!(character, '\u{2028}' | '\u{2029}')
}

/// The line up to its comment. A comment begins with a `#` at the start of the line or after a space.
fn without_comment(line: &str) -> &str {
    let mut after_space = true;
    for (position, character) in line.char_indices() {
        if character == '#' && after_space {
            return &line[..position];
        }
        after_space = character.is_whitespace();
    }
    line
}

/// The statements of a requirements file without their comments, each with the number of its first line; and the first
/// line of one that the file ends in the middle of.
fn statements(text: &str) -> (Vec<(u32, String)>, Option<u32>) {
    let mut found = Vec::new();
    let mut statement = String::new();
    let mut first_line = 1;
    for (number, line) in (1..).zip(text.split('\n')) {
        if statement.is_empty() {
            first_line = number;
        }
        let line = without_comment(line);
        if let Some(line) = line.strip_suffix('\\') {
            statement.push_str(line);
            statement.push(' ');
            continue;
        }
        statement.push_str(line);
        if !statement.trim().is_empty() {
            found.push((first_line, statement.trim().to_owned()));
        }
        statement.clear();
    }
    (found, (!statement.is_empty()).then_some(first_line))
}

/// The requirement of a statement, and the options after it.
fn split_options(statement: &str) -> (&str, &str) {
    match statement.split_once(" --") {
        Some((requirement, _)) => (requirement.trim_end(), &statement[requirement.len()..]),
        None => (statement, ""),
    }
}

/// The hashes after a requirement; a word that is none as an error.
fn hash_options(options: &str) -> impl Iterator<Item = Result<&str, &str>> {
    let mut words = options.split_whitespace();
    std::iter::from_fn(move || {
        let word = words.next()?;
        let hash = if word == "--hash" { words.next() } else { word.strip_prefix("--hash=") };
        Some(hash.filter(|hash| is_hash(hash)).ok_or(word))
    })
}

/// A package's name as indexes spell it: small letters, and each run of `-`, `_` and `.` as one `-`.
fn normalised(name: &str) -> String {
    let words: Vec<&str> = name.split(['-', '_', '.']).filter(|word| !word.is_empty()).collect();
    words.join("-").to_ascii_lowercase()
}

/// Checks one statement of a requirements file: an option, or one requirement with its hashes.
fn check_statement(statement: &str) -> Result<(), PackagesError> {
    if statement.starts_with('-') {
        return check_option(statement);
    }
    let (requirement, hashes) = split_options(statement);
    let mut parser = Parser::new(requirement);
    parser.requirement()?;
    if parser.peek().is_some() {
        return Err(PackagesError(format!(
            "{} follows a requirement. A requirements file has one requirement a line.",
            shown(parser.rest().trim_start())
        )));
    }
    match hash_options(hashes).find_map(Result::err) {
        None => Ok(()),
        Some(word) => Err(PackagesError(format!(
            "{} may not follow a requirement. Only hashes may, such as `--hash=sha256:0f3c…`.",
            shown(word)
        ))),
    }
}

fn is_hash(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, digest)| {
        matches!(algorithm, "md5" | "sha256" | "sha384" | "sha512" | "blake2b")
            && !digest.is_empty()
            && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Checks a line that is an option.
fn check_option(statement: &str) -> Result<(), PackagesError> {
    let end = statement.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(statement.len());
    let (option, rest) = statement.split_at(end);
    let rest = rest.trim_start();
    let value = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    match option {
        "--pre" | "--prefer-binary" if rest.is_empty() => Ok(()),
        "--index-url" | "-i" | "--extra-index-url" | "--find-links" | "-f" => check_url(value),
        "--no-binary" | "--only-binary" if matches!(value, ":all:" | ":none:") || is_name(value) => Ok(()),
        "--no-binary" | "--only-binary" => Err(PackagesError(format!(
            "{} takes the name of one package, or `:all:`, and not {}. Repeat the line for more packages.",
            shown(option),
            shown(value)
        ))),
        "-r" | "--requirement" | "-c" | "--constraint" => Err(PackagesError(format!(
            "{} is not allowed: it reads another file, and a run has only this one. Paste the lines of that file here.",
            shown(option)
        ))),
        "-e" | "--editable" => Err(PackagesError(format!(
            "{} is not allowed: it installs from a folder, which a run cannot see. Write `name @ https://…` instead.",
            shown(option)
        ))),
        _ => Err(PackagesError(format!(
            "{} is not an option that may stand here. Allowed are `--index-url`, `--extra-index-url`, `--find-links`, \
             `--pre`, `--prefer-binary`, `--no-binary` and `--only-binary`.",
            shown(option)
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_found_by_the_normalised_name() {
        let text = "Zope.Interface==6 \\\n  --hash=sha256:AB \\\n  --hash sha512:cd # c\nsix\nb @ https://h/b.whl --hash=md5:0\n--pre";
        let hashes = RequirementsFile::parse(text).unwrap().unwrap().hashes();
        let hashes: Vec<_> = hashes.iter().map(|(name, all)| (name.as_str(), all.iter().collect::<Vec<_>>())).collect();
        assert_eq!(format!("{hashes:?}"), r#"[("b", ["md5:0"]), ("zope-interface", ["sha256:ab", "sha512:cd"])]"#);
    }

    #[test]
    fn a_requirements_file_is_kept_as_it_is() {
        for text in [
            "numpy",
            "\n\nnumpy==1.26.4  # pinned\n\n",
            "numpy >= 1, < 2 ; python_version < '3.12'\npandas",
            "a==1 \\\n    --hash=sha256:00ff \\\n    --hash sha512:AA\nb==2 --hash=sha256:1",
            "--index-url https://pypi.org/simple\n-i https://u:t@host/simple\n--extra-index-url=https://x/y\nnumpy",
            "--find-links https://host/wheels/\n-f https://host\nnumpy",
            "--pre\n--prefer-binary\n--no-binary :all:\n--only-binary=numpy\n--only-binary pandas\nnumpy",
            "a @ https://host/x.zip ; os_name == 'nt'",
            "# Grüße 🚀\nnumpy # c \\\npandas",
        ] {
            assert_eq!(RequirementsFile::parse(text).unwrap().unwrap().as_str(), text);
        }
        for (text, expected) in [("a\r\nb\r\n", "a\nb\n"), ("a\rb", "a\nb"), ("\u{feff}a", "a")] {
            assert_eq!(RequirementsFile::parse(text).unwrap().unwrap().as_str(), expected);
        }
        for text in ["", " \r\n\t\n", "# only\n  # comments"] {
            assert_eq!(RequirementsFile::parse(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn a_fault_in_a_requirements_file_names_its_line() {
        for (text, expected) in [
            (
                "a\n-r other.txt",
                "Line 2: `-r` is not allowed: it reads another file, and a run has only this one. Paste the lines of \
                 that file here.",
            ),
            ("--constraint=c.txt", "Line 1: `--constraint` is not allowed: it reads another file, and"),
            ("-e .", "Line 1: `-e` is not allowed: it installs from a folder, which a run cannot see."),
            ("-e git+https://h/x", "Line 1: `-e` is not allowed"),
            ("-rother.txt", "Line 1: `-rother.txt` is not an option that may stand here. Allowed are `--index-url`,"),
            ("--trusted-host x", "Line 1: `--trusted-host` is not an option"),
            ("--pre x", "Line 1: `--pre` is not an option"),
            ("--find-links ./wheels", "Line 1: `./wheels` is a file or folder, which a run cannot see."),
            ("-f file:///x", "Line 1: `file:///x` is a file or folder"),
            (
                "-i https://${TOKEN}@host",
                "Line 1: `https://${TOKEN}@host` is not a URL that can be used. It must begin",
            ),
            ("-i git+https://host", "Line 1: `git+https://host` is not a URL"),
            ("-i", "Line 1: `` is not a URL"),
            ("-i https://h https://i", "Line 1: `https://h https://i` is not a URL"),
            ("--no-binary", "Line 1: `--no-binary` takes the name of one package, or `:all:`, and not ``."),
            ("--only-binary a,b", "Line 1: `--only-binary` takes the name of one package, or `:all:`, and not `a,b`."),
            ("a\n\n./b", "Line 3: `./b` is a file or folder"),
            ("a b", "Line 1: `b` follows a requirement. A requirements file has one requirement a line."),
            ("a, b", "Line 1: `, b` follows a requirement."),
            ("a --hash=sha256:xyz", "Line 1: `--hash=sha256:xyz` may not follow a requirement. Only hashes may,"),
            ("a --hash", "Line 1: `--hash` may not follow"),
            ("a --config-settings=x", "Line 1: `--config-settings=x` may not follow"),
            ("# c\na \\\n  $(id)", "Line 2: `$(id)` follows a requirement."),
            ("a\nb \\", "Line 2: the file ends in the middle of a line. Remove the last `\\`."),
            ("# x\r-r y", "Line 2: `-r` is not allowed"),
            ("# x\u{2028}-r y", "Line 1: the character `\\u{2028}` cannot stand in a requirements file."),
            ("a\0", "Line 1: the character `\\u{0}` cannot"),
            ("nump?y", "Line 1: `nump?y` is not a package name."),
            ("# c \\\n-r x", "Line 2: `-r` is not allowed"),
        ] {
            let message = RequirementsFile::parse(text).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{text:?}: {message}");
        }
        assert_eq!(
            RequirementsFile::parse(&"#".repeat(50_001)).unwrap_err().to_string(),
            "The requirements file has 50001 bytes; at most 50000 are allowed."
        );
    }
}
