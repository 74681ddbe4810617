//! Where the tale of a step was left: in which attempt, in which of its two containers, and after which frame.

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
    /// In which attempt, from 1.
    pub attempt: u32,
    /// In which container.
    pub part: Part,
    /// The last frame that was told; 0 for none.
    pub number: u64,
    /// How many lines of output this container had printed by then.
    pub lines: u64,
}

impl Position {
    /// Before the first frame of an attempt's container.
    #[must_use]
    pub const fn before(attempt: u32, part: Part) -> Self {
        Self { attempt, part, number: 0, lines: 0 }
    }

    /// What was kept of it; the very beginning when that says nothing.
    #[must_use]
    pub fn read(cursor: Option<&Cursor>) -> Self {
        cursor.and_then(|cursor| cursor.0.parse().ok()).unwrap_or(Self::before(1, Part::Prepare))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {} {}", self.part.container(), self.number, self.lines, self.attempt)
    }
}

impl FromStr for Position {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        // Earlier versions knew one attempt only, and did not say it.
        let (container, number, lines, attempt) = match text.split(' ').collect::<Vec<_>>()[..] {
            [container, number, lines] => (container, number, lines, "1"),
            [container, number, lines, attempt] => (container, number, lines, attempt),
            _ => return Err(()),
        };
        let part = [Part::Prepare, Part::Run].into_iter().find(|part| part.container() == container).ok_or(())?;
        Ok(Self {
            attempt: attempt.parse().map_err(drop)?,
            part,
            number: number.parse().map_err(drop)?,
            lines: lines.parse().map_err(drop)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_written() {
        let read = |text: &str| Position::read(Some(&Cursor(text.to_owned())));
        let position = Position { attempt: 3, part: Part::Run, number: 17, lines: 230 };
        assert_eq!(read(&position.to_string()), position);
        assert_eq!(read("main 17 230"), Position { attempt: 1, ..position });
        for nothing in ["", "17", "main 1", "other 1 2", "main -1 2", "main 1 2 x"] {
            assert_eq!(read(nothing), Position::before(1, Part::Prepare), "{nothing}");
        }
    }
}
