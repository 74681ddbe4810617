//! What changed from one run to another: code, settings and exact versions.

use std::{collections::BTreeMap, fmt, time::Duration};

use leptos::prelude::*;
use similar::{ChangeTag, DiffTag, TextDiff};

use crate::model::{
    lock::Lock,
    spec::TaskSpec,
    views::{PreviousRun, RunDetail},
};

/// A line of a difference between two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Lines in between are left out.
    Gap,
    /// A line that is in both, in the old or in the new text.
    Line(ChangeTag, String),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap => formatter.write_str("…"),
            Self::Line(tag, line) => write!(formatter, "{tag}{line}"),
        }
    }
}

/// Everything that differs between a run and the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    code: Vec<Change>,
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
                self.code.iter().filter(|change| matches!(change, Change::Line(tag, _) if *tag == wanted)).count()
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
            let lines = lines_view(self.code.into_iter(), "Code changes");
            view! {
                <h3>"Code"</h3>
                {lines}
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

/// Changed lines with what surrounds them.
pub fn lines_view(changes: impl Iterator<Item = Change>, label: &'static str) -> AnyView {
    let lines = changes.map(line_view).collect_view();
    view! { <div class="difference" role="region" aria-label=label tabindex="0">{lines}</div> }.into_any()
}

fn line_view(change: Change) -> AnyView {
    match change {
        Change::Gap => view! { <div class="difference-gap">"⋯"</div> }.into_any(),
        Change::Line(tag, text) => {
            let (class, sign) = match tag {
                ChangeTag::Equal => ("is-same", " "),
                ChangeTag::Delete => ("is-removed", "−"),
                ChangeTag::Insert => ("is-added", "+"),
            };
            view! { <div class=class><span class="difference-sign">{sign}</span><span>{text}</span></div> }.into_any()
        }
    }
}

fn code_changes(old: &str, new: &str) -> Vec<Change> {
    let lines = |code: &str| code.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
    line_changes(&lines(old), &lines(new), str::to_owned)
}

/// The lines that differ in their keys, with two lines around each.
pub fn line_changes(old: &[String], new: &[String], key: impl Fn(&str) -> String) -> Vec<Change> {
    let keys = |lines: &[String]| lines.iter().map(|line| key(line)).collect::<Vec<_>>();
    let (old_keys, new_keys) = (keys(old), keys(new));
    let old_keys: Vec<&str> = old_keys.iter().map(String::as_str).collect();
    let new_keys: Vec<&str> = new_keys.iter().map(String::as_str).collect();
    let difference = TextDiff::configure().timeout(Duration::from_millis(200)).diff_slices(&old_keys, &new_keys);
    let line = |tag, line: &String| Change::Line(tag, line.trim_end_matches('\n').to_owned());
    let mut changes = Vec::new();
    for group in difference.grouped_ops(2) {
        if !changes.is_empty() {
            changes.push(Change::Gap);
        }
        for operation in group {
            let (tag, from, to) = operation.as_tag_tuple();
            if tag == DiffTag::Equal {
                changes.extend(new[to].iter().map(|text| line(ChangeTag::Equal, text)));
            } else {
                changes.extend(old[from].iter().map(|text| line(ChangeTag::Delete, text)));
                changes.extend(new[to].iter().map(|text| line(ChangeTag::Insert, text)));
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
        let text: Vec<String> = changes.iter().map(ToString::to_string).collect();
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
