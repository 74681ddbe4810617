//! What a traceback says of the program: which of its lines, and the error at last.

/// A place of the program that a log names: `File "…/main.py", line 9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The text that names it.
    pub text: &'a str,
    /// The path of the step's folder in it, with a slash at its end. Empty when only the file is named.
    pub folder: &'a str,
    /// The number of the line, from 1 on.
    pub line: u32,
}

const START: &str = "File \"";

/// How the program's own file is called. It lies in a folder `work` of one for its step, at whichever place that is; nothing
/// of a package lies in such a folder.
const PROGRAM: &str = "main.py";

/// The next place of the program in a text, with what stands before and after it.
#[must_use]
pub fn place_in_program(text: &str) -> Option<(&str, Place<'_>, &str)> {
    let mut from = 0;
    while let Some(start) = text[from..].find(START).map(|start| start + from) {
        let path = &text[start + START.len()..];
        if let Some((path, rest)) = path.split_once('"')
            && let Some(folder) = folder_of_program(path)
            && let Some(number) = rest.strip_prefix(", line ")
        {
            let digits = number.bytes().take_while(u8::is_ascii_digit).count();
            if let Ok(line) = number[..digits].parse()
                && line > 0
            {
                let end = text.len() - number.len() + digits;
                return Some((&text[..start], Place { text: &text[start..end], folder, line }, &text[end..]));
            }
        }
        from = start + START.len();
    }
    None
}

/// Where the program lies, if a path is its.
fn folder_of_program(path: &str) -> Option<&str> {
    let folder = path.strip_suffix(PROGRAM)?;
    let step = folder.strip_suffix("/work/").and_then(|step| step.rsplit_once('/'));
    (folder.is_empty() || step.is_some_and(|(steps, _)| steps.ends_with("/steps"))).then_some(folder)
}

/// The error at the end of a traceback, of which these are the lines after the one that names a place.
#[must_use]
pub fn error_after(lines: impl IntoIterator<Item = String>) -> Option<String> {
    lines.into_iter().find(|line| !line.is_empty() && !line.starts_with([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<u32> {
        place_in_program(text).map(|(_, place, _)| place.line)
    }

    #[test]
    fn places_of_the_program_are_found_and_no_others() {
        for (path, is_found) in [
            ("/data/steps/step-1a2b/work/main.py", true),
            ("/stoker/steps/a/work/main.py", true),
            ("main.py", true),
            ("/cache/environments/k/lib/python3.12/site-packages/main.py", false),
            ("/lib/site-packages/work/main.py", false),
            ("/data/steps/a/work/helper.py", false),
            ("<string>", false),
        ] {
            assert_eq!(line(&format!("  File \"{path}\", line 9, in <module>")).is_some(), is_found, "{path}");
        }
    }

    #[test]
    fn a_place_is_cut_out_of_its_text() {
        let text = r#"a File "x", line 1 File "main.py", line 12, in f"#;
        let (before, place, after) = place_in_program(text).unwrap();
        assert_eq!(before, r#"a File "x", line 1 "#);
        assert_eq!(place, Place { text: r#"File "main.py", line 12"#, folder: "", line: 12 });
        assert_eq!(after, ", in f");
        let (_, place, _) = place_in_program(r#"File "/d/steps/a/work/main.py", line 9"#).unwrap();
        assert_eq!(place.folder, "/d/steps/a/work/");
        for text in [
            "",
            "File \"main.py\", line ",
            "File \"main.py\", line 0",
            "File \"main.py\", line 99999999999",
            "File \"main.py",
        ] {
            assert_eq!(line(text), None, "{text}");
        }
    }

    #[test]
    fn the_error_is_the_first_line_that_is_not_set_in() {
        let lines = ["    x()", "    ~^^", "ValueError: no", "Next"].map(str::to_owned);
        assert_eq!(error_after(lines), Some("ValueError: no".to_owned()));
        assert_eq!(error_after([]), None);
    }
}
