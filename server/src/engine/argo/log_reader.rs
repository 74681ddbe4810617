//! Reads the log of a container through the API server, as frames.

use std::time::Duration;

use app::model::time::Timestamp;
use futures::{AsyncBufRead, AsyncReadExt as _};
use k8s_openapi::{api::core::v1::Pod, jiff};
use kube::{Api, api::LogParams};

use super::{cursor::Part, frames::Frame};

/// How much is read at once, in bytes.
const READ_BYTES: usize = 256 * 1024;
/// A log that is silent for so long is opened anew: a follower was known to sleep on after the log was rotated.
const SILENCE: Duration = Duration::from_secs(60);
/// How much earlier than the last known frame a log is opened again, in milliseconds: the API knows whole seconds only.
const OVERLAP: i64 = 3000;

/// From where in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// From the beginning of what is kept.
    Beginning,
    /// From a moment before this frame's time.
    Frame(Timestamp),
}

/// An open log.
pub struct LogReader<R> {
    reader: R,
    buffer: Vec<u8>,
    rest: Vec<u8>,
}

/// Opens the log of a container that has begun.
///
/// # Errors
/// When the cluster refuses it.
pub async fn open(
    pods: &Api<Pod>,
    pod: &str,
    part: Part,
    follow: bool,
    since: Since,
) -> Result<LogReader<impl AsyncBufRead + Unpin + use<>>, kube::Error> {
    let since_time = match since {
        Since::Beginning => None,
        Since::Frame(at) => jiff::Timestamp::from_millisecond(at.0 - OVERLAP).ok(),
    };
    let parameters =
        LogParams { container: Some(part.container().to_owned()), follow, since_time, ..LogParams::default() };
    let reader = Box::pin(pods.log_stream(pod, &parameters).await?);
    Ok(LogReader { reader, buffer: vec![0; READ_BYTES], rest: Vec::new() })
}

/// What came of a log.
pub enum Piece {
    /// The next frames, as many as were there at once, which may be none.
    Frames(Vec<Frame>),
    /// All was read that there is now. Only the frames themselves say whether that is the end of the step.
    End,
    /// The way to the log broke, or it was silent for long: there may be more.
    Cut,
}

impl<R: AsyncBufRead + Unpin> LogReader<R> {
    /// What comes next. Nothing is lost when this is given up while it waits.
    pub async fn next(&mut self) -> Piece {
        let count = match tokio::time::timeout(SILENCE, self.reader.read(&mut self.buffer)).await {
            Ok(Ok(0)) => return Piece::End,
            Ok(Ok(count)) => count,
            Ok(Err(_)) | Err(_) => return Piece::Cut,
        };
        self.rest.extend_from_slice(&self.buffer[..count]);
        let Some(end) = memchr::memrchr(b'\n', &self.rest) else { return Piece::Frames(Vec::new()) };
        let frames = self.rest[..end].split(|byte| *byte == b'\n').filter_map(Frame::parse).collect();
        self.rest.drain(..=end);
        Piece::Frames(frames)
    }
}
