//! What keys do to a program: each is a function from the text and the selection to an edit. Places are bytes.

use std::ops::Range;

use super::{
    brackets::{is_opening, matching_brackets},
    source::SourceText,
    tokens::Kind,
};

/// How deep a level is set in.
const LEVEL: usize = 4;

/// A text that takes the place of another, and what is selected then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub range: Range<usize>,
    /// By what.
    pub text: String,
    /// What is selected after that, in the text as it is then.
    pub selection: Range<usize>,
}

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Up,
    Down,
}

impl Edit {
    /// An edit with the caret after what it puts in.
    fn insert(range: Range<usize>, text: String) -> Self {
        let caret = range.start + text.len();
        Self { range, text, selection: caret..caret }
    }
}

/// Begins a line: as deep as the one before, deeper after a colon and in brackets, less deep after what ends a block.
#[must_use]
pub fn break_line(source: &SourceText, selection: Range<usize>) -> Edit {
    let after = &source.text()[selection.end..];
    let after_space = after.trim_start_matches([' ', '\t']);
    let range = selection.start..selection.end + (after.len() - after_space.len());
    let before = Before::of(source, selection.start);
    let indentation = before.indentation(source);
    let deeper = format!("{indentation}{:LEVEL$}", "");
    if before.open_brackets > 0 {
        let closes = after_space.starts_with([')', ']', '}']) && before.last.is_some_and(is_opening);
        let text = if closes { format!("\n{deeper}\n{indentation}") } else { format!("\n{deeper}") };
        let caret = range.start + 1 + deeper.len();
        return Edit { range, text, selection: caret..caret };
    }
    let text = if before.last == Some(b':') {
        deeper
    } else if before.ends_block() {
        indentation[..indentation.len() - LEVEL.min(indentation.len())].to_owned()
    } else {
        indentation.to_owned()
    };
    Edit::insert(range, format!("\n{text}"))
}

/// A line up to the caret.
struct Before<'a> {
    line: &'a str,
    /// The last character of code.
    last: Option<u8>,
    /// How many brackets of this line are open.
    open_brackets: usize,
    /// A bracket that closes one of an earlier line.
    closing: Option<usize>,
    /// Whether the line begins in a text of several lines.
    is_in_text: bool,
}

impl<'a> Before<'a> {
    fn of(source: &'a SourceText, caret: usize) -> Self {
        let index = source.line_at(caret);
        let start = source.range_of(index).start;
        let line = &source.text()[start..caret];
        let mut before = Self { line, last: None, open_brackets: 0, closing: None, is_in_text: false };
        let mut is_first = true;
        source.read_pieces(index, &mut |kind, at, text| {
            if at >= caret || kind == Kind::Comment {
                return;
            }
            before.is_in_text |= is_first && kind == Kind::String && !text.starts_with(['"', '\'']);
            is_first = false;
            for (byte, at) in text.bytes().zip(at..caret) {
                if kind == Kind::Text {
                    match byte {
                        b'(' | b'[' | b'{' => before.open_brackets += 1,
                        b')' | b']' | b'}' if before.open_brackets == 0 => before.closing = Some(at),
                        b')' | b']' | b'}' => before.open_brackets -= 1,
                        _ => {}
                    }
                }
                if !byte.is_ascii_whitespace() {
                    // The colon of a text is none.
                    before.last = Some(if kind == Kind::Text { byte } else { b'x' });
                }
            }
        });
        before
    }

    /// How deep the statement is set in that the line ends.
    fn indentation<'b>(&self, source: &'b SourceText) -> &'b str
    where
        'a: 'b,
    {
        let opening = self.closing.and_then(|closing| matching_brackets(source, closing + 1));
        indentation(opening.map_or(self.line, |[_, opening]| source.line(source.line_at(opening))))
    }

    /// Whether nothing of the same block can follow.
    fn ends_block(&self) -> bool {
        let word = self.line.trim_start_matches([' ', '\t']).split([' ', '\t', '(', '#']).next();
        !self.is_in_text && matches!(word, Some("return" | "pass" | "raise" | "break" | "continue"))
    }
}

