//! Searching a log: the form, what was found, and the ways from one match to the next. Links and a form only, so it
//! works without a script.

use leptos::prelude::*;

use crate::{
    log_text::{Matcher, number_words},
    model::log_search::{LogMatch, LogQuery, LogSearch, SearchFrom},
    routes,
};

/// A log that was searched.
#[derive(Debug, Clone)]
pub struct SearchedLog {
    /// For what.
    pub query: LogQuery,
    /// For which match.
    pub from: SearchFrom,
    /// What was found.
    pub found: LogSearch,
}

impl SearchedLog {
    /// The line that the page is about.
    pub fn current_line(&self) -> Option<u64> {
        self.found.current.map(|current| current.line)
    }

    /// What finds the text in the lines that are shown.
    pub fn matcher(&self) -> Matcher {
        Matcher::new(&self.query)
    }
}

/// The parameters of an address of this site that shows a run, as fields: a form that is sent by GET loses those of its own.
pub fn parameter_fields(address: &str) -> AnyView {
    let parameters = address.split_once('?').map_or("", |(_, parameters)| parameters);
    parameters
        .split('&')
        .filter_map(|parameter| parameter.split_once('='))
        .map(|(name, value)| view! { <input type="hidden" name=name.to_owned() value=value.to_owned() /> })
        .collect_view()
        .into_any()
}

/// Where a form leads from a page to a place on it.
pub fn form_address(page: &str, place: &str) -> String {
    format!("{}#{place}", page.split('?').next().unwrap_or_default())
}

/// The form that searches a log.
pub fn log_search_form(page: &str, searched: Option<&SearchedLog>) -> AnyView {
    // Sent as it is, it goes on to the next match; changed, it begins at the first line.
    let goes_on = searched.and_then(|searched| {
        let line = searched.found.next.or(searched.current_line())?;
        Some(view! {
            <input type="hidden" name="line" value=line.to_string() />
            <input type="hidden" name="was" value=searched.query.text.clone() />
        })
    });
    let query = searched.map(|searched| searched.query.clone()).unwrap_or_default();
    let hidden = |name, value, is_set: bool| is_set.then(|| view! { <input type="hidden" name=name value=value /> });
    view! {
        // A form keeps what comes after the `#`, and so leads to the match.
        <form class="log-search" role="search" method="get" action=form_address(page, "match")>
            {parameter_fields(page)}
            <label class="visually-hidden" for="log-search">"Search the log"</label>
            <input
                type="search"
                id="log-search"
                name="q"
                value=query.text
                placeholder="Search all lines ( / )"
                aria-keyshortcuts="/"
                maxlength=LogQuery::MAX_CHARACTERS.to_string()
                autocomplete="off"
                spellcheck="false"
            />
            {hidden("only", LogQuery::ERRORS, query.only_errors)}
            {hidden("show", LogQuery::MATCHES, query.only_matches)}
            {goes_on}
            <button class="is-small">"Search"</button>
        </form>
    }
    .into_any()
}

/// What was found, and where it goes on from there.
pub fn log_found(page: &str, searched: &SearchedLog) -> AnyView {
    let SearchedLog { query, from, found } = searched;
    let link = |word: &'static str, query: &LogQuery, line: Option<u64>| {
        view! { <a href=routes::log_search(page, query, line)>{word}</a> }
    };
    // The script goes on from the match that one is at, so it needs both where there is only one.
    let step = |word: &'static str, rel: &'static str, key: &'static str, line: Option<u64>| {
        let address = routes::log_search(page, query, line);
        view! { <a rel=rel href=address hidden=line.is_none() title=format!("Key {key}") aria-keyshortcuts=key>{word}</a> }
    };
    let current = searched.current_line();
    // Where one is stays the same while more or less of it is shown.
    let switch = |word: &'static str, is_on: bool, query: LogQuery| {
        let address = routes::log_search(page, &query, current);
        view! { <a class="button is-small" href=address aria-current=is_on.then_some("true")>{word}</a> }
    };
    // Without a text, all lines of standard error are what is looked for.
    let only_errors = (!query.text.is_empty()).then(|| {
        switch("Only standard error", query.only_errors, LogQuery { only_errors: !query.only_errors, ..query.clone() })
    });
    let only_matches =
        switch("Only matches", query.only_matches, LogQuery { only_matches: !query.only_matches, ..query.clone() });
    let next_error = (!query.only_errors).then(|| {
        let errors = LogQuery { only_errors: true, ..LogQuery::default() };
        let (SearchFrom::At(from) | SearchFrom::Before(from)) = *from;
        link("Next error", &errors, Some(current.map_or(from, |line| line + 1)))
    });
    view! {
        <nav
            class="log-found"
            id="log-found"
            aria-label="Matches"
            data-search=routes::log_searched(page, query)
            data-place=found.current.map(|current| current.place.to_string())
            data-total=found.total.to_string()
        >
            <strong role="status" id="log-found-words">{found_words(query, found, *from)}</strong>
            {step("↑ Previous", "prev", "N", found.previous)}
            {step("↓ Next", "next", "n", found.next)}
            {next_error}
            {only_errors}
            {only_matches}
            <a id="log-found-end" href=format!("{page}#log")>"End the search"</a>
        </nav>
    }
    .into_any()
}

/// Which of how many.
fn found_words(query: &LogQuery, found: &LogSearch, from: SearchFrom) -> String {
    let what = match (query.text.is_empty(), found.total) {
        (true, 1) => "line of standard error",
        (true, _) => "lines of standard error",
        (false, 1) => "line with a match",
        (false, _) => "lines with a match",
    };
    match (found.total, found.current) {
        (0, _) => format!("No {}", what.replacen("lines", "line", 1)),
        (total, Some(LogMatch { place, .. })) => format!("{} of {} {what}", number_words(place), number_words(total)),
        (total, None) => {
            let where_not = match from {
                SearchFrom::At(line) => format!("from line {} on", number_words(line)),
                SearchFrom::Before(line) => format!("before line {}", number_words(line)),
            };
            format!("{} {what}, none {where_not}", number_words(total))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_reads_well() {
        let text = LogQuery { text: "x".to_owned(), ..LogQuery::default() };
        let errors = LogQuery { only_errors: true, ..LogQuery::default() };
        let found = |total, place: Option<u64>| LogSearch {
            total,
            current: place.map(|place| LogMatch { line: 9, place }),
            ..LogSearch::default()
        };
        for (query, found, expected) in [
            (&text, found(0, None), "No line with a match"),
            (&text, found(1, Some(1)), "1 of 1 line with a match"),
            (&text, found(1017, Some(1003)), "1,003 of 1,017 lines with a match"),
            (&text, found(17, None), "17 lines with a match, none from line 1,000 on"),
            (&errors, found(2, Some(1)), "1 of 2 lines of standard error"),
            (&errors, found(0, None), "No line of standard error"),
        ] {
            assert_eq!(found_words(query, &found, SearchFrom::At(1000)), expected);
        }
    }
}
