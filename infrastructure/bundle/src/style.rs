//! The style sheet: plain CSS; the only thing done to it is that imported files are put in place of their `@import`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The text of a style sheet with every `@import "other.css";` line replaced by that file.
pub fn inline(path: &Path) -> Result<String> {
    let mut css = String::new();
    append(path, &mut Vec::new(), &mut css)?;
    Ok(css)
}

/// Appends one file to `css`; `parents` are the files that are being read, so that a circle is seen.
fn append(path: &Path, parents: &mut Vec<PathBuf>, css: &mut String) -> Result<()> {
    if parents.iter().any(|parent| parent == path) {
        bail!("{} imports itself", path.display());
    }
    let text = fs::read_to_string(path).with_context(|| format!("reading the style sheet {}", path.display()))?;
    parents.push(path.to_owned());
    for line in text.lines() {
        if let Some(name) = imported(line) {
            append(&path.with_file_name(name), parents, css)?;
        } else {
            css.push_str(line);
            css.push('\n');
        }
    }
    parents.pop();
    Ok(())
}

/// The file that a line of the form `@import "name.css";` names. Any other line, also an import with a layer or a
/// media query, is left to the browser.
fn imported(line: &str) -> Option<&str> {
    let quoted = line.trim().strip_prefix("@import")?.trim().strip_suffix(';')?.trim();
    ['"', '\'']
        .into_iter()
        .find_map(|quote| quoted.strip_prefix(quote)?.strip_suffix(quote))
        .filter(|name| !name.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::imported;

    #[test]
    fn only_plain_imports_are_inlined() {
        assert_eq!(Some("base.css"), imported("@import \"base.css\";"));
        assert_eq!(Some("parts/log.css"), imported("  @import 'parts/log.css' ;"));
        assert_eq!(None, imported("@import \"https://example.com/x.css\";"));
        assert_eq!(None, imported("@import \"print.css\" print;"));
        assert_eq!(None, imported("main { color: red; }"));
    }
}