/// Deletes a level of indentation; `None` where there is none before the caret.
#[must_use]
pub fn delete_back(source: &SourceText, selection: Range<usize>) -> Option<Edit> {
    let line = source.range_of(source.line_at(selection.start));
    let column = selection.start - line.start;
    let is_indentation = source.text()[line.start..selection.start].bytes().all(|byte| byte == b' ');
    if !selection.is_empty() || column == 0 || !is_indentation {
        return None;
    }
    let length = (column - 1) % LEVEL + 1;
    Some(Edit::insert(selection.start - length..selection.start, String::new()))
}

/// Sets lines in, or further out; with nothing selected, goes on to the next level where one is.
#[must_use]
pub fn indent(source: &SourceText, selection: Range<usize>, is_outward: bool) -> Edit {
    if is_outward {
        return change_lines(source, selection, |line| {
            let spaces = line.bytes().take(LEVEL).take_while(|byte| *byte == b' ').count();
            Cut { column: 0, length: if line.starts_with('\t') { 1 } else { spaces }, text: "" }
        });
    }
    if selection.is_empty() {
        let start = source.range_of(source.line_at(selection.start)).start;
        let column = source.text()[start..selection.start].chars().count();
        return Edit::insert(selection, " ".repeat(LEVEL - column % LEVEL));
    }
    change_lines(source, selection, |line| Cut {
        column: 0,
        length: 0,
        text: if line.is_empty() { "" } else { "    " },
    })
}

/// Makes lines comments, or code again when all of them are comments.
#[must_use]
pub fn toggle_comment(source: &SourceText, selection: Range<usize>) -> Edit {
    let lines: Vec<&str> = lines_of(source, &selection).map(|line| source.line(line)).collect();
    let is_blank = |line: &str| indentation(line).len() == line.len();
    let all_blank = lines.iter().all(|line| is_blank(line));
    let of_code = || lines.iter().filter(|line| all_blank || !is_blank(line));
    let are_comments = of_code().all(|line| line[indentation(line).len()..].starts_with('#'));
    let column = of_code().map(|line| indentation(line).len()).min().unwrap_or_default();
    change_lines(source, selection, |line| {
        if are_comments {
            let column = indentation(line).len();
            let length = ["# ", "#"].into_iter().find(|mark| line[column..].starts_with(mark)).map_or(0, str::len);
            return Cut { column, length, text: "" };
        }
        let is_left = is_blank(line) && !all_blank;
        Cut { column: column.min(line.len()), length: 0, text: if is_left { "" } else { "# " } }
    })
}

/// Moves the selected lines over the one beside them; `None` where there is none.
#[must_use]
pub fn move_lines(source: &SourceText, selection: Range<usize>, to: Move) -> Option<Edit> {
    let lines = lines_of(source, &selection);
    let block = source.range_of(lines.start).start..source.range_of(lines.end - 1).end;
    let moved = &source.text()[block.clone()];
    match to {
        Move::Up => {
            let other = source.range_of(lines.start.checked_sub(1)?);
            let text = format!("{moved}\n{}", &source.text()[other.clone()]);
            let by = other.len() + 1;
            Some(Edit { range: other.start..block.end, text, selection: selection.start - by..selection.end - by })
        }
        Move::Down => {
            let other = Some(lines.end).filter(|line| *line < source.line_count()).map(|line| source.range_of(line))?;
            let text = format!("{}\n{moved}", &source.text()[other.clone()]);
            let by = other.len() + 1;
            // The last line has no line break after it that could be selected.
            let end = (selection.end + by).min(source.text().len());
            Some(Edit { range: block.start..other.end, text, selection: selection.start + by..end })
        }
    }
}

/// Puts a copy of the selected lines beneath them, and goes there.
#[must_use]
pub fn duplicate_lines(source: &SourceText, selection: Range<usize>) -> Edit {
    let lines = lines_of(source, &selection);
    let block = source.range_of(lines.start).start..source.range_of(lines.end - 1).end;
    let by = block.len() + 1;
    Edit {
        range: block.end..block.end,
        text: format!("\n{}", &source.text()[block]),
        selection: selection.start + by..selection.end + by,
    }
}

/// The spaces that a line begins with.
fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// The lines that a selection is in; one that ends where a line begins is not in it.
fn lines_of(source: &SourceText, selection: &Range<usize>) -> Range<usize> {
    let first = source.line_at(selection.start);
    let last = source.line_at(selection.end);
    let ends_before = last > first && source.range_of(last).start == selection.end;
    first..if ends_before { last } else { last + 1 }
}

