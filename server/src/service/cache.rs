//! A cache of answers that were read from the database, valid as long as nothing in it has changed. It holds values, not
//! pages: who asks, when, and with which preferences makes no difference to them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use crate::db::DataVersion;

/// How many queries are remembered at once.
const MOST: usize = 32;

/// A cache of answers to queries, all as of one version of the database.
pub struct Cache<Q, A>(Mutex<Answers<Q, A>>);

struct Answers<Q, A> {
    version: Option<DataVersion>,
    by_query: HashMap<Q, A>,
}

impl<Q, A> Default for Cache<Q, A> {
    fn default() -> Self {
        Self(Mutex::new(Answers { version: None, by_query: HashMap::new() }))
    }
}

impl<Q: Eq + Hash, A: Clone> Cache<Q, A> {
    /// The answer, when it is known for this version.
    pub fn get(&self, version: DataVersion, query: &Q) -> Option<A> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.version == Some(version) { answers.by_query.get(query).cloned() } else { None }
    }

    /// Remembers an answer. The version is one that was looked at before the answer was read: should something have been
    /// committed in between, nobody who asks later comes with that version.
    pub fn put(&self, version: DataVersion, query: Q, answer: A) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.version != Some(version) || answers.by_query.len() >= MOST {
            answers.by_query.clear();
            answers.version = Some(version);
        }
        answers.by_query.insert(query, answer);
    }
}
