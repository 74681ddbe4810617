//! A run's log: what there is of it so far, and the island that goes on from there.

use leptos::prelude::*;

use super::{
    log_search::{SearchedLog, log_found, log_search_form},
    page::BackField,
    step_list::waits_for,
};
use crate::{
    islands::LogTail,
    log_text::{found_line_html, line_html, lines_words, words},
    model::{
        log::Stream,
        log_search::LogQuery,
        phase::Phase,
        time::duration_text,
        views::{LogPage, LogWindow, RunDetail},
    },
    page_context::Preferences,
    routes,
};

/// How many lines a page starts with.
const PAGE_LINES: u32 = 1000;

/// Which part of a log the address asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPlace {
    /// The end.
    End,
    /// Around a line.
    Line(u64),
    /// The lines before one.
    Before(u64),
}

impl LogPlace {
    /// The line that a search starts at.
    pub fn first_line(self) -> u64 {
        match self {
            Self::Line(line) | Self::Before(line) => line.max(1),
            Self::End => 1,
        }
    }

    /// The lines to read.
    pub fn window(self) -> LogWindow {
        match self {
            Self::End => LogWindow::Last(PAGE_LINES),
            Self::Line(line) => LogWindow::Around(line, PAGE_LINES),
            // Before the first line there is none to show: it is shown itself.
            Self::Before(line) => LogWindow::Before(line.max(2), PAGE_LINES),
        }
    }
}

/// How things stand with a log, in a sentence.
pub fn log_words(run: &RunDetail) -> String {
    if let Some(reason) = run.step.waiting_for.as_ref().filter(|_| run.cancel_requested_at.is_none()) {
        return reason.clone();
    }
    if let Some(checkpoint) = run.under_way().filter(|_| run.cancel_requested_at.is_none()) {
        return format!("Preparing: {} …", checkpoint.name);
    }
    let shown = run.shown().map(|(_, step)| step);
    match (run.step.phase, run.queue_place, run.state.lines) {
        (phase, ..) if !phase.is_final() && run.cancel_requested_at.is_some() => "Stopping …".to_owned(),
        (Phase::Pending, Some(place), _) if run.step.lock.is_none() && run.step.spec.needs_lock() => {
            format!("Waiting for the exact versions of its packages: {} in the queue.", ordinal(place))
        }
        (Phase::Pending, Some(place), _) => format!("Waiting for its turn: {} in the queue.", ordinal(place)),
        (Phase::Pending, None, _) => {
            shown.and_then(|step| waits_for(run, step)).unwrap_or_else(|| "Waiting for its turn.".to_owned())
        }
        (Phase::Running, _, 0) => words::NO_OUTPUT_YET.to_owned(),
        (Phase::Running, ..) => words::LIVE.to_owned(),
        (Phase::Skipped, ..) => "The step was not run.".to_owned(),
        (_, _, 0) => match shown.and_then(|step| step.kept_from) {
            Some(number) => format!("The step was not run again: its log is that of run #{number}."),
            None if run.has_several_steps() => "The step ended without output.".to_owned(),
            None => "The run ended without output.".to_owned(),
        },
        _ => words::ENDED.to_owned(),
    }
}

/// `1st`, `2nd`, `3rd`, `4th`, …
pub fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// The log viewer.
#[component]
pub fn LogView(
    /// The run.
    run: RunDetail,
    /// The lines to show.
    page: LogPage,
    /// What the address asked for.
    place: LogPlace,
    /// What the log was searched for, and what was found.
    searched: Option<SearchedLog>,
) -> impl IntoView {
    let preferences = use_context::<Preferences>().unwrap_or_default();
    let address = run.page();
    let phase = run.state.phase;
    let label = if run.has_several_steps() {
        format!("Log of step {} of run {}", run.step.name.as_str(), run.summary.number)
    } else {
        format!("Log of run {}", run.summary.number)
    };
    let (first, next, total) = (page.lines.first, page.lines.next().max(1), page.total);
    let is_empty = page.lines.lines.is_empty();
    let only_matches = searched.as_ref().filter(|searched| searched.query.only_matches);
    // New lines go to the end of a log that is shown as it is.
    let at_end = only_matches.is_none() && (is_empty || next > total);

    let mut class = String::from("log-scroll");
    if preferences.wrap_log {
        class.push_str(" is-wrapped");
    }
    if preferences.log_times {
        class.push_str(" has-times");
    }
    let html = only_matches.map_or_else(|| lines_html(&run, &page, searched.as_ref(), place), |it| it.lines_html(&run));
    let (earlier, later) = match only_matches {
        Some(searched) => ways_to_matches(&address, searched),
        None => ways_to_lines(&address, first, (!at_end).then_some(next)),
    };
    let errors = LogQuery { only_errors: true, ..LogQuery::default() };
    let errors = searched.is_none().then(|| {
        view! { <a href=routes::log_search(&address, &errors, None) title="Go through the lines of standard error">"Errors"</a> }
    });
    let found = searched.as_ref().map(|searched| log_found(&address, searched));
    let missing = match place {
        LogPlace::Line(line) if line > total => Some(view! {
            <p class="log-note">{format!("The log has no line {line}: it has {}.", lines_words(total))}</p>
        }),
        _ => None,
    };
    view! {
        <section
            class="log"
            id="log"
            aria-labelledby="log-title"
            data-page=address.clone()
            data-next=if is_empty { total + 1 } else { next }.to_string()
            data-live=!phase.is_final()
            data-at-end=at_end
        >
            <div class="log-toolbar">
                <h2 id="log-title">"Log"</h2>
                <span class="log-count" id="log-count">{lines_words(total)}</span>
                {log_search_form(&address, searched.as_ref())}
                {errors}
                <Toggle name="wrap_log" is_on=preferences.wrap_log word="Wrap" title="Wrap long lines" />
                <Toggle name="log_times" is_on=preferences.log_times word="Times" title="Show the time (UTC) of each line" />
                <a href=routes::raw_log(&address, false)>"Raw"</a>
                <a href=routes::raw_log(&address, true) download="">"Download"</a>
            </div>
            {found}
            {missing}
            <div class=class id="log-scroll" role="log" aria-live="off" aria-label=label tabindex="0">
                <div class="log-body">
                    {earlier}
                    <div id="log-lines" inner_html=html></div>
                    <div id="log-partial" class="line is-partial"></div>
                    {later}
                </div>
            </div>
            <div class="log-status">
                <span id="log-words" role="status">{log_words(&run)}</span>
                <LogTail />
            </div>
        </section>
    }
    .into_any()
}