/// What is changed of a line.
struct Cut<'a> {
    column: usize,
    /// How many bytes are taken out there.
    length: usize,
    /// What is put in there.
    text: &'a str,
}

impl Cut<'_> {
    /// Where a column of the line is after that.
    fn moved(&self, column: usize, is_held: bool) -> usize {
        if column < self.column || (column == self.column && is_held) {
            return column;
        }
        column.saturating_sub(self.length).max(self.column) + self.text.len()
    }
}

/// Changes each of the selected lines. What is selected stays so.
fn change_lines<'a>(source: &SourceText, selection: Range<usize>, cut: impl Fn(&str) -> Cut<'a>) -> Edit {
    let lines = lines_of(source, &selection);
    let range = source.range_of(lines.start).start..source.range_of(lines.end - 1).end;
    let mut text = String::with_capacity(range.len() + 64);
    let mut moved = selection.clone();
    for index in lines.clone() {
        if index > lines.start {
            text.push('\n');
        }
        let (place, line) = (source.range_of(index), source.line(index));
        let new_start = range.start + text.len();
        let cut = cut(line);
        let column_in = |at: usize| (place.start..=place.end).contains(&at).then(|| at - place.start);
        if let Some(column) = column_in(selection.start) {
            moved.start = new_start + cut.moved(column, !selection.is_empty());
        }
        if let Some(column) = column_in(selection.end) {
            moved.end = new_start + cut.moved(column, false);
        }
        text.push_str(&line[..cut.column]);
        text.push_str(cut.text);
        text.push_str(&line[cut.column + cut.length..]);
    }
    // A selection that ends where the next line begins still does.
    if selection.end > range.end {
        moved.end = range.start + text.len() + 1;
    }
    Edit { range, text, selection: moved }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a text in which `<` and `>` are the ends of the selection, or `|` the caret.
    fn read(text: &str) -> (SourceText, Range<usize>) {
        let text = text.replace('|', "<>");
        let start = text.find('<').unwrap();
        let end = text.find('>').unwrap() - 1;
        (SourceText::new(text.replace(['<', '>'], "")), start..end)
    }

    fn write(source: &SourceText, edit: &Edit) -> String {
        let mut text = source.text().to_owned();
        text.replace_range(edit.range.clone(), &edit.text);
        text.insert(edit.selection.end, '>');
        text.insert(edit.selection.start, '<');
        text.replace("<>", "|")
    }

    fn after(text: &str, edit: impl Fn(&SourceText, Range<usize>) -> Edit) -> String {
        let (source, selection) = read(text);
        write(&source, &edit(&source, selection))
    }

    #[test]
    fn lines_begin_as_deep_as_they_are_meant() {
        for (text, expected) in [
            ("x = 1|", "x = 1\n|"),
            ("    x = 1|", "    x = 1\n    |"),
            ("if x:|", "if x:\n    |"),
            ("  if x: # why:|", "  if x: # why:\n      |"),
            ("x = 'a:'|", "x = 'a:'\n|"),
            ("# a:|", "# a:\n|"),
            ("f(|", "f(\n    |"),
            ("f(|)", "f(\n    |\n)"),
            ("  f([|])", "  f([\n      |\n  ])"),
            ("f(a,|", "f(a,\n    |"),
            ("f(a,| b)", "f(a,\n    |b)"),
            ("f(\n    a,|", "f(\n    a,\n    |"),
            ("    f(\n        a)|", "    f(\n        a)\n    |"),
            ("def f(\n    a,\n):|", "def f(\n    a,\n):\n    |"),
            ("x = ')'|", "x = ')'\n|"),
            ("    return x|", "    return x\n|"),
            ("        pass # so|", "        pass # so\n    |"),
            ("returned|", "returned\n|"),
            ("return f(|", "return f(\n    |"),
            ("'''\n    return x|", "'''\n    return x\n    |"),
            ("  |x", "  \n  |x"),
            ("a <b\nc> d", "a \n|d"),
            ("\tx|", "\tx\n\t|"),
        ] {
            assert_eq!(after(text, break_line), expected, "{text}");
        }
    }

    #[test]
    fn backspace_takes_a_level_where_there_is_nothing_else() {
        for (text, expected) in [
            ("        |x", Some("    |x")),
            ("     |", Some("    |")),
            ("  |  x", Some("|  x")),
            ("x   |", None),
            ("|", None),
            ("<  >", None),
        ] {
            let (source, selection) = read(text);
            let edit = delete_back(&source, selection);
            assert_eq!(edit.map(|edit| write(&source, &edit)).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn lines_are_set_in_and_out() {
        for (text, deeper) in [
            ("|", "    |"),
            ("a|b", "a   |b"),
            ("a<b>c", "    a<b>c"),
            ("a\n<b\n\nc>", "a\n<    b\n\n    c>"),
            ("<a\n>b", "<    a\n>b"),
        ] {
            assert_eq!(after(text, |source, selection| indent(source, selection, false)), deeper, "{text}");
        }
        for (text, further_out) in [
            ("      a|", "  a|"),
            (" |  a", "|a"),
            ("<    a\n  b\n\tc>\n", "<a\nb\nc>\n"),
            ("    a\n    <b>", "    a\n<b>"),
            ("a|", "a|"),
        ] {
            assert_eq!(after(text, |source, selection| indent(source, selection, true)), further_out, "{text}");
        }
    }

    #[test]
    fn comments_come_and_go() {
        for (text, expected) in [
            ("a|", "# a|"),
            ("# a|", "a|"),
            ("#a|", "a|"),
            ("    |a", "    # |a"),
            ("|", "# |"),
            ("<if x:\n\n    a>\nb", "<# if x:\n\n#     a>\nb"),
            ("<# if x:\n\n#     a>", "<if x:\n\n    a>"),
            ("<# a\nb>", "<# # a\n# b>"),
            ("    <a\n  b>", "  #   <a\n  # b>"),
        ] {
            assert_eq!(after(text, toggle_comment), expected, "{text}");
        }
    }

    #[test]
    fn lines_move_and_double() {
        for (text, to, expected) in [
            ("a\nb|\nc", Move::Up, Some("b|\na\nc")),
            ("a\nb|\nc", Move::Down, Some("a\nc\nb|")),
            ("a\n<b\nc>", Move::Up, Some("<b\nc>\na")),
            ("<a\n>b", Move::Down, Some("b\n<a>")),
            ("<a\n>b\nc", Move::Down, Some("b\n<a\n>c")),
            ("a|", Move::Up, None),
            ("a|", Move::Down, None),
            ("|\na", Move::Down, Some("a\n|")),
        ] {
            let (source, selection) = read(text);
            let edit = move_lines(&source, selection, to);
            let written = edit.map(|edit| write(&source, &edit));
            assert_eq!(written.as_deref(), expected, "{text}");
        }
        assert_eq!(after("a|b\nc", duplicate_lines), "ab\na|b\nc");
        assert_eq!(after("<a\nb>", duplicate_lines), "a\nb\n<a\nb>");
    }

    proptest! {
        #[test]
        fn what_comes_is_sound_and_comments_go_as_they_came(text in "([ab:#()'\"é\t ]|    |\n){0,30}", one in 0_usize..60, other in 0_usize..60) {
            let source = SourceText::new(text.clone());
            let at = |place: usize| (0..=place.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let (one, other) = (at(one), at(other));
            let selection = one.min(other)..one.max(other);
            let edits = [
                Some(break_line(&source, selection.clone())),
                delete_back(&source, selection.clone()),
                Some(indent(&source, selection.clone(), false)),
                Some(indent(&source, selection.clone(), true)),
                Some(toggle_comment(&source, selection.clone())),
                move_lines(&source, selection.clone(), Move::Up),
                move_lines(&source, selection.clone(), Move::Down),
                Some(duplicate_lines(&source, selection)),
            ];
            for edit in edits.into_iter().flatten() {
                let mut edited = text.clone();
                edited.replace_range(edit.range, &edit.text);
                prop_assert!(edit.selection.start <= edit.selection.end);
                prop_assert!(edited.is_char_boundary(edit.selection.start) && edited.is_char_boundary(edit.selection.end));
            }
        }
    }
}
