//! What a user chose: the theme, and how logs look. Kept in cookies, so that the server renders it right at once. Which groups
//! are open is about what one is reading: it is kept for the logs of one task or flow, until the browser is closed.

use app::{
    log_text::groups::Folding,
    page_context::{Preferences, Theme, TimesChoice},
    routes,
};
use axum::{
    extract::Request,
    http::{HeaderMap, header},
    response::Response,
};

use super::{
    cookies,
    forms::{FormFields, read_form},
    notice::see_other,
};

/// How long a choice is remembered, in seconds: a year.
const YEAR: u32 = 365 * 24 * 3600;

const THEME: &str = "stoker_theme";
const WRAP_LOG: &str = "stoker_wrap_log";
const LOG_TIMES: &str = "stoker_log_times";
const LOG_GROUPS: &str = "stoker_log_groups";

/// What the request's cookies say.
pub fn of(headers: &HeaderMap) -> Preferences {
    Preferences {
        theme: cookies::read(headers, THEME).and_then(theme).unwrap_or_default(),
        wrap_log: cookies::read(headers, WRAP_LOG).is_some_and(is_on),
        log_times: cookies::read(headers, LOG_TIMES).and_then(times).unwrap_or_default(),
        log_groups: cookies::read(headers, LOG_GROUPS).and_then(Folding::parse).unwrap_or_default(),
    }
}

/// Remembers what was chosen, and leads back.
pub async fn set(request: Request) -> Response {
    let fields = match read_form(request).await {
        Ok((_, fields)) => fields,
        Err(error) => return error.page(),
    };
    let back = fields.get("back").filter(|back| is_own_address(back)).map_or_else(routes::tasks, str::to_owned);
    let mut response = see_other(&back, None);
    for (name, value) in chosen(&fields) {
        response.headers_mut().append(header::SET_COOKIE, cookies::set(name, value, YEAR));
    }
    if let (Some(folding), Some(owner)) = (fields.get("log_groups").and_then(Folding::parse), owner_of(&back)) {
        let cookie = cookies::set_beneath(owner, LOG_GROUPS, folding.word());
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The cookies to set. What was not sent, or is no choice, stays as it is.
fn chosen(fields: &FormFields) -> Vec<(&'static str, &'static str)> {
    let theme = fields.get("theme").and_then(theme).map(|theme| {
        let word = match theme {
            Theme::Auto => "auto",
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        (THEME, word)
    });
    let wrap = fields.get("wrap_log").map(|value| (WRAP_LOG, if is_on(value) { "on" } else { "off" }));
    let times = fields.get("log_times").and_then(times).map(|times| {
        let word = match times {
            TimesChoice::Off => "off",
            TimesChoice::Start => "start",
            TimesChoice::Clock => "clock",
        };
        (LOG_TIMES, word)
    });
    [theme, wrap, times].into_iter().flatten().collect()
}

fn theme(text: &str) -> Option<Theme> {
    match text {
        "auto" => Some(Theme::Auto),
        "light" => Some(Theme::Light),
        "dark" => Some(Theme::Dark),
        _ => None,
    }
}

fn times(text: &str) -> Option<TimesChoice> {
    match text {
        "off" => Some(TimesChoice::Off),
        "start" => Some(TimesChoice::Start),
        "clock" => Some(TimesChoice::Clock),
        _ => None,
    }
}

fn is_on(text: &str) -> bool {
    matches!(text, "on" | "true" | "1")
}

/// Whether an address stays on this site: browsers read `//x` and `/\x` as another host's.
fn is_own_address(address: &str) -> bool {
    let mut characters = address.chars();
    characters.next() == Some('/')
        && !matches!(characters.next(), Some('/' | '\\'))
        && address.bytes().all(|byte| (0x21..0x7f).contains(&byte))
}

/// The path of the task or flow whose page an address of this site is: its first two words.
fn owner_of(address: &str) -> Option<&str> {
    let path = address.split(['?', '#']).next()?;
    let owner = path.match_indices('/').nth(2).map_or(path, |(end, _)| &path[..end]);
    let id = owner.strip_prefix("/tasks/").or_else(|| owner.strip_prefix("/flows/"))?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (!id.is_empty() && id.bytes().all(is_plain)).then_some(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_belong_to_a_task_or_flow() {
        for page in ["/tasks/task-0", "/tasks/task-0?run=2", "/tasks/task-0/runs/1/steps/a#log"] {
            assert_eq!(owner_of(page), Some("/tasks/task-0"));
        }
        for other in ["/", "/tasks", "/tasks/", "/tasks//x", "/tasks?q=/a/b", "/tasks/a;b", "/system/x"] {
            assert_eq!(owner_of(other), None);
        }
    }

    #[test]
    fn only_own_addresses_are_led_back_to() {
        for own in ["/", "/tasks?q=a%20b", "/tasks/task-000000000000/runs/1?line=4"] {
            assert!(is_own_address(own), "{own}");
        }
        for foreign in ["", "//evil.example", "/\\evil.example", "https://evil.example", "tasks", "/a\r\nX: y", "/a b"]
        {
            assert!(!is_own_address(foreign), "{foreign}");
        }
    }
}
