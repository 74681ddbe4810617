//! A text as an entry of a YAML document, readable for people and exact for programs.

use std::fmt::Write as _;

/// An entry of the document: a literal block, each line as it is; in quotes what cannot stand in one.
pub fn entry(name: &str, text: &str) -> String {
    if text.trim_matches('\n').is_empty() || text.chars().any(needs_escape) {
        return format!("{name}: {}\n", quoted(text));
    }
    // How many line ends the text has at its end: none, one, or as many as there are.
    let ending = match text.len() - text.trim_end_matches('\n').len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    let mut block = format!("{name}: |2{ending}\n");
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if !line.is_empty() {
            block.push_str("  ");
            block.push_str(line);
        }
        block.push('\n');
    }
    block
}

/// Characters that a YAML document cannot hold as they are, or takes for the end of a line.
fn needs_escape(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            _ if needs_escape(character) => {
                // Writing to a `String` cannot fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_blocks_with_the_line_ends_that_they_have() {
        for (text, expected) in [
            ("a\nb\n", "x: |2\n  a\n  b\n"),
            ("a", "x: |2-\n  a\n"),
            ("  a\n\n b\n\n", "x: |2+\n    a\n\n   b\n\n"),
            ("\n\ta: \"b\" # c\n", "x: |2\n\n  \ta: \"b\" # c\n"),
            ("", "x: \"\"\n"),
            ("\n", "x: \"\\n\"\n"),
        ] {
            assert_eq!(entry("x", text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_no_block_can_hold_is_quoted() {
        let text = "a\r\n\"\\\u{1b}[1m\u{7f}\u{85}\u{2028}\u{feff}\t🚀\n";
        let expected = "x: \"a\\u000D\\n\\\"\\\\\\u001B[1m\\u007F\\u0085\\u2028\\uFEFF\\t🚀\\n\"\n";
        assert_eq!(entry("x", text), expected);
    }
}
