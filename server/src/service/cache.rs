//! A cache of answers that were read from the database, valid as long as nothing in it has changed. It holds values, not
//! pages: who asks, when, and with which preferences makes no difference to them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use diesel::SqliteConnection;

use crate::db::{DataVersion, Database, DatabaseError};

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

impl<Q: Clone + Eq + Hash + Send + 'static, A: Clone + Send + 'static> Cache<Q, A> {
    /// The answer that is known, or that is read now and then remembered.
    ///
    /// # Errors
    /// As `read`, or when the database does not answer.
    pub async fn get_or_read(
        &self,
        database: &Database,
        query: Q,
        read: impl FnOnce(&mut SqliteConnection, &Q) -> Result<A, DatabaseError> + Send + 'static,
    ) -> Result<A, DatabaseError> {
        // A version that cannot be told costs a read, no more.
        let version = database.version().ok();
        if let Some(answer) = version.and_then(|version| self.get(version, &query)) {
            return Ok(answer);
        }
        let asked = query.clone();
        let answer = database.read(move |connection| read(connection, &asked)).await?;
        if let Some(version) = version {
            self.put(version, query, answer.clone());
        }
        Ok(answer)
    }

    /// The answer, when it is known for this version.
    fn get(&self, version: DataVersion, query: &Q) -> Option<A> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.version == Some(version) { answers.by_query.get(query).cloned() } else { None }
    }

    /// Remembers an answer. The version is one that was looked at before the answer was read: should something have been
    /// committed in between, nobody who asks later comes with that version.
    fn put(&self, version: DataVersion, query: Q, answer: A) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.version != Some(version) || answers.by_query.len() >= MOST {
            answers.by_query.clear();
            answers.version = Some(version);
        }
        answers.by_query.insert(query, answer);
    }
}
