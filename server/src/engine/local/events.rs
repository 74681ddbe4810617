//! The events file of a step: what its shim saw, in order. Frames are appended only, so a reader may start at any
//! frame, and a frame cut off by a crash is one that never happened.
//!
//! A frame is `kind: u8, at: i64, length: u32` (little endian) and `length` bytes.

use app::model::time::Timestamp;

use crate::engine::{Observed, StepEnd, StepEvent};

const HEADER: usize = 1 + 8 + 4;
const OUTPUT: u8 = 1;
const ERROR: u8 = 2;
const LOG_LIMIT: u8 = 3;
const ENDED: u8 = 4;

/// The bytes of a frame with output or error bytes, without the bytes themselves: those follow.
#[must_use]
pub fn data_header(error: bool, at: Timestamp, length: usize) -> [u8; HEADER] {
    header(if error { ERROR } else { OUTPUT }, at, length)
}

/// The frame that says that no more output is kept.
#[must_use]
pub fn log_limit(at: Timestamp, bytes: u64) -> Vec<u8> {
    frame(LOG_LIMIT, at, &bytes.to_le_bytes())
}

/// The last frame.
///
/// # Errors
/// Never in practice: the content is plain data.
pub fn ended(at: Timestamp, end: &StepEnd) -> Result<Vec<u8>, serde_json::Error> {
    Ok(frame(ENDED, at, &serde_json::to_vec(end)?))
}

fn header(kind: u8, at: Timestamp, length: usize) -> [u8; HEADER] {
    let mut header = [kind; HEADER];
    header[1..9].copy_from_slice(&at.0.to_le_bytes());
    header[9..].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    header
}

fn frame(kind: u8, at: Timestamp, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(kind, at, payload.len()).to_vec();
    frame.extend_from_slice(payload);
    frame
}

/// Takes the whole frames off the front of `bytes`. Says how many bytes they were.
#[must_use]
pub fn take_frames(bytes: &[u8]) -> (Vec<Observed>, usize) {
    let mut events = Vec::new();
    let mut taken = 0;
    while let Some((kind, at, payload)) = first_frame(&bytes[taken..]) {
        taken += HEADER + payload.len();
        let event = match kind {
            OUTPUT => Some(StepEvent::Output(payload.to_vec())),
            ERROR => Some(StepEvent::Error(payload.to_vec())),
            LOG_LIMIT => payload.try_into().ok().map(|bytes| StepEvent::LogLimit(u64::from_le_bytes(bytes))),
            ENDED => serde_json::from_slice(payload).ok().map(StepEvent::Ended),
            _ => None,
        };
        if let Some(event) = event {
            events.push(Observed { at, event });
        }
    }
    (events, taken)
}

fn first_frame(bytes: &[u8]) -> Option<(u8, Timestamp, &[u8])> {
    let header = bytes.get(..HEADER)?;
    let at = i64::from_le_bytes(header[1..9].try_into().ok()?);
    let length = u32::from_le_bytes(header[9..].try_into().ok()?);
    let payload = bytes.get(HEADER..HEADER + usize::try_from(length).ok()?)?;
    Some((header[0], Timestamp(at), payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EndCause;

    fn sample() -> Vec<u8> {
        let mut bytes = data_header(false, Timestamp(5), 2).to_vec();
        bytes.extend_from_slice(b"hi");
        bytes.extend(data_header(true, Timestamp(6), 0));
        let end = StepEnd { cause: EndCause::Timeout(3), exit_code: None, signal: Some(9), memory_ran_out: false };
        bytes.extend(ended(Timestamp(7), &end).unwrap());
        bytes
    }

    #[test]
    fn frames_are_read_as_written() {
        let bytes = sample();
        let (events, taken) = take_frames(&bytes);
        assert_eq!(taken, bytes.len());
        assert_eq!(events[0], Observed { at: Timestamp(5), event: StepEvent::Output(b"hi".to_vec()) });
        assert_eq!(events[1].event, StepEvent::Error(Vec::new()));
        assert!(matches!(&events[2].event, StepEvent::Ended(end) if end.cause == EndCause::Timeout(3)));
    }

    #[test]
    fn a_frame_cut_off_anywhere_waits_for_its_rest() {
        let bytes = sample();
        for cut in 0..bytes.len() {
            let (first, taken) = take_frames(&bytes[..cut]);
            let (rest, _) = take_frames(&bytes[taken..]);
            assert_eq!([first, rest].concat(), take_frames(&bytes).0, "cut at {cut}");
        }
    }
}
