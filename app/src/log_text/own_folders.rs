//! Leaves the paths of Stoker's own folders out of its own words: what is in them is what one wants to read.

use std::borrow::Cow;

/// A text without the paths of a step's folder and of an environment in it: `main.py`, `site-packages/six.py`.
pub fn without_own_folders(text: &str) -> Cow<'_, str> {
    let mut short = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('/') {
        let path = &rest[start..];
        let path = &path[..path.find(ends_path).unwrap_or(path.len())];
        let after = start + path.len();
        let begins_there = rest[..start].chars().next_back().is_none_or(ends_path);
        match shortened(path).filter(|_| begins_there) {
            Some(own) => {
                short.push_str(&rest[..start]);
                short.push_str(own);
            }
            None => short.push_str(&rest[..after]),
        }
        rest = &rest[after..];
    }
    if short.is_empty() {
        return Cow::Borrowed(text);
    }
    short.push_str(rest);
    Cow::Owned(short)
}

fn ends_path(character: char) -> bool {
    character.is_whitespace() || character.is_control() || matches!(character, '"' | '\'' | '`' | '(' | ')' | '=' | ',')
}

/// What a path is called within Stoker's folders; `None` when it is elsewhere.
fn shortened(path: &str) -> Option<&str> {
    let within = |folder: &str, whole: &'static str| {
        let (_, inside) = path.split_once(folder)?;
        let inside = inside.split_once('/').map_or("", |(_, inside)| inside);
        Some(if inside.is_empty() { whole } else { inside })
    };
    if let Some(inside) = within("/cache/environments/", "the environment") {
        // `lib/python3.12/` says nothing either.
        let library = inside.strip_prefix("lib/python").and_then(|inside| inside.split_once('/'));
        return Some(library.map_or(inside, |(_, inside)| inside));
    }
    let inside = within("/steps/run-", "the run's folder")?;
    Some(inside.strip_prefix("work/").unwrap_or(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_folders_are_left_out() {
        for (text, expected) in [
            ("File \"/data/steps/run-0a1b/work/main.py\", line 9", "File \"main.py\", line 9"),
            (
                "see /var/lib/x/cache/environments/0f0f/lib/python3.12/site-packages/six.py:3.",
                "see site-packages/six.py:3.",
            ),
            (
                "Using Python 3.12 environment at: /d/cache/environments/0f0f",
                "Using Python 3.12 environment at: the environment",
            ),
            ("in /d/steps/run-1/environment/bin/python3", "in environment/bin/python3"),
            ("at /d/steps/run-1 now", "at the run's folder now"),
            ("/usr/bin/x and https://a.b/steps/run-1/c", "/usr/bin/x and https://a.b/steps/run-1/c"),
            ("no path", "no path"),
            ("a/b /", "a/b /"),
        ] {
            assert_eq!(without_own_folders(text), expected);
        }
    }
}
