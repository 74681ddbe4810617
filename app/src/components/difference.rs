//! What changed from one run to the next: code and exact versions.

use std::collections::BTreeMap;

use leptos::prelude::*;
use similar::{ChangeTag, TextDiff};

use crate::model::{
    lock::Lock,
    spec::TaskSpec,
    views::{PreviousRun, RunDetail},
};

/// A line of a code difference.
#[derive(Debug, Clone, PartialEq, Eq)]
enum CodeChange {
    /// Lines in between are left out.
    Gap,
    /// A line that is in both, in the old or in the new code.
    Line(ChangeTag, String),
}

/// Everything that differs between a run and the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    code: Vec<CodeChange>,
    facts: Vec<String>,
    versions: Vec<String>,
}

impl Difference {
    /// Compares a run with the one before it.
    pub fn of(run: &RunDetail, previous: &PreviousRun) -> Self {
        Self {
            code: code_changes(previous.spec.code.as_str(), run.step.spec.code.as_str()),
            facts: spec_changes(&previous.spec, &run.step.spec),
            versions: match (&previous.lock, &run.step.lock) {
                (Some(old), Some(new)) => version_changes(old, new),
                _ => Vec::new(),
            },
        }
    }

    /// True when the two runs had the same code, packages and settings.
    pub fn is_empty(&self) -> bool {
        self.code.is_empty() && self.facts.is_empty() && self.versions.is_empty()
    }

    /// What differs, in a few words.
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        if !self.code.is_empty() {
            let count = |wanted| {
                self.code.iter().filter(|change| matches!(change, CodeChange::Line(tag, _) if *tag == wanted)).count()
            };
            parts.push(format!("code +{} −{}", count(ChangeTag::Insert), count(ChangeTag::Delete)));
        }
        if !self.facts.is_empty() {
            parts.push("settings".to_owned());
        }
        if !self.versions.is_empty() {
            parts.push(match self.versions.len() {
                1 => "1 version".to_owned(),
                several => format!("{several} versions"),
            });
        }
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
    }

    /// The difference as shown.
    pub fn view(self) -> AnyView {
        let list = |title: &'static str, items: Vec<String>| {
            (!items.is_empty()).then(|| {
                let items = items.into_iter().map(|item| view! { <li>{item}</li> }).collect_view();
                view! {
                    <h3>{title}</h3>
                    <ul class="changes">{items}</ul>
                }
            })
        };
        let code = (!self.code.is_empty()).then(|| {
            let lines = self.code.into_iter().map(code_change_view).collect_view();
            view! {
                <h3>"Code"</h3>
                <div class="difference" role="region" aria-label="Code changes" tabindex="0">{lines}</div>
            }
        });
        view! {
            {list("Settings", self.facts)}
            {list("Versions", self.versions)}
            {code}
        }
        .into_any()
    }
}

fn code_change_view(change: CodeChange) -> AnyView {
    match change {
        CodeChange::Gap => view! { <div class="difference-gap">"⋯"</div> }.into_any(),
        CodeChange::Line(tag, text) => {
            let (class, sign) = match tag {
                ChangeTag::Equal => ("is-same", " "),
                ChangeTag::Delete => ("is-removed", "−"),
                ChangeTag::Insert => ("is-added", "+"),
            };
            view! { <div class=class><span class="difference-sign">{sign}</span><span>{text}</span></div> }.into_any()
        }
    }
}

/// The changed lines with two lines around each.
fn code_changes(old: &str, new: &str) -> Vec<CodeChange> {
    let difference = TextDiff::configure().timeout(std::time::Duration::from_millis(200)).diff_lines(old, new);
    let mut changes = Vec::new();
    for group in difference.grouped_ops(2) {
        if !changes.is_empty() {
            changes.push(CodeChange::Gap);
        }
        for operation in group {
            for change in difference.iter_changes(&operation) {
                changes.push(CodeChange::Line(change.tag(), change.value().trim_end_matches('\n').to_owned()));
            }
        }
    }
    changes
}

