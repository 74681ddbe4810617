//! How much processor and memory a program asks for, and how much it may use at most.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::spec::ValueError;

/// What a program asks for, and what it may use. What is not said is the server's to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Processor time that is kept free for it.
    pub cpu_request: Option<Cpu>,
    /// Processor time that it never gets more of.
    pub cpu_limit: Option<Cpu>,
    /// Memory that is kept free for it.
    pub memory_request: Option<Memory>,
    /// Memory that it is stopped beyond.
    pub memory_limit: Option<Memory>,
}

impl Resources {
    /// True when nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These, and what they leave open as `defaults` say. A request is never above its limit.
    #[must_use]
    pub fn or(self, defaults: Self) -> Self {
        let cpu_limit = self.cpu_limit.or(defaults.cpu_limit);
        let memory_limit = self.memory_limit.or(defaults.memory_limit);
        Self {
            cpu_request: self
                .cpu_request
                .or(defaults.cpu_request)
                .map(|cpu| cpu_limit.map_or(cpu, |most| cpu.min(most))),
            memory_request: self
                .memory_request
                .or(defaults.memory_request)
                .map(|memory| memory_limit.map_or(memory, |most| memory.min(most))),
            cpu_limit,
            memory_limit,
        }
    }
}

/// A share of processors, in thousandths of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cpu(u32);

impl Cpu {
    /// The largest share: 256 processors.
    const MOST: u32 = 256_000;

    /// Reads a share, as `0.5`, `2` or `500m`; `None` when it is empty.
    ///
    /// # Errors
    /// When it is no share between a thousandth and 256.
    pub fn parse(text: &str) -> Result<Option<Self>, ValueError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let thousandths = match text.strip_suffix('m') {
            Some(thousandths) => whole(thousandths),
            None => thousandths(text),
        };
        let share = thousandths.and_then(|number| u32::try_from(number).ok());
        share.filter(|share| (1..=Self::MOST).contains(share)).map(|share| Some(Self(share))).ok_or_else(|| {
            ValueError("Enter processors as a number between 0.001 and 256, such as 0.5 or 2.".to_owned())
        })
    }

    /// The share in thousandths of a processor.
    #[must_use]
    pub fn thousandths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1000, self.0 % 1000);
        if rest == 0 {
            write!(formatter, "{whole}")
        } else {
            formatter.write_str(format!("{whole}.{rest:03}").trim_end_matches('0'))
        }
    }
}

/// An amount of memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Memory(u64);

impl Memory {
    /// The smallest amount with which Python starts at all, and the largest: 16 MiB and 64 TiB.
    const LEAST: u64 = 16 << 20;
    const MOST: u64 = 64 << 40;
    /// Units as Kubernetes writes them, the larger first.
    const UNITS: [(&str, u64); 8] = [
        ("Ti", 1 << 40),
        ("T", 1_000_000_000_000),
        ("Gi", 1 << 30),
        ("G", 1_000_000_000),
        ("Mi", 1 << 20),
        ("M", 1_000_000),
        ("Ki", 1 << 10),
        ("k", 1000),
    ];

    /// Reads an amount, as `512Mi`, `1.5 GiB` or `2G`; `None` when it is empty.
    ///
    /// # Errors
    /// When it is no amount between 16 MiB and 64 TiB.
    pub fn parse(text: &str) -> Result<Option<Self>, ValueError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
        let unit = text[digits.len()..].trim_end_matches(['B', 'b']);
        let bytes = Self::UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).and_then(|(_, size)| {
            let bytes = u128::from(thousandths(digits.trim())?) * u128::from(*size) / 1000;
            u64::try_from(bytes).ok()
        });
        bytes.filter(|bytes| (Self::LEAST..=Self::MOST).contains(bytes)).map(|bytes| Some(Self(bytes))).ok_or_else(
            || ValueError("Enter memory as a number with its unit, at least 16Mi, such as 512Mi or 2Gi.".to_owned()),
        )
    }

    /// An amount of so many bytes, as a setting has it.
    #[must_use]
    pub fn of_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The amount in bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::UNITS.iter().find(|(_, size)| self.0.is_multiple_of(*size)) {
            Some((name, size)) => write!(formatter, "{}{name}", self.0 / size),
            None => write!(formatter, "{}", self.0),
        }
    }
}

/// A whole number without sign.
fn whole(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A decimal number with at most three places, in thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let (whole_part, places) = text.split_once('.').unwrap_or((text, ""));
    if places.len() > 3 || (whole_part.is_empty() && places.is_empty()) {
        return None;
    }
    let places = whole(&format!("{places:0<3}"))?;
    let before = if whole_part.is_empty() { 0 } else { whole(whole_part)? };
    before.checked_mul(1000)?.checked_add(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_processors_are_read_and_shown() {
        for (text, thousandths, shown) in
            [("0.5", 500, "0.5"), ("2", 2000, "2"), ("250m", 250, "0.25"), (".001", 1, "0.001")]
        {
            let cpu = Cpu::parse(text).unwrap().unwrap();
            assert_eq!((cpu.thousandths(), cpu.to_string().as_str()), (thousandths, shown));
        }
        assert_eq!(Cpu::parse(" "), Ok(None));
        for text in ["0", "-1", "1e3", "0.0001", "257", "m", "1,5", "+1"] {
            assert!(Cpu::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn amounts_of_memory_are_read_and_shown() {
        for (text, bytes, shown) in [
            ("512Mi", 512 << 20, "512Mi"),
            ("1.5 GiB", 3 << 29, "1536Mi"),
            ("2G", 2_000_000_000, "2G"),
            ("64mib", 64 << 20, "64Mi"),
        ] {
            let memory = Memory::parse(text).unwrap().unwrap();
            assert_eq!((memory.bytes(), memory.to_string().as_str()), (bytes, shown));
            assert_eq!(Memory::parse(&memory.to_string()), Ok(Some(memory)));
        }
        assert_eq!(Memory::parse(""), Ok(None));
        for text in ["512", "1Mi", "lots", "-1Gi", "65Ti", "1 2Gi"] {
            assert!(Memory::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_default_request_does_not_exceed_a_limit() {
        let memory = |text| Memory::parse(text).unwrap();
        let defaults =
            Resources { memory_request: memory("2Gi"), cpu_request: Cpu::parse("1").unwrap(), ..Resources::default() };
        let own = Resources { memory_limit: memory("1Gi"), ..Resources::default() };
        let both = own.or(defaults);
        assert_eq!((both.memory_request, both.cpu_request), (memory("1Gi"), Cpu::parse("1").unwrap()));
    }
}
