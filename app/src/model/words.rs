//! Words of a user's text, made fit to be named in a message.

/// The longest word shown whole, in characters.
const MAX_CHARACTERS: usize = 60;

/// The word in backticks: shortened, and with invisible characters spelled out, so that a message is always one
/// readable line whatever was typed.
pub(super) fn shown(word: &str) -> String {
    let mut text = String::from("`");
    for (index, character) in word.chars().enumerate() {
        if index == MAX_CHARACTERS {
            text.push('…');
            break;
        }
        if is_invisible(character) {
            text.extend(character.escape_unicode());
        } else {
            text.push(character);
        }
    }
    text.push('`');
    text
}

/// True for characters that show as nothing or change how their neighbours show: controls, direction marks,
/// zero-width characters, fillers, line separators, tags.
pub(super) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_shown_on_one_short_harmless_line() {
        for (word, expected) in [
            ("nump?y", "`nump?y`"),
            ("🚀", "`🚀`"),
            ("a\0b\u{1b}[31m", "`a\\u{0}b\\u{1b}[31m`"),
            ("evil\u{202e}gpj", "`evil\\u{202e}gpj`"),
            ("a\nb", "`a\\u{a}b`"),
        ] {
            assert_eq!(shown(word), expected);
        }
        assert_eq!(shown(&"x".repeat(61)), format!("`{}…`", "x".repeat(60)));
        assert_eq!(shown(&"x".repeat(60)), format!("`{}`", "x".repeat(60)));
    }
}
