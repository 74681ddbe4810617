//! Searching the lines of a log: first only how many match is found out, for stretches of it; then of a few stretches which
//! lines do.

use app::{
    log_text::{Matcher, ShownRow},
    model::{
        identifiers::StepId,
        log::LogLine,
        log_search::{LogMatch, LogQuery, LogSearch, SearchFrom},
    },
};
use diesel::{
    ExpressionMethods as _, QueryDsl as _, RunQueryDsl as _, SqliteConnection, connection::DefaultLoadingMode,
};

use super::{
    DatabaseError,
    logs::{Chunk, Most},
    schema::log_chunks,
    values,
};

/// Stretches begin so many lines after one another, at least: rows may have one line each.
const STRETCH_LINES: u64 = 500;

/// How many lines of a log match, for those of its stretches that have any, in order.
#[derive(Debug, Clone, Default)]
pub struct Tally(Vec<Stretch>);

/// Whole rows that follow each other.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    first: u64,
    /// The line after it.
    next: u64,
    /// How many of its lines match; at least one.
    matches: u64,
}

impl Tally {
    /// Adds the matches of lines after those that were counted.
    pub fn extend(&mut self, later: Self) {
        later.0.into_iter().for_each(|stretch| self.add(stretch));
    }

    fn add(&mut self, added: Stretch) {
        match self.0.last_mut() {
            Some(last) if added.first - last.first < STRETCH_LINES => {
                (last.next, last.matches) = (added.next, last.matches + added.matches);
            }
            _ => self.0.push(added),
        }
    }

    fn total(&self) -> u64 {
        self.0.iter().map(|stretch| stretch.matches).sum()
    }
}

/// Counts the lines that match, in rows that begin at one of these lines.
///
/// # Errors
/// When the database does not answer, or a row is damaged.
pub fn tally(
    connection: &mut SqliteConnection,
    step: StepId,
    query: &LogQuery,
    first: u64,
    next: u64,
) -> Result<Tally, DatabaseError> {
    let (matcher, mut shown, mut tally) = (Matcher::new(query), ShownRow::default(), Tally::default());
    each_row(connection, step, (first, next), |row| {
        let mut count = 0;
        matcher.find(&row.body, &mut shown, |_, _| count += 1).map_err(|error| values::damaged(&error))?;
        if count > 0 {
            tally.add(Stretch { first: row.first, next: row.first + row.count, matches: count });
        }
        Ok(())
    })?;
    Ok(tally)
}

/// Tells what was found from a line on, or before it, in a log whose matches are counted. `most` is how much of it a page
/// shows.
///
/// # Errors
/// When the database does not answer, or a row is damaged.
pub fn search(
    connection: &mut SqliteConnection,
    step: StepId,
    query: &LogQuery,
    from: SearchFrom,
    most: Most,
    tally: &Tally,
) -> Result<LogSearch, DatabaseError> {
    let mut matches = Matches { connection, step, matcher: Matcher::new(query), tally, read: (0, Vec::new()) };
    let (SearchFrom::At(line) | SearchFrom::Before(line)) = from;
    let before = matches.before(line)?;
    // The match that one is at, by its place among all.
    let place = match from {
        SearchFrom::At(_) => Some(before),
        SearchFrom::Before(_) => before.checked_sub(1),
    };
    let current = match place {
        Some(place) => matches.at(place)?.map(|line| LogMatch { line, place: place + 1 }),
        None => None,
    };
    let previous = match place.and_then(|place| place.checked_sub(1)) {
        Some(previous) => matches.at(previous)?,
        None => None,
    };
    let next = matches.at(place.map_or(0, |place| place + 1))?;
    let mut search = LogSearch { total: tally.total(), current, previous, next, ..LogSearch::default() };
    if query.only_matches {
        if before > 0 {
            search.earlier = matches.at(before.saturating_sub(most.lines as u64))?;
        }
        matches.show(line, most, &mut search)?;
    }
    Ok(search)
}

/// The lines that match, found by their count.
struct Matches<'a> {
    connection: &'a mut SqliteConnection,
    step: StepId,
    matcher: Matcher,
    tally: &'a Tally,
    /// Where the stretch begins that was read last, and the lines of its matches. Most of what is asked for lies in one.
    read: (u64, Vec<u64>),
}