/// The lines of a page. What preparing printed is folded away once the program's lines are there.
fn lines_html(run: &RunDetail, page: &LogPage, searched: Option<&SearchedLog>, place: LogPlace) -> String {
    let matcher = searched.map(SearchedLog::matcher);
    let current = searched.and_then(SearchedLog::current_line);
    let mut lines = (page.lines.first..).zip(&page.lines.lines).map(|(number, line)| match &matcher {
        Some(matcher) => found_line_html(number, line, matcher, current == Some(number), &format!("#L{number}")),
        None => line_html(number, line),
    });
    let count = preparation_lines(run, page);
    if count == 0 {
        return lines.collect();
    }
    let is_in_group = |line: u64| line <= count as u64;
    let group: String = lines.by_ref().take(count).collect();
    let is_open = run.step.has_failed_preparation()
        || matches!(place, LogPlace::Line(line) if is_in_group(line))
        || group.contains("<mark>");
    let millis = run.step.checkpoints.iter().map(|checkpoint| checkpoint.millis).sum();
    let word = if run.step.has_failed_preparation() { "Preparing failed after" } else { "Prepared in" };
    format!(
        r#"<details class="log-group" id="log-preparation"{}><summary>{word} {}, {}</summary>{group}</details>{}"#,
        if is_open { " open" } else { "" },
        duration_text(millis),
        lines_words(count as u64),
        lines.collect::<String>()
    )
}

/// How many lines at the start of a page are what preparing printed, once that has ended.
fn preparation_lines(run: &RunDetail, page: &LogPage) -> usize {
    let ended_at = match run.step.checkpoints.last() {
        Some(checkpoint) if checkpoint.status.is_some() && page.lines.first == 1 => checkpoint.at,
        _ => return 0,
    };
    let lines = &page.lines.lines;
    let count = lines.iter().take_while(|line| line.0 == Stream::Stoker && line.1 <= ended_at).count();
    if count < lines.len() || run.step.phase.is_final() { count } else { 0 }
}

/// The links above and below the lines of a log: to those before and after.
fn ways_to_lines(page: &str, first: u64, later: Option<u64>) -> (AnyView, Option<AnyView>) {
    let earlier = view! {
        <a class="log-earlier" id="log-earlier" href=routes::before_line(page, first) hidden=first <= 1>
            "Show earlier lines"
        </a>
    };
    let later = later.map(|line| {
        view! {
            <p class="log-later">
                <a href=routes::at_line(page, line)>"Show later lines"</a>
                " · "
                <a href=format!("{page}#log")>"Go to the end"</a>
            </p>
        }
        .into_any()
    });
    (earlier.into_any(), later)
}

/// The links above and below the lines that match, when nothing else is shown.
fn ways_to_matches(page: &str, searched: &SearchedLog) -> (AnyView, Option<AnyView>) {
    let address = |line| routes::log_search(page, &searched.query, Some(line));
    let earlier = searched.found.earlier.map(|line| {
        view! { <a class="log-earlier" href=address(line)>"Show earlier matches"</a> }
    });
    let later = searched
        .found
        .later
        .map(|line| view! { <p class="log-later"><a href=address(line)>"Show later matches"</a></p> }.into_any());
    (earlier.into_any(), later)
}

/// A switch of the log's looks: a form, so that it works without JavaScript and is remembered.
#[component]
fn Toggle(
    /// The preference.
    name: &'static str,
    /// Whether it is on.
    is_on: bool,
    /// Its word.
    word: &'static str,
    /// What it does.
    title: &'static str,
) -> impl IntoView {
    view! {
        <form method="post" action=routes::preferences()>
            <BackField />
            <button
                class="is-small"
                name=name
                value=if is_on { "off" } else { "on" }
                aria-pressed=if is_on { "true" } else { "false" }
                title=title
            >
                {word}
            </button>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_the_queue_read_well() {
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 13, 21, 112].map(ordinal),
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]
        );
    }
}
