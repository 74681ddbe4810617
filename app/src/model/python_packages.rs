//! Python packages as a user writes them: PEP 508 requirements separated by spaces, commas or new lines.
//!
//! A recursive-descent parser, one function for each rule of the grammar. What it accepts it also rewrites into one
//! canonical line, so that everything after it (the lock, the cache key, the runner) sees text of a known shape.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use super::words::shown;

/// Python packages, parsed. May be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PythonPackages(Vec<String>);

/// What is wrong with a list of packages: names the offending word and says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PackagesError(String);

impl PythonPackages {
    /// The longest list, in bytes.
    pub const MAX_BYTES: usize = 10_000;
    /// The longest name of a package or an extra, in characters.
    pub const MAX_NAME_CHARACTERS: usize = 100;

    /// Reads a list as typed. Exact repetitions are dropped.
    ///
    /// # Errors
    /// Names the offending word and says what is allowed.
    pub fn parse(text: &str) -> Result<Self, PackagesError> {
        check_list_size(text.len())?;
        let mut parser = Parser { text: without_byte_order_mark(text), position: 0 };
        let mut requirements: Vec<String> = Vec::new();
        let mut bytes = 0;
        parser.skip_separators();
        while parser.peek().is_some() {
            let requirement = parser.requirement()?;
            if !requirements.contains(&requirement) {
                bytes += requirement.len() + 1;
                requirements.push(requirement);
            }
            parser.skip_separators();
        }
        // What is stored must be readable again, and the canonical form may be longer than what was typed.
        check_list_size(bytes.saturating_sub(1))?;
        Ok(Self(requirements))
    }

    /// Each requirement in its canonical form, in the order typed.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Reads a list that is to be saved now: also refuses packages that no run can install. What was saved before they
    /// were refused stays readable by [`Self::parse`].
    ///
    /// # Errors
    /// Names the offending word and says what is allowed.
    pub fn parse_new(text: &str) -> Result<Self, PackagesError> {
        let packages = Self::parse(text)?;
        let refused = packages.iter().find_map(repository_of).map(a_repository);
        refused.map_or(Ok(packages), Err)
    }

    /// True when no package is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One requirement a line: the content of a requirements file, and what the form shows again.
impl fmt::Display for PythonPackages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("\n"))
    }
}

impl TryFrom<String> for PythonPackages {
    type Error = PackagesError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PythonPackages> for String {
    fn from(packages: PythonPackages) -> Self {
        packages.to_string()
    }
}

fn check_list_size(bytes: usize) -> Result<(), PackagesError> {
    if bytes <= PythonPackages::MAX_BYTES {
        return Ok(());
    }
    Err(PackagesError(format!(
        "The list has {bytes} bytes; at most {} are allowed. Use a requirements file for a long list.",
        PythonPackages::MAX_BYTES
    )))
}

fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

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
            let mut parser = Parser { text: parts(&statement).0, position: 0 };
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
            let (requirement, hashes) = parts(&statement);
            let name: &str = &requirement[..requirement.find(|c| !is_name_character(c)).unwrap_or(requirement.len())];
            for hash in hash_options(hashes).filter_map(Result::ok) {
                found.entry(normalised(name)).or_default().insert(hash.to_ascii_lowercase());
            }
        }
        found
    }

    /// The text.
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
fn parts(statement: &str) -> (&str, &str) {
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
    let (requirement, hashes) = parts(statement);
    let mut parser = Parser { text: requirement, position: 0 };
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

/// Checks a URL. Of the characters a URL may have, those that mean something to a shell or to the installer are left
/// out: the installer would replace `${NAME}` by an environment variable of the server.
fn check_url(url: &str) -> Result<(), PackagesError> {
    let (scheme, host) = url.split_once("://").unwrap_or(("", ""));
    if url.starts_with("file:") || is_path(url) {
        return Err(a_path(url));
    }
    if let Some(position) = url.find(';')
        && url[..position].chars().all(is_url_character)
    {
        return Err(PackagesError(format!("Put a space before the `;` in {}, to end the URL.", shown(url))));
    }
    if matches!(scheme, "https" | "http")
        && host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && url.chars().all(is_url_character)
    {
        return Ok(());
    }
    Err(PackagesError(format!(
        "{} is not a URL that can be used. It must begin with `https://` and have no spaces, quotes, `$` or other special \
         characters; write those as `%20` and so on.",
        shown(url)
    )))
}

fn is_url_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~:/?#@&+,=%[]!".contains(character)
}

