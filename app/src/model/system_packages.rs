//! System packages as a user writes them: Nix attribute names separated by spaces, commas or new lines.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    fallback::{self, Fallback},
    words::shown,
};

/// System packages, parsed. May be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SystemPackages(Vec<String>);

/// What is wrong with a list of system packages: names the offending word and says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SystemPackagesError(String);

impl SystemPackages {
    /// The longest list, in bytes.
    pub const MAX_BYTES: usize = 10_000;
    /// The most names in a list.
    pub const MAX_NAMES: usize = 100;
    /// The longest name, in bytes.
    pub const MAX_NAME_BYTES: usize = 200;

    /// Reads a list as typed. Each name is kept once, where it first stood.
    ///
    /// # Errors
    /// Names the offending word and says what is allowed.
    pub fn parse(text: &str) -> Result<Self, SystemPackagesError> {
        if text.len() > Self::MAX_BYTES {
            return Err(SystemPackagesError(format!(
                "The list has {} bytes; at most {} are allowed.",
                text.len(),
                Self::MAX_BYTES
            )));
        }
        let mut names: Vec<String> = Vec::new();
        for word in text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()) {
            check_name(word)?;
            if !names.iter().any(|name| name == word) {
                names.push(word.to_owned());
            }
        }
        if names.len() > Self::MAX_NAMES {
            return Err(SystemPackagesError(format!(
                "The list names {} packages; at most {} are allowed.",
                names.len(),
                Self::MAX_NAMES
            )));
        }
        Ok(Self(names))
    }

    /// Reads a list that is to be saved now: also refuses names that cannot work, and says what does. What was saved
    /// before they were refused stays readable by [`Self::parse`].
    ///
    /// # Errors
    /// Names the offending word, and what is allowed or to be written instead.
    pub fn parse_new(text: &str) -> Result<Self, SystemPackagesError> {
        let packages = Self::parse(text)?;
        let refused = packages.iter().find_map(|name| match fallback::of(name)? {
            Fallback::Installer => None,
            Fallback::Called(names) => Some(format!("{} is called {} in Nix. Write that.", shown(name), shown(names))),
            Fallback::Nothing(why) => Some(format!("{} does not work as a system package. {why}", shown(name))),
        });
        refused.map_or(Ok(packages), |message| Err(SystemPackagesError(message)))
    }

    /// The names, in the order typed, each once.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// True when no package is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Checks one word: identifiers joined by dots. Nothing in it can mean anything to a shell or to Nix.
fn check_name(word: &str) -> Result<(), SystemPackagesError> {
    if word.len() > SystemPackages::MAX_NAME_BYTES {
        return Err(SystemPackagesError(format!(
            "{} is too long for a package name; at most {} characters are allowed.",
            shown(word),
            SystemPackages::MAX_NAME_BYTES
        )));
    }
    if word.split('.').all(is_identifier) {
        return Ok(());
    }
    if let Some((_, name)) = word.split_once('#')
        && name.split('.').all(is_identifier)
    {
        return Err(SystemPackagesError(format!(
            "{} is a flake reference. Write the name alone: {}.",
            shown(word),
            shown(name)
        )));
    }
    Err(SystemPackagesError(format!(
        "{} is not a system package name. Names begin with a letter or `_` and have letters, digits, `-`, `_`, `+` \
         and `.`, such as `gcc` or `python312Packages.numpy`; separate them with spaces, commas or new lines.",
        shown(word)
    )))
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+'))
}

/// The names, separated by spaces: what is stored and what the form shows again.
impl fmt::Display for SystemPackages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(" "))
    }
}

impl TryFrom<String> for SystemPackages {
    type Error = SystemPackagesError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<SystemPackages> for String {
    fn from(packages: SystemPackages) -> Self {
        packages.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_reads_as_its_names_in_order_each_once() {
        for (text, expected) in [
            ("", ""),
            (" , \n ", ""),
            ("gcc ffmpeg", "gcc ffmpeg"),
            ("gcc, ffmpeg,", "gcc ffmpeg"),
            ("zlib\r\ngcc\nzlib", "zlib gcc"),
            ("python312Packages.numpy", "python312Packages.numpy"),
            ("_7zz libsigc++ gtk-3", "_7zz libsigc++ gtk-3"),
            ("conda", "conda"),
        ] {
            assert_eq!(SystemPackages::parse(text).unwrap().to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        for (text, word) in [
            ("gcc; rm", "`gcc;`"),
            ("gcc && x", "`&&`"),
            ("$(id)", "`$(id)`"),
            ("`id`", "``id``"),
            ("gcc |tee", "`|tee`"),
            ("'; rm -rf /", "`';`"),
            ("a'b", "`a'b`"),
            ("--impure", "`--impure`"),
            ("gcc 🚀", "`🚀`"),
            ("gcc\u{202e}x", "`gcc\\u{202e}x`"),
            ("gcc\0", "`gcc\\u{0}`"),
            ("7zz", "`7zz`"),
            ("a..b", "`a..b`"),
            (".a", "`.a`"),
            ("a.", "`a.`"),
            ("../x", "`../x`"),
            ("a.7b", "`a.7b`"),
            ("{{x}}", "`{{x}}`"),
            ("<b>", "`<b>`"),
            ("gcc>=12", "`gcc>=12`"),
        ] {
            let message = SystemPackages::parse(text).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{word} is not a system package name.")), "{text:?}: {message}");
        }
    }

    #[test]
    fn names_that_cannot_work_are_refused_with_those_that_do() {
        let refused = |text| SystemPackages::parse_new(text).unwrap_err().to_string();
        assert_eq!(refused("vim make"), "`make` is called `gnumake` in Nix. Write that.");
        assert_eq!(refused("sudo"), "`sudo` does not work as a system package. A run cannot become another user.");
        assert!(SystemPackages::parse_new("gcc conda").is_ok());
    }

    #[test]
    fn the_limits_are_told() {
        for (text, expected) in [
            ("x".repeat(10_001), "The list has 10001 bytes; at most 10000 are allowed."),
            (
                (0..101).map(|n| format!("p{n}")).collect::<Vec<_>>().join(" "),
                "The list names 101 packages; at most 100 are allowed.",
            ),
            (
                "x".repeat(201),
                "`xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is too long for a package name; \
                 at most 200 characters are allowed.",
            ),
            ("nixpkgs#gcc".to_owned(), "`nixpkgs#gcc` is a flake reference. Write the name alone: `gcc`."),
        ] {
            assert_eq!(SystemPackages::parse(&text).unwrap_err().to_string(), expected);
        }
        assert!(SystemPackages::parse(&"x".repeat(200)).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = SystemPackages::parse(&text);
        }

        #[test]
        fn what_is_accepted_reads_as_itself_and_is_harmless(
            words in prop::collection::vec("[a-c$;'._ ,\\n+-]{0,4}|[a-z_]{1,3}(\\.[a-z]{1,3})?", 0..12)
        ) {
            if let Ok(packages) = SystemPackages::parse(&words.join(" ")) {
                let text = packages.to_string();
                prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+- ".contains(&b)));
                prop_assert_eq!(SystemPackages::parse(&text).unwrap(), packages);
            }
        }

        #[test]
        fn order_is_kept(names in prop::collection::btree_set("[a-z]{1,5}", 0..20)) {
            let names: Vec<String> = names.into_iter().rev().collect();
            let packages = SystemPackages::parse(&names.join(", ")).unwrap();
            prop_assert_eq!(packages.iter().collect::<Vec<_>>(), names);
        }
    }
}
