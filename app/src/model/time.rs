//! Points in time and lengths of time, and how they read. No clock here: times come in as values.

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Milliseconds from `earlier` to this point; zero when the clock went back in between.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0 - earlier.0).unwrap_or(0)
    }

    /// As `2026-01-20T01:02:05.123Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let (year, month, day) = civil_from_days(self.0.div_euclid(86_400_000));
        format!("{year:04}-{month:02}-{day:02}T{}Z", self.to_clock_text())
    }

    /// The time of day, as `01:02:05.123`.
    #[must_use]
    pub fn to_clock_text(self) -> String {
        let millis = self.0.rem_euclid(86_400_000);
        let (seconds, millis) = (millis / 1000, millis % 1000);
        format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    }

    /// As `2026-01-20 01:02:05 UTC`, for people.
    #[must_use]
    pub fn to_utc_text(self) -> String {
        let text = self.to_rfc3339();
        format!("{} {} UTC", &text[..10], &text[11..19])
    }
}

/// Year, month and day of a day count since 1970-01-01, in the proleptic Gregorian calendar
/// (Howard Hinnant's `civil_from_days`). Here because the browser's part has no room for a calendar library.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A length of time for people: `340 ms`, `4.2 s`, `3 min 05 s`, `2 h 07 min`, `3 d 4 h`.
#[must_use]
pub fn duration_text(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0 => format!("{millis} ms"),
        1..=59 => format!("{seconds}.{} s", millis % 1000 / 100),
        60..=3599 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// A length of time that is still growing: as above, but in whole seconds, so that it reads calmly while it ticks.
#[must_use]
pub fn elapsed_text(millis: u64) -> String {
    if millis < 60_000 { format!("{} s", millis / 1000) } else { duration_text(millis) }
}

/// How long ago, for people: `just now`, `5 min ago`, `3 h ago`, `2 d ago`.
#[must_use]
pub fn ago_text(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..=9 => "just now".to_owned(),
        10..=59 => format!("{seconds} s ago"),
        60..=3599 => format!("{} min ago", seconds / 60),
        3600..=86_399 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_read_as_utc() {
        assert_eq!(Timestamp(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp(1_709_210_096_789).to_rfc3339(), "2024-02-29T12:34:56.789Z");
        assert_eq!(Timestamp(-1).to_rfc3339(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Timestamp(1_709_210_096_789).to_utc_text(), "2024-02-29 12:34:56 UTC");
    }

    #[test]
    fn lengths_of_time_read_well() {
        let texts = [0, 340, 4_200, 59_999, 185_000, 7_620_000, 273_600_000].map(duration_text);
        assert_eq!(texts, ["0 ms", "340 ms", "4.2 s", "59.9 s", "3 min 05 s", "2 h 07 min", "3 d 4 h"]);
        assert_eq!([4_200, 185_000].map(elapsed_text), ["4 s", "3 min 05 s"]);
        assert_eq!(ago_text(3_000), "just now");
        assert_eq!(ago_text(7_300_000), "2 h ago");
    }

    #[test]
    fn a_clock_that_went_back_gives_no_negative_time() {
        assert_eq!(Timestamp(5).millis_since(Timestamp(9)), 0);
    }
}
