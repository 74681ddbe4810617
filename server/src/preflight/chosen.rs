//! Which checks are wanted: all of them, or those that a few words name.

use std::str::FromStr;

use app::model::checks::CheckGroup;

use super::finding::Subject;

/// All keys, where they are shown. `rbac` and `claim` stand for several checks each, such as `rbac-pods`.
const KEYS: [(CheckGroup, &str); 16] = [
    (CheckGroup::Tools, "uv"),
    (CheckGroup::Tools, "python"),
    (CheckGroup::Tools, "nix"),
    (CheckGroup::Storage, "folder"),
    (CheckGroup::Storage, "database"),
    (CheckGroup::Storage, "disk"),
    (CheckGroup::Network, "port"),
    (CheckGroup::Network, "index"),
    (CheckGroup::Network, "binary-cache"),
    (CheckGroup::Kubernetes, "cluster"),
    (CheckGroup::Kubernetes, "namespace"),
    (CheckGroup::Kubernetes, "rbac"),
    (CheckGroup::Kubernetes, "claim"),
    (CheckGroup::Kubernetes, "argo-crd"),
    (CheckGroup::Kubernetes, "argo-controller"),
    (CheckGroup::Kubernetes, "containerd"),
];

/// The keys that stand for several checks each.
const SEVERAL: [&str; 2] = ["rbac", "claim"];

/// True when a key is this word, or begins with it up to a hyphen.
fn begins(key: &str, word: &str) -> bool {
    key.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// A word that names no check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no check `{word}`. Name some of: {all}", all = names().join(", "))]
pub struct UnknownCheck {
    word: String,
}

fn names() -> Vec<&'static str> {
    CheckGroup::ALL.iter().map(|group| group.word()).chain(KEYS.iter().map(|(_, key)| *key)).collect()
}

/// Which checks are wanted. The default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen(Vec<Word>);

impl Chosen {
    /// The checks that the words name; all of them without any.
    #[must_use]
    pub fn of(words: Vec<Word>) -> Self {
        Self(words)
    }

    pub(super) fn takes(&self, subject: &Subject) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| word.names(subject.group, &subject.key))
    }

    /// True when any check of the group is wanted.
    pub(super) fn takes_any_of(&self, group: CheckGroup) -> bool {
        let mut keys = KEYS.iter().filter(|(of, _)| *of == group);
        self.0.is_empty()
            || keys.any(|(group, key)| self.0.iter().any(|word| word.names(*group, key) || word.is_one_of(key)))
    }
}

/// What names checks: the word of a group, a key, or the beginning of keys up to a hyphen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(String);

impl Word {
    fn names(&self, group: CheckGroup, key: &str) -> bool {
        self.0 == group.word() || begins(key, &self.0)
    }

    /// True for one of the several checks that a key stands for.
    fn is_one_of(&self, key: &str) -> bool {
        SEVERAL.contains(&key) && begins(&self.0, key)
    }
}

impl FromStr for Word {
    type Err = UnknownCheck;

    fn from_str(text: &str) -> Result<Self, UnknownCheck> {
        let word = Self(text.trim().to_owned());
        let known = KEYS.iter().any(|(group, key)| word.names(*group, key) || word.is_one_of(key));
        if known { Ok(word) } else { Err(UnknownCheck { word: word.0 }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(words: &[&str]) -> Vec<&'static str> {
        let chosen = Chosen::of(words.iter().map(|word| word.parse().unwrap()).collect());
        let subject = |(group, key): &(CheckGroup, &'static str)| Subject::new(key, *group, "A thing");
        KEYS.iter().filter(|key| chosen.takes(&subject(key))).map(|(_, key)| *key).collect()
    }

    #[test]
    fn groups_keys_and_beginnings_name_checks() {
        assert_eq!(taken(&[]).len(), KEYS.len());
        assert_eq!(taken(&["storage"]), ["folder", "database", "disk"]);
        assert_eq!(taken(&["containerd", " uv"]), ["uv", "containerd"]);
        assert_eq!(taken(&["argo"]), ["argo-crd", "argo-controller"]);
        let permissions = Chosen::of(vec!["rbac".parse().unwrap()]);
        assert!(permissions.takes(&Subject::new("rbac-pods", CheckGroup::Kubernetes, "A thing")));
        assert!(permissions.takes_any_of(CheckGroup::Kubernetes) && !permissions.takes_any_of(CheckGroup::Tools));
    }

    #[test]
    fn one_of_several_can_be_named() {
        let one = Chosen::of(vec!["rbac-pods".parse().unwrap()]);
        assert!(one.takes(&Subject::new("rbac-pods", CheckGroup::Kubernetes, "A thing")));
        assert!(!one.takes(&Subject::new("rbac-nodes", CheckGroup::Kubernetes, "A thing")));
        assert!(one.takes_any_of(CheckGroup::Kubernetes));
    }

    #[test]
    fn other_words_are_refused_with_those_that_there_are() {
        for wrong in ["", "contain", "pods"] {
            let refused = wrong.parse::<Word>().unwrap_err().to_string();
            assert!(refused.contains("kubernetes") && refused.contains("binary-cache"), "{refused}");
        }
    }
}
