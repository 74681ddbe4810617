//! The lines of a log as the server writes them into a page: in their groups, with what was searched and chosen marked.

use std::ops::RangeInclusive;

use super::log_search::SearchedLog;
use crate::{
    log_text::{
        Frame, LineTimes, Marked, Matcher,
        groups::{Folding, Group, Grouping, Sheet},
        push_earlier_heading, push_found_line, push_group_start, push_heading_end, push_line, push_preparation_heading,
    },
    model::{
        checkpoint::Checkpoint,
        log::LogLine,
        log_search::LogQuery,
        time::duration_text,
        views::{LogPage, RunDetail},
    },
    routes,
};

/// How the lines of a page are to be shown.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The run.
    pub run: &'a RunDetail,
    /// The lines of its log that are on the page.
    pub page: &'a LogPage,
    /// The page's address.
    pub at: &'a str,
    /// The parameters of it, each with an `&` after it.
    pub parameters: &'a str,
    /// Which time stands before each.
    pub times: LineTimes,
    /// How groups that have ended are shown.
    pub folding: Folding,
    /// What the log was searched for, and what was found.
    pub searched: Option<&'a SearchedLog>,
    /// The lines that the address asks for.
    pub chosen: Option<RangeInclusive<u64>>,
}

/// The lines of a page as HTML.
#[derive(Default)]
pub struct WrittenLines {
    /// The HTML.
    pub html: String,
    /// Whether there are groups, besides what preparing printed.
    pub has_groups: bool,
}

/// The lines of a page, in their groups. One that has ended is closed, unless it has what one looks for.
pub fn lines_html(shown: &Shown<'_>) -> WrittenLines {
    let Shown { run, page, .. } = shown;
    let mut writer = Writer {
        shown,
        matcher: shown.searched.map(SearchedLog::matcher),
        current: shown.searched.and_then(SearchedLog::current_line),
        open: Vec::new(),
        log: Part::default(),
        has_groups: false,
    };
    let mut grouping = Grouping::default();
    for group in &page.groups {
        grouping.go_on_in(group, &mut writer);
    }
    for (number, line) in (page.lines.first..).zip(&page.lines.lines) {
        grouping.take(number, line, &mut writer);
    }
    if run.step.phase.is_final() && page.lines.next() > page.total {
        grouping.finish(run.step.phase, &mut writer);
    }
    for group in grouping.open().iter().rev() {
        writer.close(group, "", None);
    }
    WrittenLines { html: writer.log.html, has_groups: writer.has_groups }
}

/// The lines that match, and nothing else; each leads to its place in the log, which is shown at this address.
pub fn found_lines_html(at: &str, searched: &SearchedLog, times: LineTimes) -> WrittenLines {
    let (matcher, whole) = (searched.matcher(), LogQuery { only_matches: false, ..searched.query.clone() });
    let current = searched.current_line();
    let mut html = String::new();
    for (number, line) in &searched.found.lines {
        let address = routes::log_search(at, &whole, Some(*number));
        let frame = Frame { number: *number, times, address: Some(&address), ..found_frame(current == Some(*number)) };
        push_found_line(&mut html, &frame, line, &Marked::of(line), &matcher);
    }
    WrittenLines { html, has_groups: false }
}

/// What is said of what preparing printed.
pub fn preparation_words(run: &RunDetail) -> String {
    let checkpoints = &run.step.checkpoints;
    let time = duration_text(checkpoints.iter().map(|checkpoint| checkpoint.millis).sum());
    let is_last = |checkpoint: &Checkpoint| checkpoint.number == Checkpoint::COUNT && checkpoint.status.is_some();
    if run.step.has_failed_preparation() {
        format!("Preparing failed after {time}")
    } else if run.step.phase.is_final() || checkpoints.last().is_some_and(is_last) {
        format!("Prepared in {time}")
    } else {
        "Preparing …".to_owned()
    }
}

/// What has been written of the log, or of a group that has not ended.
#[derive(Default)]
struct Part {
    heading: String,
    html: String,
    /// Where its last lines begin, by their numbers.
    lines: Vec<(u64, usize)>,
    /// Whether it has what one looks for.
    is_wanted: bool,
}

