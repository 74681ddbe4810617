//! Where a script's block of metadata is: comment lines from `# /// TYPE` to `# ///`. What they hold is read elsewhere.

use std::ops::Range;

/// A block, as it is in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The number of its first line, from 1.
    pub line: usize,
    /// The bytes of the script from its first line to its last, without the line's end after that.
    pub place: Range<usize>,
    /// What its lines hold, without the `#` before each.
    pub content: String,
}

/// What a block begins with, before its type.
const OPENING: &str = "# /// ";
/// What a block ends with.
const CLOSING: &str = "# ///";

/// The blocks of a type, in order. As the specification's expression has it, a block goes on to the last line of its
/// comment that closes one; what is never closed is no block.
pub fn find(script: &str, kind: &str) -> Vec<Block> {
    let lines = lines(script);
    let mut found = Vec::new();
    let mut next = 0;
    while next < lines.len() {
        let first = next;
        next += 1;
        let Some(own) = lines[first].1.strip_prefix(OPENING).filter(|own| is_type(own)) else { continue };
        let comment = lines[next..].iter().take_while(|(_, line)| *line == "#" || line.starts_with("# ")).count();
        let Some(last) = lines[next..next + comment].iter().rposition(|(_, line)| *line == CLOSING) else { continue };
        // There is something between the two.
        if last == 0 {
            continue;
        }
        let last = next + last;
        if own == kind {
            let content = lines[next..last].iter().flat_map(|(_, line)| [content_of(line), "\n"]).collect();
            let end = lines[last].0 + lines[last].1.len();
            found.push(Block { line: first + 1, place: lines[first].0..end, content });
        }
        next = last + 1;
    }
    found
}

/// Each line with the byte that it begins at.
fn lines(script: &str) -> Vec<(usize, &str)> {
    let mut start = 0;
    let place = |line: &'_ str| {
        let begins_at = start;
        start += line.len();
        begins_at
    };
    let starts: Vec<usize> = script.split_inclusive('\n').map(place).collect();
    starts.into_iter().zip(script.lines()).collect()
}

fn is_type(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn content_of(line: &str) -> &str {
    line.strip_prefix("# ").unwrap_or_else(|| line.trim_start_matches('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contents of the blocks of the type `script`.
    fn contents(script: &str) -> Vec<String> {
        find(script, "script").into_iter().map(|block| block.content).collect()
    }

    #[test]
    fn blocks_are_found_as_the_specification_says() {
        for (script, expected) in [
            ("", &[][..]),
            ("# /// script\n# a = 1\n# ///", &["a = 1\n"]),
            ("import x\n\n# /// script\n# a = 1\n#\n#   b\n# ///\nimport y\n", &["a = 1\n\n  b\n"]),
            // Never closed, closed after something else, or holding nothing at all.
            ("# /// script\n# a = 1\n", &[]),
            ("# /// script\n# a = 1\nimport x\n# ///\n", &[]),
            ("# /// script\n# a = 1\n\n# ///\n", &[]),
            ("# /// script\n# ///\n", &[]),
            ("# /// script\n#\n# ///\n", &["\n"]),
            // The last line that closes it counts.
            ("# /// script\n# a = 1\n# ///\n# more\n# ///\n", &["a = 1\n///\nmore\n"]),
            ("# /// script\n# a = 1\n# ///\n#\n# /// script\n# b = 2\n# ///\n", &["a = 1\n///\n\n/// script\nb = 2\n"]),
            ("# /// script\n# a = 1\n# ///\n\n# /// script\n# b = 2\n# ///\n", &["a = 1\n", "b = 2\n"]),
            // Other types, and what only looks like one.
            ("# /// other\n# a = 1\n# ///\n\n# /// script\n# b = 2\n# ///\n", &["b = 2\n"]),
            ("# /// script.toml\n# a = 1\n# ///\n", &[]),
            ("#/// script\n# a = 1\n# ///\n", &[]),
            (" # /// script\n# a = 1\n# ///\n", &[]),
            ("# /// script \n# a = 1\n# ///\n", &[]),
            ("# /// script\n#a = 1\n# ///\n", &[]),
            ("# /// script\n# a = 1\n# /// \n", &[]),
            // Comments in it, and the line ends of Windows.
            ("# /// script\n# # why\n# a = 1 # so\n# ///\n", &["# why\na = 1 # so\n"]),
            ("# /// script\r\n# a = 1\r\n# ///\r\nx\r\n", &["a = 1\n"]),
        ] {
            assert_eq!(contents(script), expected, "{script:?}");
        }
    }

    #[test]
    fn a_block_knows_its_place() {
        let script = "#!/usr/bin/env python\n\n# /// script\n# a = \"ü\"\n# ///\nprint(1)\n";
        let block = find(script, "script").remove(0);
        assert_eq!(block.line, 3);
        assert_eq!(&script[block.place], "# /// script\n# a = \"ü\"\n# ///");
    }
}
