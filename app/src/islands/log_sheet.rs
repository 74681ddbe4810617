//! The lines of the log on the page, as elements: those that the server wrote, and those that come after them. It looks as
//! the server's would.

use std::collections::VecDeque;

use web_sys::Element;

use crate::{
    browser::dom,
    log_text::{
        Frame, HEADING_LINK, LineTimes, Marked,
        groups::{Folding, Group, Grouping, Sheet},
        push_group_start, push_heading_end, push_line, push_preparation_heading,
    },
    model::{log::LogLine, time::Timestamp},
};

/// The log on the page.
pub struct LogSheet {
    lines: Element,
    /// The parameters of the page's address, each with an `&` after it.
    parameters: String,
    times: LineTimes,
    counts_times: bool,
    /// The groups that have not ended, from the outermost.
    open: Vec<Element>,
    /// HTML that is not in the page yet. It belongs into the innermost group.
    pending: String,
    /// The numbers of the lines on the page, from the oldest, with the bytes of their text.
    kept: VecDeque<(u64, usize)>,
    bytes: usize,
}

impl LogSheet {
    /// Reads what the server wrote: the lines, and in which groups the next one is.
    pub fn read() -> Option<(Self, Grouping)> {
        let (log, lines) = (dom::by_id("log")?, dom::by_id("log-lines")?);
        let open = dom::all_in(&lines, "details[data-group]");
        let groups = open.iter().filter_map(group_of).collect();
        let kept: VecDeque<_> = dom::all_in(&lines, "[id^=L]")
            .iter()
            .filter_map(|line| Some((number_of(line)?, line.text_content().unwrap_or_default().len())))
            .collect();
        let last_at = log.get_attribute("data-last-at").and_then(|at| at.parse().ok()).map(Timestamp);
        let last = kept.back().map(|(number, _)| *number).zip(last_at);
        let rows = rows(open.last().unwrap_or(&lines));
        let times = log.get_attribute("data-times").unwrap_or_default();
        let sheet = Self {
            lines,
            parameters: log.get_attribute("data-parameters").unwrap_or_default(),
            times: if times == "clock" { LineTimes::Clock } else { LineTimes::Off },
            counts_times: times == "start",
            open,
            pending: String::new(),
            bytes: kept.iter().map(|(_, bytes)| bytes).sum(),
            kept,
        };
        Some((sheet, Grouping::within(groups, rows, last)))
    }

    /// The times of lines count from here, if they count.
    pub fn count_times_from(&mut self, start: Timestamp) {
        if self.counts_times {
            self.times = LineTimes::Since(start);
        }
    }

    /// Takes all lines away.
    pub fn clear(&mut self) {
        self.lines.set_inner_html("");
        self.open.clear();
        self.pending.clear();
        self.kept.clear();
        self.bytes = 0;
    }

    /// Puts into the page what is not there yet.
    pub fn flush(&mut self) {
        if !self.pending.is_empty() {
            // Fails only for a node without a parent.
            let _ = self.innermost().insert_adjacent_html("beforeend", &self.pending);
            self.pending.clear();
        }
    }

    /// The number of the first line on the page.
    pub fn first(&self) -> Option<u64> {
        self.kept.front().map(|(number, _)| *number)
    }

    /// Takes the oldest lines away until so many are left, of so many bytes.
    pub fn keep(&mut self, lines: usize, bytes: usize) {
        while self.kept.len() > lines || self.bytes > bytes {
            let Some((number, bytes)) = self.kept.pop_front() else {
                return;
            };
            self.bytes -= bytes;
            let Some(line) = dom::by_id(&format!("L{number}")) else {
                continue;
            };
            let mut around = line.parent_element();
            // A heading goes with the last line of its group.
            if line.tag_name() != "SUMMARY" {
                line.remove();
            }
            while let Some(group) = around.take_if(|group| group.tag_name() == "DETAILS") {
                if group.child_element_count() > 1 || group.has_attribute("data-group") {
                    break;
                }
                around = group.parent_element();
                // The link to its heading, if it had one.
                if let Some(link) = group.previous_element_sibling().filter(|link| link.class_name() == HEADING_LINK) {
                    link.remove();
                }
                group.remove();
            }
        }
    }