fn is_path(word: &str) -> bool {
    matches!(word, "." | "..")
        || ["/", "~", "\\", "./", "../", ".\\", "..\\", "file:"].iter().any(|start| word.starts_with(start))
        || matches!(word.as_bytes(), [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
}

/// The address of a repository of a version control system.
fn is_repository(word: &str) -> bool {
    ["git+", "hg+", "svn+", "bzr+"].iter().any(|start| word.starts_with(start))
}

/// The repository of a requirement in its canonical form, when that is where it comes from.
fn repository_of(requirement: &str) -> Option<&str> {
    let (_, url) = requirement.split_once(" @ ")?;
    url.split(' ').next().filter(|url| is_repository(url))
}

/// The repositories that could be saved once.
fn was_accepted(url: &str) -> bool {
    ["git+https://", "git+http://", "git+ssh://"].iter().any(|start| url.starts_with(start))
        && url.chars().all(is_url_character)
}

fn is_archive(word: &str) -> bool {
    [".whl", ".tar.gz", ".zip", ".tgz", ".egg"].iter().any(|end| word.ends_with(end))
}

fn is_name(text: &str) -> bool {
    text.len() <= PythonPackages::MAX_NAME_CHARACTERS
        && text.chars().all(is_name_character)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

fn is_comparison(character: char) -> bool {
    matches!(character, '<' | '>' | '=' | '!' | '~')
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || character == ','
}

fn not_a_name(word: &str) -> PackagesError {
    PackagesError(format!(
        "{} is not a package name. Names have letters, digits, `-`, `_` and `.`; separate packages with spaces, commas \
         or new lines.",
        shown(word)
    ))
}

fn a_path(word: &str) -> PackagesError {
    PackagesError(format!(
        "{} is a file or folder, which a run cannot see. Name a package, or give a URL: `name @ https://…`.",
        shown(word)
    ))
}

fn a_repository(word: &str) -> PackagesError {
    PackagesError(format!(
        "{} is a repository, and what is installed from one has no hash to check it by. Build a wheel of the package and \
         give the wheel's URL: `name @ https://…`. The URL of a source archive does too.",
        shown(word)
    ))
}

/// The names that a marker may compare.
const MARKER_NAMES: &[&str] = &[
    "python_version",
    "python_full_version",
    "os_name",
    "sys_platform",
    "platform_release",
    "platform_system",
    "platform_version",
    "platform_machine",
    "platform_python_implementation",
    "implementation_name",
    "implementation_version",
    "extra",
];

/// How deep the brackets of a marker may be nested.
const MAX_MARKER_DEPTH: usize = 20;

/// Reads requirements from left to right. Each function reads one rule of the grammar and leaves `position` after it.
struct Parser<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, character: char) -> bool {
        let taken = self.peek() == Some(character);
        if taken {
            self.position += character.len_utf8();
        }
        taken
    }

    fn take_while(&mut self, matches: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !matches(c)).unwrap_or(rest.len())];
        self.position += taken.len();
        taken
    }

    /// Skips spaces within a line.
    fn skip_spaces(&mut self) {
        self.take_while(|c| c.is_whitespace() && !matches!(c, '\n' | '\r'));
    }

    /// Skips what may stand between requirements: white space, commas, comments.
    fn skip_separators(&mut self) {
        loop {
            self.take_while(is_separator);
            if self.peek() != Some('#') {
                return;
            }
            self.take_while(|c| !matches!(c, '\n' | '\r'));
        }
    }

    /// The word that begins at `start`, for a message.
    fn word_at(&self, start: usize) -> &'a str {
        let rest = &self.text[start..];
        &rest[..rest.find(is_separator).unwrap_or(rest.len())]
    }

    /// `name[extras] versions ; marker`, or `name[extras] @ url ; marker`. The parts after the name may be missing.
    fn requirement(&mut self) -> Result<String, PackagesError> {
        let start = self.position;
        let mut canonical = self.name()?.to_owned();
        let mut end = self.position;
        self.skip_spaces();
        if self.take('[') {
            self.extras(start, &mut canonical)?;
            end = self.position;
            self.skip_spaces();
        }
        match self.peek() {
            Some('@') => {
                canonical.push_str(" @ ");
                canonical.push_str(self.url(start)?);
                end = self.position;
            }
            Some('(') => {
                self.versions_in_brackets(start, &mut canonical)?;
                end = self.position;
            }
            Some(next) if is_comparison(next) => {
                self.versions(start, &mut canonical)?;
                end = self.position;
            }
            _ => {}
        }
        self.skip_spaces();
        if self.take(';') {
            canonical.push_str(" ; ");
            self.marker(0, &mut canonical)?;
            end = self.position;
        }
        self.position = end;
        if self.peek().is_none_or(is_separator) {
            return Ok(canonical);
        }
        Err(PackagesError(format!(
            "{} cannot be read from {} on. Separate packages with spaces, commas or new lines.",
            shown(self.word_at(start)),
            shown(self.word_at(end))
        )))
    }

    fn name(&mut self) -> Result<&'a str, PackagesError> {
        let start = self.position;
        let name = self.take_while(is_name_character);
        let word = self.word_at(start);
        let follows = |c: char| is_separator(c) || is_comparison(c) || matches!(c, '[' | '(' | ';' | '@');
        if is_name(name) && !is_archive(name) && self.peek().is_none_or(follows) {
            return Ok(name);
        }
        // Something is wrong; the rest finds the words for it.
        if name.len() > PythonPackages::MAX_NAME_CHARACTERS {
            return Err(PackagesError(format!(
                "{} is too long for a package name; at most {} characters are allowed.",
                shown(word),
                PythonPackages::MAX_NAME_CHARACTERS
            )));
        }
        if word.starts_with('-') {
            return Err(PackagesError(format!(
                "{} is an option, and this is a list of packages. Options go into a requirements file.",
                shown(word)
            )));
        }
        if is_path(word) || is_archive(name) {
            return Err(a_path(word));
        }
        if is_repository(word) {
            return Err(a_repository(word));
        }
        if let Some((scheme, _)) = word.split_once("://")
            && scheme.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'+')
        {
            return Err(PackagesError(format!(
                "{} is a URL without a name. Write `name @ https://…`, with the package's name.",
                shown(word)
            )));
        }
        if word.starts_with(is_comparison) {
            return Err(PackagesError(format!(
                "{} has no package name before it. Write `name>=1.0`, without a line break in between.",
                shown(word)
            )));
        }
        Err(not_a_name(word))
    }

    /// The extras after `[`. They have no order, so the canonical form sorts them.
    fn extras(&mut self, start: usize, canonical: &mut String) -> Result<(), PackagesError> {
        let mut extras: Vec<&str> = Vec::new();
        loop {
            self.skip_spaces();
            let extra = self.take_while(is_name_character);
            self.skip_spaces();
            let more = self.take(',');
            if !is_name(extra) || !(more || self.take(']')) {
                return Err(PackagesError(format!(
                    "The extras of {} cannot be read. Write them so: `name[first,second]`.",
                    shown(self.word_at(start))
                )));
            }
            // Sorted, each once; by hand, since a library's sort is more for the browser to load than all of this rule.
            if let Err(position) = extras.binary_search(&extra) {
                extras.insert(position, extra);
            }
            if !more {
                break;
            }
        }
        canonical.push('[');
        canonical.push_str(&extras.join(","));
        canonical.push(']');
        Ok(())
    }

    /// The URL after a name; `position` is at its `@`.
    fn url(&mut self, start: usize) -> Result<&'a str, PackagesError> {
        self.take('@');
        self.skip_spaces();
        let from = self.position;
        // A comma at the end separates requirements; one in the middle belongs to the URL.
        let url = self.take_while(|c| !c.is_whitespace()).trim_end_matches(',');
        self.position = from + url.len();
        if url.starts_with(|c: char| c.is_ascii_digit()) && !url.contains(['/', ':']) {
            let name = self.text[start..from].trim_end_matches(|c: char| c == '@' || c.is_whitespace());
            return Err(PackagesError(format!(
                "After `@` comes a URL, not a version. Write {}.",
                shown(&[name, "==", url].concat())
            )));
        }
        if was_accepted(url) {
            return Ok(url);
        }
        if is_repository(url) {
            return Err(a_repository(url));
        }
        check_url(url)?;
        Ok(url)
    }

    /// `(>=1,<2)`; `position` is at the bracket.
    fn versions_in_brackets(&mut self, start: usize, canonical: &mut String) -> Result<(), PackagesError> {
        self.take('(');
        self.skip_spaces();
        if self.peek().is_some_and(is_comparison) {
            self.versions(start, canonical)?;
            self.skip_spaces();
            if self.take(')') {
                return Ok(());
            }
        }
        Err(PackagesError(format!(
            "The versions of {} cannot be read. Write `name>=1.0,<2` without brackets.",
            shown(self.word_at(start))
        )))
    }

    /// `>=1.0, <2`; `position` is at the first comparison.
    fn versions(&mut self, start: usize, canonical: &mut String) -> Result<(), PackagesError> {
        loop {
            self.version(start, canonical)?;
            let end = self.position;
            self.skip_spaces();
            if self.peek().is_some_and(is_comparison) {
                return Err(PackagesError(format!(
                    "Put a comma between the versions before {}, such as `name>=1.0,<2`.",
                    shown(self.word_at(self.position))
                )));
            }
            if self.peek() != Some(',') {
                self.position = end;
                return Ok(());
            }
            // The comma may also end the requirement.
            self.skip_separators();
            if !self.peek().is_some_and(is_comparison) {
                self.position = end;
                return Ok(());
            }
            canonical.push(',');
        }
    }

    /// `>=1.0`.
    fn version(&mut self, start: usize, canonical: &mut String) -> Result<(), PackagesError> {
        let from = self.position;
        let comparison = self.take_while(is_comparison);
        self.skip_spaces();
        let version = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '!' | '*'));
        let typed = &self.text[from..self.position];
        if comparison == "=" {
            return Err(PackagesError(format!(
                "{} has a single `=`. Write {} for exactly that version.",
                shown(self.word_at(start)),
                shown(&[self.text[start..from].trim_end(), "==", version].concat())
            )));
        }
        if !matches!(comparison, "==" | "!=" | "<=" | ">=" | "<" | ">" | "~=" | "===") {
            return Err(PackagesError(format!(
                "{} does not compare versions. Use `==`, `!=`, `<`, `<=`, `>`, `>=` or `~=`, such as `name>=1.0`.",
                shown(typed)
            )));
        }
        if !self.peek().is_none_or(|c| is_separator(c) || is_comparison(c) || matches!(c, ')' | ';'))
            || !is_version(comparison, version)
        {
            return Err(PackagesError(format!(
                "{} has no version that can be read. Versions begin with a digit, such as `1.20` or `2.0rc1`; `.*` may \
                 end one after `==` and `!=`.",
                shown(self.word_at(from))
            )));
        }
        canonical.push_str(comparison);
        canonical.push_str(version);
        Ok(())
    }

    /// Comparisons joined by `and` and `or`. Ends where neither follows.
    fn marker(&mut self, depth: usize, canonical: &mut String) -> Result<(), PackagesError> {
        loop {
            self.skip_spaces();
            if self.peek() == Some('(') && depth < MAX_MARKER_DEPTH {
                self.take('(');
                canonical.push('(');
                self.marker(depth + 1, canonical)?;
                self.skip_spaces();
                if !self.take(')') {
                    return Err(self.not_a_marker());
                }
                canonical.push(')');
            } else {
                self.marker_value(canonical)?;
                self.marker_comparison(canonical)?;
                self.marker_value(canonical)?;
            }
            let end = self.position;
            self.skip_spaces();
            let word = self.take_while(|c| c.is_ascii_alphabetic());
            let ends_here = self.peek().is_none_or(|c| c.is_whitespace() || c == '(');
            if !matches!(word, "and" | "or") || !ends_here {
                self.position = end;
                return Ok(());
            }
            canonical.push(' ');
            canonical.push_str(word);
            canonical.push(' ');
        }
    }

    /// The name of a fact about the interpreter, or a quoted text.
    fn marker_value(&mut self, canonical: &mut String) -> Result<(), PackagesError> {
        self.skip_spaces();
        let start = self.position;
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            self.take(quote);
            let text = self.take_while(|c| c.is_ascii_alphanumeric() || " ._-+*!,/:@~=".contains(c));
            if self.take(quote) {
                canonical.push('"');
                canonical.push_str(text);
                canonical.push('"');
                return Ok(());
            }
        } else {
            let name = self.take_while(|c| c.is_ascii_alphabetic() || c == '_');
            if MARKER_NAMES.contains(&name) {
                canonical.push_str(name);
                return Ok(());
            }
        }
        self.position = start;
        Err(self.not_a_marker())
    }

    fn marker_comparison(&mut self, canonical: &mut String) -> Result<(), PackagesError> {
        self.skip_spaces();
        let start = self.position;
        let mut comparison = self.take_while(is_comparison);
        if comparison.is_empty() {
            comparison = self.take_while(|c| c.is_ascii_alphabetic());
            if comparison == "not" {
                self.skip_spaces();
                comparison = if self.take_while(|c| c.is_ascii_alphabetic()) == "in" { "not in" } else { "" };
            }
        }
        if !matches!(comparison, "==" | "!=" | "<=" | ">=" | "<" | ">" | "~=" | "===" | "in" | "not in") {
            self.position = start;
            return Err(self.not_a_marker());
        }
        canonical.push(' ');
        canonical.push_str(comparison);
        canonical.push(' ');
        Ok(())
    }

    fn not_a_marker(&self) -> PackagesError {
        let rest = self.rest().trim_start();
        let word = &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())];
        let at = if word.is_empty() { String::from("The end of the line") } else { shown(word) };
        PackagesError(format!(
            "{at} does not fit after `;`. Only a condition may follow there, such as `python_version < \"3.12\"`; \
             separate packages with spaces, commas or new lines."
        ))
    }
}