struct Writer<'a> {
    shown: &'a Shown<'a>,
    matcher: Option<Matcher>,
    current: Option<u64>,
    log: Part,
    open: Vec<Part>,
    has_groups: bool,
}

impl Writer<'_> {
    fn top(&mut self) -> &mut Part {
        self.open.last_mut().unwrap_or(&mut self.log)
    }

    /// Writes a line, and tells whether one looks for it.
    fn write(&self, html: &mut String, number: u64, line: &LogLine, marked: &Marked<'_>, is_heading: bool) -> bool {
        let Shown { times, parameters, .. } = *self.shown;
        let frame = Frame { number, times, is_heading, parameters, ..Frame::default() };
        if let Some(matcher) = &self.matcher {
            let Frame { class, anchor, .. } = found_frame(self.current == Some(number));
            let frame = Frame { class, anchor, ..frame };
            return push_found_line(html, &frame, line, marked, matcher);
        }
        let chosen = self.shown.chosen.as_ref().filter(|chosen| chosen.contains(&number));
        let is_first = chosen.is_some_and(|chosen| *chosen.start() == number);
        let class = chosen.map(|_| "is-selected");
        push_line(html, &Frame { class, anchor: is_first.then_some("here"), ..frame }, line, marked);
        chosen.is_some()
    }

    /// Writes a group into what is around it; `is_open` is nothing as long as it has not ended.
    fn close(&mut self, group: &Group, facts: &str, is_open: Option<bool>) {
        let Some(part) = self.open.pop() else {
            return;
        };
        let Shown { page, at, parameters, .. } = *self.shown;
        // One that stands before the page leads to where it stands.
        let address = (group.first < page.lines.first).then(|| routes::at_line(at, group.first));
        let heading = Frame { number: group.first, address: address.as_deref(), parameters, ..Frame::default() };
        let around = self.top();
        around.is_wanted |= part.is_wanted;
        push_group_start(&mut around.html, group, &heading, is_open.map(|is_open| is_open || part.is_wanted));
        around.html.push_str(&part.heading);
        push_heading_end(&mut around.html, facts);
        around.html.push_str(&part.html);
        around.html.push_str("</details>");
    }
}

impl Sheet for Writer<'_> {
    fn line(&mut self, number: u64, line: &LogLine, marked: &Marked<'_>) {
        let mut html = std::mem::take(&mut self.top().html);
        let start = html.len();
        let is_wanted = self.write(&mut html, number, line, marked, false);
        let part = self.top();
        part.html = html;
        part.lines.push((number, start));
        part.is_wanted |= is_wanted;
    }

    fn begin(&mut self, group: &Group, heading: Option<(&LogLine, &Marked<'_>)>) {
        let mut part = Part::default();
        self.has_groups |= heading.is_some();
        match heading {
            Some((line, marked)) if group.first < self.shown.page.lines.first => {
                push_earlier_heading(&mut part.heading, group.first, line, marked);
                // The page was asked for what is in there.
                part.is_wanted = true;
            }
            Some((line, marked)) => {
                let is_wanted = self.write(&mut part.heading, group.first, line, marked, true);
                self.top().is_wanted |= is_wanted;
            }
            None => push_preparation_heading(&mut part.heading, &preparation_words(self.shown.run)),
        }
        self.open.push(part);
    }

    fn end(&mut self, group: &Group, facts: &str) {
        self.close(group, facts, Some(self.shown.folding.leaves_open(group)));
    }

    fn take_back(&mut self, from: u64) {
        // Who asks for a line is to find it.
        if self.matcher.is_some() || self.shown.chosen.is_some() {
            return;
        }
        let part = self.top();
        if let Some(index) = part.lines.iter().rposition(|(number, _)| *number == from) {
            part.html.truncate(part.lines[index].1);
            part.lines.truncate(index);
        }
    }
}

/// A line that was found; the page may be about it.
fn found_frame(is_current: bool) -> Frame<'static> {
    if is_current {
        Frame { class: Some("is-found is-current"), anchor: Some("match"), ..Frame::default() }
    } else {
        Frame::default()
    }
}
