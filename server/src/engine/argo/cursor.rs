//! Where the tale of a step was left: in which of its two containers, and after which frame.

use std::{fmt, str::FromStr};

use crate::engine::Cursor;

/// A step's containers, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Makes the environment ready, with the caches writable.
    Prepare,
    /// Runs the program, with the caches read-only.
    Run,
}

impl Part {
    /// The container's name. The second is Argo's choice.
    #[must_use]
    pub const fn container(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Run => "main",
        }
    }
}

/// A place in a step's tale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// In which container.
    pub part: Part,
    /// The last frame that was told; 0 for none.
    pub number: u64,
    /// How many lines of output this container had printed by then.
    pub lines: u64,
}

impl Position {
    /// Before a container's first frame.
    #[must_use]
    pub const fn before(part: Part) -> Self {
        Self { part, number: 0, lines: 0 }
    }

    /// What was kept of it; the very beginning when that says nothing.
    #[must_use]
    pub fn read(cursor: Option<&Cursor>) -> Self {
        cursor.and_then(|cursor| cursor.0.parse().ok()).unwrap_or(Self::before(Part::Prepare))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.part.container(), self.number, self.lines)
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let [container, number, lines] = text.split(' ').collect::<Vec<_>>()[..] else { return Err(()) };
        let part = [Part::Prepare, Part::Run].into_iter().find(|part| part.container() == container).ok_or(())?;
        Ok(Self { part, number: number.parse().map_err(drop)?, lines: lines.parse().map_err(drop)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_written() {
        let position = Position { part: Part::Run, number: 17, lines: 230 };
        assert_eq!(Position::read(Some(&Cursor(position.to_string()))), position);
        for nothing in ["", "17", "main 1", "other 1 2", "main -1 2"] {
            assert_eq!(Position::read(Some(&Cursor(nothing.to_owned()))), Position::before(Part::Prepare), "{nothing}");
        }
    }
}