    fn innermost(&self) -> &Element {
        self.open.last().unwrap_or(&self.lines)
    }
}

impl Sheet for LogSheet {
    fn line(&mut self, number: u64, line: &LogLine, marked: &Marked<'_>) {
        let frame = Frame { number, times: self.times, parameters: &self.parameters, ..Frame::default() };
        push_line(&mut self.pending, &frame, line, marked);
        self.kept.push_back((number, line.2.len()));
        self.bytes += line.2.len();
    }

    fn begin(&mut self, group: &Group, heading: Option<(&LogLine, &Marked<'_>)>) {
        self.flush();
        let mut html = String::new();
        let (number, parameters) = (group.first, &*self.parameters);
        let frame = Frame { number, times: self.times, parameters, is_heading: true, ..Frame::default() };
        push_group_start(&mut html, group, &frame, None);
        match heading {
            Some((line, marked)) => {
                push_line(&mut html, &frame, line, marked);
                self.kept.push_back((group.first, line.2.len()));
                self.bytes += line.2.len();
                if let Some(choice) = dom::by_id("log-groups") {
                    let _ = choice.remove_attribute("aria-hidden");
                }
            }
            None => push_preparation_heading(&mut html, "Preparing …"),
        }
        push_heading_end(&mut html, "");
        html.push_str("</details>");
        let around = self.innermost();
        let _ = around.insert_adjacent_html("beforeend", &html);
        let begun = around.last_element_child();
        self.open.extend(begun);
    }

    fn end(&mut self, group: &Group, facts: &str) {
        self.flush();
        let Some(element) = self.open.pop() else {
            return;
        };
        if let Ok(Some(said)) = element.query_selector(".group-facts") {
            said.set_text_content(Some(facts));
        }
        // Removing an attribute fails only for a malformed name.
        for name in ["data-group", "data-first", "data-at", "data-stays"] {
            let _ = element.remove_attribute(name);
        }
        // What somebody has chosen in there stays in sight.
        if !folding().leaves_open(group) && element.query_selector(".is-selected").is_ok_and(|chosen| chosen.is_none())
        {
            let _ = element.remove_attribute("open");
        }
    }

    fn take_back(&mut self, from: u64) {
        self.flush();
        while self.kept.back().is_some_and(|(number, _)| *number >= from)
            && let Some((number, bytes)) = self.kept.pop_back()
        {
            self.bytes -= bytes;
            if let Some(line) = dom::by_id(&format!("L{number}")) {
                line.remove();
            }
        }
    }
}

/// How the reader wants groups that have ended.
fn folding() -> Folding {
    let chosen = dom::by_id("log").and_then(|log| log.get_attribute("data-groups"));
    chosen.and_then(|chosen| Folding::parse(&chosen)).unwrap_or_default()
}

/// The number of a line.
pub fn number_of(line: &Element) -> Option<u64> {
    line.id().strip_prefix('L')?.parse().ok()
}

/// The group that has not ended of an element.
fn group_of(element: &Element) -> Option<Group> {
    Some(Group {
        key: element.get_attribute("data-group")?,
        first: element.get_attribute("data-first")?.parse().ok()?,
        at: Timestamp(element.get_attribute("data-at")?.parse().ok()?),
        is_quiet: element.class_list().contains("is-quiet"),
        stays_open: element.has_attribute("data-stays"),
    })
}

/// The lines at the end of a group, as far as no other group is among them.
fn rows(group: &Element) -> VecDeque<u64> {
    let mut rows = VecDeque::new();
    let mut line = group.last_element_child();
    while let Some(present) = line.filter(|line| line.tag_name() == "DIV" && rows.len() < 64) {
        if !present.has_attribute("hidden") {
            rows.extend(number_of(&present));
        }
        line = present.previous_element_sibling();
    }
    rows.make_contiguous().reverse();
    rows
}
