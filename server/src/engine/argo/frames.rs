//! How a step's events travel in its container's log: one line of text for each, short enough that no container runtime
//! tears it apart, and numbered, so that a reader knows what it has and what it lacks.
//!
//! `stoker NUMBER TIME LINES KIND TEXT`: the number counts from 1, the time is in milliseconds, `LINES` says how many
//! lines of output came before, and in the text what is no plain character is escaped as `\n`, `\\` or `\xHH`.

use app::model::time::Timestamp;

use crate::engine::{Observed, StepEnd, StepEvent};

const PREFIX: &[u8] = b"stoker ";
/// The most bytes of output in a line: each may become four characters, and runtimes tear lines of 16 KiB.
const MOST_BYTES: usize = 3800;

/// A line of the log, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its number, from 1.
    pub number: u64,
    /// How many lines of output came before it.
    pub lines: u64,
    /// What happened.
    pub observed: Observed,
}

impl Frame {
    /// How many lines of output are known after it.
    #[must_use]
    pub fn lines_after(&self) -> u64 {
        self.lines + lines_of(&self.observed.event)
    }

    /// Reads a line; `None` for one that is not ours, such as those of Argo's executor.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let rest = std::str::from_utf8(line.strip_prefix(PREFIX)?).ok()?;
        let mut words = rest.splitn(5, ' ');
        let number = words.next()?.parse().ok()?;
        let at = Timestamp(words.next()?.parse().ok()?);
        let lines = words.next()?.parse().ok()?;
        let (kind, text) = (words.next()?, words.next()?);
        let event = match kind {
            "out" => StepEvent::Output(unescape(text)?),
            "err" => StepEvent::Error(unescape(text)?),
            "limit" => StepEvent::LogLimit(text.parse().ok()?),
            "end" => StepEvent::Ended(serde_json::from_str(text).ok()?),
            _ => return None,
        };
        Some(Self { number, lines, observed: Observed { at, event } })
    }
}

/// Writes events as lines.
#[derive(Debug, Default)]
pub struct FrameWriter {
    number: u64,
    lines: u64,
}

impl FrameWriter {
    /// Appends an event's lines.
    ///
    /// # Errors
    /// Never in practice: an end is plain data.
    pub fn write(&mut self, observed: &Observed, text: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        match &observed.event {
            StepEvent::Output(bytes) => self.output("out", observed.at, bytes, text),
            StepEvent::Error(bytes) => self.output("err", observed.at, bytes, text),
            StepEvent::LogLimit(bytes) => self.line("limit", observed.at, &bytes.to_string(), text),
            StepEvent::Ended(end) => self.end(observed.at, end, text)?,
            // Those are for the engine to say, which sees the pod from outside.
            StepEvent::Waiting(_)
            | StepEvent::Placed(_)
            | StepEvent::Container(_)
            | StepEvent::Began
            | StepEvent::AttemptEnded(_)
            | StepEvent::Lost(_) => {}
        }
        Ok(())
    }

    /// Appends the end.
    ///
    /// # Errors
    /// Never in practice: it is plain data.
    pub fn end(&mut self, at: Timestamp, end: &StepEnd, text: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        self.line("end", at, &serde_json::to_string(end)?, text);
        Ok(())
    }

    fn output(&mut self, kind: &str, at: Timestamp, bytes: &[u8], text: &mut Vec<u8>) {
        for piece in bytes.chunks(MOST_BYTES) {
            self.line(kind, at, &escape(piece), text);
            self.lines += count_lines(piece);
        }
    }

    fn line(&mut self, kind: &str, at: Timestamp, content: &str, text: &mut Vec<u8>) {
        self.number += 1;
        text.extend_from_slice(PREFIX);
        text.extend_from_slice(format!("{} {} {} {kind} {content}\n", self.number, at.0, self.lines).as_bytes());
    }
}

fn lines_of(event: &StepEvent) -> u64 {
    match event {
        StepEvent::Output(bytes) | StepEvent::Error(bytes) => count_lines(bytes),
        _ => 0,
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

fn escape(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\t' => text.push('\t'),
                // All of these are below 0x80.
                character if character.is_ascii_control() => {
                    // Writing to a `String` cannot fail.
                    let _ = write!(text, "\\x{:02x}", u32::from(character));
                }
                character => text.push(character),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some(position) = memchr::memchr(b'\\', rest) {
        bytes.extend_from_slice(&rest[..position]);
        rest = &rest[position + 1..];
        let (byte, length) = match rest.first()? {
            b'n' => (b'\n', 1),
            b'\\' => (b'\\', 1),
            b'x' => (u8::from_str_radix(std::str::from_utf8(rest.get(1..3)?).ok()?, 16).ok()?, 3),
            _ => return None,
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes.extend_from_slice(rest);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::EndCause;

    fn lines(events: &[StepEvent]) -> Vec<Vec<u8>> {
        let (mut writer, mut text) = (FrameWriter::default(), Vec::new());
        for event in events {
            writer.write(&Observed { at: Timestamp(7), event: event.clone() }, &mut text).unwrap();
        }
        text.split_inclusive(|byte| *byte == b'\n').map(|line| line[..line.len() - 1].to_vec()).collect()
    }

    #[test]
    fn a_line_is_readable_and_says_where_it_stands() {
        let end = StepEnd { exit_code: Some(0), ..StepEnd::by(EndCause::Program) };
        let lines = lines(&[
            StepEvent::Output(b"one\ntwo\n".to_vec()),
            StepEvent::Error(b"\x1b[1m\xff".to_vec()),
            StepEvent::Ended(end.clone()),
        ]);
        assert_eq!(lines[0], b"stoker 1 7 0 out one\\ntwo\\n");
        assert_eq!(lines[1], b"stoker 2 7 2 err \\x1b[1m\\xff");
        let last = Frame::parse(&lines[2]).unwrap();
        assert_eq!((last.number, last.lines, last.observed.event), (3, 2, StepEvent::Ended(end)));
    }

    #[test]
    fn what_others_say_is_no_frame() {
        for line in [
            "",
            "stoker",
            "stoker 1 2 3 out",
            "stoker 1 2 3 out \\q",
            "stoker x 2 3 out a",
            "time=\"2026-01-01T00:00:00.000Z\" level=info msg=\"sub-process exited\" argo=true error=\"<nil>\"",
        ] {
            assert_eq!(Frame::parse(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn all_bytes_come_back_in_short_lines(bytes in prop::collection::vec(any::<u8>(), 0..9000)) {
            let lines = lines(&[StepEvent::Output(bytes.clone())]);
            let mut back = Vec::new();
            for line in lines {
                prop_assert!(line.len() < 16 * 1024 - 1);
                match Frame::parse(&line).unwrap().observed.event {
                    StepEvent::Output(piece) => back.extend(piece),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert_eq!(back, bytes);
        }
    }
}
