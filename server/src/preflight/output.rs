//! A report as text: a table for people, JSON for programs.

use std::fmt::Write as _;

use app::model::{
    checkpoint::CheckpointStatus,
    checks::{Check, CheckReport},
};
use serde_json::{Value, json};

/// Longer lines are hard to read, and the usual terminal has room for these.
const WIDTH: usize = 110;

/// The report for programs. docs/preflight.md describes it.
#[must_use]
pub fn as_json(report: &CheckReport) -> Value {
    json!({
        "status": report.worst(),
        "at": report.at.to_rfc3339(),
        "checks": report.checks,
    })
}

/// The report for people.
pub fn as_table(report: &CheckReport, colours: bool) -> String {
    let title_width = report.checks.iter().map(|check| check.title.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (group, checks) in report.by_group() {
        line(&mut text, &bold(group.title(), colours));
        for check in checks {
            row(&mut text, check, title_width, colours);
        }
        line(&mut text, "");
    }
    line(&mut text, &summary(report));
    text
}

fn row(text: &mut String, check: &Check, title_width: usize, colours: bool) {
    let (symbol, word, colour) = look(check.status);
    // Padded before it is coloured: escape sequences have no width.
    let status = painted(&format!("{symbol} {word:<7}"), colour, colours);
    let margin = 2 + 9 + 2 + title_width + 2;
    let mut lines = wrapped(&check.detail, WIDTH.saturating_sub(margin)).into_iter();
    let first = lines.next().unwrap_or_default();
    line(text, &format!("  {status}  {:<title_width$}  {first}", check.title));
    let fix = check.fix.as_ref().map(|fix| format!("Fix: {fix}"));
    let fix = fix.iter().flat_map(|fix| wrapped(fix, WIDTH.saturating_sub(margin)));
    for more in lines.chain(fix) {
        line(text, &format!("{:margin$}{more}", ""));
    }
}

/// A symbol, a word, and the number of a terminal's colour (<https://ecma-international.org/publications-and-standards/standards/ecma-48/>, SGR).
const fn look(status: CheckpointStatus) -> (char, &'static str, u8) {
    match status {
        CheckpointStatus::Ok => ('✓', "ok", 32),
        CheckpointStatus::Skipped => ('-', "skipped", 2),
        CheckpointStatus::Warning => ('!', "warning", 33),
        CheckpointStatus::Failed => ('✗', "failed", 31),
    }
}

fn summary(report: &CheckReport) -> String {
    let count = |status| report.checks.iter().filter(|check| check.status == status).count();
    let (failed, warnings) = (count(CheckpointStatus::Failed), count(CheckpointStatus::Warning));
    let total = report.checks.len();
    let checks = if total == 1 { "1 check".to_owned() } else { format!("{total} checks") };
    match (failed, warnings) {
        (0, 0) => format!("{checks}, nothing to do."),
        (0, 1) => format!("{checks}, 1 warning."),
        (0, _) => format!("{checks}, {warnings} warnings."),
        (_, 0) => format!("{checks}, {failed} failed."),
        (_, 1) => format!("{checks}, {failed} failed, 1 warning."),
        _ => format!("{checks}, {failed} failed, {warnings} warnings."),
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "{line}");
}

fn bold(text: &str, colours: bool) -> String {
    painted(text, 1, colours)
}

fn painted(text: &str, number: u8, colours: bool) -> String {
    if colours { format!("\u{1b}[{number}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Broken at spaces; a longer word has a line of its own. Other programs' words are in it, so control characters (which
/// could repaint the terminal) are taken out.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::<String>::new();
    for word in text.split_whitespace() {
        let word: String = word.chars().filter(|letter| !letter.is_control()).collect();
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use app::model::{checks::CheckGroup, time::Timestamp};

    use super::*;

    fn report() -> CheckReport {
        let check = |key: &str, group, title: &str, status, detail: &str, fix: Option<&str>| Check {
            key: key.to_owned(),
            group,
            title: title.to_owned(),
            status,
            detail: detail.to_owned(),
            fix: fix.map(str::to_owned),
        };
        let checks = vec![
            check("uv", CheckGroup::Tools, "uv", CheckpointStatus::Ok, "uv 0.9.1 (/usr/bin/uv).", None),
            check(
                "nix",
                CheckGroup::Tools,
                "Nix",
                CheckpointStatus::Warning,
                "There is no Nix that can be used, so tasks cannot have system packages. Python packages need none at all.",
                Some("Install\u{1b}[2J Nix."),
            ),
            check(
                "index",
                CheckGroup::Network,
                "Package index",
                CheckpointStatus::Failed,
                "It does not answer.",
                Some("Check the network."),
            ),
            check("port", CheckGroup::Network, "Address", CheckpointStatus::Skipped, "Not asked.", None),
        ];
        CheckReport { checks, at: Timestamp(1_709_210_096_789) }
    }

    #[test]
    fn the_table_is_aligned_and_says_the_fixes() {
        insta::assert_snapshot!(as_table(&report(), false), @"
        Tools
          ✓ ok       uv             uv 0.9.1 (/usr/bin/uv).
          ! warning  Nix            There is no Nix that can be used, so tasks cannot have system packages. Python
                                    packages need none at all.
                                    Fix: Install[2J Nix.

        Network
          ✗ failed   Package index  It does not answer.
                                    Fix: Check the network.
          - skipped  Address        Not asked.

        4 checks, 1 failed, 1 warning.
        ");
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let coloured = as_table(&report(), true);
        assert!(coloured.contains("\u{1b}[31m✗ failed \u{1b}[0m  Package index  It does"), "{coloured}");
        let mut plain = coloured;
        for number in [0, 1, 2, 31, 32, 33] {
            plain = plain.replace(&format!("\u{1b}[{number}m"), "");
        }
        assert_eq!(plain, as_table(&report(), false));
    }

    #[test]
    fn programs_get_every_field() {
        let json = as_json(&report());
        assert_eq!((&json["status"], &json["at"]), (&"failed".into(), &"2024-02-29T12:34:56.789Z".into()));
        let expected = json!({
            "key": "port", "group": "network", "title": "Address", "status": "skipped", "detail": "Not asked.",
            "fix": null,
        });
        assert_eq!(json["checks"][3], expected);
    }
}
