//! A page of a list that is read piece by piece.

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, P> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<P>,
}

impl<T, P> Page<T, P> {
    /// The page of at most `limit` items, made of what was read: one item more when there is a next page. `place` tells
    /// where an item is.
    pub(super) fn of(mut items: Vec<T>, limit: usize, place: impl FnOnce(&T) -> P) -> Self {
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(place);
        Self { items, next }
    }
}