/// True when the version can stand after the comparison. Only its shape is checked; the installer knows the rest.
fn is_version(comparison: &str, version: &str) -> bool {
    if comparison == "===" {
        return !version.is_empty();
    }
    let number = match version.strip_suffix(".*") {
        Some(number) if matches!(comparison, "==" | "!=") => number,
        _ => version,
    };
    number.strip_prefix(['v', 'V']).unwrap_or(number).starts_with(|c: char| c.is_ascii_digit()) && !number.contains('*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Vec<String> {
        match PythonPackages::parse(text) {
            Ok(packages) => packages.iter().map(str::to_owned).collect(),
            Err(error) => panic!("{text:?}: {error}"),
        }
    }

    fn refused(text: &str) -> String {
        match PythonPackages::parse(text) {
            Ok(packages) => panic!("{text:?} was read as {packages:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_list_reads_as_canonical_requirements() {
        for (text, expected) in [
            ("", &[][..]),
            (" ,\r\n\t, ", &[]),
            ("numpy pandas", &["numpy", "pandas"]),
            ("numpy, pandas,", &["numpy", "pandas"]),
            ("numpy,pandas\r\nscipy", &["numpy", "pandas", "scipy"]),
            ("numpy\u{a0}pandas", &["numpy", "pandas"]),
            ("\u{feff}numpy", &["numpy"]),
            ("numpy numpy pandas numpy", &["numpy", "pandas"]),
            ("numpy numpy>=1", &["numpy", "numpy>=1"]),
            ("Zope.Interface a_b-c 2to3", &["Zope.Interface", "a_b-c", "2to3"]),
            // versions
            ("numpy>=1.20,<2 pandas", &["numpy>=1.20,<2", "pandas"]),
            ("numpy >= 1.20 , < 2, pandas", &["numpy>=1.20,<2", "pandas"]),
            ("numpy>=1.20,\n    <2", &["numpy>=1.20,<2"]),
            ("numpy>=1.20, # not 2 yet\n<2", &["numpy>=1.20,<2"]),
            ("name (>=1,<2) b", &["name>=1,<2", "b"]),
            ("name( >= 1 )", &["name>=1"]),
            ("pkg ~= 1.4.2", &["pkg~=1.4.2"]),
            ("a===1.0-foo", &["a===1.0-foo"]),
            ("a==1!2.0+cu118.x", &["a==1!2.0+cu118.x"]),
            ("a!=1.*,==v2.0rc1", &["a!=1.*,==v2.0rc1"]),
            ("a==1,b==2", &["a==1", "b==2"]),
            // extras
            ("requests[socks,security] >= 2.8.1, == 2.8.*", &["requests[security,socks]>=2.8.1,==2.8.*"]),
            ("requests [ socks , socks ] x", &["requests[socks]", "x"]),
            ("uvicorn[standard]", &["uvicorn[standard]"]),
            // markers
            (
                "x; python_version < \"3.12\" and (sys_platform == 'linux' or extra == \"y\") y",
                &["x ; python_version < \"3.12\" and (sys_platform == \"linux\" or extra == \"y\")", "y"],
            ),
            ("x>=1;python_version<'3.12'", &["x>=1 ; python_version < \"3.12\""]),
            ("x ; os_name in 'nt, posix'\ny", &["x ; os_name in \"nt, posix\"", "y"]),
            ("x ; 'a'not  in os_name, y", &["x ; \"a\" not in os_name", "y"]),
            ("x ; (os_name=='nt')or(extra=='z') orjson", &["x ; (os_name == \"nt\") or (extra == \"z\")", "orjson"]),
            ("x ; os_name == 'nt' and\tos_name == 'nt'", &["x ; os_name == \"nt\" and os_name == \"nt\""]),
            // URLs
            ("name @ https://host/x.whl#sha256=0af,b", &["name @ https://host/x.whl#sha256=0af,b"]),
            ("name @ https://host/x.whl, b", &["name @ https://host/x.whl", "b"]),
            (
                "name@https://u:t@host:8/x.zip@main#subdirectory=a b",
                &["name @ https://u:t@host:8/x.zip@main#subdirectory=a", "b"],
            ),
            ("n[b,a] @ http://host/x.tar.gz", &["n[a,b] @ http://host/x.tar.gz"]),
            (
                "n @ http://[::1]/x%20y?a=1&b=2 ; os_name == 'nt'",
                &["n @ http://[::1]/x%20y?a=1&b=2 ; os_name == \"nt\""],
            ),
            // comments
            ("# all\nnumpy # fast\n #x\npandas", &["numpy", "pandas"]),
            ("numpy # -r x; $(id)", &["numpy"]),
        ] {
            assert_eq!(parsed(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_a_name_is_named() {
        for (text, word) in [
            ("nump?y", "`nump?y`"),
            ("numpy && rm", "`&&`"),
            ("numpy | tee", "`|`"),
            ("`id`", "``id``"),
            ("$(rm -rf /)", "`$(rm`"),
            ("'; rm", "`';`"),
            ("{{workflow.name}}", "`{{workflow.name}}`"),
            ("numpy\n; os_name == 'nt'", "`;`"),
            ("numpy \0", "`\\u{0}`"),
            ("num\0py", "`num\\u{0}py`"),
            ("🚀", "`🚀`"),
            ("numpy\u{202e}", "`numpy\\u{202e}`"),
            ("num\u{200b}py", "`num\\u{200b}py`"),
            ("nümpy", "`nümpy`"),
            ("_a", "`_a`"),
            ("a-", "`a-`"),
            (".a", "`.a`"),
            ("numpy#x", "`numpy#x`"),
            ("a/b", "`a/b`"),
            ("numpy:1", "`numpy:1`"),
            ("\"numpy\"", "`\"numpy\"`"),
            ("numpy\\\npandas", "`numpy\\`"),
        ] {
            let expected = format!(
                "{word} is not a package name. Names have letters, digits, `-`, `_` and `.`; separate packages with \
                 spaces, commas or new lines."
            );
            assert_eq!(refused(text), expected, "{text:?}");
        }
    }

    #[test]
    fn likely_slips_have_their_own_words() {
        for (text, expected) in [
            ("numpy=1.2", "`numpy=1.2` has a single `=`. Write `numpy==1.2` for exactly that version."),
            ("numpy = 1.2", "`numpy` has a single `=`. Write `numpy==1.2` for exactly that version."),
            (
                "numpy=>1.2",
                "`=>1.2` does not compare versions. Use `==`, `!=`, `<`, `<=`, `>`, `>=` or `~=`, such as `name>=1.0`.",
            ),
            ("numpy>=1<2", "Put a comma between the versions before `<2`, such as `name>=1.0,<2`."),
            ("numpy@1.2", "After `@` comes a URL, not a version. Write `numpy==1.2`."),
            (
                "numpy\n>=1.2",
                "`>=1.2` has no package name before it. Write `name>=1.0`, without a line break in between.",
            ),
            (
                "https://host/x.whl",
                "`https://host/x.whl` is a URL without a name. Write `name @ https://…`, with the package's name.",
            ),
            ("-r x.txt", "`-r` is an option, and this is a list of packages. Options go into a requirements file."),
            (
                "numpy --index-url=x",
                "`--index-url=x` is an option, and this is a list of packages. Options go into a requirements file.",
            ),
            ("numpy (1.2)", "The versions of `numpy` cannot be read. Write `name>=1.0,<2` without brackets."),
            ("numpy[a b]", "The extras of `numpy[a` cannot be read. Write them so: `name[first,second]`."),
            ("numpy[]", "The extras of `numpy[]` cannot be read. Write them so: `name[first,second]`."),
            (
                "numpy[a]b",
                "`numpy[a]b` cannot be read from `b` on. Separate packages with spaces, commas or new lines.",
            ),
        ] {
            assert_eq!(refused(text), expected, "{text:?}");
        }
    }

    #[test]
    fn repositories_are_refused_with_what_to_do_instead() {
        for (text, word) in [
            ("name @ git+https://host/x.git@main", "`git+https://host/x.git@main`"),
            ("name@git+ssh://git@host/x.git", "`git+ssh://git@host/x.git`"),
            ("git+https://host/x", "`git+https://host/x`"),
            ("a @ git+file:///x", "`git+file:///x`"),
            ("a @ hg+https://host/x", "`hg+https://host/x`"),
        ] {
            let message = PythonPackages::parse_new(text).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{word} is a repository")), "{message}");
            assert!(message.contains("Build a wheel"), "{message}");
            let message = RequirementsFile::parse_new(&format!("six\n{text}")).unwrap_err().to_string();
            assert!(message.starts_with(&format!("Line 2: {word} is a repository")), "{message}");
        }
    }

    #[test]
    fn repositories_saved_by_an_earlier_version_are_read() {
        let text = "a[x] @ git+https://u:t@host:8/x.git@main#subdirectory=b ; os_name == \"nt\"";
        assert_eq!(parsed(text), [text]);
        assert!(RequirementsFile::parse(&format!("six\n{text}")).unwrap().is_some());
    }

    #[test]
    fn hashes_are_found_by_the_normalised_name() {
        let text = "Zope.Interface==6 \\\n  --hash=sha256:AB \\\n  --hash sha512:cd # c\nsix\nb @ https://h/b.whl --hash=md5:0\n--pre";
        let hashes = RequirementsFile::parse(text).unwrap().unwrap().hashes();
        let hashes: Vec<_> = hashes.iter().map(|(name, all)| (name.as_str(), all.iter().collect::<Vec<_>>())).collect();
        assert_eq!(format!("{hashes:?}"), r#"[("b", ["md5:0"]), ("zope-interface", ["sha256:ab", "sha512:cd"])]"#);
    }

    #[test]
    fn files_and_folders_are_refused() {
        for (text, word) in [
            ("./pkg", "`./pkg`"),
            ("../pkg", "`../pkg`"),
            (".", "`.`"),
            ("/etc/passwd", "`/etc/passwd`"),
            ("~/x", "`~/x`"),
            ("C:\\x", "`C:\\x`"),
            ("numpy-1.0-py3-none-any.whl", "`numpy-1.0-py3-none-any.whl`"),
            ("x.tar.gz", "`x.tar.gz`"),
            ("file:///etc", "`file:///etc`"),
            ("a @ file:///etc", "`file:///etc`"),
            ("a @ ./b", "`./b`"),
        ] {
            let expected = format!(
                "{word} is a file or folder, which a run cannot see. Name a package, or give a URL: \
                 `name @ https://…`."
            );
            assert_eq!(refused(text), expected, "{text:?}");
        }
    }

    #[test]
    fn versions_urls_and_markers_that_cannot_be_read_are_named() {
        for (text, beginning) in [
            ("numpy>=", "`>=` has no version that can be read."),
            ("numpy==latest", "`==latest` has no version"),
            ("numpy==1.2$x", "`==1.2$x` has no version"),
            ("numpy==*", "`==*` has no version"),
            ("numpy>=1.*", "`>=1.*` has no version"),
            ("numpy==1.*.2", "`==1.*.2` has no version"),
            ("numpy==1.٣", "`==1.٣` has no version"),
            ("numpy > out.txt", "`>` has no version"),
            ("numpy==1)", "`numpy==1)` cannot be read from `)` on."),
            (
                "a @ ftp://host/x",
                "`ftp://host/x` is not a URL that can be used. It must begin with `https://` and have no",
            ),
            ("a @ https:///x", "`https:///x` is not a URL"),
            ("a @ https://h/${TOKEN}", "`https://h/${TOKEN}` is not a URL"),
            ("a @ https://h/$(id)", "`https://h/$(id)` is not a URL"),
            ("a @ https://h/`id`", "`https://h/`id`` is not a URL"),
            ("a @ ext::sh", "`ext::sh` is not a URL"),
            ("a @", "`` is not a URL"),
            ("a @ https://h/x;os_name=='nt'", "Put a space before the `;` in `https://h/x;os_name=='nt'`"),
            ("numpy; rm -rf /", "`rm` does not fit after `;`."),
            ("numpy;", "The end of the line does not fit after `;`."),
            ("x; python_version", "The end of the line does not fit"),
            ("x; pythonversion < '3'", "`pythonversion` does not fit"),
            ("x; python_version < 3", "`3` does not fit"),
            ("x; python_version =< '3'", "`=<` does not fit"),
            ("x; python_version not like '3'", "`not` does not fit"),
            ("x; (os_name == 'nt'", "The end of the line does not fit"),
            ("x; os_name == 'nt' and\ny", "`y` does not fit"),
            ("x; os_name == '$(id)'", "`'$(id)'` does not fit"),
            ("x; os_name == 'nt'y", "`x;` cannot be read from `y` on."),
        ] {
            let message = refused(text);
            assert!(message.starts_with(beginning), "{text:?}: {message}");
        }
        assert!(refused(&format!("x; {}", "(".repeat(9000))).starts_with("`((((((("));
    }

    #[test]
    fn sizes_are_limited() {
        assert_eq!(
            refused(&"x ".repeat(5001)),
            "The list has 10002 bytes; at most 10000 are allowed. Use a requirements file for a long list."
        );
        assert!(
            refused(&"x".repeat(101)).ends_with("is too long for a package name; at most 100 characters are allowed.")
        );
        assert_eq!(parsed(&"x".repeat(100)).len(), 1);
        // A list that grows over the limit when it is made canonical could not be read again.
        let growing: Vec<_> = (0..600).map(|n| format!("a{n};os_name<''")).collect();
        assert!(refused(&growing.join("\n")).starts_with("The list has"));
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

    /// Text that looks enough like requirements to reach every rule.
    fn near_requirements() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "numpy",
            "a",
            "b-c",
            "x.whl",
            "1.2",
            "1.*",
            "v2",
            "2.0rc1",
            ">=",
            "==",
            "===",
            "~=",
            "=",
            "<",
            "!",
            " ",
            " ",
            "  ",
            "\n",
            "\r\n",
            ",",
            ", ",
            ";",
            " ; ",
            "[",
            "]",
            "[x]",
            "[z,y]",
            "(",
            ")",
            "@",
            " @ ",
            "https://h/x",
            "git+ssh://h/x",
            "file:///x",
            "./x",
            "#",
            " # ",
            "python_version",
            "os_name",
            "extra",
            "'",
            "\"",
            "'x'",
            "\"3.9\"",
            " and ",
            " or ",
            " in ",
            " not in ",
            "not",
            "-r",
            "--pre",
            "--hash=sha256:0",
            "$",
            "`",
            "|",
            "&",
            "\\",
            "\\\n",
            "\0",
            "\u{202e}",
            "🚀",
            "é",
            "\u{a0}",
            "\u{2028}",
        ]);
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    /// A requirement and its canonical form.
    fn valid_requirement() -> impl Strategy<Value = String> {
        (
            "[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?",
            "(\\[[a-z]{1,4}\\])?",
            "(((==|>=|<|~=|!=)[0-9]{1,3}(\\.[0-9]{1,2}){0,2}(rc1)?)?| @ https?://[a-z]{1,5}/[a-z#&?=.]{0,8})",
            "( ; python_version (<|>=) \"3\\.[0-9]\"( and os_name == \"[a-z]{1,5}\")?)?",
        )
            .prop_map(|(name, extras, versions, marker)| [name, extras, versions, marker].concat())
            .prop_filter("a name may look like a file", |text| PythonPackages::parse(text).is_ok())
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = PythonPackages::parse(&text);
            let _ = RequirementsFile::parse(&text);
        }

        #[test]
        fn what_is_accepted_reads_as_itself_and_is_harmless(text in near_requirements()) {
            if let Ok(packages) = PythonPackages::parse(&text) {
                let canonical = packages.to_string();
                prop_assert_eq!(&PythonPackages::parse(&canonical).unwrap(), &packages);
                let file = RequirementsFile::parse(&canonical).unwrap();
                prop_assert_eq!(file.is_none(), packages.is_empty());
                for requirement in packages.iter() {
                    prop_assert!(requirement.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
                    prop_assert!(!requirement.contains(['$', '`', '|', '\\', '\'']));
                    prop_assert!(!requirement.starts_with(['-', '.', '/']));
                    let bare = requirement.split(" ; ").next().unwrap().split(" @ ").next().unwrap();
                    prop_assert!(bare.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.[],<>=!~*+".contains(&b)), "{}", bare);
                }
            }
        }

        #[test]
        fn messages_are_short_and_on_one_line(text in near_requirements()) {
            for message in [
                PythonPackages::parse(&text).err().map(|error| error.to_string()),
                RequirementsFile::parse(&text).err().map(|error| error.to_string()),
            ].into_iter().flatten() {
                prop_assert!(message.chars().count() < 600);
                prop_assert!(!message.contains(char::is_control));
            }
        }

        #[test]
        fn a_requirements_file_reads_as_itself(text in near_requirements()) {
            if let Ok(Some(file)) = RequirementsFile::parse(&text) {
                prop_assert_eq!(RequirementsFile::parse(file.as_str()).unwrap().unwrap(), file);
            }
        }

        #[test]
        fn order_is_kept_whatever_separates(
            requirements in prop::collection::vec(valid_requirement(), 0..12),
            separator in prop::sample::select(vec![" ", "\n", ", ", " ,\r\n", "\n# x\n"]),
        ) {
            let mut expected: Vec<String> = Vec::new();
            for requirement in &requirements {
                if !expected.contains(requirement) {
                    expected.push(requirement.clone());
                }
            }
            prop_assert_eq!(parsed(&requirements.join(separator)), expected);
        }
    }
}
