//! What was done and can be undone: states as they were before. It knows nothing of what is in them.

use std::collections::VecDeque;

/// The states before what was done, and those before what was undone.
#[derive(Debug, Clone)]
pub struct History<T> {
    past: VecDeque<T>,
    future: Vec<T>,
    /// What the last thing done was about, when more of the same is one thing with it.
    about: Option<usize>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { past: VecDeque::new(), future: Vec::new(), about: None }
    }
}

impl<T> History<T> {
    /// How many things can be undone.
    pub const KEPT: usize = 100;

    /// Notes the state before something is done. Things done one after the other about the same are undone together.
    pub fn note(&mut self, before: T, about: Option<usize>) {
        if about.is_none() || about != self.about || !self.future.is_empty() {
            self.past.push_back(before);
        }
        if self.past.len() > Self::KEPT {
            self.past.pop_front();
        }
        self.future.clear();
        self.about = about;
    }

    /// The state to go back to from the present one.
    pub fn undo(&mut self, present: T) -> Option<T> {
        let earlier = self.past.pop_back()?;
        self.future.push(present);
        self.about = None;
        Some(earlier)
    }

    /// The state to go forward to from the present one.
    pub fn redo(&mut self, present: T) -> Option<T> {
        let later = self.future.pop()?;
        self.past.push_back(present);
        self.about = None;
        Some(later)
    }

    /// Whether there is something to undo, and to redo.
    #[must_use]
    pub fn has(&self) -> (bool, bool) {
        (!self.past.is_empty(), !self.future.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_back_and_forth() {
        let mut history = History::default();
        assert_eq!((history.undo(0), history.redo(0)), (None, None));
        history.note(0, None);
        history.note(1, None);
        assert_eq!((history.undo(2), history.undo(1), history.undo(0)), (Some(1), Some(0), None));
        assert_eq!(history.has(), (false, true));
        assert_eq!((history.redo(0), history.redo(1), history.redo(2)), (Some(1), Some(2), None));
        history.undo(2);
        history.note(1, None);
        assert_eq!(history.has(), (true, false), "what was undone is gone once something else is done");
    }

    #[test]
    fn much_of_the_same_is_one_thing() {
        let mut history = History::default();
        history.note(0, Some(3));
        history.note(1, Some(3));
        history.note(2, Some(4));
        assert_eq!((history.undo(3), history.undo(2), history.undo(0)), (Some(2), Some(0), None));
        // After something was undone, more of the same is a thing of its own.
        history.note(0, Some(3));
        history.note(1, Some(3));
        assert_eq!(history.undo(2), Some(0));
        history.note(0, Some(3));
        assert_eq!(history.has(), (true, false));
    }

    #[test]
    fn no_more_is_kept_than_is_of_use() {
        let mut history = History::default();
        (0..300).for_each(|state| history.note(state, None));
        let undone = std::iter::from_fn(|| history.undo(300)).count();
        assert_eq!(undone, History::<i32>::KEPT);
    }
}
