//! Every address of the site, made and read in one place.

use std::fmt::Write as _;

#[cfg(feature = "ssr")]
use crate::model::log_search::LogQuery;
use crate::model::{
    caches::CacheName,
    identifiers::{Kind, RunNumber, TaskId},
    run_list::{RunChoice, RunQuery},
    step_address::StepAddress,
    time::Timestamp,
    views::{TaskCursor, TaskQuery},
};

/// The task list.
#[must_use]
pub fn tasks() -> String {
    "/tasks".to_owned()
}

/// The list of flows.
#[must_use]
pub fn flows() -> String {
    "/flows".to_owned()
}

/// A page of the list of tasks, or of flows.
#[must_use]
pub fn tasks_page(query: &TaskQuery) -> String {
    let search = Some(("q", query.search.clone())).filter(|(_, search)| !search.is_empty());
    let from = query.from.as_ref().map(|cursor| ("from", cursor_text(cursor)));
    with_parameters(&list(query.kind), search.into_iter().chain(query.filters()).chain(from))
}

/// A page of the documentation.
#[must_use]
pub fn help(page: &str) -> String {
    format!("/help/{page}")
}

/// The troubleshooting page, at the entry of a failure's code.
#[must_use]
pub fn troubleshooting(code: &str) -> String {
    format!("{}#{code}", help("troubleshooting"))
}

/// The empty form for a new task.
#[must_use]
pub fn new_task() -> String {
    "/tasks/new".to_owned()
}

/// The form for a new task, filled in with an example.
#[must_use]
pub fn new_task_from_example(key: &str) -> String {
    format!("/tasks/new?example={key}")
}

/// The form for a new flow.
#[must_use]
pub fn new_flow() -> String {
    "/flows/new".to_owned()
}

/// The form for a new flow, filled in with an example.
#[must_use]
pub fn new_flow_from_example(key: &str) -> String {
    format!("{}?example={key}", new_flow())
}

/// A list of all of a kind.
#[must_use]
pub fn list(kind: Kind) -> String {
    match kind {
        Kind::Task => tasks(),
        Kind::Flow => flows(),
    }
}

/// A task with its newest runs.
#[must_use]
pub fn task(id: &TaskId) -> String {
    match id.kind() {
        Kind::Task => format!("/tasks/{id}"),
        Kind::Flow => format!("/flows/{id}"),
    }
}

/// A task with its runs numbered below one.
#[must_use]
pub fn task_older(id: &TaskId, older_than: RunNumber) -> String {
    format!("{}?older_than={older_than}#runs", task(id))
}

/// A task, with one of its runs beside its code.
#[must_use]
pub fn task_beside(id: &TaskId, run: RunNumber) -> String {
    format!("{}?run={run}", task(id))
}

/// Where a run is watched that was just started or stopped: a task's beside its code, on a page that a browser without
/// JavaScript loads again while the run is active.
#[must_use]
pub fn watched(id: &TaskId, run: RunNumber) -> String {
    match id.kind() {
        Kind::Task => format!("{}&live=1", task_beside(id, run)),
        Kind::Flow => self::run(id, run),
    }
}

/// The form to change a task; with a run, filled in from that run.
#[must_use]
pub fn edit_task(id: &TaskId, run: Option<RunNumber>) -> String {
    match run {
        Some(number) => format!("{}/edit?run={number}", task(id)),
        None => format!("{}/edit", task(id)),
    }
}

/// The page that asks before deleting a task, and that deletes it on POST.
#[must_use]
pub fn delete_task(id: &TaskId) -> String {
    format!("{}/delete", task(id))
}

/// A run.
#[must_use]
pub fn run(id: &TaskId, number: RunNumber) -> String {
    format!("{}/runs/{number}", task(id))
}

/// What changes of a run that is shown beside its task's code.
#[must_use]
pub fn beside_state(id: &TaskId, number: RunNumber) -> String {
    format!("{}/state?beside=1", run(id, number))
}

