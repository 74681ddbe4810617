//! Parts the bytes of the standard output pipe: the interpreter's standard error travels in it too, in tagged pieces,
//! so that the order of the two is kept (see `runner/stoker_streams.py`).

use memchr::memmem;
use serde::{Deserialize, Serialize};

use crate::runner::markers::SEPARATOR;

/// Digits of a piece's length.
const LENGTH_DIGITS: usize = 4;

/// Which voice bytes belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    Output,
    /// The interpreter's standard error.
    Error,
}

/// What is kept between two pieces of input.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Demux {
    /// Bytes of a tagged piece that are still to come.
    owed: usize,
    /// The end of the input so far, when it may be the beginning of a tag.
    #[serde(with = "super::lines::latin1", default, skip_serializing_if = "Vec::is_empty")]
    held: Vec<u8>,
}

impl Demux {
    /// Parts the next input. The parts, put together, are the input without its tags.
    pub fn push(&mut self, input: &[u8], tag: &str, mut part: impl FnMut(Voice, &[u8])) {
        let joined;
        let mut rest = if self.held.is_empty() {
            input
        } else {
            let mut bytes = std::mem::take(&mut self.held);
            bytes.extend_from_slice(input);
            joined = bytes;
            &joined
        };
        let mut head = vec![SEPARATOR];
        head.extend_from_slice(tag.as_bytes());
        while !rest.is_empty() {
            if self.owed > 0 {
                let (piece, after) = rest.split_at(self.owed.min(rest.len()));
                self.owed -= piece.len();
                part(Voice::Error, piece);
                rest = after;
                continue;
            }
            let Some(start) = memmem::find(rest, &head) else {
                // The beginning of a tag may stand at the very end.
                let whole = rest.len() - possible_start(rest, &head);
                if whole > 0 {
                    part(Voice::Output, &rest[..whole]);
                }
                self.held = rest[whole..].to_vec();
                return;
            };
            if start > 0 {
                part(Voice::Output, &rest[..start]);
            }
            let Some(digits) = rest.get(start + head.len()..start + head.len() + LENGTH_DIGITS) else {
                self.held = rest[start..].to_vec();
                return;
            };
            let length = std::str::from_utf8(digits).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
            rest = &rest[start + head.len() + LENGTH_DIGITS..];
            // A tag without a length is not the interpreter's: its bytes are dropped, what follows is output.
            self.owed = length.unwrap_or(0);
        }
    }

    /// What was held back in case a tag came, at the end.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

/// How many bytes at the end of `bytes` are a beginning of `head`.
fn possible_start(bytes: &[u8], head: &[u8]) -> usize {
    let longest = head.len().saturating_sub(1).min(bytes.len());
    (1..=longest).rev().find(|length| bytes.ends_with(&head[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(inputs: &[&[u8]]) -> Vec<(bool, u8)> {
        let mut demux = Demux::default();
        let mut bytes = Vec::new();
        for input in inputs {
            demux
                .push(input, "tag", |voice, part| bytes.extend(part.iter().map(|byte| (voice == Voice::Error, *byte))));
        }
        bytes.extend(demux.finish().into_iter().map(|byte| (false, byte)));
        bytes
    }

    fn tagged(text: &str) -> Vec<u8> {
        format!("\x1etag{:04x}{text}", text.len()).into_bytes()
    }

    #[test]
    fn tagged_pieces_are_error_and_the_rest_is_output() {
        let mut input = b"one\n".to_vec();
        input.extend(tagged("two\n"));
        input.extend(tagged("\x1etag"));
        input.extend(b"three\x1eta");
        let seen: Vec<(bool, String)> = parts(&[&input])
            .chunk_by(|a, b| a.0 == b.0)
            .map(|run| (run[0].0, run.iter().map(|byte| char::from(byte.1)).collect()))
            .collect();
        assert_eq!(seen, [(false, "one\n".into()), (true, "two\n\x1etag".into()), (false, "three\x1eta".into())]);
    }

    proptest! {
        #[test]
        fn where_the_input_is_cut_makes_no_difference(
            pieces in prop::collection::vec((any::<bool>(), "[a-c\x1e\n]{0,6}"), 0..6),
            cut in 0_usize..80,
        ) {
            let mut input = Vec::new();
            for (error, text) in &pieces {
                if *error { input.extend(tagged(text)); } else { input.extend(text.as_bytes()); }
            }
            let cut = cut.min(input.len());
            prop_assert_eq!(parts(&[&input]), parts(&[&input[..cut], &input[cut..]]));
        }
    }
}
