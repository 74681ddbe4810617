//! Which part of a log an address asks for.

use crate::model::{
    log_search::{LogQuery, SearchFrom},
    views::LogWindow,
};

/// How many lines a page starts with.
const PAGE_LINES: u32 = 1000;

/// Which part of a log the address asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPlace {
    /// The end.
    End,
    /// Around some lines.
    Lines {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// The lines before one.
    Before(u64),
}

impl LogPlace {
    /// Around a line.
    pub const fn line(line: u64) -> Self {
        Self::Lines { first: line, last: line }
    }

    /// Reads the parameters `lines` (`10-20`), `line` and `before` of an address. What is none counts as not there.
    pub fn parse(parameter: impl Fn(&'static str) -> Option<String>) -> Self {
        let number = |name| parameter(name).and_then(|text| text.parse().ok());
        if let Some((first, last)) = parameter("lines").as_deref().and_then(lines) {
            return Self::Lines { first, last };
        }
        match (number("line"), number("before")) {
            (Some(line), _) => Self::line(line),
            (None, Some(line)) => Self::Before(line),
            (None, None) => Self::End,
        }
    }

    /// The match that a search shows. Nothing but matches are shown from one on.
    pub fn search_from(self, query: &LogQuery) -> SearchFrom {
        match self {
            Self::Before(line) if !query.only_matches => SearchFrom::Before(line),
            Self::Lines { first: line, .. } | Self::Before(line) => SearchFrom::At(line.max(1)),
            Self::End => SearchFrom::At(1),
        }
    }

    /// The lines to read.
    pub fn window(self) -> LogWindow {
        match self {
            Self::End => LogWindow::Last(PAGE_LINES),
            Self::Lines { first, .. } => LogWindow::Around(first, PAGE_LINES),
            // Before the first line there is none to show: it is shown itself.
            Self::Before(line) => LogWindow::Before(line.max(2), PAGE_LINES),
        }
    }
}

/// Reads `10-20`, `20-10` or `10`.
fn lines(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    Some(if first <= last { (first, last) } else { (last, first) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_what_is_shown() {
        let parse = |name: &'static str, text: &str| LogPlace::parse(|asked| (asked == name).then(|| text.to_owned()));
        assert_eq!(parse("lines", "10-20"), LogPlace::Lines { first: 10, last: 20 });
        assert_eq!(parse("lines", "20-10"), LogPlace::Lines { first: 10, last: 20 });
        assert_eq!(parse("lines", "7"), LogPlace::line(7));
        assert_eq!(parse("line", "7"), LogPlace::line(7));
        assert_eq!(parse("before", "7"), LogPlace::Before(7));
        for (name, text) in [("lines", "a-b"), ("lines", "-"), ("line", "-1"), ("before", ""), ("other", "1")] {
            assert_eq!(parse(name, text), LogPlace::End, "{name}={text}");
        }
    }
}