impl Matches<'_> {
    /// How many there are before a line.
    fn before(&mut self, line: u64) -> Result<u64, DatabaseError> {
        let (mut count, tally) = (0, self.tally);
        for stretch in &tally.0 {
            if stretch.next > line {
                return Ok(count + self.lines(*stretch)?.partition_point(|number| *number < line) as u64);
            }
            count += stretch.matches;
        }
        Ok(count)
    }

    /// The line of one, by its place among all, from 0.
    fn at(&mut self, mut place: u64) -> Result<Option<u64>, DatabaseError> {
        let tally = self.tally;
        for stretch in &tally.0 {
            if place < stretch.matches {
                let lines = self.lines(*stretch)?;
                return Ok(usize::try_from(place).ok().and_then(|place| lines.get(place).copied()));
            }
            place -= stretch.matches;
        }
        Ok(None)
    }

    /// Notes those from a line on, as many as fit, and the line of the one after them.
    fn show(&mut self, line: u64, mut most: Most, search: &mut LogSearch) -> Result<(), DatabaseError> {
        let LogSearch { lines: taken, later, .. } = search;
        let tally = self.tally;
        let stretches = &tally.0;
        for stretch in &stretches[stretches.partition_point(|stretch| stretch.next <= line)..] {
            let mut failure = None;
            self.each(*stretch, |number, json| {
                if number < line || later.is_some() {
                    return;
                }
                match serde_json::from_str::<LogLine>(json) {
                    Ok(found) if most.admits(&found, taken.is_empty()) => taken.push((number, found)),
                    Ok(_) => *later = Some(number),
                    Err(error) => failure = Some(values::damaged(&error)),
                }
            })?;
            if let Some(failure) = failure {
                return Err(failure);
            }
            if later.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// The lines of those in a stretch, in order.
    fn lines(&mut self, stretch: Stretch) -> Result<&[u64], DatabaseError> {
        if self.read.0 != stretch.first {
            let mut lines = Vec::new();
            self.each(stretch, |number, _| lines.push(number))?;
            self.read = (stretch.first, lines);
        }
        Ok(&self.read.1)
    }

    /// Tells of each in a stretch its number and its JSON.
    fn each(&mut self, stretch: Stretch, mut found: impl FnMut(u64, &str)) -> Result<(), DatabaseError> {
        let mut shown = ShownRow::default();
        each_row(self.connection, self.step, (stretch.first, stretch.next), |row| {
            let find = self.matcher.find(&row.body, &mut shown, |place, json| found(row.first + place as u64, json));
            find.map_err(|error| values::damaged(&error))
        })
    }
}

/// Reads the rows that begin at one of these lines, in order.
fn each_row(
    connection: &mut SqliteConnection,
    step: StepId,
    (first, next): (u64, u64),
    mut read: impl FnMut(&Chunk) -> Result<(), DatabaseError>,
) -> Result<(), DatabaseError> {
    let stored = |line| i64::try_from(line).unwrap_or(i64::MAX);
    let rows = log_chunks::table
        .filter(log_chunks::step_id.eq(step.0))
        .filter(log_chunks::first_line.ge(stored(first)))
        .filter(log_chunks::first_line.lt(stored(next)))
        .order(log_chunks::first_line)
        .select((log_chunks::first_line, log_chunks::line_count, log_chunks::body))
        .load_iter::<(i64, i32, String), DefaultLoadingMode>(connection)?;
    for row in rows {
        read(&Chunk::of_row(row?))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_has_no_more_stretches_than_lines_ask_for() {
        let row = |first: u64| Stretch { first, next: first + 1, matches: 1 };
        let (mut former, mut latter) = (Tally::default(), Tally::default());
        (1..=700).for_each(|line| former.add(row(line)));
        (701..=5000).filter(|line| line % 2 == 0).for_each(|line| latter.add(row(line)));
        former.extend(latter);
        assert_eq!(former.total(), 700 + 2150);
        assert!(former.0.len() <= 12, "{}", former.0.len());
        assert!(former.0.windows(2).all(|pair| pair[0].next <= pair[1].first), "in order, and nothing twice");
    }
}
