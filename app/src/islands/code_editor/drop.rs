//! A file that is dropped onto the code takes its place; undo brings back what was there, unless the file is long.

use std::path::Path;

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DataTransfer, DragEvent, Event, File};

use super::Editor;
use crate::{browser::dom::number, model::spec::Code, python_text::Edit};

/// Whether it is files that are dragged here.
pub(super) fn has_files(event: &Event) -> bool {
    transfer(event).is_some_and(|transfer| transfer.types().includes(&"Files".into(), 0))
}

fn transfer(event: &Event) -> Option<DataTransfer> {
    event.dyn_ref::<DragEvent>()?.data_transfer()
}

impl Editor {
    /// Takes files that were dropped; tells whether there were any. Text that was dropped is the browser's matter.
    pub(super) fn take_drop(&'static self, event: &Event) -> bool {
        if !has_files(event) {
            return false;
        }
        let file = transfer(event).and_then(|transfer| transfer.files()).and_then(|files| files.get(0));
        if let Some(file) = file {
            match refusal(&file) {
                Some(refusal) => self.say(&refusal),
                None => spawn_local(self.take_file(file)),
            }
        }
        true
    }

    async fn take_file(&self, file: File) {
        let name = file.name();
        let text = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string());
        let Some(text) = text else {
            self.say(&format!("{name} could not be read. Drop it once more."));
            return;
        };
        let range = 0..self.source.borrow().text().len();
        // A command of the browser goes to where the focus is.
        let _ = self.area.focus();
        let edit = Edit { range, text: text.replace("\r\n", "\n"), selection: 0..0 };
        let can_be_undone = self.apply(&edit, &self.selection());
        let undo = if can_be_undone { " Undo brings back what was here." } else { "" };
        self.say(&format!("The code is that of {name}.{undo}"));
    }
}

/// Why a file is not taken.
fn refusal(file: &File) -> Option<String> {
    let name = file.name();
    if Path::new(&name).extension().is_none_or(|extension| extension != "py") {
        return Some(format!("{name} was not taken: only a Python file (.py) can be dropped here."));
    }
    let size = number(file, "size").and_then(|bytes| usize::try_from(bytes).ok());
    let kib = Code::MAX_BYTES / 1024;
    size.is_none_or(|bytes| bytes > Code::MAX_BYTES)
        .then(|| format!("{name} was not taken: a program may have {kib} KiB at most."))
}
