//! What the buttons of a flow's form do to the flow as typed.

use std::str::FromStr;

use super::{FlowDraft, StepDraft, StepName};

/// The field by which a browser says which steps it has and keeps, by their keys: of those, an answer has only what
/// buttons change.
pub const KEPT: &str = "kept";

/// What a button does. Steps are named by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowEdit {
    /// Adds an empty step at the end.
    Add,
    /// Adds a copy of a step after it.
    Duplicate(usize),
    /// Exchanges a step with the one before it.
    MoveUp(usize),
    /// Exchanges a step with the one after it.
    MoveDown(usize),
    /// Takes a step away, and what others had with it.
    Remove(usize),
    /// Only draws the graph anew.
    Draw,
    /// Leaves it to the layout where all steps stand.
    Arrange,
}

/// Where one goes on after that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// At a step's name.
    Name(usize),
    /// At the button that moves a step up.
    MoveUp(usize),
    /// At the button that moves a step down.
    MoveDown(usize),
    /// At a step as a whole.
    Step(usize),
    /// At the button that adds a step.
    Add,
    /// At the graph.
    Graph,
}

impl FlowEdit {
    /// The word, as forms send it.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Add => "add".to_owned(),
            Self::Draw => "draw".to_owned(),
            Self::Arrange => "arrange".to_owned(),
            Self::Duplicate(step) => format!("duplicate-{step}"),
            Self::MoveUp(step) => format!("up-{step}"),
            Self::MoveDown(step) => format!("down-{step}"),
            Self::Remove(step) => format!("remove-{step}"),
        }
    }
}

/// The word is none of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoEdit;

impl FromStr for FlowEdit {
    type Err = NoEdit;

    fn from_str(word: &str) -> Result<Self, NoEdit> {
        match word {
            "add" => return Ok(Self::Add),
            "draw" => return Ok(Self::Draw),
            "arrange" => return Ok(Self::Arrange),
            _ => {}
        }
        let (verb, step) = word.split_once('-').ok_or(NoEdit)?;
        let step = step.parse().map_err(|_| NoEdit)?;
        match verb {
            "duplicate" => Ok(Self::Duplicate(step)),
            "up" => Ok(Self::MoveUp(step)),
            "down" => Ok(Self::MoveDown(step)),
            "remove" => Ok(Self::Remove(step)),
            _ => Err(NoEdit),
        }
    }
}

impl FlowDraft {
    /// A flow as its form begins: with one step.
    #[must_use]
    pub fn begun() -> Self {
        let mut draft = Self::default();
        draft.edit(FlowEdit::Add);
        draft
    }

    /// Does what a button says, and tells where one goes on. A step that is not there changes nothing.
    pub fn edit(&mut self, edit: FlowEdit) -> Focus {
        self.settle_names();
        let count = self.steps.len();
        match edit {
            FlowEdit::Add => {
                let mut step = StepDraft::default();
                step.program.name = format!("Step {}", count + 1);
                self.insert(step)
            }
            FlowEdit::Duplicate(index) => match self.steps.get(index) {
                Some(step) => {
                    let copy = StepDraft { placement: None, ..step.clone() };
                    self.insert_at(index + 1, copy)
                }
                None => Focus::Add,
            },
            FlowEdit::MoveUp(index) if index > 0 && index < count => {
                self.steps.swap(index, index - 1);
                if index == 1 { Focus::MoveDown(0) } else { Focus::MoveUp(index - 1) }
            }
            FlowEdit::MoveDown(index) if index.saturating_add(1) < count => {
                self.steps.swap(index, index + 1);
                if index + 2 == count { Focus::MoveUp(index + 1) } else { Focus::MoveDown(index + 1) }
            }
            FlowEdit::Remove(index) if index < count => {
                let removed = self.steps.remove(index);
                for step in &mut self.steps {
                    step.runs_after.retain(|key| *key != removed.key);
                }
                if count == 1 { Focus::Add } else { Focus::Step(index.min(count - 2)) }
            }
            FlowEdit::MoveUp(index) | FlowEdit::MoveDown(index) | FlowEdit::Remove(index) => Focus::Step(index),
            FlowEdit::Draw => Focus::Graph,
            FlowEdit::Arrange => {
                for step in &mut self.steps {
                    step.placement = None;
                }
                Focus::Graph
            }
        }
    }

    /// Adds a step at the end, under a name of its own, and tells where one goes on.
    pub fn insert(&mut self, step: StepDraft) -> Focus {
        self.insert_at(self.steps.len(), step)
    }

    fn insert_at(&mut self, index: usize, mut step: StepDraft) -> Focus {
        step.key = self.unsaved_key();
        step.program.name = self.free_name(&step.program.name);
        self.steps.insert(index, step);
        Focus::Name(index)
    }

