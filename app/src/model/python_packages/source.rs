//! Where a package comes from when not from an index: URLs, and the paths and repositories that are refused.

use super::PackagesError;
use crate::model::words::shown;

/// Checks a URL. Of the characters a URL may have, those that mean something to a shell or to the installer are left
/// out: the installer would replace `${NAME}` by an environment variable of the server.
pub(super) fn check_url(url: &str) -> Result<(), PackagesError> {
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

pub(super) fn is_path(word: &str) -> bool {
    matches!(word, "." | "..")
        || ["/", "~", "\\", "./", "../", ".\\", "..\\", "file:"].iter().any(|start| word.starts_with(start))
        || matches!(word.as_bytes(), [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
}

/// The address of a repository of a version control system.
pub(super) fn is_repository(word: &str) -> bool {
    ["git+", "hg+", "svn+", "bzr+"].iter().any(|start| word.starts_with(start))
}

/// The repository of a requirement in its canonical form, when that is where it comes from.
pub(super) fn repository_of(requirement: &str) -> Option<&str> {
    let (_, url) = requirement.split_once(" @ ")?;
    url.split(' ').next().filter(|url| is_repository(url))
}

/// The repositories that could be saved once.
pub(super) fn was_accepted(url: &str) -> bool {
    ["git+https://", "git+http://", "git+ssh://"].iter().any(|start| url.starts_with(start))
        && url.chars().all(is_url_character)
}

pub(super) fn is_archive(word: &str) -> bool {
    [".whl", ".tar.gz", ".zip", ".tgz", ".egg"].iter().any(|end| word.ends_with(end))
}

pub(super) fn a_path(word: &str) -> PackagesError {
    PackagesError(format!(
        "{} is a file or folder, which a run cannot see. Name a package, or give a URL: `name @ https://…`.",
        shown(word)
    ))
}

pub(super) fn a_repository(word: &str) -> PackagesError {
    PackagesError(format!(
        "{} is a repository, and what is installed from one has no hash to check it by. Build a wheel of the package and \
         give the wheel's URL: `name @ https://…`. The URL of a source archive does too.",
        shown(word)
    ))
}
