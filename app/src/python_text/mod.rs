//! Python as text: its colours, its brackets, and what the keys of an editor do to it. Pure functions, used by the server
//! for code that is shown and by the browser for code that is typed, so that both look the same.
//! It reads tokens, not grammar: code that is half typed is coloured too.

mod brackets;
mod editing;
mod find;
mod html;
mod source;
mod tokens;
mod traceback;
mod words;

pub use brackets::matching_brackets;
pub use editing::{Edit, Move, break_line, delete_back, duplicate_lines, indent, move_lines, toggle_comment};
pub use find::find_all;
#[cfg(feature = "ssr")]
pub use html::code_html;
pub use html::{Mark, line_html};
pub use source::{Change, SourceText};
pub use tokens::{Kind, State, read_line};
pub use traceback::{Place, error_after, place_in_program};