    /// The name, or one like it that no step has.
    fn free_name(&self, name: &str) -> String {
        let is_taken = |name: &str| self.steps.iter().any(|step| step.program.name.trim() == name);
        let name: String = name.trim().chars().take(StepName::MAX_CHARACTERS - 5).collect();
        if !is_taken(&name) {
            return name;
        }
        // "Load 2" is followed by "Load 3".
        let base = name.trim_end_matches(|character: char| character.is_ascii_digit()).trim_end();
        let base = if base.is_empty() { name.as_str() } else { base };
        // One number more than there are steps is free.
        let numbered = (2..=self.steps.len() + 2).map(|number| format!("{base} {number}")).find(|name| !is_taken(name));
        numbered.unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::flow::Placement;

    fn flow(names: &[&str]) -> FlowDraft {
        let mut draft = FlowDraft::default();
        for name in names {
            let mut step = StepDraft::default();
            step.program.name = (*name).to_owned();
            draft.insert(step);
        }
        draft
    }

    fn names(draft: &FlowDraft) -> Vec<&str> {
        draft.steps.iter().map(|step| step.program.name.as_str()).collect()
    }

    #[test]
    fn words_are_read_back() {
        for edit in [
            FlowEdit::Add,
            FlowEdit::Duplicate(0),
            FlowEdit::MoveUp(1),
            FlowEdit::MoveDown(20),
            FlowEdit::Remove(300),
            FlowEdit::Draw,
            FlowEdit::Arrange,
        ] {
            assert_eq!(edit.word().parse(), Ok(edit));
        }
        for word in ["", "up", "up-", "up--1", "save", "explode-1"] {
            assert_eq!(word.parse::<FlowEdit>(), Err(NoEdit), "{word}");
        }
    }

    #[test]
    fn steps_are_moved_within_their_row() {
        let mut draft = flow(&["a", "b", "c"]);
        assert_eq!(draft.edit(FlowEdit::MoveUp(2)), Focus::MoveUp(1));
        assert_eq!(draft.edit(FlowEdit::MoveUp(1)), Focus::MoveDown(0));
        assert_eq!(names(&draft), ["c", "a", "b"]);
        assert_eq!(draft.edit(FlowEdit::MoveDown(0)), Focus::MoveDown(1));
        assert_eq!(draft.edit(FlowEdit::MoveDown(1)), Focus::MoveUp(2));
        assert_eq!(names(&draft), ["a", "b", "c"]);
        for nothing in [FlowEdit::MoveUp(0), FlowEdit::MoveDown(2), FlowEdit::MoveDown(9), FlowEdit::Remove(3)] {
            draft.edit(nothing);
            assert_eq!(names(&draft), ["a", "b", "c"], "{nothing:?}");
        }
        assert_eq!(FlowDraft::default().edit(FlowEdit::MoveDown(0)), Focus::Step(0));
    }

    #[test]
    fn what_is_added_has_a_key_and_a_name_of_its_own() {
        let mut draft = FlowDraft::begun();
        draft.edit(FlowEdit::Add);
        draft.steps[1].runs_after = vec![draft.steps[0].key.clone()];
        assert_eq!(draft.edit(FlowEdit::Duplicate(1)), Focus::Name(2));
        draft.edit(FlowEdit::Duplicate(0));
        assert_eq!(names(&draft), ["Step 1", "Step 4", "Step 2", "Step 3"]);
        let mut keys: Vec<&str> = draft.steps.iter().map(|step| step.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["-1", "-2", "-3", "-4"]);
        assert_eq!(draft.steps[3].runs_after, [draft.steps[0].key.clone()]);
    }

    #[test]
    fn the_graph_is_drawn_anew_as_it_was_or_laid_out_by_itself() {
        let mut draft = flow(&["a", "b"]);
        draft.steps[1].placement = Some(Placement { x: 5, y: -6 });
        draft.steps[1].also_after = "a".to_owned();
        assert_eq!(draft.edit(FlowEdit::Draw), Focus::Graph);
        assert_eq!(draft.steps[1].placement, Some(Placement { x: 5, y: -6 }));
        assert_eq!(draft.steps[1].runs_after, ["-1"], "a name that was typed is a line now");
        assert_eq!(draft.edit(FlowEdit::Arrange), Focus::Graph);
        assert_eq!(draft.steps[1].placement, None);
    }

    #[test]
    fn what_is_removed_takes_its_edges_with_it() {
        let mut draft = flow(&["a", "b", "c"]);
        draft.steps[2].runs_after = vec!["-1".to_owned(), "-2".to_owned()];
        assert_eq!(draft.edit(FlowEdit::Remove(0)), Focus::Step(0));
        assert_eq!(draft.steps[1].runs_after, ["-2"]);
        draft.edit(FlowEdit::Remove(1));
        assert_eq!(draft.edit(FlowEdit::Remove(0)), Focus::Add);
        // A key that is used again belongs to nothing of before.
        draft.edit(FlowEdit::Add);
        assert_eq!(draft.steps[0].key, "-1");
    }
}
