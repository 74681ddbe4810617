//! Log lines, and what the log socket says. How a line looks is in `crate::log_text`.

use serde::{Deserialize, Serialize, de};

use super::{phase::Phase, time::Timestamp};

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// The program's standard output.
    Output,
    /// The program's standard error.
    Error,
    /// Stoker itself: preparation, and what it has to say about the end.
    Stoker,
}

impl Stream {
    /// Its number in JSON.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Output => 1,
            Self::Error => 2,
            Self::Stoker => 3,
        }
    }

    /// The stream with this number in JSON.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Output),
            2 => Some(Self::Error),
            3 => Some(Self::Stoker),
            _ => None,
        }
    }
}

impl Serialize for Stream {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

impl<'de> Deserialize<'de> for Stream {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = u8::deserialize(deserializer)?;
        Self::from_code(code)
            .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Unsigned(code.into()), &"1, 2 or 3"))
    }
}

/// One line of a log without its number, as stored and sent: `[stream, milliseconds, text]` in JSON.
/// The text is valid UTF-8, has no line feed, and keeps ANSI codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine(pub Stream, pub Timestamp, pub String);

impl LogLine {
    /// The longest line, in bytes. A longer one is kept as several, cut between two characters.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Whether this is a piece of a longer line, which goes on in the next line of the same stream. Told by its length: no
    /// place cut at is further from the limit than a character is long. A line that ends right there looks the same.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.2.len() + 3 >= Self::MAX_BYTES
    }
}

/// A group of lines that began before some part of a log, and goes on there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierGroup {
    /// The number of its heading.
    pub first: u64,
    /// Its heading.
    pub heading: LogLine,
    /// Whether it stays open when it has ended, by what came before that part.
    pub stays_open: bool,
}

/// Lines with consecutive numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogLines {
    /// The number of the first line. Lines are numbered from 1 within their step.
    pub first: u64,
    /// The lines, in order.
    pub lines: Vec<LogLine>,
}

impl LogLines {
    /// The number that the line after these has.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.first + self.lines.len() as u64
    }
}

/// What the server says on the log socket, one JSON text frame each.
/// Connect with `?from=N` (the first line wanted) and, for a page that shows only the newest lines, `&window=N`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LogMessage {
    Lines(LogLines),
    /// A line that has not ended yet, such as a prompt or a progress bar. It replaces the one before,
    /// is not stored, and is withdrawn by an empty text or by the next `Lines`.
    Partial {
        /// Where it came from.
        stream: Stream,
        /// Its text so far.
        text: String,
    },
    /// With `window`: so many lines from `first` on are left out, since the viewer is far behind.
    Skipped {
        /// Number of the first line left out.
        first: u64,
        count: u64,
    },
    /// The run's state changed (also sent once on connecting).
    State(RunState),
}

/// The part of a run that changes while somebody looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// Where the run stands.
    pub phase: Phase,
    /// Changes whenever anything about the run itself changed; a page that sees it change fetches itself again.
    pub version: u64,
    /// Place in the queue from 1, while it waits. Other runs change it, and then a page fetches itself again too.
    pub queue_place: Option<u32>,
    /// How many lines the log has.
    pub lines: u64,
    /// When the run's turn came: what the times of its lines are counted from.
    pub started_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_documented_shape() {
        let message = LogMessage::Lines(LogLines {
            first: 7,
            lines: vec![LogLine(Stream::Error, Timestamp(12), "a\"b".to_owned())],
        });
        let text = serde_json::to_string(&message).unwrap();
        assert_eq!(text, r#"{"type":"lines","first":7,"lines":[[2,12,"a\"b"]]}"#);
        assert_eq!(serde_json::from_str::<LogMessage>(&text).unwrap(), message);
    }
}
