//! A run's log: what there is of it so far, and the island that goes on from there.

use leptos::prelude::*;

use super::{
    log_lines::{Shown, WrittenLines, found_lines_html, lines_html},
    log_place::LogPlace,
    log_search::{SearchedLog, form_address, log_found, log_search_form, parameter_fields},
    page::BackField,
    step_list::waits_for,
};
use crate::{
    islands::LogTail,
    log_text::{LineTimes, groups::Folding, lines_words, words},
    model::{
        log_search::LogQuery,
        phase::Phase,
        time::Timestamp,
        views::{LogPage, RunDetail},
    },
    page_context::{Preferences, TimesChoice},
    routes,
};

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

/// What is shown of a log.
#[derive(Debug, Clone)]
pub struct ShownLog {
    /// The lines.
    pub page: LogPage,
    /// What the address asked for.
    pub place: LogPlace,
    /// What the log was searched for, and what was found.
    pub searched: Option<SearchedLog>,
}

/// The log viewer.
#[component]
pub fn LogView(
    /// The run.
    run: RunDetail,
    /// What is shown.
    log: ShownLog,
    /// The address of the page that shows it, where its links stay.
    at: String,
) -> impl IntoView {
    let preferences = use_context::<Preferences>().unwrap_or_default();
    let ShownLog { page, place, searched } = log;
    let own_page = run.page();
    let parameters = at.split_once('?').map(|(_, parameters)| format!("{parameters}&")).unwrap_or_default();
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
    if preferences.log_times != TimesChoice::Off {
        class.push_str(" has-times");
    }
    let times = line_times(preferences.log_times, &run);
    let chosen = match place {
        LogPlace::Lines { first, last } if searched.is_none() => Some(first..=last),
        _ => None,
    };
    let folding = preferences.log_groups;
    let WrittenLines { html, has_groups } = if let Some(searched) = only_matches {
        found_lines_html(&at, searched, times)
    } else {
        let (searched, chosen) = (searched.as_ref(), chosen.clone());
        let (run, page, at, parameters) = (&run, &page, &*at, &*parameters);
        lines_html(&Shown { run, page, at, parameters, times, folding, searched, chosen })
    };
    let (earlier, later) = match only_matches {
        Some(searched) => ways_to_matches(&at, searched),
        None => ways_to_lines(&at, first, (!at_end).then_some(next)),
    };
    // Groups may still come where lines do: then there is room for the choice.
    let groups = (has_groups || at_end && !phase.is_final()).then(|| groups_choice(folding, has_groups));
    let errors = LogQuery { only_errors: true, ..LogQuery::default() };
    let errors = searched.is_none().then(|| {
        view! { <a href=routes::log_search(&at, &errors, None) title="Go through the lines of standard error">"Errors"</a> }
    });
    let found = searched.as_ref().map(|searched| log_found(&at, searched));
    let missing = chosen.as_ref().filter(|chosen| *chosen.start() > total).map(|chosen| {
        view! {
            <p class="log-note">
                {format!("The log has no line {}: it has {}.", chosen.start(), lines_words(total))}
            </p>
        }
    });
    let last_at = page.lines.lines.last().map(|line| line.1);
    view! {
        <section
            class="log"
            id="log"
            aria-labelledby="log-title"
            data-page=own_page.clone()
            data-at=at.clone()
            data-parameters=parameters
            data-next=if is_empty { total + 1 } else { next }.to_string()
            data-live=!phase.is_final()
            data-at-end=at_end
            data-last-at=last_at.map(|Timestamp(at)| at.to_string())
            data-times=times_word(preferences.log_times)
            data-groups=folding.word()
            data-lines=chosen.map(|chosen| routes::lines_text(*chosen.start(), *chosen.end()))
        >
            <div class="log-toolbar">
                <h2 id="log-title">"Log"</h2>
                <span class="log-count" id="log-count">{lines_words(total)}</span>
                {groups}
                {log_search_form(&at, searched.as_ref())}
                {errors}
                <Toggle name="wrap_log" is_on=preferences.wrap_log word="Wrap" title="Wrap long lines" />
                {times_choice(preferences.log_times)}
                <a href=routes::raw_log(&own_page, false)>"Raw"</a>
                <a href=routes::raw_log(&own_page, true) download="">"Download"</a>
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
                <button type="button" class="is-small" id="log-copy" hidden>"Copy"</button>
                {ways_through(&at)}
            </div>
        </section>
    }
    .into_any()
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

/// Ways to any line of a log.
fn ways_through(page: &str) -> AnyView {
    view! {
        <form class="log-ways" id="log-ways" method="get" action=form_address(page, "here")>
            {parameter_fields(page)}
            <a href=routes::at_line(page, 1)>"First"</a>
            <a href=format!("{page}#log")>"Last"</a>
            <label for="log-line">"Line"</label>
            <input type="text" id="log-line" name="line" inputmode="numeric" pattern="[0-9]{1,15}" required autocomplete="off" />
            <button class="is-small">"Go"</button>
        </form>
    }
    .into_any()
}

fn line_times(choice: TimesChoice, run: &RunDetail) -> LineTimes {
    match choice {
        TimesChoice::Off => LineTimes::Off,
        // What has not started has no lines yet.
        TimesChoice::Start => LineTimes::Since(run.state.started_at.unwrap_or(run.summary.created_at)),
        TimesChoice::Clock => LineTimes::Clock,
    }
}

const fn times_word(choice: TimesChoice) -> &'static str {
    match choice {
        TimesChoice::Off => "off",
        TimesChoice::Start => "start",
        TimesChoice::Clock => "clock",
    }
}

/// Which time stands before each line: a form too.
fn times_choice(chosen: TimesChoice) -> AnyView {
    let choices = [
        (TimesChoice::Off, "Off", "Show no times"),
        (TimesChoice::Start, "Start", "Show for each line how long after the run's start it came"),
        (TimesChoice::Clock, "Clock", "Show the time (UTC) of each line"),
    ]
    .map(|(choice, word, title)| {
        let is_chosen = if choice == chosen { "true" } else { "false" };
        view! {
            <button class="is-small" name="log_times" value=times_word(choice) aria-pressed=is_chosen title=title>
                {word}
            </button>
        }
    })
    .collect_view();
    view! {
        <form class="log-times" method="post" action=routes::preferences()>
            <span id="log-times-label">"Times"</span>
            <BackField />
            <span class="segments" role="group" aria-labelledby="log-times-label">{choices}</span>
        </form>
    }
    .into_any()
}

/// Opens or folds all groups, also those that come later and those of this task's or flow's other logs: a form too. What is
/// pressed once more lets go. The browser opens and folds them itself, and shows the buttons when the first group comes.
fn groups_choice(chosen: Folding, has_groups: bool) -> AnyView {
    let choices = [(Folding::Open, "▾", "o", "Open all groups"), (Folding::Folded, "▸", "f", "Fold all groups")]
        .map(|(choice, sign, key, what)| {
            let is_chosen = choice == chosen;
            view! {
                <button
                    class="is-small"
                    name="log_groups"
                    value=if is_chosen { Folding::Auto } else { choice }.word()
                    aria-pressed=if is_chosen { "true" } else { "false" }
                    aria-label=what
                    aria-keyshortcuts=key
                    data-key=key
                    title=format!("{what} (key {key})")
                >
                    {sign}
                </button>
            }
        })
        .collect_view();
    view! {
        <form id="log-groups" method="post" action=routes::preferences() aria-hidden=(!has_groups).then_some("true")>
            <BackField />
            <span class="segments" role="group" aria-label="Groups">{choices}</span>
        </form>
    }
    .into_any()
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
