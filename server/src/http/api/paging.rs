//! Pages of a list: `?limit=N`, and `&cursor=…` as the page before gave it. Without either, a list comes whole.

use super::{
    body::{integer, parameter},
    error::ApiError,
};

/// Most items of a page.
const LARGEST: usize = 1000;
/// Items of a page whose size was not asked for.
const DEFAULT: usize = 100;

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging<P> {
    /// At most so many items.
    pub limit: usize,
    /// Where it begins; `None` for the first.
    pub from: Option<P>,
}

impl<P> Paging<P> {
    /// The page that an address asks for; `None` when it asks for everything. `read` reads a cursor.
    ///
    /// # Errors
    /// When a parameter is none.
    pub fn of(query: Option<&str>, read: impl FnOnce(&str) -> Option<P>) -> Result<Option<Self>, ApiError> {
        let (limit, cursor) = (parameter(query, "limit"), parameter(query, "cursor"));
        if limit.is_none() && cursor.is_none() {
            return Ok(None);
        }
        let limit = match limit.map(|text| integer("query", "limit", &text)).transpose()? {
            None => DEFAULT,
            Some(limit) => usize::try_from(limit)
                .ok()
                .filter(|limit| (1..=LARGEST).contains(limit))
                .ok_or_else(|| ApiError::Refused(format!("The parameter limit must be between 1 and {LARGEST}.")))?,
        };
        let from = cursor.map(|text| {
            let unknown = || ApiError::Refused("The parameter cursor is none that this list has given.".to_owned());
            read(&text).ok_or_else(unknown)
        });
        Ok(Some(Self { limit, from: from.transpose()? }))
    }
}
