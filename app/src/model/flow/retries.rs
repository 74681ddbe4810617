//! What happens when a step fails: whether it is tried again, how often, and after how long.

use serde::{Deserialize, Serialize};

use crate::model::spec::ValueError;

/// How often a step that failed is tried again, and after how long. Preparing that failed counts too; a cancel does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retries {
    /// How many more attempts there may be after the first.
    count: u16,
    /// Seconds before the second attempt.
    wait: u32,
    /// By what the wait is multiplied before each further attempt.
    factor: u16,
}

impl Default for Retries {
    fn default() -> Self {
        Self { count: 0, wait: 0, factor: 1 }
    }
}

impl Retries {
    /// The most attempts after the first.
    pub const MAX_COUNT: u16 = 20;
    /// The longest wait before any attempt, in seconds.
    pub const MAX_WAIT: u32 = 24 * 3600;
    /// The largest factor.
    pub const MAX_FACTOR: u16 = 10;

    /// These retries, if they are allowed.
    ///
    /// # Errors
    /// When a number is out of its range.
    pub fn new(count: u32, wait: u32, factor: u32) -> Result<Self, ValueError> {
        let count = u16::try_from(count).ok().filter(|count| *count <= Self::MAX_COUNT);
        let factor = u16::try_from(factor).ok().filter(|factor| (1..=Self::MAX_FACTOR).contains(factor));
        match (count, factor) {
            (None, _) => Err(ValueError(format!("A step is tried again at most {} times.", Self::MAX_COUNT))),
            (_, None) => Err(ValueError(format!("The factor is a whole number from 1 to {}.", Self::MAX_FACTOR))),
            _ if wait > Self::MAX_WAIT => {
                Err(ValueError(format!("The wait is at most {} seconds (a day).", Self::MAX_WAIT)))
            }
            (Some(count), Some(factor)) => Ok(Self { count, wait, factor }),
        }
    }

    /// Reads what a user typed; what is empty is none, no wait, and a factor of one.
    ///
    /// # Errors
    /// When a text is no number, or a number is out of its range.
    pub fn parse(count: &str, wait: &str, factor: &str) -> Result<Self, ValueError> {
        let number = |text: &str, default: u32| match text.trim() {
            "" => Ok(default),
            text => text.parse().map_err(|_| ValueError("Retries are whole numbers, such as 3.".to_owned())),
        };
        Self::new(number(count, 0)?, number(wait, 0)?, number(factor, 1)?)
    }

    /// How many more attempts there may be after the first.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count as u32
    }

    /// Seconds before the second attempt.
    #[must_use]
    pub const fn wait(self) -> u32 {
        self.wait
    }

    /// By what the wait is multiplied before each further attempt.
    #[must_use]
    pub const fn factor(self) -> u32 {
        self.factor as u32
    }

    /// Milliseconds to wait after an attempt that failed, numbered from 1; `None` when it was the last one.
    #[must_use]
    pub fn wait_after(self, attempt: u32) -> Option<i64> {
        if attempt > self.count() {
            return None;
        }
        let factor = u64::from(self.factor()).saturating_pow(attempt.saturating_sub(1));
        let seconds = u64::from(self.wait).saturating_mul(factor).min(Self::MAX_WAIT.into());
        i64::try_from(seconds * 1000).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_day() {
        let retries = Retries::parse("3", "10", "4").unwrap();
        assert_eq!(
            [1, 2, 3, 4].map(|attempt| retries.wait_after(attempt)),
            [Some(10_000), Some(40_000), Some(160_000), None]
        );
        assert_eq!(Retries::parse("20", "86400", "10").unwrap().wait_after(20), Some(86_400_000));
        assert_eq!(Retries::default().wait_after(1), None);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for (count, wait, factor) in
            [("21", "", ""), ("x", "", ""), ("1", "86401", ""), ("1", "", "0"), ("1", "", "11"), ("-1", "", "")]
        {
            assert!(Retries::parse(count, wait, factor).is_err(), "{count} {wait} {factor}");
        }
        assert_eq!(Retries::parse("", " ", ""), Ok(Retries::default()));
    }
}