/// Two runs of a task, side by side.
#[must_use]
pub fn compare(id: &TaskId, left: RunNumber, right: RunNumber) -> String {
    format!("{}?left={left}&right={right}", comparing(id))
}

/// Where the form that chooses two runs of a task is sent.
#[must_use]
pub fn comparing(id: &TaskId) -> String {
    format!("{}/compare", task(id))
}

/// A step of a run, with its log; a run of a task is one page with its only step.
#[must_use]
pub fn step(address: &StepAddress) -> String {
    let run = run(&address.task, address.number);
    match &address.step {
        Some(step) => format!("{run}/steps/{step}"),
        None => run,
    }
}

/// A page with a log, shown around a line. Here and below the page may have parameters.
#[must_use]
pub fn at_line(page: &str, line: u64) -> String {
    at_lines(page, line, line)
}

/// A page with a log, shown around some lines.
#[must_use]
pub fn at_lines(page: &str, first: u64, last: u64) -> String {
    format!("{page}{}lines={}#L{first}", sign(page), lines_text(first, last))
}

/// What stands before the next parameter of an address.
fn sign(address: &str) -> char {
    if address.contains('?') { '&' } else { '?' }
}

/// Lines as they stand in an address: `10-20`, `10`.
#[must_use]
pub fn lines_text(first: u64, last: u64) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

/// A page with a log, shown up to before a line.
#[must_use]
pub fn before_line(page: &str, line: u64) -> String {
    format!("{page}{}before={line}#log", sign(page))
}

/// A page with a log, searched, shown from a line on; without one from the first match on. It goes to the match.
#[cfg(feature = "ssr")]
#[must_use]
pub fn log_search(page: &str, query: &LogQuery, line: Option<u64>) -> String {
    let mut address = log_searched(page, query);
    if let Some(line) = line {
        let _ = write!(address, "&line={line}");
    }
    address.push_str("#match");
    address
}

/// A page with a log, searched: what the place to go on from is appended to.
#[cfg(feature = "ssr")]
#[must_use]
pub fn log_searched(page: &str, query: &LogQuery) -> String {
    let mut address = format!("{page}{}q=", sign(page));
    push_encoded(&mut address, &query.text);
    if query.only_errors {
        let _ = write!(address, "&only={}", LogQuery::ERRORS);
    }
    if query.only_matches {
        let _ = write!(address, "&show={}", LogQuery::MATCHES);
    }
    address
}

/// An output of the step whose page this is, to download.
#[must_use]
pub fn output(page: &str, name: &str) -> String {
    let mut address = format!("{page}/outputs");
    // Outputs may be in folders.
    for part in name.split('/') {
        address.push('/');
        push_path_encoded(&mut address, part);
    }
    address
}

/// What a run's engine handed over for it, as plain text.
#[must_use]
pub fn manifest(id: &TaskId, number: RunNumber) -> String {
    format!("{}/manifest", run(id, number))
}

/// The page that asks before cancelling a run, and that cancels it on POST.
#[must_use]
pub fn cancel_run(id: &TaskId, number: RunNumber) -> String {
    format!("{}/cancel", run(id, number))
}

/// The whole log of a page as plain text, to read or to download.
#[must_use]
pub fn raw_log(page: &str, download: bool) -> String {
    format!("{page}/log{}", if download { "?download=1" } else { "" })
}

/// The program of a page, as a script that runs anywhere.
#[must_use]
pub fn script(page: &str) -> String {
    format!("{page}/script")
}

/// The websocket that tells the log of a page from a line on.
#[must_use]
pub fn log_socket(page: &str, from: u64, window: u32) -> String {
    format!("{page}/log/socket?from={from}&window={window}")
}

/// All runs that a query finds, a page of them.
#[must_use]
pub fn runs(query: &RunQuery) -> String {
    with_parameters("/runs", query.parameters())
}

/// The same, shown anew every few seconds.
#[must_use]
pub fn runs_live(query: &RunQuery) -> String {
    with_parameters("/runs", query.parameters().into_iter().chain([("live", "1".to_owned())]))
}

