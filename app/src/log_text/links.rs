//! Finds web addresses in text.

/// A piece of text.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text without an address.
    Text(&'a str),
    /// An `http` or `https` address.
    Link(&'a str),
}

/// Splits text at the addresses in it. No other schemes: a log must not be able to offer a `javascript:` link.
pub fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    let mut link = None;
    std::iter::from_fn(move || {
        if let Some(address) = link.take() {
            return Some(Piece::Link(address));
        }
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(start) = rest[from..].find("http").map(|start| start + from) {
            let length = address_length(&rest[start..]);
            if length > 0 {
                let before = &rest[..start];
                let address = &rest[start..start + length];
                rest = &rest[start + length..];
                if before.is_empty() {
                    return Some(Piece::Link(address));
                }
                link = Some(address);
                return Some(Piece::Text(before));
            }
            from = start + "http".len();
        }
        Some(Piece::Text(std::mem::take(&mut rest)))
    })
}

/// How many bytes at the start of `text` are an address; zero when none is there.
fn address_length(text: &str) -> usize {
    let Some(scheme) = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme)) else {
        return 0;
    };
    let ends = |character: char| {
        character.is_whitespace()
            || character.is_control()
            || matches!(character, '<' | '>' | '"' | '\'' | '`' | '{' | '}' | '|' | '\\' | '^' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut address = &text[..text.find(ends).unwrap_or(text.len())];
    // Punctuation at the end belongs to the sentence; a bracket too, unless it was opened in the address.
    while let Some(last) = address.chars().next_back() {
        let belongs = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '*' => false,
            ')' => address.matches('(').count() >= address.matches(')').count(),
            ']' => address.matches('[').count() >= address.matches(']').count(),
            _ => true,
        };
        if belongs {
            break;
        }
        address = &address[..address.len() - last.len_utf8()];
    }
    if address.len() > scheme.len() { address.len() } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_end_before_punctuation() {
        let found: Vec<_> = pieces("(see http://a.b/c_(d)), https://e.f. http://").collect();
        assert_eq!(
            found,
            [
                Piece::Text("(see "),
                Piece::Link("http://a.b/c_(d)"),
                Piece::Text("), "),
                Piece::Link("https://e.f"),
                Piece::Text(". http://"),
            ]
        );
    }
}
