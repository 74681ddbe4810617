//! Brackets that belong together.

use super::{source::SourceText, tokens::Kind};

/// In how many lines the other bracket is looked for: the search is to be done before the next frame.
const LINES: usize = 1000;

/// The bracket beside a place, and the one that belongs to it, as bytes. The one before the place counts first.
#[must_use]
pub fn matching_brackets(source: &SourceText, place: usize) -> Option<[usize; 2]> {
    let line = source.line_at(place);
    let of_line = brackets_of(source, line);
    let index = [place.checked_sub(1), Some(place)]
        .into_iter()
        .flatten()
        .find_map(|byte| of_line.iter().position(|(at, _)| *at == byte))?;
    let (at, bracket) = of_line[index];
    let other = if is_opening(bracket) {
        let after = of_line[index..].to_vec();
        let lines = (line + 1..source.line_count()).take(LINES);
        find(after.into_iter().chain(lines.flat_map(|line| brackets_of(source, line))), is_opening)
    } else {
        let before: Vec<_> = of_line[..=index].iter().rev().copied().collect();
        let lines = (0..line).rev().take(LINES);
        let earlier = lines.flat_map(|line| brackets_of(source, line).into_iter().rev());
        find(before.into_iter().chain(earlier), |bracket| !is_opening(bracket))
    };
    other.filter(|(_, other)| is_pair(bracket, *other)).map(|(other, _)| [at, other])
}

/// The first bracket that closes as many as were opened, the first one included.
fn find(brackets: impl Iterator<Item = (usize, u8)>, opens: impl Fn(u8) -> bool) -> Option<(usize, u8)> {
    let mut depth = 0_usize;
    for (at, bracket) in brackets {
        if opens(bracket) {
            depth += 1;
        } else {
            depth -= 1;
        }
        if depth == 0 {
            return Some((at, bracket));
        }
    }
    None
}

/// The brackets of a line that are code, with their places in the text.
pub(super) fn brackets_of(source: &SourceText, line: usize) -> Vec<(usize, u8)> {
    let mut brackets = Vec::new();
    source.read_pieces(line, &mut |kind, start, text| {
        if kind == Kind::Text {
            let found = text.bytes().enumerate().filter(|(_, byte)| is_bracket(*byte));
            brackets.extend(found.map(|(at, byte)| (start + at, byte)));
        }
    });
    brackets
}

const fn is_bracket(byte: u8) -> bool {
    matches!(byte, b'(' | b'[' | b'{' | b')' | b']' | b'}')
}

pub(super) const fn is_opening(byte: u8) -> bool {
    matches!(byte, b'(' | b'[' | b'{')
}

const fn is_pair(one: u8, other: u8) -> bool {
    matches!((one, other), (b'(', b')') | (b')', b'(') | (b'[', b']') | (b']', b'[') | (b'{', b'}') | (b'}', b'{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_match_over_lines_and_not_in_texts() {
        let code = "f(\n  ')', [1], # )\n)\nx]";
        let source = SourceText::new(code.to_owned());
        let at = |text: &str| code.find(text).unwrap();
        let (open, close) = (1, at("\n)\n") + 1);
        for place in [open, open + 1] {
            assert_eq!(matching_brackets(&source, place), Some([open, close]));
        }
        assert_eq!(matching_brackets(&source, close), Some([close, open]));
        assert_eq!(matching_brackets(&source, at("1]") + 2), Some([at("1]") + 1, at("[1")]));
        assert_eq!(matching_brackets(&source, at("')'") + 2), None);
        assert_eq!(matching_brackets(&source, at("x]") + 2), None);
        assert_eq!(matching_brackets(&SourceText::new("(]".to_owned()), 0), None);
        assert_eq!(matching_brackets(&SourceText::new("f'{x}'".to_owned()), 2), Some([2, 4]));
    }
}
