//! Files that are sent with a form in place of what is typed.

use app::model::{
    fields::{Field, FieldErrors},
    spec::{Code, TaskDraft, TaskName},
    task_title::TaskTitle,
};

use super::body::{FormFields, UploadedFile};

/// The files for the fields of one program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uploads {
    code: Option<UploadedFile>,
    requirements: Option<UploadedFile>,
}

impl Uploads {
    /// Takes the files out of a form; `control` names a control of the program in it.
    pub fn take(fields: &mut FormFields, control: impl Fn(&str) -> String) -> Self {
        Self {
            code: fields.take_file(&control(Field::CODE_UPLOAD)),
            requirements: fields.take_file(&control(Field::REQUIREMENTS_UPLOAD)),
        }
    }

    /// Puts the files in place of what was typed. What cannot be used is said, and leaves what was typed as it is.
    pub fn put_into(self, program: &mut TaskDraft) -> FieldErrors {
        let mut errors = FieldErrors::default();
        if let Some(file) = self.code
            && let Some(text) = errors.take(Field::Code, script(&file))
        {
            if program.name.trim().is_empty() && TaskTitle::in_code(&text).is_none() {
                program.name = name_of(&file);
            }
            program.code = text;
        }
        match self.requirements.map(|file| file.text()) {
            Some(Ok(text)) if !text.trim().is_empty() => program.requirements = text,
            Some(Err(words)) => errors.push(Field::Requirements, words),
            _ => {}
        }
        errors
    }
}

/// What an uploaded script holds.
fn script(file: &UploadedFile) -> Result<String, String> {
    let text = file.text()?;
    if text.trim().is_empty() {
        return Err("The uploaded file is empty. Choose another one.".to_owned());
    }
    if text.len() > Code::MAX_BYTES {
        return Err(format!(
            "The uploaded file has {} KiB; at most 256 KiB are allowed. Move data into a file or a package.",
            text.len().div_ceil(1024)
        ));
    }
    Ok(text)
}

/// The name of a task whose code came in a file, when there is one.
fn name_of(file: &UploadedFile) -> String {
    let name = file.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.strip_suffix(".py").unwrap_or(name).chars().take(TaskName::MAX_CHARACTERS).collect();
    TaskName::parse(&name).ok().flatten().map(|name| name.as_str().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uploaded(name: &str, content: &[u8], typed: &TaskDraft) -> (TaskDraft, FieldErrors) {
        let mut draft = typed.clone();
        let file = UploadedFile { name: name.to_owned(), content: content.to_vec() };
        let errors = Uploads { code: Some(file), requirements: None }.put_into(&mut draft);
        (draft, errors)
    }

    #[test]
    fn a_script_that_does_not_say_what_it_is_is_called_by_its_file() {
        let none = TaskDraft::default();
        for (file, content, name) in [
            ("weekly_report.py", "print(1)", "weekly_report"),
            ("C:\\jobs\\weekly.py", "print(1)", "weekly"),
            ("weekly.py", "# Weekly report\nprint(1)", ""),
            ("\u{202e}.py", "print(1)", ""),
            ("notes", "print(1)", "notes"),
        ] {
            let (draft, errors) = uploaded(file, content.as_bytes(), &none);
            assert!(errors.is_empty() && draft.code == content && draft.name == name, "{file}: {draft:?}");
        }
        let named = TaskDraft { name: "Mine".to_owned(), code: "typed".to_owned(), ..none };
        assert_eq!(uploaded("weekly.py", b"\xef\xbb\xbfprint(1)\r\n", &named).0.name, "Mine");
        assert_eq!(uploaded("weekly.py", b"\xef\xbb\xbfprint(1)\r\n", &named).0.code, "print(1)\n");
    }

    #[test]
    fn what_cannot_be_used_leaves_what_was_typed() {
        let typed = TaskDraft { code: "typed".to_owned(), ..TaskDraft::default() };
        for (content, words) in [
            (&b" \n"[..], "is empty"),
            (&b"print('\xff')"[..], "is not UTF-8 text"),
            (&vec![b'#'; Code::MAX_BYTES + 1][..], "has 257 KiB"),
        ] {
            let (draft, errors) = uploaded("x.py", content, &typed);
            assert!(errors.at(Field::Code).unwrap().contains(words), "{errors:?}");
            assert_eq!(draft, typed);
        }
    }
}
