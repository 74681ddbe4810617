//! The versions of Python that a script is for: `requires-python`, as far as released versions go. An interpreter that was
//! not released yet is taken for the release that it leads to.

use std::{cmp::Ordering, fmt};

/// Conditions that a version must meet, all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiresPython {
    text: String,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    comparison: Comparison,
    release: Vec<u64>,
    /// Whether only the beginning counts, as in `==3.11.*`.
    is_prefix: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Compatible,
    AtLeast,
    AtMost,
    Above,
    Below,
}

/// As they are written, each before those that it begins with.
const COMPARISONS: [(&str, Comparison); 8] = [
    ("===", Comparison::Equal),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("~=", Comparison::Compatible),
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    (">", Comparison::Above),
    ("<", Comparison::Below),
];

impl RequiresPython {
    /// Reads conditions such as `>=3.11,<3.14`; `None` when they are none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let given = text.split(',').map(str::trim).filter(|condition| !condition.is_empty());
        let conditions = given.map(condition).collect::<Option<_>>()?;
        Some(Self { text: text.trim().to_owned(), conditions })
    }

    /// Whether an interpreter of this full version, such as `3.12.4`, meets them.
    #[must_use]
    pub fn allows(&self, version: &str) -> bool {
        let (version, _) = release(version);
        self.conditions.iter().all(|condition| condition.holds(&version))
    }
}

impl fmt::Display for RequiresPython {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn condition(text: &str) -> Option<Condition> {
    let (comparison, version) =
        COMPARISONS.into_iter().find_map(|(sign, comparison)| Some((comparison, text.strip_prefix(sign)?.trim())))?;
    let may_be_prefix = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    let (version, is_prefix) = match version.strip_suffix(".*") {
        Some(beginning) if may_be_prefix => (beginning, true),
        _ => (version, false),
    };
    let (release, rest) = release(version);
    let is_version =
        !release.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte));
    let is_long_enough = comparison != Comparison::Compatible || release.len() > 1;
    (is_version && is_long_enough).then_some(Condition { comparison, release, is_prefix })
}

/// The numbers of a version, and what comes after them, such as `rc1`.
fn release(version: &str) -> (Vec<u64>, &str) {
    let mut numbers = Vec::new();
    let mut rest = version;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(number) = rest[..digits].parse() else { return (numbers, rest) };
        numbers.push(number);
        rest = &rest[digits..];
        match rest.strip_prefix('.') {
            Some(more) if more.starts_with(|first: char| first.is_ascii_digit()) => rest = more,
            _ => return (numbers, rest),
        }
    }
}

impl Condition {
    fn holds(&self, version: &[u64]) -> bool {
        let order = compare(version, &self.release);
        let is_equal = if self.is_prefix { begins_with(version, &self.release) } else { order.is_eq() };
        match self.comparison {
            Comparison::Equal => is_equal,
            Comparison::NotEqual => !is_equal,
            Comparison::Compatible => {
                order.is_ge() && begins_with(version, &self.release[..self.release.len().saturating_sub(1)])
            }
            Comparison::AtLeast => order.is_ge(),
            Comparison::AtMost => order.is_le(),
            Comparison::Above => order.is_gt(),
            Comparison::Below => order.is_lt(),
        }
    }
}

/// What is left out at the end is zero.
fn compare(left: &[u64], right: &[u64]) -> Ordering {
    let at = |numbers: &[u64], index: usize| numbers.get(index).copied().unwrap_or(0);
    let longest = left.len().max(right.len());
    let orders = (0..longest).map(|index| at(left, index).cmp(&at(right, index)));
    orders.fold(Ordering::Equal, Ordering::then)
}

fn begins_with(version: &[u64], beginning: &[u64]) -> bool {
    compare(&version[..version.len().min(beginning.len())], beginning).is_eq()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_meet_conditions_as_the_specification_says() {
        for (conditions, allowed, refused) in [
            (">=3.11", &["3.11.0", "3.11.2", "3.12.0", "4.0.0"][..], &["3.10.9", "3.9.18"][..]),
            (">=3.9, <3.12", &["3.9.0", "3.11.9"], &["3.12.0", "3.8.1"]),
            ("==3.11.*", &["3.11.0", "3.11.9"], &["3.12.0", "3.1.1"]),
            ("==3.11", &["3.11.0", "3.11"], &["3.11.2"]),
            ("===3.11.2", &["3.11.2"], &["3.11.3"]),
            ("!=3.11.*", &["3.10.1", "3.12.0"], &["3.11.0"]),
            ("!=3.11.2", &["3.11.3"], &["3.11.2"]),
            ("~=3.11", &["3.11.0", "3.12.1"], &["3.10.0", "4.0.0"]),
            ("~=3.11.2", &["3.11.2", "3.11.9"], &["3.11.1", "3.12.0"]),
            (">3.11,<=3.12.1", &["3.11.1", "3.12.1"], &["3.11.0", "3.12.2"]),
            (">=3.13rc1", &["3.13.0", "3.13.0rc2"], &["3.12.9"]),
            ("", &["3.9.0"], &[]),
        ] {
            let required = RequiresPython::parse(conditions).unwrap();
            assert!(allowed.iter().all(|version| required.allows(version)), "{conditions} allows {allowed:?}");
            assert!(!refused.iter().any(|version| required.allows(version)), "{conditions} refuses {refused:?}");
        }
        for text in ["3.11", "=3.11", ">=", ">=three", "~=3", ">=3.*", ">=3.11 <3.12", "=>3"] {
            assert_eq!(RequiresPython::parse(text), None, "{text}");
        }
    }
}
