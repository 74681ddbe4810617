//! Finds a text in a program, whatever the case of its letters.

use std::ops::Range;

/// More are not told apart: nobody goes through them.
const MOST: usize = 10_000;

/// Where a text is, in bytes. Only letters of ASCII are alike in upper and lower case.
#[must_use]
pub fn find_all(text: &str, wanted: &str) -> Vec<Range<usize>> {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let mut found = Vec::new();
    let mut at = 0;
    while !wanted.is_empty() && at + wanted.len() <= text.len() && found.len() < MOST {
        let end = at + wanted.len();
        if text[at..end].eq_ignore_ascii_case(wanted) {
            found.push(at..end);
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::find_all;

    #[test]
    fn texts_are_found_apart_and_in_any_case() {
        assert_eq!(find_all("aXa ax", "ax"), [0..2, 4..6]);
        assert_eq!(find_all("aaa", "aa"), vec![0..2]);
        assert!(find_all("é", "É").is_empty());
        assert_eq!(find_all("aé", "é"), vec![1..3]);
        assert!(find_all("a", "").is_empty());
    }
}