/// Changes of everything in the spec but the code, a sentence each.
fn spec_changes(old: &TaskSpec, new: &TaskSpec) -> Vec<String> {
    let mut changes = Vec::new();
    let mut names = |kind: &str, old: Vec<&str>, new: Vec<&str>| {
        for added in new.iter().filter(|name| !old.contains(name)) {
            changes.push(format!("{kind} {added} added"));
        }
        for removed in old.iter().filter(|name| !new.contains(name)) {
            changes.push(format!("{kind} {removed} removed"));
        }
    };
    names("Package", old.packages.iter().collect(), new.packages.iter().collect());
    names("System package", old.system_packages.iter().collect(), new.system_packages.iter().collect());
    if old.requirements != new.requirements {
        changes.push("Requirements file changed".to_owned());
    }
    if old.environment != new.environment {
        changes.push("Environment variables changed".to_owned());
    }
    if old.timeout != new.timeout {
        let words = |spec: &TaskSpec| spec.timeout.map_or("none".to_owned(), |limit| format!("{} s", limit.seconds()));
        changes.push(format!("Timeout {} → {}", words(old), words(new)));
    }
    let none = || "none".to_owned();
    let mut amounts = |name: &str, old: Option<String>, new: Option<String>| {
        if old != new {
            changes.push(format!("{name} {} → {}", old.unwrap_or_else(none), new.unwrap_or_else(none)));
        }
    };
    let (before, after) = (old.resources, new.resources);
    amounts("Processors asked for", shown(before.cpu_request), shown(after.cpu_request));
    amounts("Processors at most", shown(before.cpu_limit), shown(after.cpu_limit));
    amounts("Memory asked for", shown(before.memory_request), shown(after.memory_request));
    amounts("Memory at most", shown(before.memory_limit), shown(after.memory_limit));
    amounts("Python", shown(old.python), shown(new.python));
    let engine = |spec: &TaskSpec| spec.engine.as_ref().map(|engine| engine.as_str().to_owned());
    amounts("Engine", engine(old), engine(new));
    if old.use_cache != new.use_cache {
        changes.push(if new.use_cache { "Cache switched on" } else { "Cache switched off" }.to_owned());
    }
    changes
}

fn shown(amount: Option<impl ToString>) -> Option<String> {
    amount.map(|amount| amount.to_string())
}

/// Changes of exact versions, a few words each.
fn version_changes(old: &Lock, new: &Lock) -> Vec<String> {
    let versions = |lock: &Lock| -> BTreeMap<String, String> {
        lock.packages().into_iter().map(|package| (package.name, package.version)).collect()
    };
    let (old, new) = (versions(old), versions(new));
    let mut changes = Vec::new();
    for (name, version) in &new {
        match old.get(name) {
            None => changes.push(format!("{name} {version} added")),
            Some(before) if before != version => changes.push(format!("{name} {before} → {version}")),
            Some(_) => {}
        }
    }
    changes.extend(
        old.iter()
            .filter(|(name, _)| !new.contains_key(*name))
            .map(|(name, version)| format!("{name} {version} removed")),
    );
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_changes_show_their_surroundings_only() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\n";
        let changes = code_changes(old, &old.replace('b', "B").replace('h', "H"));
        let text: Vec<String> = changes
            .iter()
            .map(|change| match change {
                CodeChange::Gap => "…".to_owned(),
                CodeChange::Line(tag, line) => format!("{tag}{line}"),
            })
            .collect();
        assert_eq!(text, [" a", "-b", "+B", " c", " d", "…", " f", " g", "-h", "+H", " i"]);
        assert!(code_changes(old, old).is_empty());
    }

    #[test]
    fn versions_are_compared_by_name() {
        let old = Lock("a==1\nb==1\nc==1\n".to_owned());
        let new = Lock("a==1\nb==2\nd==1\n".to_owned());
        assert_eq!(version_changes(&old, &new), ["b 1 → 2", "d 1 added", "c 1 removed"]);
    }
}
