//! Messages of lines for a viewer, put together from stored text without reading it.

use app::model::log::{LogLines, LogMessage};

use crate::db::{DatabaseError, logs::Chunk, values};

/// A frame is sent once it is this long: long enough to be few, short enough to be shown at once.
const FRAME_BYTES: usize = 128 * 1024;

/// The frames that tell the lines of these consecutive chunks, from line `from` on, which the first chunk holds.
///
/// # Errors
/// When a stored chunk is damaged.
pub fn frames(chunks: &[Chunk], from: u64) -> Result<Vec<String>, DatabaseError> {
    let mut frames = Vec::new();
    let mut open: Option<String> = None;
    for chunk in chunks {
        if chunk.first < from {
            frames.push(rest_of(chunk, from)?);
            continue;
        }
        let items = chunk
            .body
            .strip_prefix('[')
            .and_then(|body| body.strip_suffix(']'))
            .ok_or_else(|| values::damaged(&"a log chunk is no JSON array"))?;
        match &mut open {
            Some(frame) => frame.push(','),
            None => open = Some(start(chunk.first, items.len())),
        }
        if let Some(frame) = &mut open {
            frame.push_str(items);
        }
        if open.as_ref().is_some_and(|frame| frame.len() >= FRAME_BYTES) {
            frames.extend(open.take().map(end));
        }
    }
    frames.extend(open.map(end));
    Ok(frames)
}

fn start(first: u64, room: usize) -> String {
    let mut frame = String::with_capacity(room.max(1024) + 64);
    frame.push_str("{\"type\":\"lines\",\"first\":");
    frame.push_str(&first.to_string());
    frame.push_str(",\"lines\":[");
    frame
}

fn end(mut frame: String) -> String {
    frame.push_str("]}");
    frame
}

/// The lines of a chunk from one in its middle on.
fn rest_of(chunk: &Chunk, from: u64) -> Result<String, DatabaseError> {
    let skip = usize::try_from(from - chunk.first).unwrap_or(usize::MAX);
    let lines = LogLines { first: from, lines: chunk.lines()?.into_iter().skip(skip).collect() };
    serde_json::to_string(&LogMessage::Lines(lines)).map_err(|error| values::damaged(&error))
}

#[cfg(test)]
mod tests {
    use app::model::{
        log::{LogLine, Stream},
        time::Timestamp,
    };

    use super::*;

    fn chunk(first: u64, texts: &[&str]) -> Chunk {
        let lines: Vec<LogLine> =
            texts.iter().map(|text| LogLine(Stream::Output, Timestamp(1), (*text).to_owned())).collect();
        Chunk { first, count: lines.len() as u64, body: serde_json::to_string(&lines).unwrap() }
    }

    fn read(frame: &str) -> (u64, Vec<String>) {
        let LogMessage::Lines(lines) = serde_json::from_str(frame).unwrap() else { panic!("{frame}") };
        (lines.first, lines.lines.into_iter().map(|line| line.2).collect())
    }

    #[test]
    fn chunks_are_joined_as_they_are_stored() {
        let frames = frames(&[chunk(1, &["a", "b\"]"]), chunk(3, &["c"])], 1).unwrap();
        assert_eq!(frames.len(), 1);
        assert_eq!(read(&frames[0]), (1, vec!["a".to_owned(), "b\"]".to_owned(), "c".to_owned()]));
    }

    #[test]
    fn resuming_in_mid_chunk_skips_what_is_known() {
        let frames = frames(&[chunk(1, &["a", "b", "c"]), chunk(4, &["d"])], 3).unwrap();
        let read: Vec<_> = frames.iter().map(|frame| read(frame)).collect();
        assert_eq!(read, [(3, vec!["c".to_owned()]), (4, vec!["d".to_owned()])]);
    }

    #[test]
    fn long_logs_come_in_several_frames() {
        let long = "x".repeat(FRAME_BYTES);
        let frames = frames(&[chunk(1, &[&long]), chunk(2, &["b"])], 1).unwrap();
        assert_eq!(frames.iter().map(|frame| read(frame).0).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_damaged_chunk_is_an_error() {
        assert!(frames(&[Chunk { first: 1, count: 1, body: "nonsense".to_owned() }], 1).is_err());
    }
}
