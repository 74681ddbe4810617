//! Answers that were read before, given again as long as nothing in the database has changed. They are values, not
//! pages: who asks, when, and with which preferences makes no difference to them.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use crate::db::DataVersion;

/// How many questions are remembered at once.
const MOST: usize = 32;

/// Answers to questions, all as of one version of the database.
pub struct Known<Q, A>(Mutex<Answers<Q, A>>);

struct Answers<Q, A> {
    version: Option<DataVersion>,
    by_question: HashMap<Q, A>,
}

impl<Q, A> Default for Known<Q, A> {
    fn default() -> Self {
        Self(Mutex::new(Answers { version: None, by_question: HashMap::new() }))
    }
}

impl<Q: Eq + Hash, A: Clone> Known<Q, A> {
    /// The answer, when it is known for this version.
    pub fn get(&self, version: DataVersion, question: &Q) -> Option<A> {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.version == Some(version) { answers.by_question.get(question).cloned() } else { None }
    }

    /// Remembers an answer. The version is one that was looked at before the answer was read: should something have been
    /// committed in between, nobody who asks later comes with that version.
    pub fn put(&self, version: DataVersion, question: Q, answer: A) {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.version != Some(version) || answers.by_question.len() >= MOST {
            answers.by_question.clear();
            answers.version = Some(version);
        }
        answers.by_question.insert(question, answer);
    }
}
