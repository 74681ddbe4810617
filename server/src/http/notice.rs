//! What the last action did, said once on the page it led to. A cookie carries it there: a word for the kind, never
//! the text, so that nobody else can put words on the page.

use app::model::{
    caches::CacheKind,
    identifiers::{Kind, RunNumber},
};
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};

use super::cookies;

const COOKIE: &str = "stoker_notice";

/// How long the notice waits for its page, in seconds.
const WAIT: u32 = 60;

/// What the last action did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// A task was saved.
    Saved,
    /// A task or a flow was deleted.
    Deleted(Kind),
    /// An environment or a package set was deleted.
    CacheDeleted(CacheKind),
    /// A run was asked to stop.
    Stopping(RunNumber),
    /// So many runs were asked to stop.
    StoppingSeveral(u32),
}

impl Done {
    fn code(self) -> String {
        match self {
            Self::Saved => "saved".to_owned(),
            Self::Deleted(kind) => format!("deleted.{}", kind.word()),
            Self::CacheDeleted(kind) => format!("cache_deleted.{}", kind.address_word()),
            Self::Stopping(number) => format!("stopping.{number}"),
            Self::StoppingSeveral(runs) => format!("stopping_several.{runs}"),
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        match code {
            "saved" => Some(Self::Saved),
            other => match other.split_once('.')? {
                ("deleted", word) => {
                    [Kind::Task, Kind::Flow].into_iter().find(|kind| kind.word() == word).map(Self::Deleted)
                }
                ("cache_deleted", kind) => kind.parse().ok().map(Self::CacheDeleted),
                ("stopping", number) => number.parse().ok().map(Self::Stopping),
                ("stopping_several", runs) => runs.parse().ok().map(Self::StoppingSeveral),
                _ => None,
            },
        }
    }

    /// The sentence for the user.
    pub fn sentence(self) -> String {
        match self {
            Self::Saved => "Saved.".to_owned(),
            Self::Deleted(kind) => format!("The {} and its runs were deleted.", kind.word()),
            Self::CacheDeleted(kind) => format!("The {} was deleted.", kind.words()),
            Self::Stopping(number) => format!("Run #{number} is being stopped."),
            Self::StoppingSeveral(1) => "1 run is being stopped.".to_owned(),
            Self::StoppingSeveral(runs) => format!("{runs} runs are being stopped."),
        }
    }

    /// What the request's cookie says.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        cookies::read(headers, COOKIE).and_then(Self::from_code)
    }
}

/// Leads to a page, which then says what was done.
pub fn see_other(address: &str, done: Option<Done>) -> Response {
    let mut response = Redirect::to(address).into_response();
    if let Some(done) = done {
        response.headers_mut().append(header::SET_COOKIE, cookies::set(COOKIE, &done.code(), WAIT));
    }
    response
}

/// Deletes the cookie once a page has shown it.
pub async fn show_once(request: Request, next: Next) -> Response {
    let is_waiting = cookies::read(request.headers(), COOKIE).is_some();
    let mut response = next.run(request).await;
    let is_page = response.status() != StatusCode::SEE_OTHER
        && response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_waiting && is_page {
        response.headers_mut().append(header::SET_COOKIE, cookies::set(COOKIE, "", 0));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back_as_written() {
        let stopping = RunNumber::new(3).map(Done::Stopping).unwrap();
        for done in [
            Done::Saved,
            Done::Deleted(Kind::Task),
            Done::Deleted(Kind::Flow),
            Done::CacheDeleted(CacheKind::PackageSet),
            stopping,
            Done::StoppingSeveral(2),
        ] {
            assert_eq!(Done::from_code(&done.code()), Some(done));
        }
        for code in ["", "stopping.", "stopping.0", "deleted.x", "cache_deleted.x", "<b>"] {
            assert_eq!(Done::from_code(code), None, "{code}");
        }
    }
}
