//! Characters that must not act: what is shown in their place.

use std::fmt;

/// What is shown in place of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    Symbol(char),
    CodePoint(char),
}

impl fmt::Display for Picture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Symbol(symbol) => write!(formatter, "{symbol}"),
            Self::CodePoint(character) => write!(formatter, "U+{:04X}", u32::from(character)),
        }
    }
}

/// The picture of a character that would act or vanish; `None` for ordinary ones.
pub fn picture(character: char) -> Option<Picture> {
    match character {
        '\t' => None,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).map(Picture::Symbol),
        '\u{7f}' => Some(Picture::Symbol('\u{2421}')),
        // The C1 controls, line and paragraph separators, and the controls that change the direction of text:
        // with these a line can be made to read as something that it is not.
        '\u{80}'..='\u{9f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Some(Picture::CodePoint(character)),
        _ => None,
    }
}
