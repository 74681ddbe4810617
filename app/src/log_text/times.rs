//! The times before the lines of a log, as the reader chose.

use std::fmt::Write as _;

use crate::model::time::Timestamp;

/// Which time stands before each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineTimes {
    /// None.
    #[default]
    Off,
    /// How long after this moment it came.
    Since(Timestamp),
    /// The time of day (UTC).
    Clock,
}

impl LineTimes {
    /// Writes the attribute that the page's styles show.
    pub(super) fn push(self, html: &mut String, at: Timestamp) {
        let text = match self {
            Self::Off => return,
            Self::Since(start) => since_text(at.millis_since(start)),
            Self::Clock => at.to_clock_text(),
        };
        // Writing to a `String` cannot fail.
        let _ = write!(html, r#" data-time="{text}""#);
    }
}

/// `+0:04.250`, `+1:00:04.250`.
fn since_text(millis: u64) -> String {
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours == 0 {
        format!("+{minutes}:{seconds:02}.{millis:03}")
    } else {
        format!("+{hours}:{minutes:02}:{seconds:02}.{millis:03}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_since_the_start_read_well() {
        let texts = [0, 4_250, 185_000, 3_604_250].map(since_text);
        assert_eq!(texts, ["+0:00.000", "+0:04.250", "+3:05.000", "+1:00:04.250"]);
    }
}