/// The page that asks before cancelling several runs, and that cancels them on POST.
#[must_use]
pub fn cancel_runs(choice: &RunChoice) -> String {
    with_parameters("/runs/cancel", choice.parameters())
}

/// Where preferences are sent.
#[must_use]
pub fn preferences() -> String {
    "/preferences".to_owned()
}

/// How this Stoker is doing; on POST it makes the checks again.
#[must_use]
pub fn system() -> String {
    "/system".to_owned()
}

/// The page that asks before deleting an environment or a package set, and that deletes it on POST.
#[must_use]
pub fn delete_cache(name: &CacheName) -> String {
    format!("/system/{}/{}/delete", name.kind.address_word(), name.key)
}

/// A place in the task list, as it stands in an address: `older.<milliseconds>.<task id>`.
#[must_use]
pub fn cursor_text(cursor: &TaskCursor) -> String {
    let direction = if cursor.newer { "newer" } else { "older" };
    format!("{direction}.{}.{}", cursor.activity_at.0, cursor.id)
}

/// Reads a place in the task list; `None` when the text is none.
#[must_use]
pub fn parse_cursor(text: &str) -> Option<TaskCursor> {
    let (direction, rest) = text.split_once('.')?;
    let newer = match direction {
        "newer" => true,
        "older" => false,
        _ => return None,
    };
    let (millis, id) = rest.split_once('.')?;
    Some(TaskCursor { newer, activity_at: Timestamp(millis.parse().ok()?), id: id.parse().ok()? })
}

fn with_parameters(path: &str, parameters: impl IntoIterator<Item = (&'static str, String)>) -> String {
    let mut address = path.to_owned();
    for (index, (name, value)) in parameters.into_iter().enumerate() {
        address.push(if index == 0 { '?' } else { '&' });
        address.push_str(name);
        address.push('=');
        push_encoded(&mut address, &value);
    }
    address
}

/// Appends a value to a query string.
fn push_encoded(address: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => address.push(char::from(byte)),
            b' ' => address.push('+'),
            other => push_byte(address, other),
        }
    }
}

/// Appends a part of a path.
fn push_path_encoded(address: &mut String, part: &str) {
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => address.push(char::from(byte)),
            other => push_byte(address, other),
        }
    }
}

fn push_byte(address: &mut String, byte: u8) {
    // Writing to a `String` cannot fail.
    let _ = write!(address, "%{byte:02X}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_back_as_written() {
        for newer in [false, true] {
            let cursor =
                TaskCursor { newer, activity_at: Timestamp(1_709_210_096_789), id: TaskId::from_random([1; 6]) };
            assert_eq!(parse_cursor(&cursor_text(&cursor)), Some(cursor));
        }
        for text in ["", "older", "older.x.task-010101010101", "later.1.task-010101010101", "older.1.task-"] {
            assert_eq!(parse_cursor(text), None, "{text}");
        }
    }

    #[test]
    fn searches_are_encoded() {
        let query = TaskQuery { search: "a b&c=ü".to_owned(), ..TaskQuery::default() };
        assert_eq!(tasks_page(&query), "/tasks?q=a+b%26c%3D%C3%BC");
    }

    #[test]
    fn outputs_are_named_by_their_path() {
        assert_eq!(
            output("/flows/f/runs/1/steps/a", "plots/a b?.png"),
            "/flows/f/runs/1/steps/a/outputs/plots/a%20b%3F.png"
        );
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn a_search_keeps_all_that_it_is_made_of() {
        let (id, number) = (TaskId::from_random([1; 6]), RunNumber::new(1).unwrap());
        let query = LogQuery { text: "a&b".to_owned(), only_errors: true, only_matches: true };
        assert_eq!(
            log_search(&run(&id, number), &query, Some(7)),
            format!("/tasks/{id}/runs/1?q=a%26b&only=error&show=matches&line=7#match")
        );
        assert_eq!(
            log_searched(&task_beside(&id, number), &query),
            format!("/tasks/{id}?run=1&q=a%26b&only=error&show=matches")
        );
    }
}
